"""Volumes that are there already, in memory or lazily, to files: piece by piece, so that memory stays bounded."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.files import output_error
from napari_slicegan.core.output.formats import OME_ZARR, format_of
from napari_slicegan.core.output.sinks.base import Sink, VolumeDescription
from napari_slicegan.core.output.sinks.pyramid import blocks_of
from napari_slicegan.core.output.stores import foreign_in, is_store
from napari_slicegan.core.values import cast

#: Edge of the pieces in voxels.
TILE = 256
#: With more labels than these a layer shows objects rather than phases.
MOST_PHASES = 64

Progress = Callable[[float], None]


def write_array(path: Path, array: Any, description: VolumeDescription, progress: Progress | None = None) -> None:
    """Write a volume, whole or not at all; a file or store of this name is replaced at the very end.

    Parameters
    ----------
    path : Path
        File or store whose ending says the format.
    array : array-like (Z, Y, X) or (Z, Y, X, 3)
        Read in pieces of at most `TILE` voxels along each axis.
    description : VolumeDescription
        What the file is to say; its `dtype` is what the values are turned into.
    progress : callable, optional
        Is called with the finished fraction; what it raises ends the work, and nothing is left of it.

    Raises
    ------
    OutputError
        The file cannot be written, its format is of two files or cannot hold the values, or a folder that is more
        than a store has this name.
    """
    kind, report = format_of(path), progress or (lambda _: None)
    if kind.companion:
        raise OutputError(f"{path.name} would be two files: choose another format, such as .tif or .ome.zarr.")
    _check_replaceable(path)
    part = path.with_name(f"{path.name}.{uuid4().hex[:8]}.part")  # PATH.part may be a volume that is to be resumed
    try:
        sink = kind.make(part, description, False)
        try:
            _fill(sink, array, description, lambda fraction: report(fraction * (1 - kind.finishing)))
            sink.finish(lambda fraction: report(1 - kind.finishing * (1 - fraction)))
            sink.flush()
        finally:
            sink.close()
        _put_in_place(part, path)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        _remove(part)
    report(1.0)


def phases_in(array: Any, progress: Progress | None = None) -> tuple[int, ...]:
    """The labels of a volume (Z, Y, X); none of them if there are more than `MOST_PHASES`."""
    found: set[int] = set()
    blocks = list(blocks_of(array.shape, TILE))
    for number, block in enumerate(blocks, start=1):
        found.update(_values(np.asarray(array[block])))
        if len(found) > MOST_PHASES:
            return ()
        if progress:
            progress(number / len(blocks))
    return tuple(sorted(found))


def _values(values: npt.NDArray[Any]) -> list[int]:
    """The numbers that occur; of bytes counted, since sorting them takes ten times as long."""
    if values.dtype == np.uint8:
        return [int(value) for value in np.flatnonzero(np.bincount(values.ravel()))]
    return [int(value) for value in np.unique(values)]


def range_of(array: Any) -> tuple[float, float]:
    """The least and the greatest value of a volume (Z, Y, X)."""
    ends = [(part.min(), part.max()) for part in (np.asarray(array[block]) for block in blocks_of(array.shape, TILE))]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _fill(sink: Sink, array: Any, description: VolumeDescription, progress: Progress) -> None:
    z, y, x = description.shape[:3]
    blocks = list(blocks_of((z, y, x), TILE))
    for number, block in enumerate(blocks, start=1):
        values: npt.NDArray[Any] = np.asarray(array[block])
        sink.write(block, cast(values, description.dtype))
        progress(number / len(blocks))


def _check_replaceable(path: Path) -> None:
    """Refuse a folder that is not a store of volumes: nobody wants to lose it."""
    if path.is_dir():
        if not (format_of(path) is OME_ZARR and is_store(path)):
            raise OutputError(f"{path} is a folder: choose another name.")
        if foreign := foreign_in(path):
            raise OutputError(f"{path} holds more than a volume ({', '.join(foreign)!s:.100}): choose another name.")
    if not path.parent.is_dir():
        raise OutputError(f"There is no folder {path.parent}: make it first.")


def _put_in_place(part: Path, path: Path) -> None:
    """Give what was written its name. A folder cannot be replaced in one go: the old one is moved aside first."""
    if not path.is_dir():
        part.replace(path)
        return
    aside = path.with_name(f"{part.name.removesuffix('.part')}.old")
    path.rename(aside)
    try:
        part.rename(path)
    except OSError:
        aside.rename(path)
        raise
    _remove(aside)


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
