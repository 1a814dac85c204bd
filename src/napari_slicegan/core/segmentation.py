"""Grey images to phases: smoothing, and thresholds between the peaks of the histogram (multi-Otsu)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.errors import DataError
from napari_slicegan.core.pixels import MAX_PHASES
from napari_slicegan.core.regions import Regions, pieces
from napari_slicegan.core.values import as_grey, blocks, blocks_like

LEVELS = 256
MOST_SMOOTHING = 3
_ROWS = 256  # that are smoothed between two checks

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


def segment(
    image: Array,
    phases: int,
    smoothing: int = 0,
    regions: Regions = (),
    check: Callable[[], None] = lambda: None,
) -> Bytes:
    """Split a grey image into phases, from dark to bright.

    The intensities are sorted into 256 levels, those of a uint8 image as they are; the thresholds between the phases
    are the ones that make the variances within phases smallest (Otsu's, for any number of phases).

    Parameters
    ----------
    image : array (H, W), (Z, H, W) or with 3 or 4 channels last
        Intensities of any type; of colours their mean.
    phases : int
        2 to 8.
    smoothing : int
        Radius in pixels of a median within each plane that is taken before, 0 to 3; 0 takes none.
    regions : tuple of (top, left, bottom, right)
        Where the thresholds are looked for, in rows and columns of each plane; none for everywhere.
    check : callable
        Called between steps and slices; what it raises ends the work.

    Returns
    -------
    uint8 array (H, W) or (Z, H, W)
        0 for the darkest phase to `phases` - 1 for the brightest.

    Raises
    ------
    DataError
        The image has fewer intensities than phases, holds NaN, or a setting is out of range.
    """
    if not 2 <= phases <= MAX_PHASES:
        raise DataError(f"An image is segmented into 2 to {MAX_PHASES} phases, not {phases}.")
    if not 0 <= smoothing <= MOST_SMOOTHING:
        raise DataError(f"The smoothing is {smoothing} pixels: choose 0 to {MOST_SMOOTHING}.")
    levels = _levels(as_grey(image), check)
    if smoothing:
        levels = _smoothed(levels, smoothing, check)
    histogram = np.zeros(LEVELS, np.int64)
    for part in pieces(levels, regions, axis=levels.ndim - 2):
        for block in blocks(part):
            check()
            histogram += np.bincount(block.ravel(), minlength=LEVELS)
    if np.count_nonzero(histogram) < phases:
        raise DataError(f"The image has only {np.count_nonzero(histogram)} different intensities: choose fewer phases.")
    table = np.searchsorted(thresholds(histogram, phases), np.arange(LEVELS), side="left").astype(np.uint8)
    check()
    return table[levels]


def thresholds(histogram: npt.NDArray[np.integer], classes: int) -> npt.NDArray[np.intp]:
    """The last level of each class but the brightest, such that the variances within classes are smallest.

    Parameters
    ----------
    histogram : integer array (L,)
        How many pixels have each level.
    classes : int
        At most as many as there are levels with pixels.

    Returns
    -------
    integer array (classes - 1,)
        Ascending. Found exactly, class by class: the best of `k` classes up to a level is the best of `k` - 1 up to
        an earlier one with a class from there.
    """
    places = np.flatnonzero(histogram)
    gain = _gains(histogram[places].astype(np.float64), places.astype(np.float64))
    best = gain[0]  # of one class from the first level to each
    chosen = []
    for _ in range(1, classes):
        # [s, e]: with another class from s to e
        total = np.concatenate([np.full((1, len(places)), -np.inf), best[:-1, None] + gain[1:]])
        chosen.append(total.argmax(axis=0))
        best = total.max(axis=0)
    ends, end = [], len(places) - 1
    for starts in reversed(chosen):
        end = int(starts[end]) - 1
        ends.append(places[end])
    return np.array(ends[::-1], np.intp)


def _gains(counts: Floats, values: Floats) -> Floats:
    """For a class from each level to each: its squared sum over its number, which is largest where it varies least."""
    number = np.concatenate([[0.0], np.cumsum(counts)])
    total = np.concatenate([[0.0], np.cumsum(counts * values)])
    numbers = number[None, 1:] - number[:-1, None]  # [start, end]
    sums = total[None, 1:] - total[:-1, None]
    return np.where(numbers > 0, sums**2 / np.where(numbers > 0, numbers, 1), -np.inf)


def _levels(image: Array, check: Callable[[], None]) -> Bytes:
    """The intensities as 256 levels from the smallest to the largest; bytes as they are."""
    if image.dtype == np.uint8:
        return image
    low, high = np.inf, -np.inf
    for block in blocks(image):
        check()
        if block.dtype.kind == "f" and not np.isfinite(block).all():
            raise DataError("The image holds NaN or infinite values: replace them, or crop them away.")
        low, high = min(low, float(block.min())), max(high, float(block.max()))
    result = np.zeros(image.shape, np.uint8)
    if low < high:
        for block, out in zip(blocks(image), blocks_like(image, result), strict=True):
            check()
            out[:] = ((block.astype(np.float64) - low) * ((LEVELS - 1) / (high - low))).round()
    return result


def _smoothed(levels: Bytes, radius: int, check: Callable[[], None]) -> Bytes:
    """The median of the round neighbourhood of each pixel, within each plane."""
    from skimage.filters.rank import median
    from skimage.morphology import disk

    result, around = np.empty_like(levels), disk(radius)
    planes, smooth = levels.reshape(-1, *levels.shape[-2:]), result.reshape(-1, *levels.shape[-2:])
    for plane, out in zip(planes, smooth, strict=True):
        for top in range(0, len(plane), _ROWS):
            check()
            first = max(0, top - radius)  # with the rows that the neighbourhoods reach into
            slab = np.ascontiguousarray(plane[first : top + _ROWS + radius])
            out[top : top + _ROWS] = median(slab, around)[top - first :][:_ROWS]
    return result
