"""Volumes that were written, opened without reading them into memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.output.formats import OME_ZARR, format_of
from napari_slicegan.core.output.sinks.base import VolumeDescription


def open_volume(path: Path, shape: tuple[int, ...] = ()) -> Any:
    """Open a volume that was written in any of the formats.

    Parameters
    ----------
    path : Path
        The file or store.
    shape : tuple of int
        (Z, Y, X) or (Z, Y, X, 3), if it is known: TIFF does not tell of axes that are one voxel long.

    Returns
    -------
    array-like (Z, Y, X) or (Z, Y, X, 3)
        What is sliced of it is read from the disk; colours in OME-Zarr are (3, Z, Y, X).
    """
    openers = {"OME-Zarr": _ome_zarr, "NPY": _npy, "raw": _raw, "VTI": _vti}
    volume = openers.get(format_of(path).name, _tiff)(path)
    return volume.reshape(shape) if shape and isinstance(volume, np.ndarray) else volume


def voxel_size(path: Path) -> tuple[float, str]:
    """Tell the size of the voxels of a volume in OME-Zarr, .raw or .vti; TIFF is for `io.read_image`.

    Parameters
    ----------
    path : Path
        The file or store.

    Returns
    -------
    float and str
        Edge of a voxel and its unit; 1 and "pixel" when the file does not tell.
    """
    kind = format_of(path)
    if kind is OME_ZARR:
        import zarr

        from napari_slicegan.core.output.sinks.ngff import spacing_of

        attributes: Any = zarr.open_group(path, mode="r").attrs["ome"]
        return spacing_of(attributes)
    if kind.name == "raw":
        facts = _facts(path)
        return float(facts["voxel_size"]), str(facts["unit"])
    if kind.name == "VTI":
        from napari_slicegan.core.output.sinks.vti import read_vti

        return read_vti(path)[1:]
    return 1.0, "pixel"


def check_same(path: Path, description: VolumeDescription) -> None:
    """Refuse a complete file that holds another volume than the one that is wanted.

    Raises
    ------
    OutputError
        Its shape is another, or what it says of its seed, place and model, if the format has room for that.
    """
    shape, wanted = description.shape, description.provenance
    try:
        same = open_volume(path, shape).shape in (shape, shape[3:] + shape[:3])
        made = provenance_of(path)
    except (OSError, ValueError, KeyError):
        same, made = False, None
    if not same or (made and any(made.get(topic) != wanted.get(topic) for topic in ("request", "model"))):
        raise OutputError(f"{path} is another volume than the one that is wanted: choose another name.")


def provenance_of(path: Path) -> dict[str, Any]:
    """Where a volume comes from, as far as its file says; plain JSON."""
    return {topic: said for topic, said in _record(path).items() if topic != "layer"}  # how napari showed it


def _record(path: Path) -> dict[str, Any]:
    """All that a file says of a volume beyond what its format has places for."""
    kind = format_of(path)
    if kind is OME_ZARR:
        import zarr

        from napari_slicegan.core.output.sinks.ome_zarr import KEY

        made: Any = zarr.open_group(path, mode="r").attrs.get(KEY, {})
        return dict(made)
    if kind.name in ("TIFF", "OME-TIFF"):
        from napari_slicegan.core.tiff import read_record

        return read_record(path)
    if kind.name == "VTI":
        from napari_slicegan.core.output.sinks.vti import read_vti_record

        return read_vti_record(path)
    companion = kind.companion_of(path)
    return dict(_facts(path).get("provenance", {})) if companion and companion.is_file() else {}


def _npy(path: Path) -> Any:
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _raw(path: Path) -> Any:
    facts = _facts(path)
    return np.memmap(path, facts["dtype"], "r", shape=tuple(facts["shape"]))


def _facts(path: Path) -> Any:
    return json.loads(path.with_name(path.name + ".json").read_text())


def _tiff(path: Path) -> Any:
    import tifffile

    return tifffile.memmap(path, mode="r")


def _ome_zarr(path: Path) -> Any:
    from napari_slicegan.core.output.sinks.ome_zarr import open_levels

    return open_levels(path)[0]


def _vti(path: Path) -> Any:
    from napari_slicegan.core.output.sinks.vti import read_vti

    return read_vti(path)[0]
