"""Images of intensities that should be phases: labels that were saved as JPEG or resized, and unsegmented ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.check.result import Finding, Severity, Snap, Topic
from napari_slicegan.core.check.words import digits, percent
from napari_slicegan.core.data import MAX_PHASES

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_WINDOW_EDGE = 1024  # pixels: so much of the middle is looked at
_FLAT = 8  # levels of 256 by which the pixels around one may differ where nothing but one phase is
_FLAT_SHARE, _HELD, _SHARP = 0.15, 0.9, 0.6  # least shares: of flat pixels; of these near a value; of these close to it
_NEAR = 0.6  # least share of all pixels that are near a value
_REACH, _CLOSE = 20, 3  # levels on either side of a value that are near it, and close to it
_EXACT = 0.999  # share of pixels above which nothing was lost
_LEAST = 0.003  # of the flat pixels: a phase

_SMOOTHING = 0.02  # of the range of levels
_HUMP, _VALLEY = 0.08, 0.6  # least share of a hump, and depth of the valley beside it as a part of its height
_MOST_HUMPS = 4

_WINDOW = 5  # pixels: a snapped pixel gets a phase that is near it


def value_findings(image: Array, number: int) -> list[Finding]:
    """Look for a few dominant values plus a thin spread, and for separate humps of grey levels.

    Parameters
    ----------
    image : array (H, W) or (H, W, C)
        As it was given, of any numeric type.
    number : int
        Which of the images it is.

    Returns
    -------
    list of Finding
        At most one; the first kind offers a `Snap`.
    """
    pixels = _middle(image)
    levels, low, step = _levels(pixels)
    values, shares = _dominant(levels)
    if len(values) > 1:
        seen = (np.median(pixels[(levels == value).all(axis=-1)], axis=0) for value in values)
        return [_snap_finding(tuple(tuple(map(float, centre)) for centre in seen), *shares, number)]
    if levels.shape[-1] > 1:
        return []
    humps = _humps(np.bincount(levels.ravel(), minlength=256))
    if not 2 <= len(humps) <= _MOST_HUMPS:
        return []
    return [_segmentation_finding([low + step * hump for hump in humps])]


def snap(image: Array, values: tuple[tuple[float, ...], ...]) -> npt.NDArray[np.uint8]:
    """Give each pixel the nearest phase.

    A pixel at an interface may have the value of a third phase, as black and white make grey. So one that is brighter
    than some of its neighbours and darker than others gets a phase that has a body within two pixels of it.

    Parameters
    ----------
    image : array (..., H, W) or (..., H, W, C)
        As it was given.
    values : tuple of tuple of float
        For each phase its value, with as many numbers as the image has channels.

    Returns
    -------
    uint8 array (..., H, W)
        Indices of phases, 0 ... len(values) - 1.
    """
    from scipy.ndimage import grey_opening, maximum_filter, minimum_filter

    centres = np.array(values, np.float32)  # (P, C)
    pixels = image[..., None] if centres.shape[1] == 1 else image[..., : centres.shape[1]]
    gaps = np.linalg.norm(centres[:, None] - centres, axis=-1)
    clear = 0.2 * gaps[gaps > 0].min()
    flat = (1,) * (pixels.ndim - 3)  # of a stack each plane for itself
    nearest, nearest_here = (np.full(pixels.shape[:-1], np.inf, np.float32) for _ in range(2))
    result, result_here = (np.zeros(pixels.shape[:-1], np.uint8) for _ in range(2))
    for phase, centre in enumerate(centres):
        distance = np.linalg.norm(pixels.astype(np.float32) - centre, axis=-1)
        closer = distance < nearest
        result[closer], nearest[closer] = phase, distance[closer]
        # Two pixels across at least: a rim that an interpolation left is thinner.
        body = grey_opening((distance <= clear).view(np.uint8), (*flat, 2, 2))
        closer = (distance < nearest_here) & (maximum_filter(body, (*flat, _WINDOW, _WINDOW)) > 0)
        result_here[closer], nearest_here[closer] = phase, distance[closer]
    brightness = pixels.mean(axis=-1, dtype=np.float32)
    between = (minimum_filter(brightness, (*flat, 3, 3)) < brightness - clear) & np.isfinite(nearest_here)
    between &= maximum_filter(brightness, (*flat, 3, 3)) > brightness + clear
    return np.where(between, result_here, result)


def _middle(image: Array) -> Array:
    """The part (H, W, C) that is looked at, without an alpha channel."""
    pixels = image[..., :3] if image.ndim == 3 else image[..., None]
    top, left = (max(0, (size - _WINDOW_EDGE) // 2) for size in image.shape[:2])
    return pixels[top : top + _WINDOW_EDGE, left : left + _WINDOW_EDGE]


def _levels(pixels: Array) -> tuple[npt.NDArray[np.uint8], float, float]:
    """Pixels in 256 levels, the value of level 0, and the step from level to level."""
    low, high = float(pixels.min()), float(pixels.max())
    step = max(high - low, 1e-300) / 255
    return np.rint((pixels.astype(np.float64) - low) / step).astype(np.uint8), low, step


def _dominant(levels: npt.NDArray[np.uint8]) -> tuple[Floats, tuple[float, float]]:
    """The few values (P, C) of all that is flat, in ascending brightness; the shares of pixels at and near them.

    A phase has pixels with nothing else around them. What JPEG and resizing make of an interface is never flat.
    """
    from scipy.ndimage import maximum_filter, minimum_filter

    channels = levels.shape[-1]
    span = maximum_filter(levels, (3, 3, 1)) - minimum_filter(levels, (3, 3, 1))
    flat = (span <= _FLAT).all(axis=-1)  # (H, W)
    nothing = np.empty((0, channels)), (0.0, 0.0)
    if flat.mean() < _FLAT_SHARE:
        return nothing
    keys = levels.astype(np.int64) @ 256 ** np.arange(channels)
    codes, counts = np.unique(keys[flat], return_counts=True)
    places = codes[:, None] // 256 ** np.arange(channels) % 256  # (n, C)
    left = counts / counts.sum()
    found: list[Array] = []
    held = close = 0.0
    while left.max() >= _LEAST / 2 and len(found) <= MAX_PHASES:
        place = places[left.argmax()]
        distance = np.abs(places - place).max(axis=1)
        near = left * (distance <= _REACH)
        if near.sum() >= _LEAST:
            found.append(place)
            held += near.sum()
            close += near[distance <= _CLOSE].sum()
        left = left - near
    if not 2 <= len(found) <= MAX_PHASES or held < _HELD or close < _SHARP * held:
        return nothing
    values = np.array(sorted(found, key=lambda value: (sum(value), *value)), np.float64)
    away = np.min([np.abs(levels - value).max(axis=-1) for value in values], axis=0)  # (H, W)
    exact, near = float(np.mean(away == 0)), float(np.mean(away <= _REACH))
    return (values, (exact, near)) if near >= _NEAR else nothing


def _humps(counts: npt.NDArray[np.int64]) -> list[int]:
    """The levels of humps in a histogram (256,) that valleys set apart from each other."""
    from scipy.ndimage import gaussian_filter1d

    total = counts.cumsum() / counts.sum()
    low, high = np.searchsorted(total, (0.002, 0.998))
    curve = gaussian_filter1d(counts.astype(np.float64), max(1.0, _SMOOTHING * (high - low)))
    curve = np.concatenate([[0.0], curve, [0.0]])
    tops = np.flatnonzero((curve[1:-1] > curve[:-2]) & (curve[1:-1] >= curve[2:])) + 1
    peaks = [int(top) for top in tops if _valley(curve, top) <= _VALLEY * curve[top]]
    cuts = [first + int(curve[first:last].argmin()) for first, last in pairwise(peaks)]
    shares = np.add.reduceat(curve, [0, *cuts]) / curve.sum()
    return [peak - 1 for peak, share in zip(peaks, shares, strict=True) if share >= _HUMP]


def _valley(curve: Floats, top: Any) -> float:
    """The higher of the two valleys between a peak and the next higher peaks, or the ends of the curve."""
    higher = np.flatnonzero(curve > curve[top])
    left, right = higher[higher < top], higher[higher > top]
    first, last = left[-1] if left.size else 0, right[0] if right.size else len(curve) - 1
    return float(max(curve[first : top + 1].min(), curve[top : last + 1].min()))


def _snap_finding(centres: tuple[tuple[float, ...], ...], exact: float, held: float, number: int) -> Finding:
    names = ", ".join(f"({', '.join(map(digits, v))})" if len(v) > 1 else digits(v[0]) for v in centres)
    kind = "colours" if len(centres[0]) > 1 else "values"
    why = "were saved as JPEG or resized"
    if exact > _EXACT:
        why = f"are stored as {'colours' if len(centres[0]) > 1 else 'grey levels'}"
    sentence = (
        f"These are labels, but they {why}: {percent(exact, 2)} of the pixels have one of the {len(centres)} {kind} "
        f"{names}, {percent(held, 2)} lie near them. Snap each pixel to the nearest, and train on phases."
    )
    numbers = {"exact": exact, "near": held, "phases": len(centres)}
    return Finding(Severity.WARNING, Topic.VALUES, sentence, numbers, Snap(number, centres))


def _segmentation_finding(humps: Sequence[float]) -> Finding:
    sentence = (
        f"The image is not segmented, but its grey levels fall into {len(humps)} groups, around "
        f"{', '.join(map(digits, humps))}: if these are phases, segment it first. Phases are learnt "
        "faster than grey levels, and their volumes have fractions and surfaces."
    )
    numbers = {f"group {index}": hump for index, hump in enumerate(humps)}
    return Finding(Severity.NOTE, Topic.SEGMENTATION, sentence, numbers)
