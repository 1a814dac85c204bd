"""How often small patterns of pixels occur: what two points at a time cannot tell of shapes.

Nine pixels of a square grid are each of a phase or not, which makes 512 patterns; grids of several spacings see shapes
of several sizes. Histograms of such patterns are compared as distributions (multiple-point histograms: Boisvert, Pyrcz
and Deutsch, Natural Resources Research 19, 165-175, 2010).
"""

from __future__ import annotations

import math
from functools import cache
from itertools import product

import torch
from torch import Tensor

SPACINGS = (2, 4, 6, 8)
"""Pixels from one point of a grid to the next."""

PATTERNS = 2**9


def grid_length(spacing: int) -> int:
    """Pixels along an edge of a grid: a plane that is shorter has no patterns."""
    return 2 * spacing + 1


def pattern_counts(planes: Tensor, spacing: int) -> Tensor:
    """How often each pattern occurs in planes.

    Parameters
    ----------
    planes : bool Tensor (..., H, W)
        Where a phase is.
    spacing : int
        Of the grid, in pixels; planes are at least 2 spacing + 1 pixels long.

    Returns
    -------
    int64 Tensor (512,)
        Bit n of a number says whether the phase is at point n of the grid, row by row.
    """
    height = planes.shape[-2] - 2 * spacing
    upper, middle, lower = (planes[..., down : down + height, :] for down in (0, spacing, 2 * spacing))
    return counts_of_rows(upper, middle, lower, spacing)


def counts_of_rows(upper: Tensor, middle: Tensor, lower: Tensor, spacing: int) -> Tensor:
    """How often each pattern occurs where the three rows of the grid lie in three stacks of rows.

    Parameters
    ----------
    upper, middle, lower : bool Tensor (..., R, W)
        Where a phase is, for each of R places of the grid.
    spacing : int
        Of the grid, in pixels.

    Returns
    -------
    int64 Tensor (512,)
        As of `pattern_counts`.
    """
    first, second, third = (_row_numbers(rows, spacing).short() for rows in (upper, middle, lower))
    numbers = first + 8 * second + 64 * third  # (..., R, W - 2 spacing)
    return torch.bincount(numbers.flatten(), minlength=PATTERNS)


def _row_numbers(rows: Tensor, spacing: int) -> Tensor:
    """Three bits, 0 to 7, of the three points beside each other."""
    bits, width = rows.to(torch.uint8), rows.shape[-1] - 2 * spacing
    left, middle, right = (bits[..., across : across + width] for across in (0, spacing, 2 * spacing))
    return left + 2 * middle + 4 * right


def pattern_shares(counts: Tensor) -> Tensor:
    """Share of each pattern, mirrored and turned ones counted as one (all get their mean).

    Parameters
    ----------
    counts : Tensor (..., 512)
        As of `pattern_counts`; of something, so that they are not all 0.

    Returns
    -------
    float64 Tensor (..., 512)
        Its sums are 1.
    """
    folded = counts.double()[..., _symmetric_patterns().to(counts.device)].mean(dim=-2)
    return folded / folded.sum(dim=-1, keepdim=True)


def divergence(first: Tensor, second: Tensor) -> Tensor:
    """How different distributions (..., 512) are, (...), in bits: 0 of equal ones, 1 where nothing is common.

    The divergence of Jensen and Shannon.
    """
    middle = (first + second) / 2
    return (_relative_entropy(first, middle) + _relative_entropy(second, middle)) / 2


def _relative_entropy(some: Tensor, middle: Tensor) -> Tensor:
    ratio = some / middle.clamp_min(torch.finfo(middle.dtype).tiny)
    return torch.xlogy(some, ratio).sum(dim=-1) / math.log(2)


@cache
def _symmetric_patterns() -> Tensor:
    """What each pattern becomes by each of the eight symmetries of the square, (8, 512)."""
    points, numbers = torch.arange(9).view(3, 3), torch.arange(PATTERNS)
    found = []
    for turns, mirrored in product(range(4), (False, True)):
        moved = torch.rot90(points.T if mirrored else points, turns).flatten().tolist()
        found.append(sum(((numbers >> old) & 1) << new for new, old in enumerate(moved)))
    return torch.stack(found)
