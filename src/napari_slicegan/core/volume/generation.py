"""From a generator and a request to a volume, tile by tile."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.geometry import Geometry
from napari_slicegan.core.memory import OTHER_COMPUTER, SMALLER_VOLUME, memory_errors, shortage
from napari_slicegan.core.volume.evaluation import Evaluation
from napari_slicegan.core.volume.request import VolumeRequest
from napari_slicegan.core.volume.tiles import Tile, Tiles

Array = npt.NDArray[np.generic]
Progress = Callable[[float], None]


class Generation:
    """The making of one volume: its tiles, each of which can be made alone, in any order and on any machine.

    Parameters
    ----------
    evaluation : Evaluation
        The trained generator.
    request : VolumeRequest
        What is wanted.

    Attributes
    ----------
    shape : tuple of int
        (Z, Y, X) or (Z, Y, X, 3) of the whole volume.
    dtype : numpy.dtype
        Of its voxels.
    tiles : Tiles
        The pieces, in the order in which they are best made.

    Raises
    ------
    ModelError
        A period is no whole number of latent cells.
    """

    def __init__(self, evaluation: Evaluation, request: VolumeRequest) -> None:
        request.check_periods(evaluation.geometry)
        self._evaluation, self.request = evaluation, request
        self.shape = (*request.shape, *evaluation.colours)
        self.dtype = evaluation.dtype
        self.tiles = Tiles(request, evaluation.geometry)

    @property
    def geometry(self) -> Geometry:
        """The generator's."""
        return self._evaluation.geometry

    @property
    def nbytes(self) -> int:
        """Bytes of the whole volume."""
        return int(prod(self.shape) * self.dtype.itemsize)

    def make(self, tile: Tile, check: Progress | None = None) -> Array:
        """Make the part of a tile that belongs to the volume.

        Parameters
        ----------
        tile : Tile
            One of `tiles`.
        check : callable, optional
            Is called between two layers with the finished fraction of the tile; what it raises ends the work.

        Returns
        -------
        array (Z, Y, X) or (Z, Y, X, 3)
            Labels or intensities.

        Raises
        ------
        ModelError
            Memory has run out.
        """
        z, y, x = ((start, start + self.tiles.edge) for start in tile.start)
        with memory_errors(lambda: ModelError(f"A tile of the volume does not fit into memory: {OTHER_COMPUTER}.")):
            return self._evaluation.box(self.request, (z, y, x), check)[tile.inside]

    def whole(self, progress: Progress | None = None) -> Array:
        """Make the whole volume in memory.

        Parameters
        ----------
        progress : callable, optional
            Is called with the finished fraction; what it raises ends the work.

        Returns
        -------
        array (Z, Y, X) or (Z, Y, X, 3)
            Labels or intensities.

        Raises
        ------
        ModelError
            The volume does not fit into memory.
        """
        self._check_memory()
        try:
            volume = np.empty(self.shape, self.dtype)
            for done, tile in enumerate(self.tiles):
                volume[tile.place] = self.make(tile, self.part_of(progress, done))
                if progress:
                    progress((done + 1) / len(self.tiles))
        except MemoryError as error:
            raise ModelError(f"{self._size()} does not fit into memory: {SMALLER_VOLUME}.") from error
        finally:
            self.release()
        return volume

    def part_of(self, progress: Progress | None, done: int) -> Progress | None:
        """Turn the progress of the whole into that of one tile, after so many others."""
        if progress is None:
            return None
        return lambda fraction: progress((done + fraction) / len(self.tiles))

    def release(self) -> None:
        """Give back the memory that making tiles uses again and again."""
        self._evaluation.release()

    def _size(self) -> str:
        return f"A volume of {self.request.shape} voxels"

    def _check_memory(self) -> None:
        """Refuse what this machine cannot hold before the system ends the process for it."""
        if problem := shortage(self._size(), self.nbytes, SMALLER_VOLUME):
            raise ModelError(problem)
