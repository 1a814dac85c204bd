"""How much there is of each phase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Box = tuple[slice, slice, slice]


def phase_fractions(labels: Array, phases: Sequence[int]) -> tuple[float, ...]:
    """The share of each phase.

    Parameters
    ----------
    labels : integer array
        Any shape.
    phases : sequence of int
        Values to count.

    Returns
    -------
    tuple of float
        One share from 0 to 1 for each of `phases`.
    """
    return tuple(np.count_nonzero(labels == phase) / labels.size for phase in phases)


def count_sums(planes: Array, phases: int, box: Box) -> Floats:
    """Count the voxels of each phase; counts of boxes add up.

    Parameters
    ----------
    planes : uint8 array (N, H, W)
        Phases 0, 1, ...
    phases : int
        How many there are.
    box : (slice, slice, slice)
        Of (N, H, W).

    Returns
    -------
    float array (phases,)
        Voxels in the box.
    """
    part = planes[box]
    return np.array([np.count_nonzero(part == phase) for phase in range(phases)], np.float64)
