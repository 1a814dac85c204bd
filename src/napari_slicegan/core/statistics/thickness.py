"""Local thickness of a phase of a volume."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_STEPS = 25  # radii of balls that are looked at, at most


def local_thickness(indicator: Array, progress: Callable[[float], None] | None = None) -> Floats:
    """The largest ball inside of a phase that covers each voxel.

    Of T. Hildebrand & P. Ruegsegger, "A new method for the model-independent assessment of
    thickness in three-dimensional images", Journal of Microscopy 185 (1997). A ball is centred on
    a voxel and reaches to the middle of the nearest voxel outside of the phase; what lies beyond
    the volume stops no ball. Balls of at most 25 radii are looked at, from small to large by equal
    factors; all those between two of these radii count as the middle one of them.

    Parameters
    ----------
    indicator : bool array (Z, Y, X)
        True inside of the phase.
    progress : callable, optional
        Called with the share of the work done, from 0 to 1; what it raises ends the work.

    Returns
    -------
    float array (Z, Y, X)
        Diameters in voxels; 0 outside of the phase, inf if nothing is outside.
    """
    from scipy import ndimage

    inside = np.asarray(indicator, bool)
    if inside.all():
        return np.full(inside.shape, np.inf)
    thickness = np.zeros(inside.shape)
    distance = ndimage.distance_transform_edt(inside)
    radii = np.unique(distance[inside])
    if not radii.size:
        return thickness
    chosen = np.unique(np.searchsorted(radii, np.geomspace(radii[0], radii[-1], _STEPS)))
    told = (radii[chosen] + radii[np.append(chosen[1:], radii.size) - 1]) / 2
    for step, (radius, middle) in enumerate(zip(radii[chosen][::-1], told[::-1], strict=True)):
        covered = _dilated(distance >= radius, radius)
        thickness[covered & (thickness == 0)] = 2 * middle
        if progress is not None:
            progress((step + 1) / len(chosen))
    return thickness


def mean_thickness(thickness: Floats) -> float:
    """Mean local thickness of a phase.

    Parameters
    ----------
    thickness : float array (Z, Y, X)
        From `local_thickness`.

    Returns
    -------
    float
        In voxels, over all voxels of the phase; nan if it is absent.
    """
    inside = thickness[thickness > 0]
    return float(inside.mean()) if inside.size else float("nan")


def _dilated(centres: Array, radius: float) -> Array:
    """The voxels nearer than a radius to centres, by a Fourier transform, four times as fast as by distances."""
    from scipy import fft

    reach = int(np.ceil(radius))
    steps = np.arange(-reach, reach + 1) ** 2
    ball = steps[:, None, None] + steps[:, None] + steps < round(radius**2)  # squares are whole
    # What wraps round lands in the margin of `reach` that is cut off.
    frame = [fft.next_fast_len(size + reach, real=True) for size in centres.shape]
    product = fft.rfftn(centres.astype(np.float32), frame) * fft.rfftn(ball.astype(np.float32), frame)
    balls = fft.irfftn(product, frame)
    return np.asarray(balls[tuple(slice(reach, reach + size) for size in centres.shape)] > 0.5)
