"""How well an image knows the fraction of a phase, or the mean grey level, told from the image itself.

The fraction of an image of area A varies from image to image with the variance

    var = 1 / A^2  *  integral over all distances r of  n(r) (S2(r) - f^2),

where n(r) is the area in which both ends of r lie in the image. A small image does not know f, so that S2 - f^2 comes
out too small by var itself, which is put back; and S2 at long distances is noise, so that the integral ends where the
material has forgotten itself. The idea to tell the uncertainty of a phase fraction from the two-point correlation of
the image at hand is that of Dahari, Docherty, Kench and Cooper, Advanced Science 12 (2025), "Prediction of
microstructural representativity from a single image"; the estimator is not theirs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft, special

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

NORMAL = 1.959964
"""Half the width of the 95 % interval of a normal distribution, in standard deviations."""

_FORGOTTEN = 3.5
"""The integral ends at this multiple of the radius of a disk as large as the integral range: there even an
exponential correlation has fallen to 1 %."""

_LONGEST = 512  # pixels: no correlation is followed further
_BALL = {2: math.pi, 3: 4 / 3 * math.pi}  # of radius 1


@dataclass(frozen=True)
class Representativity:
    """What an image knows of the fraction of a phase, or of the mean of its values.

    Attributes
    ----------
    fraction : float
        In the image; of values that are not a phase, their mean.
    variance : float
        Of a single pixel: f (1 - f) for a phase.
    uncertainty : float
        One standard uncertainty of it as a statement about the material, enlarged where the image holds so few
        independent pieces that the uncertainty is itself uncertain; nan when there is nothing to tell it from.
    interval : (float, float)
        Holds the fraction of the material with a confidence of 95 %.
    integral_range : float
        Area in pixels that varies as a single independent pixel does.
    reach : int
        Pixels after which the phase has forgotten itself.
    pieces : float
        How many pieces of that reach the image holds: below 1, nothing here is reliable.
    """

    fraction: float
    variance: float
    uncertainty: float
    interval: tuple[float, float]
    integral_range: float
    reach: int
    pieces: float

    @property
    def is_reliable(self) -> bool:
        """Whether the image is large enough to tell how large it should be."""
        return self.pieces >= 1 and math.isfinite(self.uncertainty)

    def needed_edge(self, error: float) -> float:
        """How large a square image of this material has to be.

        Parameters
        ----------
        error : float
            Half the width of the wanted 95 % interval as a part of the fraction.

        Returns
        -------
        float
            Edge in pixels; nan when it cannot be told.
        """
        if not math.isfinite(self.uncertainty) or not self.fraction:
            return math.nan
        return NORMAL / (error * self.fraction) * math.sqrt(self.variance * self.integral_range)


def representativity(values: Array, is_volume: bool = False) -> Representativity:
    """Tell what images know of the fraction of a phase, or of the mean of what they show.

    Parameters
    ----------
    values : bool or real array (N, H, W)
        True inside of the phase, or any numbers, in N images that do not know of each other.
    is_volume : bool
        Whether it is a volume (Z, Y, X) instead; areas are then volumes.

    Returns
    -------
    Representativity
        Of all images together.
    """
    mean, variance = float(np.mean(values, dtype=np.float64)), float(np.var(values, dtype=np.float64))
    if not variance:
        return Representativity(mean, 0.0, math.nan, (math.nan, math.nan), math.nan, 0, 0.0)
    samples = values[None] if is_volume else values
    covariance, counts, lags = _covariances(samples, mean)
    area, ball = float(values.size), _BALL[samples.ndim - 1]
    # What is measured is S2 - f^2 with the fraction of the image: var less than with that of the material.
    variances = np.cumsum(covariance) / area**2  # (R + 1,) if the integral ends at each distance
    variances /= np.maximum(1 - np.cumsum(counts) / area**2, 1e-3)
    ranges = np.cumsum(lags * covariance / counts) + np.cumsum(lags) * variances
    ranges = np.maximum(ranges / (variance + variances), 1)
    distances = np.arange(len(ranges))
    ended = np.flatnonzero(distances >= _FORGOTTEN * (ranges / ball) ** (1 / (samples.ndim - 1)))
    reach = int(ended[0]) if ended.size else len(ranges) - 1
    pieces = area / (ball * max(reach, 1) ** (samples.ndim - 1)) if ended.size else 0.0
    error = math.sqrt(max(variances[reach], variance / area * 1e-6)) * few_pieces(pieces)
    interval = _odds_interval(mean, error) if values.dtype == bool else (mean - NORMAL * error, mean + NORMAL * error)
    return Representativity(mean, variance, error, interval, float(ranges[reach]), reach, pieces)


def few_pieces(pieces: float) -> float:
    """By how much an uncertainty grows because it is told from few independent pieces (Student's t)."""
    return float(special.stdtrit(max(2 * pieces, 1.5), 0.975)) / NORMAL


def _covariances(samples: Array, mean: float) -> tuple[Floats, Floats, Floats]:
    """Sums of (I - f)(I' - f) over all pairs, their numbers, and the numbers of lags: each by distance (R + 1,)."""
    shape = samples.shape[1:]
    reach = min(*shape, 2 * _LONGEST) // 2
    size = [fft.next_fast_len(edge + reach, real=True) for edge in shape]
    power = np.float64(0.0)
    for sample in samples:
        power = power + np.abs(fft.rfftn(sample.astype(np.float32) - np.float32(mean), size)) ** 2
    lags = [np.arange(-reach, reach + 1) for _ in shape[:-1]] + [np.arange(reach + 1)]  # half, for the rest is the same
    covariance = fft.irfftn(power, size)[np.ix_(*lags)]
    grids = np.ix_(*lags)
    room = [edge - np.abs(grid).astype(float) for edge, grid in zip(shape, grids, strict=True)]
    counts = len(samples) * math.prod(room)
    distance = np.rint(np.sqrt(sum(grid.astype(np.float32) ** 2 for grid in grids))).astype(np.int32)
    twice = np.where(grids[-1] > 0, 2.0, 1.0)

    def by_distance(values: Array) -> Floats:
        return np.asarray(np.bincount(distance.ravel(), (values * twice).ravel())[: reach + 1], np.float64)

    return by_distance(covariance), by_distance(counts), by_distance(np.ones_like(counts))


def _odds_interval(fraction: float, error: float) -> tuple[float, float]:
    """A 95 % interval that stays between 0 and 1 (symmetric in the logarithm of the odds)."""
    centre = special.logit(fraction)
    half = NORMAL * error / (fraction * (1 - fraction))
    return float(special.expit(centre - half)), float(special.expit(centre + half))
