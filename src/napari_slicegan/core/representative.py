"""Weights with which the crops of a small image are, on average, like the image.

Crops lie inside their image, so they see its middle more often than its border, and their volume fractions and surfaces
are not those of the image. Of all weights that mend this, those that differ least from equal ones are taken (entropy
balancing: Hainmueller, Political Analysis 20, 25-46, 2012).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import TrainingData

SOFTNESS = 0.01
"""How much unequal weights are avoided, at the least."""
LEAST = 0.5
"""Part of the crops that must count for something; where it takes fewer to mend the means, they are mended in part."""

_BESIDE = [(1, 0), (0, 1)]  # rows and columns from a pixel to its neighbours
_SAME = 1e-9  # spread of numbers that are all alike, but for rounding

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


def image_channels(data: TrainingData, stack: Array) -> list[Array]:
    """Images of each channel, (N, H, W): where a phase is, or intensities from 0 to 1 as float32.

    Parameters
    ----------
    data : TrainingData
        Says what the numbers mean.
    stack : uint8 array (N, H, W) or (N, H, W, C)
        A part of a source.

    Returns
    -------
    list of bool or float32 array (N, H, W)
        One for each channel.
    """
    if data.kind is OutputKind.PHASES:
        return [stack == phase for phase in range(data.channels)]
    low, high = data.levels
    scaled = ((stack.astype(np.float32) - low) / (high - low)).clip(0, 1)
    return list(np.moveaxis(scaled, -1, 0))


def part_trained_on(data: TrainingData, source: int) -> tuple[Array, Places]:
    """The part of a source, (N, h, w) or (N, h, w, C), around all of its regions; its first row and column."""
    stack, regions = data.sources[source], np.array(data.regions_of(source))
    if not len(regions):
        return stack, np.zeros(2, np.intp)
    corner, (bottom, right) = regions[:, :2].min(axis=0), regions[:, 2:].max(axis=0)
    return stack[:, corner[0] : bottom, corner[1] : right], corner


def representative_weights(data: TrainingData, source: int, places: Places, edge: int, is_turned: bool) -> Floats:
    """Weights with which crops have the mean channels and surfaces of the images.

    Parameters
    ----------
    data : TrainingData
        The micrographs.
    source : int
        Which of the data's sources.
    places : array (P, 3)
        Image, top row and left column of each crop.
    edge : int
        Of the crops, in pixels.
    is_turned : bool
        Whether crops are turned, so that rows and columns count alike.

    Returns
    -------
    array (P,)
        Their sum is 1.
    """
    directions = [_BESIDE] if is_turned else [[step] for step in _BESIDE]
    pieces = [image_channels(data, piece) for piece in data.pieces(source)]
    found, wanted = [], []
    part, corner = part_trained_on(data, source)
    places = places - np.array([0, *corner])
    for number, channel in enumerate(image_channels(data, part)):
        parts = [piece[number] for piece in pieces]
        found.append(crop_means(channel, places, edge, edge))
        wanted.append(_mean(parts))
        if data.kind is not OutputKind.PHASES:
            found.append(crop_means(channel**2, places, edge, edge))
            wanted.append(_mean([part**2 for part in parts]))
        for steps in directions:
            each = [crop_means(_changes(channel, dy, dx), places, edge - dy, edge - dx) for dy, dx in steps]
            found.append(np.mean(each, axis=0))
            wanted.append(float(np.mean([_mean([_changes(part, *step) for part in parts]) for step in steps])))
    return balanced(np.stack(found, axis=1), np.array(wanted))


def balanced(found: Floats, wanted: Floats) -> Floats:
    """The weights nearest to equal ones with which the means of what was found are those that are wanted.

    Parameters
    ----------
    found : array (P, F)
        Numbers of each crop.
    wanted : array (F,)
        Their means.

    Returns
    -------
    array (P,)
        Their sum is 1. Means that only weights of a few crops give, or none, are approached.
    """
    from scipy.optimize import minimize  # takes a while to import

    spread = found.std(axis=0)
    tells = spread > _SAME
    if not tells.any():
        return np.full(len(found), 1 / len(found))
    apart = (found[:, tells] - wanted[tells]) / spread[tells]  # (P, F')

    softness = SOFTNESS
    while True:
        weights = _weights(apart, minimize(_dual, np.zeros(apart.shape[1]), (apart, softness), "BFGS", jac=True).x)
        if 1 / np.square(weights).sum() >= LEAST * len(weights):
            return weights
        softness *= 10


def crop_means(field: Array, places: Places, height: int, width: int) -> Floats:
    """Means over rectangles of a field.

    Parameters
    ----------
    field : bool or float array (N, H, W)
        The values.
    places : array (P, 3)
        Image, top row and left column of each rectangle.
    height, width : int
        Of the rectangles.

    Returns
    -------
    array (P,)
        The same in every version, bit for bit: what crops a seed draws depends on it.
    """
    count, rows, columns = field.shape
    sums = np.zeros((count, rows + 1, columns + 1), np.int64 if field.dtype == bool else np.float64)
    sums[:, 1:, 1:] = field
    for row in range(1, rows):  # several times as fast as cumsum down the columns, with the same roundings
        sums[:, row + 1] += sums[:, row]
    np.cumsum(sums, axis=2, out=sums)
    n, top, left = places.T
    bottom, right = top + height, left + width
    inside = sums[n, bottom, right] - sums[n, top, right] - sums[n, bottom, left] + sums[n, top, left]
    return np.asarray(inside / (height * width))


def _dual(factors: Floats, apart: Floats, softness: float) -> tuple[float, Floats]:
    """What is least for the factors (F,) of the exponents of weights, and its gradient."""
    exponents = apart @ factors
    value = exponents.max() + np.log(np.exp(exponents - exponents.max()).mean()) + softness / 2 * factors @ factors
    return float(value), _weights(apart, factors) @ apart + softness * factors


def _weights(apart: Floats, factors: Floats) -> Floats:
    exponents = apart @ factors
    weights = np.exp(exponents - exponents.max())
    return np.asarray(weights / weights.sum())


def _changes(channel: Array, dy: int, dx: int) -> Array:
    """Squared changes (N, H - dy, W - dx) from each pixel of truth values or numbers (N, H, W) to that a step away."""
    height, width = (size - step for size, step in zip(channel.shape[1:], (dy, dx), strict=True))
    here, there = channel[:, :height, :width], channel[:, dy:, dx:]
    return here != there if channel.dtype == bool else (here - there) ** 2


def _mean(parts: list[Array]) -> float:
    """Mean over all pixels of parts (N, H, W)."""
    return float(np.average([part.mean(dtype=np.float64) for part in parts], weights=[part.size for part in parts]))
