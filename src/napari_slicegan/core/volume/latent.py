"""The latent field of an endless volume: every cell follows from the seed and its place alone.

The cell at lattice position (k, j, i) reads 32-bit words w from the Philox4x64-10 generator (Salmon et al., SC 2011)
with the key (seed, 0) and the counters (1, i, j, k), (2, i, j, k), ..., low word first, negative positions as two's
complement; each 64-bit number gives its low word, then its high one. A word becomes the standard normal number

    x = Phi^-1((w + 1/2) / 2^32)

by Wichura's rational approximations (algorithm AS 241, Applied Statistics 37, 1988). Nothing but sums, products,
quotients and square roots in double precision is used, which IEEE 754 rounds in one way only, so the field is the same
for every device, library and version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.volume.request import Triple

Doubles = npt.NDArray[np.float64]

# Coefficients of AS 241 (PPND16), lowest power first; its third region begins beyond what 32 bits reach.
# fmt: off
_MIDDLE = (
    (
        3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
        4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
    ),
    (
        1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
        2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3,
    ),
)
_TAIL = (
    (
        1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
        1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
    ),
    (
        1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
        1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
    ),
)
# fmt: on
_LOG_2 = 0.6931471805599453
_LOG_SERIES = tuple(1 / (2 * power + 1) for power in range(14))


def latent_field(
    seed: int,
    start: Triple,
    counts: Triple,
    channels: int,
    period: tuple[int | None, int | None, int | None] = (None, None, None),
) -> npt.NDArray[np.float32]:
    """Draw a box of the latent field.

    Parameters
    ----------
    seed : int
        From 0 to 2^63 - 1.
    start : (int, int, int)
        First cell along z, y, x; may be negative.
    counts : (int, int, int)
        Cells along z, y, x.
    channels : int
        Normal numbers in a cell.
    period : (int or None, ...)
        Cells after which the field repeats along each axis; None where it does not.

    Returns
    -------
    float32 array (channels, z, y, x)
        Standard normal numbers.
    """
    z, y, x = (_positions(*axis) for axis in zip(start, counts, period, strict=True))
    raw = np.stack(list(_words(seed, product(z, y, x), (channels + 1) // 2)))  # (cells, 64-bit words)
    words = np.stack((raw & 0xFFFFFFFF, raw >> 32), axis=-1).reshape(len(raw), -1)[:, :channels].astype(np.uint32)
    return np.ascontiguousarray(normals(words).T).reshape(channels, *counts)


def _positions(first: int, count: int, period: int | None) -> list[int]:
    return [position % period if period else position for position in range(first, first + count)]


def _words(seed: int, cells: Iterable[Triple], count: int) -> Iterator[npt.NDArray[np.uint64]]:
    """The first 64-bit words of each cell."""
    philox = np.random.Philox(key=seed)
    state: Any = philox.state  # set for each cell: ten times as fast as a new generator
    for k, j, i in cells:
        counter = np.array([0, i % 2**64, j % 2**64, k % 2**64], np.uint64)
        philox.state = state | {"state": {"counter": counter, "key": state["state"]["key"]}}
        yield philox.random_raw(count)


def normals(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.float32]:
    """Turn uniform 32-bit words, of any shape, into standard normal numbers; exact to float32."""
    uniform = (words.ravel() + 0.5) / 2.0**32
    centred = uniform - 0.5
    square = 0.180625 - centred * centred
    result = centred * _quotient(square, *_MIDDLE)
    tail = np.abs(centred) > 0.425
    distance = np.sqrt(-_log(np.minimum(uniform, 1 - uniform)[tail])) - 1.6
    result[tail] = np.copysign(_quotient(distance, *_TAIL), centred[tail])
    return result.astype(np.float32).reshape(words.shape)


def _quotient(x: Doubles, above: tuple[float, ...], below: tuple[float, ...]) -> Doubles:
    return _polynomial(x, above) / _polynomial(x, below)


def _polynomial(x: Doubles, coefficients: tuple[float, ...]) -> Doubles:
    """By Horner's rule, one rounding for each operation."""
    result = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        result = result * x + coefficient
    return result


def _log(x: Doubles) -> Doubles:
    """The natural logarithm from exactly rounded operations: libraries differ in the last digit of theirs."""
    fraction, exponent = np.frexp(x)
    low = fraction < 0.7071067811865476
    fraction, exponent = np.where(low, 2 * fraction, fraction), exponent - low
    ratio: Doubles = (fraction - 1) / (fraction + 1)
    result: Doubles = exponent * _LOG_2 + 2 * ratio * _polynomial(ratio * ratio, _LOG_SERIES)
    return result
