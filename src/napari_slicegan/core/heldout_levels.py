"""How often each grey level or colour intensity occurs in generated volumes, compared with the micrographs."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.histograms import LEVELS, counts_of_levels, shares_of_levels

_EVERY = 3  # planes of a volume that are looked at: no divisor of what a lattice repeats by


class HeldOutLevels:
    """The histogram of each channel of intensities.

    Parameters
    ----------
    data : TrainingData
        The micrographs; of phases there is nothing to tell, since their fractions tell all.
    """

    def __init__(self, data: TrainingData) -> None:
        self._is_asked = data.kind is not OutputKind.PHASES
        self._shares = shares_of_levels(data) if self._is_asked else np.empty(0)  # (C, 256)

    def of_volumes(self, volumes: Tensor) -> Tensor:
        """Counts (C, 256) of the intensities in volumes (B, C, Z, Y, X)."""
        if not self._is_asked:
            return torch.zeros(0, dtype=torch.int64)
        return torch.stack([counts_of_levels(each) for each in volumes[:, :, ::_EVERY].movedim(1, 0)]).cpu()

    def error(self, counts: Tensor) -> float:
        """The largest distance of a channel's intensities from those of the micrographs, for counts (C, 256).

        It is the first Wasserstein distance, from 0 to 1: by how much intensities have to change, in the mean, for
        equal histograms. Of the indicator of a phase it would be the difference of the fractions.
        """
        if not self._is_asked:
            return 0.0
        made = counts.double().numpy() / counts.sum(dim=1, keepdim=True).numpy()  # (C, 256)
        apart = np.abs(np.cumsum(made - self._shares, axis=1))  # (C, 256)
        return float(apart.sum(axis=1).max() / (LEVELS - 1))
