"""Patterns of pixels in planes of generated volumes, compared with those in the micrographs that show such planes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.interruption import Flag, Interrupted
from napari_slicegan.core.patterns import (
    PATTERNS,
    SPACINGS,
    counts_of_rows,
    divergence,
    grid_length,
    pattern_counts,
    pattern_shares,
)
from napari_slicegan.core.representative import image_channels
from napari_slicegan.core.thinning import thinned

_FIRST, _EVERY = 3, 7  # planes of a volume that are looked at: no divisor of what a lattice repeats by
_FLAT = 0.01  # deviation of an intensity from 0 to 1: less has no shapes

Array = npt.NDArray[Any]


class HeldOutPatterns:
    """The patterns of where a phase is, or of where an intensity is above its mean in the micrograph.

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
        self._data, self._flag = data, flag
        self._spacings = [spacing for spacing in SPACINGS if grid_length(spacing) <= edge]
        self._levels = [self._levels_of(source) for source in range(len(data.sources))]
        self._shares = [pattern_shares(self._of_source(source)) for source in range(len(data.sources))]
        self._flag = None

    def of_volumes(self, volumes: Tensor) -> Tensor:
        """Counts (3, C, S, 512) of patterns in planes across each axis of some volumes (B, C, Z, Y, X)."""
        counts = torch.zeros(3, volumes.shape[1], len(self._spacings), PATTERNS, dtype=torch.int64)
        for axis, (source, _) in enumerate(self._data.views):
            planes = volumes.movedim(2 + axis, 2)[:, :, _FIRST::_EVERY]  # (B, C, N, H, W)
            for channel, level in self._levels[source].items():
                for number, spacing in enumerate(self._spacings):
                    counts[axis, channel, number] = pattern_counts(planes[:, channel] > level, spacing)
        return counts

    def error(self, counts: Tensor) -> float:
        """The mean divergence over axes, channels and spacings, in bits, of counts (3, C, S, 512)."""
        found = []
        for axis, (source, _) in enumerate(self._data.views):
            channels = list(self._levels[source])
            found.append(divergence(pattern_shares(counts[axis, channels]), self._shares[source][channels]).flatten())
        each = torch.cat(found)
        return float(each.mean()) if len(each) else 0.0  # nothing has shapes, or planes are too short for any grid

    def _levels_of(self, source: int) -> dict[int, float]:
        """What divides each channel of a source that has shapes."""
        if self._data.kind is OutputKind.PHASES:
            first = 1 if self._data.channels == 2 else 0  # of two phases one tells all
            return dict.fromkeys(range(first, self._data.channels), 0.5)
        parts = []
        for piece in self._data.pieces(source):
            stack, every = thinned(piece)
            parts.append(np.stack(image_channels(self._data, stack[:, ::every])).reshape(self._data.channels, -1))
        values = np.concatenate(parts, axis=1)  # (C, N)
        return {channel: float(each.mean()) for channel, each in enumerate(values) if each.std() > _FLAT}

    def _of_source(self, source: int) -> Tensor:
        """Counts (C, S, 512) of patterns in the images of a source."""
        counts = torch.zeros(self._data.channels, len(self._spacings), PATTERNS, dtype=torch.int64)
        for piece in self._data.pieces(source):
            stack, every = thinned(piece)
            for number, spacing in enumerate(self._spacings):
                height = stack.shape[1] - 2 * spacing
                places = np.arange(0, height, every)
                counts[:, number] += self._of_rows(stack, places, spacing, self._levels[source])
        return counts

    def _of_rows(self, stack: Array, places: npt.NDArray[np.intp], spacing: int, levels: dict[int, float]) -> Tensor:
        """Counts (C, 512) where the grid begins in some rows of images (N, H, W)."""
        if self._flag and self._flag.is_set():
            raise Interrupted
        rows = [image_channels(self._data, stack[:, places + down]) for down in (0, spacing, 2 * spacing)]
        counts = torch.zeros(self._data.channels, PATTERNS, dtype=torch.int64)
        for channel, level in levels.items():
            upper, middle, lower = (torch.from_numpy(each[channel]) > level for each in rows)
            counts[channel] = counts_of_rows(upper, middle, lower, spacing)
        return counts
