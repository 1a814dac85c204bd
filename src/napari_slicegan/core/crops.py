"""Random crops of the micrographs, drawn on the fly as the discriminators' real images."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_slicegan.core.choices import Crops, OutputKind, Symmetry
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.representative import Places, part_trained_on, representative_weights

_MOST_PIXELS = 2**22  # of images that are small: of others the border is a small part
_POOL = 2**16  # places of crops of a small image
_NEAR = 8  # a crop that is moved inside begins within this part of its edge of the border, not always at the same place


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
    crops : Crops
        Which places they come from.

    Attributes
    ----------
    symmetry : Symmetry
        Never `auto`.

    Raises
    ------
    DataError
        An image or a region is smaller than a crop, or the symmetry does not fit the number of images.
    """

    def __init__(self, data: TrainingData, edge: int, symmetry: Symmetry, crops: Crops = Crops.UNIFORM) -> None:
        data.check_edge(edge)
        isotropic = len(data.sources) == 1
        if symmetry is Symmetry.AUTO:
            symmetry = Symmetry.ROTATE if isotropic else Symmetry.NONE
        if symmetry is Symmetry.ROTATE and not isotropic:
            raise DataError(
                "Images of different directions must not be turned: choose the symmetry 'mirror' or 'none'."
            )
        self._data, self._edge, self.symmetry, self._crops = data, edge, symmetry, crops
        self._pools = cache(self._pool)  # made when the first crop is drawn

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

    def _places(self, source: int, count: int, rng: torch.Generator) -> Places:
        """Image, top row and left column of crops, an array (count, 3)."""
        if self._crops is Crops.UNIFORM:
            return self._uniform_places(source, count, rng)
        if math.prod(part_trained_on(self._data, source)[0].shape[:3]) > _MOST_PIXELS:
            return self._places_around_pixels(source, count, rng)
        pool, sums = self._pools(source)
        chosen = np.searchsorted(sums, torch.rand(count, generator=rng, dtype=torch.float64).numpy(), side="right")
        places: Places = pool[chosen.clip(max=len(pool) - 1)]  # the last sum may be a little less than 1
        return places

    def _pool(self, source: int) -> tuple[Places, npt.NDArray[np.float64]]:
        """Places (P, 3) of crops, and the sums (P,) of their weights up to each: see `representative_weights`."""
        places = self._places_around_pixels(source, _POOL, torch.Generator().manual_seed(0))
        is_turned = self.symmetry is Symmetry.ROTATE
        return places, np.cumsum(representative_weights(self._data, source, places, self._edge, is_turned))

    def _uniform_places(self, source: int, count: int, rng: torch.Generator) -> Places:
        """Every place (count, 3) within the regions is as likely."""
        corners, shapes = self._regions(source)
        return np.column_stack(_drawn(self._data.sources[source], corners, shapes - self._edge + 1, count, rng)[:2])

    def _places_around_pixels(self, source: int, count: int, rng: torch.Generator) -> Places:
        """Every pixel of the regions is as likely to be the one that a crop is drawn around.

        A crop that sticks out of its region is moved inside, to some place near the border.
        """
        corners, shapes = self._regions(source)
        images, pixels, which = _drawn(self._data.sources[source], corners, shapes, count, rng)
        near = torch.randint(self._edge // _NEAR + 1, (count, 2), generator=rng).numpy()
        first, room = pixels - corners[which] - self._edge // 2, shapes[which] - self._edge  # (count, 2) each
        places = np.where(first < 0, near, np.where(first > room, room - near, first)).clip(0, room)
        return np.column_stack([images, corners[which] + places])

    def _regions(self, source: int) -> tuple[Places, Places]:
        """Top left corners (R, 2) and shapes (R, 2)."""
        regions = np.array(self._data.regions_of(source) or [(0, 0, *self._data.sources[source].shape[1:3])])  # (R, 4)
        return regions[:, :2], regions[:, 2:] - regions[:, :2]

    def _turned(self, crop: np.ndarray, turn: int) -> np.ndarray:
        """One of the 8 turned and mirrored copies of a square (H, W) or (H, W, C), or of the 4 mirrored ones."""
        if self.symmetry is Symmetry.NONE:
            return crop
        crop = crop[:: 1 - (turn & 1) * 2, :: 1 - (turn & 2)]
        return crop.swapaxes(0, 1) if turn & 4 and self.symmetry is Symmetry.ROTATE else crop

    def _as_channels(self, crops: Tensor) -> Tensor:
        """Turn uint8 (count, H, W) indices or (count, H, W, C) intensities into float (count, C, H, W)."""
        if self._data.kind is OutputKind.PHASES:
            phases = torch.arange(self._data.channels)[None, :, None, None]
            return (crops[:, None] == phases).float()
        low, high = self._data.levels
        return ((crops.movedim(-1, 1).float() - low) / (high - low)).clamp(0, 1)


def _drawn(
    stack: np.ndarray, corners: Places, shapes: Places, count: int, rng: torch.Generator
) -> tuple[Places, Places, Places]:
    """Image (count,), row and column (count, 2) of pixels in rectangles, all as likely; and the rectangles (count,)."""
    ends = np.cumsum(len(stack) * shapes.prod(axis=1))
    numbers = torch.randint(int(ends[-1]), (count,), generator=rng).numpy()
    which = np.searchsorted(ends, numbers, side="right")
    rest, columns = np.divmod(numbers - np.append(0, ends)[which], shapes[which, 1])
    images, rows = np.divmod(rest, shapes[which, 0])
    return images, corners[which] + np.stack([rows, columns], axis=1), which
