"""TIFF files that are complete but for their voxels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import numpy as np

from napari_slicegan.core.calibration import in_one_unit
from napari_slicegan.core.output.sinks.base import VolumeDescription
from napari_slicegan.core.output.tiff_options import storable_type, tiff_options


def write_tiff_header(part: Path, description: VolumeDescription, ome: bool) -> None:
    """Write all of a TIFF file but its voxels, for which room is left.

    Parameters
    ----------
    part : Path
        An empty file.
    description : VolumeDescription
        The volume.
    ome : bool
        OME-TIFF in any case.
    """
    import tifffile

    phases = description.phases or (0, 255)
    dtype = storable_type(description.dtype, min(phases), max(phases), part.name.removesuffix(".part"))
    nbytes = description.nbytes // description.dtype.itemsize * dtype.itemsize
    spacing = in_one_unit(description.sizes, [description.unit] * 3)
    shown = description.shown if description.phases or description.limits else None
    axes = "ZYXS"[: len(description.shape)]
    options = tiff_options(axes, dtype, nbytes, spacing, shown, ome)
    about = json.dumps(description.record)
    if options.get("imagej"):
        options["metadata"]["Info"] = about
    else:  # equal volumes are equal files
        options["metadata"] |= {"Description": about, "UUID": str(uuid5(NAMESPACE_OID, about))}
    tifffile.imwrite(part, None, shape=description.shape, dtype=dtype, **options)


def tiff_layout(part: Path) -> tuple[int, np.dtype[Any]]:
    """Where the voxels of a file stand that `write_tiff_header` made, and how they are stored."""
    import tifffile

    with tifffile.TiffFile(part) as file:
        page = file.pages.first
        assert page.dtype is not None
        return page.dataoffsets[0], page.dtype.newbyteorder(file.byteorder)
