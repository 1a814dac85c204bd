"""How often each grey level or colour intensity occurs in generated volumes, compared with the micrographs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.representative import image_channels
from napari_slicegan.core.thinning import thinned

_BINS = 256
_EVERY = 3  # planes of a volume that are looked at: no divisor of what a lattice repeats by

Floats = npt.NDArray[np.float64]


class HeldOutLevels:
    """The histogram of each channel of intensities.

    Parameters
    ----------
    data : TrainingData
        The micrographs; of phases there is nothing to tell, since their fractions tell all.
    """

    def __init__(self, data: TrainingData) -> None:
        self._is_asked = data.kind is not OutputKind.PHASES
        found = [_of_source(data, source) for source in range(len(data.sources))] if self._is_asked else []
        self._shares = np.mean([found[source] for source, _ in data.views], axis=0) if found else np.empty(0)

    def of_volumes(self, volumes: Tensor) -> Tensor:
        """Counts (C, 256) of the intensities in volumes (B, C, Z, Y, X)."""
        if not self._is_asked:
            return torch.zeros(0, dtype=torch.int64)
        return torch.stack([_counts(each) for each in volumes[:, :, ::_EVERY].movedim(1, 0)]).cpu()

    def error(self, counts: Tensor) -> float:
        """The largest distance of a channel's intensities from those of the micrographs, for counts (C, 256).

        It is the first Wasserstein distance, from 0 to 1: by how much intensities have to change, in the mean, for
        equal histograms. Of the indicator of a phase it would be the difference of the fractions.
        """
        if not self._is_asked:
            return 0.0
        made = counts.double().numpy() / counts.sum(dim=1, keepdim=True).numpy()  # (C, 256)
        apart = np.abs(np.cumsum(made - self._shares, axis=1))  # (C, 256)
        return float(apart.sum(axis=1).max() / (_BINS - 1))


def _of_source(data: TrainingData, source: int) -> Floats:
    """Shares (C, 256) of intensities in the images of a source."""
    counts = torch.zeros(data.channels, _BINS, dtype=torch.int64)
    for piece in data.pieces(source):
        stack, lines = thinned(piece)
        for rows in np.array_split(stack[:, ::lines], -(-stack[:, ::lines].size // 2**22), axis=1):
            channels = image_channels(data, rows)
            counts += torch.stack([_counts(torch.from_numpy(each)) for each in channels])
    shares: Floats = (counts.double() / counts.sum(dim=1, keepdim=True)).numpy()
    return shares


def _counts(intensities: Tensor) -> Tensor:
    """How often each of 256 values is the nearest, (256,), of numbers from 0 to 1."""
    known = intensities.nan_to_num()  # after a collapse, which is told elsewhere
    return torch.bincount((known * (_BINS - 1)).round().long().flatten(), minlength=_BINS)
