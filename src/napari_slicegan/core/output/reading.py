"""Volumes that were written, opened without reading them into memory.

They may come from anywhere: what a file claims is believed where the file can hold it, and nothing in it is executed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite, prod
from pathlib import Path
from typing import Any

import numpy as np

from napari_slicegan.core.errors import DataError, OutputError, SliceGANError, brief
from napari_slicegan.core.files import is_own_file, read_small
from napari_slicegan.core.output.formats import OME_ZARR, format_of
from napari_slicegan.core.output.sinks.base import VolumeDescription
from napari_slicegan.core.raster import check_held, npy_layout

_NUMBERS = re.compile(r"[<>|=]?[biuf][1248]|bool|u?int(8|16|32|64)|float(16|32|64)")  # as numpy names them
_LONGEST = 2**24  # bytes of what stands beside the voxels
_WIDEST_NUMBER = 8  # bytes


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

    Raises
    ------
    DataError
        It is damaged, or holds something else than numbers.
    """
    openers = {"OME-Zarr": _ome_zarr, "NPY": _npy, "raw": _raw, "VTI": _vti}
    with _sentences(path):
        volume = openers.get(format_of(path).name, _tiff)(path)
        _check_numbers(volume.dtype)
        if 0 in volume.shape:
            raise ValueError(f"its shape is {volume.shape}")
        return volume.reshape(shape) if shape and isinstance(volume, np.ndarray) else volume


def voxel_size(path: Path) -> tuple[float, str]:
    """Tell the size of the voxels of a volume in OME-Zarr, .raw, .vti or .npy; TIFF is for `io.read_image`.

    Parameters
    ----------
    path : Path
        The file or store.

    Returns
    -------
    float and str
        Edge of a voxel and its unit; 1 and "pixel" when the file does not tell.

    Raises
    ------
    DataError
        It is damaged.
    """
    with _sentences(path):
        size, unit = _spacing(path)
        if not (isfinite(size) and size > 0):
            raise ValueError(f"voxels of the size {size:g}")
        return size, unit


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
    except DataError:
        same, made = False, None
    if not same or (made and any(made.get(topic) != wanted.get(topic) for topic in ("request", "model"))):
        raise OutputError(f"{path} is another volume than the one that is wanted: choose another name.")


def provenance_of(path: Path) -> dict[str, Any]:
    """Where a volume comes from, as far as its file says; plain JSON.

    Raises
    ------
    DataError
        It is damaged.
    """
    with _sentences(path):
        return {topic: said for topic, said in _record(path).items() if topic != "layer"}  # how napari showed it


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """Say in a sentence what is wrong with a file."""
    try:
        yield
    except SliceGANError:
        raise
    except Exception as error:  # decoders raise anything at all on damaged files
        raise DataError(
            f"{path} cannot be read as a volume ({brief(error)}): it is damaged, or holds something else."
        ) from error


def _check_numbers(dtype: Any) -> None:
    """Refuse what is no number before a file is mapped: mapped Python objects would be addresses in memory."""
    if np.dtype(dtype).kind not in "buif" or np.dtype(dtype).itemsize > _WIDEST_NUMBER:
        raise ValueError(f"it holds {dtype} values")


def _spacing(path: Path) -> tuple[float, str]:
    kind = format_of(path)
    if kind is OME_ZARR:
        from napari_slicegan.core.output.sinks.ngff import spacing_of
        from napari_slicegan.core.output.stores import attributes_of

        return spacing_of(attributes_of(path)["ome"])
    if kind.name == "VTI":
        from napari_slicegan.core.output.vti_reading import read_vti

        return read_vti(path)[1:]
    if kind.name == "raw" or _is_described(path):
        facts = _facts(path)
        return float(facts["voxel_size"]), str(facts["unit"])
    return 1.0, "pixel"


def _record(path: Path) -> dict[str, Any]:
    """All that a file says of a volume beyond what its format has places for."""
    kind = format_of(path)
    if kind is OME_ZARR:
        from napari_slicegan.core.output.sinks.ome_zarr import KEY
        from napari_slicegan.core.output.stores import attributes_of

        return dict(attributes_of(path).get(KEY, {}))
    if kind.name in ("TIFF", "OME-TIFF"):
        from napari_slicegan.core.tiff import read_record

        return read_record(path)
    if kind.name == "VTI":
        from napari_slicegan.core.output.vti_reading import read_vti_record

        return read_vti_record(path)
    return dict(_facts(path).get("provenance", {})) if _is_described(path) else {}


def _is_described(path: Path) -> bool:
    """Whether a file beside it says what its voxels are; those of NPY files go without one, too."""
    companion = format_of(path).companion_of(path)
    return companion is not None and is_own_file(companion)


def _npy(path: Path) -> Any:
    shape, order, dtype, offset = npy_layout(path)
    return np.memmap(path, dtype, "r", offset, shape, order)


def _raw(path: Path) -> Any:
    facts = _facts(path)
    if not _NUMBERS.fullmatch(facts["dtype"]):
        raise ValueError(f"it holds {facts['dtype']} values")
    dtype, shape = np.dtype(facts["dtype"]), tuple(map(int, facts["shape"]))
    if min(shape) < 1:
        raise ValueError(f"its shape is {shape}")
    check_held(path.name, prod(shape) * dtype.itemsize, path.stat().st_size, 1)
    return np.memmap(path, dtype, "r", shape=shape)


def _facts(path: Path) -> Any:
    return json.loads(read_small(path.with_name(path.name + ".json"), _LONGEST))


def _tiff(path: Path) -> Any:
    from napari_slicegan.core.tiff import map_tiff

    return map_tiff(path)


def _ome_zarr(path: Path) -> Any:
    from napari_slicegan.core.output.stores import open_store

    return open_store(path).levels[0]


def _vti(path: Path) -> Any:
    from napari_slicegan.core.output.vti_reading import read_vti

    return read_vti(path)[0]
