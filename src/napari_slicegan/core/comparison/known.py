"""What is known of each quantity: its value, how sure it is, and how it varies."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.comparison.material import Material
from napari_slicegan.core.comparison.quantity import Quantity
from napari_slicegan.core.comparison.sections import Layout
from napari_slicegan.core.comparison.sums import Sums, add
from napari_slicegan.core.statistics.representativity import Representativity, few_pieces

Floats = npt.NDArray[np.float64]

ENOUGH = 3
"""Volumes from which their spread is told; fewer are cut into slabs."""


@dataclass(frozen=True)
class Known:
    """What is known of a quantity, in voxels.

    Attributes
    ----------
    value : float array () or (R,)
        A number or a curve.
    error : float array () or (R,)
        Its standard uncertainty; 0 where it is exact, nan where it is unknown.
    mean_error : float
        Standard uncertainty of the mean of a curve; of a number the same as `error`.
    spread : float
        Standard deviation of the number, or of the curve's mean, between volumes or pieces; nan for one.
    interval : (float, float), optional
        That of the fraction of a phase.
    scatter : float array () or (R,), optional
        Standard deviation of each point between volumes or pieces.
    """

    value: Floats
    error: Floats
    mean_error: float
    spread: float = math.nan
    interval: tuple[float, float] | None = None
    scatter: Floats | None = None


def from_boxes(
    material: Material, layout: Layout, boxes: Sequence[Sequence[Sums]], tell: Callable[[float], None]
) -> dict[str, Known]:
    """Tell what a material's only planes know, by drawing their boxes again (block bootstrap).

    Parameters
    ----------
    material : Material
        What is told.
    layout : Layout
        How the planes lie.
    boxes : sequence of sequence of Sums
        The counts of the boxes of each of the planes.
    tell : callable
        Takes the finished fraction; what it raises ends the work.

    Returns
    -------
    dict of str to Known
        By the keys of the quantities.
    """
    rng = np.random.default_rng(0)
    values = material.values(layout, [add(sums) for sums in boxes])
    drawn: dict[str, list[Floats]] = {key: [] for key in values}
    stacked = [{name: np.array([each[name] for each in sums]) for name in sums[0]} for sums in boxes]
    for draw in range(material.resamples):
        tell(draw / material.resamples)
        weights = [rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums))).astype(float) for sums in boxes]
        again = [
            {name: np.tensordot(weight, array, 1) for name, array in arrays.items()}
            for weight, arrays in zip(weights, stacked, strict=True)
        ]
        for key, value in material.values(layout, again).items():
            drawn[key].append(value)
    few = few_pieces((min(map(len, boxes)) - 1) / 2)
    least = material.least(layout, [add(sums) for sums in boxes])
    return {key: _from_draws(value, np.array(drawn[key]), few, least.get(key, 0.0)) for key, value in values.items()}


def from_volumes(material: Material, volumes: Sequence[tuple[Layout, Sequence[Sums]]]) -> dict[str, Known]:
    """Tell what several volumes of equal shape know, from their differences.

    Parameters
    ----------
    material : Material
        What is told.
    volumes : sequence of (Layout, sequence of Sums)
        At least `ENOUGH`, with the counts of all their planes.

    Returns
    -------
    dict of str to Known
        By the keys of the quantities.
    """
    layout = volumes[0][0]
    totals = [add([sums[number] for _, sums in volumes]) for number in range(3)]
    values = material.values(layout, totals)
    each = [material.values(layout, sums) for _, sums in volumes]
    return {key: between([one[key] for one in each], value) for key, value in values.items()}


def between(pieces: Sequence[Floats], value: Floats | None = None) -> Known:
    """Tell what several equal pieces know of a quantity.

    Parameters
    ----------
    pieces : sequence of float array () or (R,)
        What each says.
    value : float array, optional
        What they say together, by default their mean.

    Returns
    -------
    Known
        With the standard error of their mean, enlarged for few pieces (Student's t).
    """
    array = np.array(pieces, np.float64)
    number = len(array)
    value = array.mean(axis=0) if value is None else value
    if number < 2:
        return Known(value, np.full(value.shape, math.nan), math.nan)
    spread, scatter = float(_means(array).std(ddof=1)), array.std(axis=0, ddof=1)
    factor = few_pieces((number - 1) / 2) / math.sqrt(number)
    return Known(value, scatter * factor, spread * factor, spread, scatter=scatter)


def corrected(known: dict[str, Known], levels: Mapping[str, Known], quantities: Sequence[Quantity]) -> dict[str, Known]:
    """Enlarge uncertainties from boxes, which overlook that neighbouring boxes resemble each other.

    The fraction of a phase has an uncertainty that does not (`representativity`). It takes the place of that from
    boxes, and all other quantities are enlarged by the same factor: the median over the phases.

    Parameters
    ----------
    known : dict of str to Known
        From the boxes of micrographs.
    levels : mapping of str to Known
        The fractions of the phases, or the means of the channels, from `level`.
    quantities : sequence of Quantity
        What is told.

    Returns
    -------
    dict of str to Known
        Corrected.
    """
    ratios = [each.mean_error / known[key].mean_error for key, each in levels.items() if known[key].mean_error > 0]
    factor = max(1.0, float(np.median([ratio for ratio in ratios if math.isfinite(ratio)] or [1.0])))
    phases = list(levels.values())
    result = dict(known)
    for quantity in quantities:
        one = known[quantity.key]
        error, mean_error = one.error * factor, one.mean_error * factor
        if quantity.key.startswith("correlation/") and quantity.phases[0] == quantity.phases[1]:
            least = _of_fraction(one.value, phases[quantity.phases[0]])
            error, mean_error = np.maximum(error, least), max(mean_error, float(least.mean()))
        result[quantity.key] = Known(one.value, error, mean_error)
    return result | dict(levels)


def _of_fraction(s2: Floats, fraction: Known) -> Floats:
    """What the uncertainty of a fraction f makes of S2 = f^2 + f (1 - f) rho, with rho as it is: the least it has."""
    f = float(fraction.value)
    if not 0 < f < 1:
        return np.zeros_like(s2)
    rho = np.clip((s2 - f**2) / (f - f**2), 0, 1)
    return np.asarray(np.abs(2 * f + (1 - 2 * f) * rho) * fraction.mean_error)


def level(each: Sequence[Representativity], sizes: Sequence[int]) -> Known:
    """Join what several micrographs know of the fraction of a phase, or of the mean of a channel.

    Parameters
    ----------
    each : sequence of Representativity
        Of each micrograph.
    sizes : sequence of int
        Pixels of each.

    Returns
    -------
    Known
        Of all together; the interval is that of a single micrograph, and left out for several and for volumes.
    """
    weights = np.array(sizes) / sum(sizes)
    value = np.asarray(weights @ [one.fraction for one in each])
    error = float(np.sqrt(weights**2 @ [one.uncertainty**2 for one in each]))
    interval = each[0].interval if len(each) == 1 and math.isfinite(each[0].interval[0]) else None
    return Known(value, np.asarray(error), error, interval=interval)


def _from_draws(value: Floats, drawn: Floats, few: float, least: float) -> Known:
    """What draws (S,) or (S, R) of a quantity tell."""
    with np.errstate(invalid="ignore"):
        finite = np.isfinite(drawn).all(axis=-1) if drawn.ndim > 1 else np.isfinite(drawn)
        drawn = drawn[finite]  # a rare phase may be missing from a draw
        if len(drawn) < 2:
            return Known(value, np.full(value.shape, math.nan), math.nan)
        error = np.maximum(drawn.std(axis=0, ddof=1) * few, least)
        mean_error = float(_means(drawn).std(ddof=1)) * few
        return Known(value, error, mean_error if value.ndim else max(mean_error, least))


def _means(array: Floats) -> Floats:
    """One number for each draw or piece, (S,): that of a curve is its mean."""
    return np.asarray(array.mean(axis=1)) if array.ndim > 1 else array
