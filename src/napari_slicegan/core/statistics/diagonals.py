"""Planes at 45 degrees to the axes, which no training ever looked at."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_DIAGONAL = math.sqrt(2)


def diagonal_planes(volume: Array, axis: int) -> Array:
    """Planes that contain an axis and stand at 45 degrees to the other two.

    Parameters
    ----------
    volume : array (Z, Y, X) or (Z, Y, X, C)
        Any values.
    axis : int
        The axis that the planes contain: it runs down their rows.

    Returns
    -------
    array (N, H, W) or (N, H, W, C)
        Rows are one voxel apart, columns sqrt(2), see `stretched`; the planes lean to either side, and are half as wide
        as the smaller of the other two axes, so that there are about as many as can be cut.
    """
    moved = np.moveaxis(volume, axis, 0)  # (H, B, C, ...)
    deep, wide = moved.shape[1:3]
    width = max(1, min(deep, wide) // 2)
    starts = []
    for offset in range(width - deep, wide - width + 1):  # of the diagonals with c - b = offset
        first, length = max(0, -offset), min(deep, wide - offset) - max(0, -offset)
        begin = first + (length - width) // 2
        starts.append((begin, begin + offset))
    steps = np.arange(width)
    rows, columns = (np.array(each)[:, None] + steps for each in zip(*starts, strict=True))  # (N / 2, W) each
    rows, columns = np.concatenate([rows, rows]), np.concatenate([columns, wide - 1 - columns])
    return np.moveaxis(moved[:, rows, columns], 0, 1)  # (N, H, W, ...)


def stretched(planes: Array) -> Array:
    """Planes with columns sqrt(2) pixels apart, as those at 45 degrees have them.

    Parameters
    ----------
    planes : array (N, H, W) or (N, H, W, C)
        With columns one pixel apart.

    Returns
    -------
    array (N, H, W') or (N, H, W', C)
        The nearest pixels; W' is W / sqrt(2). Of an isotropic material they are to be compared with `diagonal_planes`.
    """
    count = int((planes.shape[2] - 1) / _DIAGONAL) + 1
    return planes[:, :, np.rint(np.arange(count) * _DIAGONAL).astype(int)]
