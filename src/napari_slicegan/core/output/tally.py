"""What a volume is made of, counted while it is made, so that nobody has to read it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Tally:
    """Counts over some voxels; those of two pieces add up to those of both.

    Attributes
    ----------
    voxels : int
        How many.
    sums : tuple of int
        Of labels the voxels of each phase; of intensities, for each channel, the sum and the sum of squares.
    """

    voxels: int = 0
    sums: tuple[int, ...] = ()

    @classmethod
    def of(cls, values: npt.NDArray[np.generic], phases: Sequence[int]) -> Tally:
        """Count a piece (Z, Y, X) or (Z, Y, X, 3); without phases its values are intensities."""
        voxels = int(np.prod(values.shape[:3]))
        if phases:
            return cls(voxels, tuple(int(np.count_nonzero(values == phase)) for phase in phases))
        channels: npt.NDArray[Any] = values.reshape(voxels, -1)
        sums = channels.sum(axis=0, dtype=np.int64)
        squares = np.einsum("nc,nc->c", channels, channels, dtype=np.int64)
        return cls(voxels, tuple(int(number) for pair in zip(sums, squares, strict=True) for number in pair))

    def __add__(self, other: Tally) -> Tally:
        if not self.voxels:
            return other
        return Tally(self.voxels + other.voxels, tuple(a + b for a, b in zip(self.sums, other.sums, strict=True)))

    def fits(self, voxels: int, phases: int, channels: int) -> bool:
        """Whether so many voxels, of so many phases or, without any, channels, can be made of this."""
        if phases:
            is_right = len(self.sums) == phases and sum(self.sums) <= self.voxels
        else:
            pairs = list(zip(self.sums[::2], self.sums[1::2], strict=False))
            is_right = len(self.sums) == 2 * channels
            is_right &= all(total**2 <= squares * self.voxels for total, squares in pairs)
        return self == Tally() or (is_right and self.voxels <= voxels)

    @property
    def fractions(self) -> tuple[float, ...]:
        """The share of each phase."""
        return tuple(count / self.voxels for count in self.sums)

    @property
    def moments(self) -> tuple[tuple[float, float], ...]:
        """Mean and standard deviation of each channel."""
        pairs = zip(self.sums[::2], self.sums[1::2], strict=True)
        return tuple(
            (total / self.voxels, sqrt(squares * self.voxels - total**2) / self.voxels) for total, squares in pairs
        )
