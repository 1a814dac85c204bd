"""Numbers that belong to directions: along the axes of a volume, and in the planes that micrographs stand for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def of_planes(along: Floats) -> Floats:
    """Numbers along the two axes of planes across each axis, (3, 2, ...), of those along each axis, (3, ...)."""
    return np.array([[along[other] for other in range(3) if other != axis] for axis in range(3)])


def of_views(images: Sequence[Floats], views: Sequence[tuple[int, bool]]) -> Floats:
    """Numbers of the planes across each axis, (3, 2, ...), that micrographs stand for.

    Parameters
    ----------
    images : sequence of array (2, ...)
        Of each source: down its rows and across its columns.
    views : sequence of (int, bool)
        For each axis the source, and whether its planes are transposed.
    """
    if len(set(views)) == 1:  # the material is alike in all directions, whatever chance made of the image
        return np.repeat([images[source].mean(axis=0, keepdims=True) for source, _ in views], 2, axis=1)
    return np.array([images[source][::-1] if transpose else images[source] for source, transpose in views])


def along_axes(planes: Floats, views: Sequence[tuple[int, bool]]) -> Floats:
    """Numbers (3, ...) along each axis, of those of planes (3, 2, ...): the mean of both planes that it lies in.

    Where one micrograph stands for all, all axes have the mean over all planes.
    """
    if len(set(views)) == 1:
        return np.repeat(planes.mean(axis=(0, 1))[None], 3, axis=0)
    (zy, zx), (yz, yx), (xz, xy) = planes  # across which axis, along which
    return np.array([yz + xz, zy + xy, zx + yx]) / 2
