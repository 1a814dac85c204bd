"""Volumes that were written, opened without reading them into memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from napari_slicegan.core.output.formats import format_of


def open_volume(path: Path) -> Any:
    """Open a volume that was written in any of the formats.

    Parameters
    ----------
    path : Path
        The file or store.

    Returns
    -------
    array-like (Z, Y, X) or (Z, Y, X, 3)
        What is sliced of it is read from the disk; colours in OME-Zarr are (3, Z, Y, X).
    """
    openers = {"OME-Zarr": _ome_zarr, "NPY": _npy, "raw": _raw, "VTI": _vti}
    return openers.get(format_of(path).name, _tiff)(path)


def _npy(path: Path) -> Any:
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _raw(path: Path) -> Any:
    facts = json.loads(path.with_name(path.name + ".json").read_text())
    return np.memmap(path, facts["dtype"], "r", shape=tuple(facts["shape"]))


def _tiff(path: Path) -> Any:
    import tifffile

    return tifffile.memmap(path, mode="r")


def _ome_zarr(path: Path) -> Any:
    from napari_slicegan.core.output.sinks.ome_zarr import open_levels

    return open_levels(path)[0]


def _vti(path: Path) -> Any:
    from napari_slicegan.core.output.sinks.vti import read_vti

    return read_vti(path)
