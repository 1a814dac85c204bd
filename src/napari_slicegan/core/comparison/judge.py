"""From two things that are known to how far apart they are, and what to say of it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.comparison.known import Known
from napari_slicegan.core.comparison.result import Estimate, Judgement, Verdict
from napari_slicegan.core.statistics.representativity import NORMAL

Floats = npt.NDArray[np.float64]

LIMIT = 2.0
"""A difference of more than this many combined standard uncertainties is one."""

COARSE = 0.25
"""A truth whose 95 % interval reaches further than this part of the quantity, either way, cannot confirm anything."""


def judge(
    truth: Known, other: Known, is_positive: bool, is_reliable: bool = True, scale: float | None = None
) -> Judgement:
    """Compare what is known of the truth and of volumes.

    Parameters
    ----------
    truth, other : Known
        Of one quantity, in the same unit.
    is_positive : bool
        Whether the quantity cannot be negative, so that its uncertainty upwards is larger than downwards.
    is_reliable : bool
        Whether the uncertainty of the truth can be believed.
    scale : float, optional
        What is much: by default a number itself, and the range of a curve.

    Returns
    -------
    Judgement
        For a curve the root mean square of the differences is compared with that of the uncertainties.
    """
    shift = other.value - truth.value
    difference = float(shift if shift.ndim == 0 else np.abs(shift).mean())
    low, high = band(truth, is_positive)
    upwards = shift > 0
    # Of an asymmetric interval the side counts on which the other value lies.
    truth_error = np.where(upwards, high - truth.value, truth.value - low) / NORMAL
    other_error = other.error
    if truth.scatter is not None:  # a lone volume varies at least as pieces of the truth do
        other_error = np.where(np.isnan(other_error), truth.scatter, other_error)
    combined = math.hypot(_rms(truth_error), _rms(other_error))
    natural = math.nan if truth.scatter is None else _ratio(_rms(shift), _rms(truth.scatter))
    multiple = _ratio(_rms(shift), combined)
    if not is_reliable or not math.isfinite(combined):
        verdict = Verdict.TOO_SMALL
    elif multiple > LIMIT:
        verdict = Verdict.DIFFERS
    elif NORMAL * _rms(truth.error) > COARSE * (_scale(truth.value) if scale is None else scale):
        verdict = Verdict.TOO_SMALL
    else:
        verdict = Verdict.AGREES
    return Judgement(verdict, difference, multiple, natural)


def band(known: Known, is_positive: bool) -> tuple[Floats, Floats]:
    """The interval, or the band of a curve, that holds what is estimated with a confidence of 95 %.

    Parameters
    ----------
    known : Known
        Of a number or of a curve (R,).
    is_positive : bool
        Whether it cannot be negative: then the interval is about symmetric in the logarithm.

    Returns
    -------
    float array () or (R,), float array () or (R,)
        Lower and upper ends.
    """
    if known.interval is not None:
        return np.asarray(known.interval[0]), np.asarray(known.interval[1])
    reach = NORMAL * known.error
    low, high = known.value - reach, known.value + reach
    if not is_positive:
        return low, high
    # Close to v exp(-x) and v exp(x) with x = reach / v, and calmer where the reach is as long as the value.
    relative = np.divide(reach, known.value, out=np.full_like(reach, np.inf), where=known.value > 0)
    low = known.value / (1 + relative + relative**2 / 2)
    return low, known.value + reach * (1 + np.minimum(relative, 1) / 2)


def estimate(known: Known, is_positive: bool, unit: float = 1.0) -> Estimate:
    """Turn what is known into a result, in physical units.

    Parameters
    ----------
    known : Known
        In voxels.
    is_positive : bool
        As for `band`.
    unit : float
        What to multiply it by.

    Returns
    -------
    Estimate
        Of a curve, with its mean as the number.
    """
    low, high = (end * unit for end in band(known, is_positive))
    if known.value.ndim == 0:
        interval = (float(low), float(high))
        return Estimate(float(known.value * unit), float(known.error * unit), interval, known.spread * unit)
    mean = Known(known.value.mean(), np.asarray(known.mean_error), known.mean_error)
    ends = band(mean, is_positive)
    interval = (float(ends[0] * unit), float(ends[1] * unit))
    value = float(mean.value * unit)
    return Estimate(value, known.mean_error * unit, interval, known.spread * unit, known.value * unit, low, high)


def _scale(value: Floats) -> float:
    """What there is to vary: a number by itself, a curve between its ends."""
    return float(abs(value) if value.ndim == 0 else value.max() - value.min())


def _ratio(difference: float, uncertainty: float) -> float:
    if difference == 0:
        return 0.0
    return difference / uncertainty if uncertainty > 0 else math.inf


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
