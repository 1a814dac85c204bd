"""A volume made again, piece by piece, beside the one in a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.comparison.samples import read_volume
from napari_slicegan.core.errors import DataError, ModelError
from napari_slicegan.core.machine import Machine, machine_in
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.output.formats import OME_ZARR, format_of
from napari_slicegan.core.output.reading import open_volume, provenance_of
from napari_slicegan.core.reproducing.verdict import Verdict
from napari_slicegan.core.threads import using_threads
from napari_slicegan.core.volume.request import VolumeRequest
from napari_slicegan.core.volume.tiles import Slices, Tile

_DIGEST = re.compile("[0-9a-f]{64}")
_TOPICS = ("shape", "seed", "origin", "periodic", "precision")

Array = npt.NDArray[Any]
Report = Callable[[float], None]


@dataclass(frozen=True)
class VolumePast:
    """What a volume says of how it was made.

    Attributes
    ----------
    request : VolumeRequest
        The box of the endless volume.
    model : str
        Fingerprint of the model; empty where the volume does not tell.
    machine : Machine or None
        What computed; None where the volume does not tell.
    training : dict
        What the model has told of its training.
    """

    request: VolumeRequest
    model: str
    machine: Machine | None
    training: dict[str, Any]

    @classmethod
    def of(cls, path: Path) -> VolumePast:
        """Read what a file says of its volume.

        Raises
        ------
        ModelError
            It says nothing of that, or it makes no sense.
        """
        try:
            record = provenance_of(path)
            asked = record.get("request", record)  # napari's layers keep it flat
            request = VolumeRequest.from_dict({topic: asked[topic] for topic in _TOPICS})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(
                f"{path.name} does not say how it was made: only volumes can be made again that napari-slicegan has "
                "written with their seed and their model, and that no other program has saved since."
            ) from error
        digests = [str(text) for text in (record.get("model"), record.get("fingerprint")) if _is_digest(text)]
        training = record.get("training")
        return cls(
            request,
            digests[0] if digests else "",
            machine_in(record),
            training if isinstance(training, dict) else {},
        )

    @property
    def threads(self) -> AbstractContextManager[None]:
        """While its ``with`` block lasts, as many threads compute as did then."""
        return using_threads(self.machine.threads if self.machine else 0)

    def check(self, model: SliceGAN) -> None:
        """Refuse another model than the one that made the volume.

        Raises
        ------
        ModelError
            It is another one.
        """
        if self.model and model.fingerprint != self.model:
            raise ModelError(
                "This is not the model that made the volume: its weights are others. Name the right one with --model."
            )


def compared_again(
    path: Path, past: VolumePast, model: SliceGAN, progress: Report | None = None, made: Path | None = None
) -> Verdict:
    """Make a volume again and compare it voxel by voxel; a tile of each is in memory at a time.

    Parameters
    ----------
    path : Path
        The volume.
    past : VolumePast
        How it was made.
    model : SliceGAN
        What made it.
    progress : callable, optional
        Is called with the finished fraction; what it raises ends the work.
    made : Path, optional
        A file in which it has been made again already.

    Returns
    -------
    Verdict
        Whether all voxels are the same.

    Raises
    ------
    SliceGANError
        A file cannot be read, or the volume cannot be made.
    """
    past.check(model)
    generation = model.generation(past.request)
    stored = _Voxels(path, generation.shape)
    if not stored.fit:
        return Verdict(False, f"it has {stored.size} voxels, but was made with {_size(generation.shape)}.")
    other, count = _Voxels(made, generation.shape) if made else None, _Count()
    try:
        with past.threads:
            for done, tile in enumerate(generation.tiles):
                part = generation.part_of(progress, done)
                again = other[tile.place] if other else generation.make(tile, part)
                count.add(stored[tile.place], again, tile)
                if progress:
                    progress((done + 1) / len(generation.tiles))
    finally:
        generation.release()
    voxels = f"{prod(generation.shape[:3]):,} voxels"
    if not count.wrong:
        return Verdict(True, f"all {voxels} are the same.")
    return Verdict(False, f"{count.wrong:,} of {voxels} differ, the first at {count.first}.")


class _Voxels:
    """The volume of a file, (Z, Y, X) or (Z, Y, X, 3), of which what is sliced is read."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        try:
            voxels = open_volume(path)
        except DataError:  # TIFF that another program has compressed
            voxels = read_volume(path).voxels
        self._colours_first = format_of(path) is OME_ZARR and len(shape) == 4
        if isinstance(voxels, np.ndarray) and voxels.size == prod(shape):
            voxels = voxels.reshape(shape)  # TIFF does not tell of axes that are one voxel long
        own = tuple(voxels.shape)
        own = own[1:] + own[:1] if self._colours_first else own
        self._voxels, self.fit, self.size = voxels, own == shape, _size(own)

    def __getitem__(self, place: Slices) -> Array:
        if self._colours_first:
            return np.moveaxis(np.asarray(self._voxels[(slice(None), *place)]), 0, -1)
        return np.asarray(self._voxels[place])


class _Count:
    """Counts voxels that differ, and remembers the first."""

    def __init__(self) -> None:
        self.wrong, self.first = 0, ""

    def add(self, before: Array, again: Array, tile: Tile) -> None:
        """Compare a tile of two volumes."""
        differ = np.asarray(before != again)
        differ = np.asarray(differ.any(axis=3)) if differ.ndim == 4 else differ
        if differ.any() and not self.wrong:
            place = tuple(map(int, np.argwhere(differ)[0]))
            z, y, x = (part.start + step for part, step in zip(tile.place, place, strict=True))
            self.first = f"z {z}, y {y}, x {x}: {before[place]} in the file, {again[place]} made again"
        self.wrong += int(np.count_nonzero(differ))


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _is_digest(text: object) -> bool:
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None
