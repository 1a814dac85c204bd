"""Grey levels and colours: how often each level, each gradient and each small pattern of neighbours occurs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Box = tuple[slice, slice, slice]

LEVELS, PATTERNS = 256, 10

STEEPEST = 181.0
"""Levels per pixel, a little more than the steepest gradient that the Sobel operator can find."""

GRADIENT_EDGES: Floats = STEEPEST * np.linspace(0, 1, 65) ** 2
"""Of the 64 bins of the gradient, in levels per pixel; fine where gradients are small, as most are."""

_WEIGHTS = np.array([54, 183, 19], np.uint16)  # Rec. 709 in 256ths: whole numbers, so that every box rounds alike
_RING = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))  # the neighbours, once around
_AT_ONCE = 2**20  # pixels


class IntensitySums(NamedTuple):
    """Counts that add up over boxes.

    Attributes
    ----------
    levels : float array (C, 256)
        Pixels of each level in each channel.
    gradients : float array (64,)
        Pixels by the magnitude of the gradient of the luminance, see `GRADIENT_EDGES`; pixels on the border of a plane
        have none.
    textures : float array (10,)
        Pixels by the uniform local binary pattern of the luminance: entry k < 9 where the eight neighbours that are at
        least as bright are k in one run, 9 where they are in several; not on the border.
    """

    levels: Floats
    gradients: Floats
    textures: Floats


def intensity_sums(planes: Array, box: Box) -> IntensitySums:
    """Count levels, gradients and local binary patterns.

    Parameters
    ----------
    planes : uint8 array (N, H, W, C)
        Intensities; the luminance of three channels is that of Rec. 709, rounded.
    box : tuple of slice
        Where the pixels lie that are counted; their neighbours may lie beyond.

    Returns
    -------
    IntensitySums
        Those of boxes that tile the planes add up to those of the whole, exactly.

    Notes
    -----
    The gradient is Sobel's, in levels per pixel. Patterns (Ojala, Pietikainen & Maenpaa 2002) compare a pixel with its
    eight neighbours, not with values between pixels, whose rounding makes equal neighbours depend on their place.
    """
    count, height, width = (range(size)[part] for size, part in zip(planes.shape, box, strict=False))
    levels = np.zeros((planes.shape[3], LEVELS))
    gradients, textures = np.zeros(len(GRADIENT_EDGES) - 1), np.zeros(PATTERNS)
    inner = tuple(
        slice(max(part.start - 1, 0), min(part.stop + 1, size))
        for part, size in zip((height, width), planes.shape[1:3], strict=True)
    )  # with a margin of one pixel, where there is one
    step = max(1, _AT_ONCE // max(1, len(height) * len(width)))
    for first in range(count.start, count.stop, step):
        some = slice(first, min(first + step, count.stop))
        pixels = planes[some, height.start : height.stop, width.start : width.stop]  # (n, h, w, C)
        levels += [np.bincount(channel.ravel(), minlength=LEVELS) for channel in np.moveaxis(pixels, -1, 0)]
        grey = _luminance(planes[(some, *inner)])  # (n, h + 2, w + 2), less on the border
        if min(grey.shape[1:]) > 2:
            gradients += np.bincount(_gradient_bins(grey).ravel(), minlength=gradients.size)
            textures += np.bincount(_patterns(grey).ravel(), minlength=PATTERNS)
    return IntensitySums(levels, gradients, textures)


def cumulative(histogram: Array) -> Floats:
    """The share of what is counted up to and including each entry.

    Parameters
    ----------
    histogram : array (..., B)
        Counts.

    Returns
    -------
    float array (..., B)
        Ascending to 1; nan where nothing was counted.
    """
    total = np.cumsum(histogram, axis=-1, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / total[..., -1:])


def _luminance(pixels: Array) -> Array:
    """Grey levels (N, H, W) of (N, H, W, C)."""
    if pixels.shape[-1] == 1:
        return np.ascontiguousarray(pixels[..., 0])
    weighted = (pixels * _WEIGHTS).sum(axis=-1, dtype=np.uint16)
    return np.asarray((weighted + 128) >> 8).astype(np.uint8)


def _gradient_bins(grey: Array) -> Array:
    """The bin of every pixel (N, H - 2, W - 2) that has all neighbours in (N, H, W)."""
    values = grey.astype(np.int16)
    smooth = values[:, :-2] + 2 * values[:, 1:-1] + values[:, 2:]  # (N, H - 2, W)
    across = smooth[:, :, 2:] - smooth[:, :, :-2]  # (N, H - 2, W - 2)
    smooth = values[:, :, :-2] + 2 * values[:, :, 1:-1] + values[:, :, 2:]  # (N, H, W - 2)
    down = smooth[:, 2:] - smooth[:, :-2]
    magnitude = np.hypot(across.astype(np.float32), down.astype(np.float32)) / np.float32(8 * STEEPEST)
    return (np.sqrt(magnitude) * (len(GRADIENT_EDGES) - 1)).astype(np.uint8)


def _patterns(grey: Array) -> Array:
    """The pattern of every pixel (N, H - 2, W - 2) that has all neighbours in (N, H, W)."""
    height, width = (size - 2 for size in grey.shape[1:])
    middle = grey[:, 1:-1, 1:-1]
    code = np.zeros(middle.shape, np.uint8)
    for bit, (row, column) in enumerate(_RING):
        code |= (grey[:, row : row + height, column : column + width] >= middle).astype(np.uint8) << bit
    return np.asarray(_UNIFORM[code])


def _uniform() -> Array:
    """Of each of the 256 codes of eight neighbours: how many bits are set if they are one run, else 9."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1  # (256, 8)
    changes = (bits != np.roll(bits, 1, axis=1)).sum(axis=1)
    return np.where(changes <= 2, bits.sum(axis=1), PATTERNS - 1).astype(np.uint8)


_UNIFORM = _uniform()
