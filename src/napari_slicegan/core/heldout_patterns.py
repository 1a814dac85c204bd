"""Patterns of pixels in planes of generated volumes, compared with those in the micrographs that show such planes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_slicegan.core.config import OutputKind
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.interruption import Flag, Interrupted
from napari_slicegan.core.patterns import PATTERNS, SPACINGS, divergence, grid_length, pattern_counts, pattern_shares
from napari_slicegan.core.representative import image_channels
from napari_slicegan.core.thinning import thinned

_FIRST, _EVERY = 4, 8  # planes of a volume that are looked at

Array = npt.NDArray[Any]


class HeldOutPatterns:
    """The patterns of where a phase is, or of where an intensity is above its median in the micrograph.

    Parameters
    ----------
    data : TrainingData
        The micrographs.
    edge : int
        Of the shortest plane, in pixels.
    flag : Flag, optional
        Interrupts the work.

    Raises
    ------
    Interrupted
        The flag was set meanwhile.
    """

    def __init__(self, data: TrainingData, edge: int, flag: Flag | None) -> None:
        self._spacings = [spacing for spacing in SPACINGS if grid_length(spacing) <= edge]
        self._first = 1 if data.kind is OutputKind.PHASES and data.channels == 2 else 0  # of two one tells all
        self._flag = flag
        found = [self._of_source(data, source) for source in range(len(data.sources))]
        self._levels, self._shares = zip(*(found[source] for source, _ in data.views), strict=True)
        self._flag = None

    def of_volumes(self, volumes: Tensor) -> Tensor:
        """Counts (3, C, S, 512) of patterns in planes across each axis of some volumes (B, C, Z, Y, X)."""
        found = []
        for axis, levels in enumerate(self._levels):
            planes = volumes.movedim(2 + axis, 2)[:, :, _FIRST::_EVERY]  # (B, C, N, H, W)
            found.append(self._counts(planes.movedim(1, 0), levels))
        return torch.stack(found)

    def error(self, counts: Tensor) -> float:
        """The mean divergence over axes, channels and spacings, in bits, of counts (3, C, S, 512)."""
        if not counts.numel():  # planes are too short for any grid
            return 0.0
        return float(divergence(pattern_shares(counts), torch.stack(self._shares)).mean())

    def _of_source(self, data: TrainingData, source: int) -> tuple[list[float], Tensor]:
        """Levels (C,) that divide the channels of the images of a source, and the shares (C, S, 512) there."""
        pieces = [thinned(piece) for piece in data.pieces(source)]
        every = max(lines for _, lines in pieces)
        channels = [image_channels(data, stack) for stack, _ in pieces]
        levels = [0.5] * data.channels
        if data.kind is not OutputKind.PHASES:
            values = [np.concatenate([one[:, ::every].ravel() for one in each]) for each in zip(*channels, strict=True)]
            levels = [float(np.median(each)) for each in values]
        counts = [self._counts([torch.from_numpy(one) for one in each], levels, every) for each in channels]
        return levels, pattern_shares(torch.stack(counts).sum(dim=0))

    def _counts(self, channels: Sequence[Tensor] | Tensor, levels: Sequence[float], every: int = 1) -> Tensor:
        """Counts (C, S, 512) of patterns in channels (..., H, W) each."""
        wanted = list(zip(channels, levels, strict=True))[self._first :]
        counts = torch.zeros((len(wanted), len(self._spacings), PATTERNS), dtype=torch.int64)
        for one, (channel, level) in enumerate(wanted):
            for other, spacing in enumerate(self._spacings):
                if self._flag and self._flag.is_set():
                    raise Interrupted
                counts[one, other] = pattern_counts(channel > level, spacing, every)
        return counts
