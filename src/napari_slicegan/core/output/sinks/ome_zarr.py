"""OME-Zarr: a folder with the volume in several resolutions, in Zarr format 3.

Every file of the folder is written under another name and then renamed (`zarr.storage.LocalStore` does it), so a
process that is killed leaves each file as it was or as it should be, and at most some `*.partial` beside them, which
`finish` removes. A piece that covers a file only in part is put into what the file holds already: two processes must
not write into one file at the same time. `flush` brings files and folders to the disk, against a loss of power.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import BloscCodec

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.errors import OutputError, brief
from napari_slicegan.core.files import to_disk
from napari_slicegan.core.output.sinks import ngff, pyramid
from napari_slicegan.core.output.sinks.base import VolumeDescription
from napari_slicegan.core.output.sinks.pyramid import Level
from napari_slicegan.core.output.zarr_checks import check_codecs, check_tree
from napari_slicegan.core.volume.request import Triple
from napari_slicegan.core.volume.tiles import Slices

Array = npt.NDArray[np.generic]

#: Where a store says what no standard has a place for: whether it is complete, the phases, the provenance, the look.
KEY = "napari-slicegan"
#: Edges of a chunk, what a viewer reads at once, from the best one.
_CHUNKS = (64, *range(72, 15, -1))


class OmeZarrSink:
    """A folder in OME-Zarr.

    Parameters
    ----------
    part : Path
        The folder.
    description : VolumeDescription
        What is written.
    resume : bool
        Go on with what the folder holds already; else it is emptied.
    """

    def __init__(self, part: Path, description: VolumeDescription, resume: bool) -> None:
        self._part, self._description = part, description
        self._colour = description.kind is OutputKind.COLOUR
        self._levels = pyramid.levels_of((description.shape[0], description.shape[1], description.shape[2]))
        self._unsaved: set[Path] = set()
        self._group, self._array = self._opened() if resume else self._created()

    def write(self, place: Slices, values: Array) -> None:
        """Write one piece where it belongs."""
        self._put(self._array, place, np.moveaxis(values, -1, 0) if self._colour else values)

    def flush(self) -> None:
        """Bring all that was written to the disk, so that a crash cannot take it."""
        if not (self._part / self._array.path / "zarr.json").is_file():  # zarr would make a folder that has gone anew
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        folders = {folder for path in self._unsaved for folder in path.relative_to(self._part).parents}
        for path in [*self._unsaved, *(self._part / folder for folder in folders)]:
            to_disk(path)  # zarr leaves files of zeros out
        self._unsaved.clear()

    def finish(self, progress: Callable[[float], None]) -> None:
        """Make the coarser levels; what says that the store is complete is written last of all."""
        self._say(self._levels[:1], complete=False)
        finer = self._array
        total = sum(len(self._blocks(level)) for level in self._levels[1:])
        done = 0
        for number, (below, level) in enumerate(zip(self._levels, self._levels[1:], strict=False), start=1):
            array = self._new_array(number, level)
            for block in self._blocks(level):
                source = np.asarray(finer[(..., *pyramid.source_of(block, below))])
                self._put(array, block, self._coarser(source, below.factors))
                done += 1
                progress(done / total)
            finer = array
        for leftover in self._part.rglob("*.partial"):
            leftover.unlink()
        self.flush()
        self._say(self._levels, complete=True)
        self.flush()

    def close(self) -> None:
        """Let go of the folder; nothing is written after that."""
        self._group.store.close()

    def _opened(self) -> tuple[zarr.Group, zarr.Array[Any]]:
        """What is there; never made anew, since the journal says that pieces of it are done."""
        try:
            check_tree(self._part)
            group = zarr.open_group(self._part, mode="r+", zarr_format=3)
            array = group["0"]
            self._check_array(array)
        except Exception as error:  # zarr raises anything at all on damaged stores
            raise OutputError(f"{self._part} is damaged or out of sight: remove it and its journal.") from error
        assert isinstance(array, zarr.Array)
        return group, array

    def _check_array(self, array: Any) -> None:
        """Refuse what this sink would not have made."""
        shape = self._description.shape
        check_codecs(array)
        if array.shape != ((3, *shape[:3]) if self._colour else shape) or array.dtype != self._description.dtype:
            raise ValueError("another array")

    def _created(self) -> tuple[zarr.Group, zarr.Array[Any]]:
        if self._part.is_dir():
            shutil.rmtree(self._part)
        self._group = zarr.open_group(self._part, mode="w-", zarr_format=3)
        self._say(self._levels[:1], complete=False)
        return self._group, self._new_array(0, self._levels[0])

    def _new_array(self, number: int, level: Level) -> zarr.Array[Any]:
        chunks, shards = zip(*(chunk_and_shard(size, self._description.tile) for size in level.shape), strict=True)
        array = self._group.create_array(
            str(number),
            shape=(3, *level.shape) if self._colour else level.shape,
            dtype=self._description.dtype,
            chunks=(1, *chunks) if self._colour else chunks,
            shards=(3, *shards) if self._colour else shards,
            compressors=BloscCodec(cname="zstd", clevel=5, shuffle="noshuffle"),
            fill_value=0,
            dimension_names=[axis["name"] for axis in ngff.axes(self._description)],
            overwrite=True,
        )
        self._unsaved.add(self._part / array.path / "zarr.json")
        return array

    def _put(self, array: zarr.Array[Any], place: Slices, values: Array) -> None:
        try:
            array[(..., *place)] = values
        except OSError:
            raise
        except Exception as error:  # what the file holds already may be damaged
            raise OutputError(f"{self._part} is damaged ({brief(error)}): remove it and its journal.") from error
        shards = array.shards or array.chunks
        edges = zip(place, shards[-3:], strict=True)
        touched = product(*(range(part.start // edge, -(-part.stop // edge)) for part, edge in edges))
        channel = (0,) * self._colour
        keys = (array.metadata.encode_chunk_key((*channel, *index)) for index in touched)
        self._unsaved.update(self._part / array.path / key for key in keys)

    def _blocks(self, level: Level) -> list[Slices]:
        return list(pyramid.blocks_of(level.shape, self._description.tile))

    def _coarser(self, voxels: Array, factors: Triple) -> Array:
        if self._description.kind is OutputKind.PHASES:
            return pyramid.majority(voxels, factors, self._description.phases)
        return pyramid.mean(voxels, factors)

    def _say(self, levels: list[Level], complete: bool) -> None:
        """Write the metadata, in one go."""
        description = self._description
        own = {"complete": complete, "phases": list(description.phases), **description.record}
        self._group.update_attributes({"ome": ngff.image(description, levels), KEY: own})
        self._unsaved.add(self._part / "zarr.json")


def chunk_and_shard(size: int, tile: int) -> tuple[int, int]:
    """Edges of a chunk and of a file, along an axis of so many voxels: a file is a tile, cut into equal chunks."""
    chunk = min(next((edge for edge in _CHUNKS if tile % edge == 0), tile), size)
    return chunk, min(tile, -(-size // chunk) * chunk)
