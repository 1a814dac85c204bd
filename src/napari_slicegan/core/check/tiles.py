"""Means over tiles of an image: how much they differ says what chance does."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def tile_counts(shape: tuple[int, int], length: float, most: int) -> tuple[int, int]:
    """How many tiles of at least a length fit along the rows and columns of an image, at most `most`."""
    rows, columns = (int(min(size // max(length, 1), most)) for size in shape)
    return rows, columns


def tile_means(field: npt.NDArray[Any], counts: tuple[int, int]) -> Floats:
    """Cut an image into nearly equal tiles.

    Parameters
    ----------
    field : array (H, W)
        Numbers or truth values.
    counts : (int, int)
        Tiles along each axis, at least 1.

    Returns
    -------
    float array, the shape of `counts`
        The mean of each tile.
    """
    sums = field
    for axis, count in enumerate(counts):
        starts = np.linspace(0, field.shape[axis], count + 1).astype(int)
        sums = np.add.reduceat(sums, starts[:-1], axis=axis, dtype=np.float64)
        sums = sums / np.expand_dims(np.diff(starts), 1 - axis)
    return np.asarray(sums, np.float64)
