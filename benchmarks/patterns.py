"""How often small patterns of pixels occur: what two points at a time cannot tell of shapes.

Nine pixels of a square grid are each of a phase or not, which makes 512 patterns; grids of several spacings see shapes
of several sizes. Histograms of such patterns are compared as distributions (multiple-point histograms: Boisvert, Pyrcz
and Deutsch, Natural Resources Research 19, 165-175, 2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

SPACINGS = (2, 4, 6, 8)
"""Pixels from one point of a grid to the next."""

_SIDE = 3
_PATTERNS = 2 ** (_SIDE**2)

Bools = npt.NDArray[np.bool_]
Planes = Sequence[npt.NDArray[np.uint8]]
Floats = npt.NDArray[np.float64]


def pattern_shares(planes: Sequence[Bools], spacing: int) -> Floats:
    """Share of each pattern among all places, mirrored and turned patterns counted as one (all get their mean).

    Parameters
    ----------
    planes : sequence of bool array (H, W)
        Where a phase is.
    spacing : int
        Of the grid, in pixels; planes are at least 2 spacing + 1 pixels long.

    Returns
    -------
    array (512,)
        Bit n of a number says whether the phase is at point n, row by row. The shares sum to 1.
    """
    reach = (_SIDE - 1) * spacing
    counts = np.zeros(_PATTERNS)
    for plane in planes:
        height, width = (size - reach for size in plane.shape)
        numbers = np.zeros((height, width), np.int16)
        for bit, (row, column) in enumerate(product(range(0, reach + 1, spacing), repeat=2)):
            numbers |= plane[row : row + height, column : column + width].astype(np.int16) << bit
        counts += np.bincount(numbers.ravel(), minlength=_PATTERNS)
    return _folded(counts) / counts.sum()


def divergence(first: Floats, second: Floats) -> float:
    """How different two distributions are (Jensen and Shannon), in bits: 0 of equal ones, 1 where nothing is common."""
    middle = (first + second) / 2
    return sum(_relative_entropy(one, middle) for one in (first, second)) / 2


def pattern_difference(made: Planes, true: Planes, phases: int) -> float:
    """How different the patterns in two sets of planes are.

    Parameters
    ----------
    made, true : sequence of uint8 array (H, W)
        Phases 0, 1, ...
    phases : int
        How many there are.

    Returns
    -------
    float
        The mean divergence over phases and spacings, in bits.
    """
    found = []
    for phase, spacing in product(range(1 if phases == 2 else 0, phases), SPACINGS):  # of two phases one says all
        first, second = (pattern_shares([plane == phase for plane in planes], spacing) for planes in (made, true))
        found.append(divergence(first, second))
    return float(np.mean(found))


def _folded(counts: Floats) -> Floats:
    """Means over the eight symmetries of the square."""
    points = np.arange(_SIDE**2).reshape(_SIDE, _SIDE)
    numbers = np.arange(_PATTERNS)
    total = np.zeros(_PATTERNS)
    for turns, mirrored in product(range(4), (False, True)):
        moved = np.rot90(points.T if mirrored else points, turns).ravel()
        total += counts[sum(((numbers >> old) & 1) << new for new, old in enumerate(moved))]
    return total / 8


def _relative_entropy(first: Floats, second: Floats) -> float:
    there = first > 0
    return float((first[there] * np.log2(first[there] / second[there])).sum())
