"""Random crops of the micrographs, drawn on the fly as the discriminators' real images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_slicegan.core.config import OutputKind, Symmetry
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.regions import numbers_of_places


class CropSampler:
    """Draws crops from the sources of the training data.

    Parameters
    ----------
    data : TrainingData
        The micrographs; they stay uint8, only crops become floating point.
    edge : int
        Edge of a crop in pixels.
    symmetry : Symmetry
        Which copies of a crop are drawn as well.

    Raises
    ------
    DataError
        An image or a region is smaller than a crop, or the symmetry does not fit the number of images.
    """

    def __init__(self, data: TrainingData, edge: int, symmetry: Symmetry) -> None:
        data.check_edge(edge)
        isotropic = len(data.sources) == 1
        if symmetry is Symmetry.AUTO:
            symmetry = Symmetry.ROTATE if isotropic else Symmetry.NONE
        if symmetry is Symmetry.ROTATE and not isotropic:
            raise DataError(
                "Images of different directions must not be turned: choose the symmetry 'mirror' or 'none'."
            )
        self._data, self._edge, self._symmetry = data, edge, symmetry

    def draw(self, source: int, count: int, rng: torch.Generator) -> Tensor:
        """Draw crops of one source.

        Parameters
        ----------
        source : int
            Which of the data's sources.
        count : int
            How many crops.
        rng : torch.Generator
            Where places and symmetries are drawn from, on the CPU.

        Returns
        -------
        Tensor (count, C, edge, edge), float32
            One-hot phases, or intensities from 0 to 1.
        """
        stack, edge = self._data.sources[source], self._edge
        places = self._places(source, count, rng)
        turns = torch.randint(8, (count,), generator=rng).tolist()
        crops = [
            self._turned(stack[n, y : y + edge, x : x + edge], turn)
            for (n, y, x), turn in zip(places, turns, strict=True)
        ]
        return self._as_channels(torch.from_numpy(np.stack(crops)))

    def _places(self, source: int, count: int, rng: torch.Generator) -> npt.NDArray[np.int64]:
        """Image, top row and left column of crops, an array (count, 3): every place in a region is as likely.

        Where regions overlap, a place is as many times as likely as there are regions that it lies in.
        """
        stack, edge, regions = self._data.sources[source], self._edge, self._data.regions_of(source)
        if not regions:
            room = (len(stack), stack.shape[1] - edge + 1, stack.shape[2] - edge + 1)
            return np.stack([torch.randint(n, (count,), generator=rng).numpy() for n in room], axis=1)
        rooms = numbers_of_places(len(stack), regions, edge)
        ends = np.cumsum(rooms)
        drawn = torch.randint(int(ends[-1]), (count,), generator=rng).numpy()
        which = np.searchsorted(ends, drawn, side="right")
        corners = np.array(regions)[which, :2]
        columns = np.array([right - left - edge + 1 for _, left, _, right in regions])[which]
        image, rest = np.divmod(drawn - (ends - rooms)[which], rooms[which] // len(stack))
        return np.stack([image, corners[:, 0] + rest // columns, corners[:, 1] + rest % columns], axis=1)

    def _turned(self, crop: np.ndarray, turn: int) -> np.ndarray:
        """One of the 8 turned and mirrored copies of a square (H, W) or (H, W, C), or of the 4 mirrored ones."""
        if self._symmetry is Symmetry.NONE:
            return crop
        crop = crop[:: 1 - (turn & 1) * 2, :: 1 - (turn & 2)]
        return crop.swapaxes(0, 1) if turn & 4 and self._symmetry is Symmetry.ROTATE else crop

    def _as_channels(self, crops: Tensor) -> Tensor:
        """Turn uint8 (count, H, W) indices or (count, H, W, C) intensities into float (count, C, H, W)."""
        if self._data.kind is OutputKind.PHASES:
            phases = torch.arange(self._data.channels)[None, :, None, None]
            return (crops[:, None] == phases).float()
        low, high = self._data.levels
        return ((crops.movedim(-1, 1).float() - low) / (high - low)).clamp(0, 1)
