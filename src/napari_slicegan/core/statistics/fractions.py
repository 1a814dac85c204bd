"""How much there is of each phase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


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
