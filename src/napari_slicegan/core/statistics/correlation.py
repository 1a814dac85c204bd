"""Two-point correlations: how likely two points at a distance are both in a phase."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import fft

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Box = tuple[slice, slice, slice]

_POINTS = 2**21  # transformed at a time: bounds the memory


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
    return _per_pair(np.rint(_products(indicator, axis, reach)), indicator, axis)  # they are counts


def mean_products(values: Array, axis: int, reach: int) -> Floats:
    """The mean product of two values at a distance along an axis: what S2 is for phases, of any numbers.

    Parameters
    ----------
    values : real array
        Any shape.
    axis : int
        Along which the two points lie.
    reach : int
        The longest distance, in voxels; less than the size along `axis`.

    Returns
    -------
    float array (reach + 1,)
        As `two_point_correlation`; entry 0 is the mean square.
    """
    return _per_pair(_products(values, axis, reach), values, axis)


def _products(values: Array, axis: int, reach: int) -> Floats:
    """Sums (reach + 1,) over all pairs of points along an axis of the products of their values."""
    length = values.shape[axis]
    if not 0 <= reach < length:
        raise ValueError(f"two points {reach} voxels apart do not fit into {length} voxels")
    lines = np.moveaxis(values, axis, -1).astype(np.float32)  # (..., length)
    size = fft.next_fast_len(length + reach, real=True)  # the zeros keep the ends apart
    power = np.abs(fft.rfft(lines, size)) ** 2  # (..., size / 2 + 1)
    total = power.reshape(-1, power.shape[-1]).sum(axis=0, dtype=np.float64)
    return np.asarray(fft.irfft(total, size)[: reach + 1], np.float64)


def _per_pair(sums: Floats, values: Array, axis: int) -> Floats:
    """Divide sums over pairs of points by the number of pairs at each distance."""
    length = values.shape[axis]
    return np.asarray(sums / ((length - np.arange(len(sums))) * (values.size // length)), np.float64)


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


class PairSums(NamedTuple):
    """Pairs of points in planes, which add up over boxes.

    Attributes
    ----------
    pairs : float array (Q, 4, R + 1)
        Sums over pairs of points of the product of two channels, the mean of both orders, for the
        Q pairs of channels (0, 0), (0, 1), ..., (1, 1), ... and the readings: 0 down the rows, 1
        across the columns, 2 along both diagonals, where entry r is r steps of sqrt(2) pixels, 3
        in all directions, where entry r are the distances that round to r pixels.
    counts : float array (4, R + 1)
        Pairs of points looked at.
    """

    pairs: Floats
    counts: Floats


def phase_pairs(phases: int) -> list[tuple[int, int]]:
    """Pairs of so many phases in the order of `PairSums`: (0, 0), (0, 1), ..., (1, 1), ..."""
    return list(combinations_with_replacement(range(phases), 2))


def pair_sums(channels: Sequence[Array], box: Box, reach: int, cross: bool = True) -> PairSums:
    """Sum the products of real channels over pairs of points.

    Parameters
    ----------
    channels : sequence of C real arrays (N, H, W)
        Such as indicators of phases, or grey levels less their mean.
    box : (slice, slice, slice)
        Of (N, H, W): where the first point of a pair lies; the second may lie anywhere in the plane.
    reach : int
        The longest distance R, in steps.
    cross : bool
        Whether to pair each channel with every other one, and not with itself alone.

    Returns
    -------
    PairSums
        With Q = C (C + 1) / 2 pairs of channels, or C without `cross`.
    """
    pairs = [pair for pair in phase_pairs(len(channels)) if cross or pair[0] == pair[1]]

    def cut(*part: slice) -> Array:
        return np.stack([channel[part] for channel in channels])

    return _sums(cut, pairs, channels[0].shape, box, reach)


def phase_pair_sums(planes: Array, phases: int, box: Box, reach: int) -> PairSums:
    """Count the pairs of points that lie in two phases.

    Parameters
    ----------
    planes : uint8 array (N, H, W)
        Phases 0, 1, ...
    phases : int
        How many there are.
    box : (slice, slice, slice)
        Of (N, H, W): where the first point of a pair lies; the second may lie anywhere in the plane.
    reach : int
        The longest distance R, in steps.

    Returns
    -------
    PairSums
        Whole numbers, and halves for two different phases; exact for planes up to 3000 x 3000, else to 1e-6.
    """
    values = np.arange(phases, dtype=planes.dtype)[:, None, None, None]
    return _sums(lambda *part: planes[part] == values, phase_pairs(phases), planes.shape, box, reach, counts=True)


def correlation_curves(sums: PairSums) -> Floats:
    """Two-point correlations of all pairs of channels.

    Parameters
    ----------
    sums : PairSums
        Added up over all boxes.

    Returns
    -------
    float array (Q, 4, R + 1)
        Mean products, for phases chances: as `PairSums.pairs`; nan for distances that no plane holds.
    """
    with np.errstate(invalid="ignore"):
        return sums.pairs / sums.counts


def _sums(
    cut: Callable[..., Array],
    pairs: list[tuple[int, int]],
    shape: tuple[int, ...],
    box: Box,
    reach: int,
    counts: bool = False,
) -> PairSums:
    """The sums of channels that `cut` makes, (C, n, h, w), of a part of the planes; whole numbers if `counts`."""
    sides = [_Side(part.start, part.stop, size, reach) for part, size in zip(box[1:], shape[1:], strict=True)]
    inner, outer = box[1:], tuple(side.around for side in sides)
    frame = tuple(side.frame for side in sides)
    few = max(1, _POINTS // (frame[0] * frame[1]))
    lags = np.ix_(range(len(pairs)), *(side.lags for side in sides))
    table = np.zeros((len(pairs), 2 * reach + 1, 2 * reach + 1))
    for top in range(box[0].start, box[0].stop, few):
        part = slice(top, min(top + few, box[0].stop))
        second = fft.rfft2(cut(part, *outer).astype(np.float32), s=frame)  # (C, n, frame)
        first = second if inner == outer else fft.rfft2(cut(part, *inner).astype(np.float32), s=frame)
        sums = fft.irfft2(_powers(first, second, pairs), s=frame)[lags]
        table += np.rint(sums) if counts else sums  # of so few planes, single precision tells whole numbers
    table[[one != other for one, other in pairs]] /= 2  # the mean of both orders
    count = (box[0].stop - box[0].start) * np.outer(*(side.fitting for side in sides))
    return PairSums(np.array([_readings(entry) for entry in table]), _readings(count))


def _powers(first: Array, second: Array, pairs: list[tuple[int, int]]) -> Array:
    """Sums over planes of the spectra of correlations (Q, frame), of different channels in both orders."""
    sums = [(first[one].conj() * second[other]).sum(axis=0) for one, other in pairs]
    for entry, (one, other) in zip(sums, pairs, strict=True):
        if one != other:
            entry += (first[other].conj() * second[one]).sum(axis=0)
    return np.array(sums)


class _Side:
    """A box and what lies within reach of it along an axis, for correlations by Fourier transforms."""

    def __init__(self, start: int, stop: int, size: int, reach: int) -> None:
        below, above = min(reach, start), min(reach, size - stop)
        self.around = slice(start - below, stop + above)
        # Room enough that no second point meets the data again round the end.
        length = max(stop + above - start + reach, stop - start + below + reach)
        self.frame: int = fft.next_fast_len(length, real=True)
        steps = np.arange(-reach, reach + 1)
        self.lags = (steps + below) % self.frame
        points = np.arange(start, stop)[:, None] + steps
        self.fitting = ((points >= 0) & (points < size)).sum(axis=0)  # first points with a second one


def _readings(table: Array) -> Floats:
    """Sums over rows, columns, diagonals and rings of a table of lags, (2 R + 1, 2 R + 1) to (4, R + 1)."""
    reach = len(table) // 2
    steps = np.arange(reach + 1)
    down, right, left = reach + steps, reach + steps, reach - steps
    distance = np.rint(np.hypot(*np.ogrid[-reach : reach + 1, -reach : reach + 1])).astype(np.intp)
    rings = np.bincount(distance.ravel(), table.ravel())[: reach + 1]
    diagonals = table[down, right] + table[down, left]
    return np.array([table[down, reach], table[reach, right], diagonals, rings], np.float64)
