"""Two-point correlations: how likely two points at a distance are both in a phase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from napari_slicegan.core.data import TrainingData

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


def two_point_correlation(indicator: Array, axis: int, reach: int) -> Floats:
    """The chance that two points at a distance along an axis are both in a phase (S2).

    Parameters
    ----------
    indicator : bool array
        Any shape; true inside of the phase.
    axis : int
        Along which the two points lie.
    reach : int
        The longest distance, in voxels; less than the size along `axis`.

    Returns
    -------
    float array (reach + 1,)
        Entry r is the mean over all pairs of points r voxels apart that lie in the array, which
        is not taken to be periodic; entry 0 is the fraction of the phase.
    """
    length = indicator.shape[axis]
    if not 0 <= reach < length:
        raise ValueError(f"two points {reach} voxels apart do not fit into {length} voxels")
    lines = np.moveaxis(indicator, axis, -1).astype(np.float32)  # (..., length)
    size = fft.next_fast_len(length + reach, real=True)  # the zeros keep the ends apart
    power = np.abs(fft.rfft(lines, size)) ** 2  # (..., size / 2 + 1)
    total = power.reshape(-1, power.shape[-1]).sum(axis=0, dtype=np.float64)
    pairs = np.rint(fft.irfft(total, size)[: reach + 1])  # they are counts
    distances = np.arange(reach + 1)
    return np.asarray(pairs / ((length - distances) * (indicator.size // length)), np.float64)


def correlations(labels: Array, phases: Sequence[int], reach: int, axes: Sequence[int] = (0, 1, 2)) -> Floats:
    """Two-point correlations of every phase along several axes.

    Parameters
    ----------
    labels : integer array
        An image, a volume or a stack.
    phases : sequence of int
        Values of the phases.
    reach : int
        The longest distance, in voxels.
    axes : sequence of int
        Along which the two points lie.

    Returns
    -------
    float array (axes, phases, reach + 1)
        As `two_point_correlation`; its mean over the first axis is the isotropic average.
    """
    return np.array([[two_point_correlation(labels == phase, axis, reach) for phase in phases] for axis in axes])


def micrograph_correlations(data: TrainingData, reach: int) -> Floats:
    """Two-point correlations that the training images ask of a volume.

    Parameters
    ----------
    data : TrainingData
        Images of phases.
    reach : int
        The longest distance, in pixels.

    Returns
    -------
    float array (3, phases, reach + 1)
        For the axes z, y, x the mean over all rows and columns of images that lie along it; of a
        single image, which speaks for all directions, the mean over both of its own.
    """
    sums, counts = np.zeros((3, data.channels, reach + 1)), np.zeros(3)
    for normal, (source, transposed) in enumerate(data.views):
        along = [axis for axis in range(3) if axis != normal]
        curves = correlations(data.sources[source], range(data.channels), reach, axes=(1, 2))
        for axis, curve in zip(along[::-1] if transposed else along, curves, strict=True):
            sums[axis] += curve
            counts[axis] += 1
    means = sums / counts[:, None, None]
    return means if len(data.sources) > 1 else np.broadcast_to(means.mean(axis=0), means.shape)
