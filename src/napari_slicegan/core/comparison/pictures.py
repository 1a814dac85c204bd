"""Planes to look at beside the numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.comparison.result import Picture
from napari_slicegan.core.comparison.truth import Truth
from napari_slicegan.core.data import AXES

Bytes = npt.NDArray[np.uint8]

_LARGEST = 256  # pixels of a picture along each side


def pictures_of_volume(voxels: Bytes, of_truth: bool = False) -> list[Picture]:
    """The middle planes of a volume (Z, Y, X) or (Z, Y, X, C), normal to z, y and x."""
    planes = [voxels.take(voxels.shape[axis] // 2, axis=axis) for axis in range(3)]
    whose = "True volume" if of_truth else "Volume"
    return [Picture(f"{whose} normal to {AXES[axis]}", _middle(plane), of_truth) for axis, plane in enumerate(planes)]


def pictures_of_truth(truth: Truth) -> list[Picture]:
    """The middle planes of a true volume, or each micrograph."""
    if truth.voxels is not None:
        return pictures_of_volume(truth.voxels, of_truth=True)
    data = truth.data
    titles = ["Micrograph"]
    if len(data.sources) == 2:
        titles = [f"Micrograph normal to {data.axis}", f"Side view, {data.axis} down its rows"]
    if len(data.sources) == 3:
        titles = [f"Micrograph normal to {axis}" for axis in AXES]
    return [Picture(title, _middle(source[0]), True) for title, source in zip(titles, data.sources, strict=True)]


def _middle(image: Bytes) -> Bytes:
    """The middle of an image (H, W[, C]), a copy; grey without its channel."""
    rows, columns = (
        slice((size - min(size, _LARGEST)) // 2, (size + min(size, _LARGEST)) // 2) for size in image.shape[:2]
    )
    part = image[rows, columns]
    return np.ascontiguousarray(part[..., 0] if part.ndim == 3 and part.shape[2] == 1 else part)
