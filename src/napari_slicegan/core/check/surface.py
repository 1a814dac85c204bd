"""The plane or bent surface below an image, which uneven illumination makes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def without_surface(field: npt.NDArray[Any]) -> Floats:
    """Subtract the surface of second order (1, y, x, y^2, x^2, x y) that fits an image best.

    Parameters
    ----------
    field : array (H, W)
        Numbers or truth values.

    Returns
    -------
    float32 array (H, W)
        What is left; its mean is 0.
    """
    down, across = (_basis(size) for size in field.shape)  # (H, 3), (W, 3)
    values = field.astype(np.float32)
    weights = down.T @ values @ across  # (3, 3): by order along each axis
    weights[np.add.outer(range(3), range(3)) > 2] = 0
    return np.asarray(values - down @ weights @ across.T, np.float32)


def _basis(size: int) -> Floats:
    """Polynomials of order 0, 1 and 2 on a line, orthonormal: (size, 3)."""
    powers = np.vander(np.linspace(-1, 1, size), 3, increasing=True)
    return np.asarray(np.linalg.qr(powers)[0], np.float32)
