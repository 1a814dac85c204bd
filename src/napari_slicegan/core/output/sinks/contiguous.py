"""Files in which all voxels stand in one piece, uncompressed: NPY, raw and TIFF. Each voxel has its place at once.

Pieces are written at their places. The file is not mapped into memory: a full disk would end the process, and mapped
pages count as its memory.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.output.sinks.base import Array, VolumeDescription
from napari_slicegan.core.output.sinks.tiff_header import tiff_layout, write_tiff_header
from napari_slicegan.core.raster import npy_layout
from napari_slicegan.core.values import cast
from napari_slicegan.core.volume.tiles import Slices


@dataclass(frozen=True)
class Layout:
    """Where the voxels stand in a file and how they are stored.

    Attributes
    ----------
    offset : int
        Bytes before the first voxel.
    dtype : numpy.dtype
        Of the voxels, with their byte order.
    """

    offset: int
    dtype: np.dtype[Any]


class ContiguousSink:
    """A file with one value after the other, x fastest.

    Parameters
    ----------
    part : Path
        The file while it is unfinished.
    description : VolumeDescription
        The volume.
    layout : Layout
        Of the file, which is there with all that comes before the voxels.
    resume : bool
        Whether voxels are there already.
    """

    def __init__(self, part: Path, description: VolumeDescription, layout: Layout, resume: bool) -> None:
        self._offset, self._dtype = layout.offset, layout.dtype
        self._shape = description.shape[:3]
        self._voxel = prod(description.shape[3:]) * layout.dtype.itemsize  # bytes
        end = self._offset + self._voxel * prod(self._shape)
        if part.stat().st_size < end:
            if resume:
                raise OutputError(f"{part} is shorter than it was: remove it and its journal.")
            os.truncate(part, end)  # takes no room until it is written to
        self._file = part.open("r+b", buffering=0)

    def write(self, place: Slices, values: Array) -> None:
        """Write the rows of a piece where they belong, as many at once as follow one another in the file."""
        stored = np.ascontiguousarray(cast(values, self._dtype)).reshape(-1).view(np.uint8).data
        z, y, x = place
        _, rows, columns = self._shape
        length = (x.stop - x.start) * self._voxel
        firsts = np.arange(z.start, z.stop)[:, None] * rows + np.arange(y.start, y.stop)  # in rows
        places = (firsts.ravel() * columns + x.start) * self._voxel + self._offset
        breaks = [0, *np.flatnonzero(np.diff(places) != length) + 1, len(places)]
        for first, last in pairwise(breaks):
            self._put(int(places[first]), stored[first * length : last * length])

    def _put(self, position: int, stored: memoryview) -> None:
        self._file.seek(position)
        while stored:
            stored = stored[self._file.write(stored) :]

    def flush(self) -> None:
        """Bring all that was written to the disk."""
        if not self._file.closed:
            os.fsync(self._file.fileno())

    def finish(self, progress: Callable[[float], None]) -> None:
        """Do nothing: when all pieces are written the file is complete."""

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class DescribedSink(ContiguousSink):
    """A file that cannot say what its voxels are, with a JSON file beside it that does; see `ContiguousSink`."""

    def __init__(self, part: Path, description: VolumeDescription, layout: Layout, resume: bool) -> None:
        super().__init__(part, description, layout, resume)
        self._about = part.with_name(part.name.removesuffix(".part") + ".json")
        self._text = json.dumps(_facts(description), indent=2) + "\n"

    def finish(self, progress: Callable[[float], None]) -> None:
        """Write the JSON file; the voxels get their name right after it."""
        super().finish(progress)
        from napari_slicegan.core.files import write_atomically

        write_atomically(self._about, lambda file: file.write(self._text.encode()))


def raw_sink(part: Path, description: VolumeDescription, resume: bool) -> ContiguousSink:
    """A file of bare voxels, open.

    Parameters
    ----------
    part : Path
        The file while it is unfinished.
    description : VolumeDescription
        The volume.
    resume : bool
        Whether to go on with what is there.
    """
    if not resume:
        part.touch(exist_ok=False)
    return DescribedSink(part, description, Layout(0, description.dtype.newbyteorder("<")), resume)


def npy_sink(part: Path, description: VolumeDescription, resume: bool) -> ContiguousSink:
    """A file of numpy, open; see `raw_sink` for the parameters."""
    dtype = description.dtype.newbyteorder("<")
    if not resume:
        header = {"descr": dtype.str, "fortran_order": False, "shape": description.shape}
        with part.open("xb") as file:
            np.lib.format.write_array_header_1_0(file, header)
    shape, order, stored, offset = npy_layout(part)
    if (shape, order, stored) != (description.shape, "C", dtype):
        raise ValueError("its header is another one")
    return DescribedSink(part, description, Layout(offset, dtype), resume)


def tiff_sink(part: Path, description: VolumeDescription, resume: bool, ome: bool = False) -> ContiguousSink:
    """A TIFF file, open: ImageJ's kind below 4 GB, else or if asked for OME-TIFF; see `raw_sink`."""
    if not resume:
        part.touch(exist_ok=False)
        write_tiff_header(part, description, ome)
    return ContiguousSink(part, description, Layout(*tiff_layout(part)), resume)


def ome_tiff_sink(part: Path, description: VolumeDescription, resume: bool) -> ContiguousSink:
    """An OME-TIFF file of any size, open; see `raw_sink`."""
    return tiff_sink(part, description, resume, ome=True)


def _facts(description: VolumeDescription) -> dict[str, Any]:
    """What a reader of bare voxels must know."""
    return {
        "shape": list(description.shape),
        "axes": "zyxc"[: len(description.shape)],
        "order": "the last axis is the fastest",
        "dtype": description.dtype.newbyteorder("<").str,
        "byte_order": "little",
        "kind": str(description.kind),
        "phases": list(description.phases),
        "phase_names": list(description.phase_names),
        "phase_colours": list(description.phase_colours),
        "voxel_size": description.voxel_size,
        "unit": description.unit,
        "provenance": description.provenance,
    }
