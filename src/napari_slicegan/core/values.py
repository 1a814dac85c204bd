"""Pixel values of any type as the uint8 that training works on, without copies larger than the image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.errors import DataError

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]

_BLOCK_BYTES = 2**21


def blocks(image: Array) -> Iterator[Array]:
    """Cut an image into slabs along its first axis, of about 2 MiB each."""
    rows = max(1, _BLOCK_BYTES * len(image) // max(1, image.nbytes))
    for start in range(0, len(image), rows):
        yield image[start : start + rows]


def distinct_values(image: Array, most: int) -> list[int] | None:
    """The distinct values of an integer image in ascending order, or None if there are more than `most`.

    Parameters
    ----------
    image : integer or bool array
        Any shape; other types give None.
    most : int
        Where to stop looking, so that an unsegmented image costs no memory.

    Returns
    -------
    list of int or None
        The values.
    """
    _check_not_empty(image)
    if image.dtype.kind not in "bui":
        return None
    values: set[int] = set()
    for block in blocks(image):
        values.update(np.unique(block).tolist())
        if len(values) > most:
            return None
    return sorted(int(value) for value in values)


def phase_indices(image: Array, phases: Sequence[int]) -> Bytes:
    """Replace each value by its place among the phases.

    Parameters
    ----------
    image : integer or bool array
        Holds values of `phases` only.
    phases : sequence of int
        Ascending.

    Returns
    -------
    uint8 array, the image's shape
        0 ... len(phases) - 1; the image itself where it already is that.
    """
    if image.dtype == np.uint8 and list(phases) == list(range(len(phases))):
        return image
    table = np.array(phases, dtype=np.int64 if min(phases) < 0 else np.uint64)
    result = np.empty(image.shape, np.uint8)
    for block, out in zip(blocks(image), blocks_like(image, result), strict=True):
        out[:] = np.searchsorted(table, block.astype(table.dtype))
    return result


def blocks_like(image: Array, other: Array) -> Iterator[Array]:
    """The slabs of another array of the same shape that belong to `blocks` of the image."""
    start = 0
    for block in blocks(image):
        yield other[start : start + len(block)]
        start += len(block)


def as_grey(image: Array) -> Bytes:
    """Bring a grey image to uint8: uint8 stays as it is, all else is scaled from its extremes to 0 ... 255.

    Raises
    ------
    DataError
        The image is colour, holds NaN or infinity, or a single value.
    """
    _check_not_empty(image)
    if image.ndim >= 3 and image.shape[-1] in (3, 4):
        image = _luminance(image)
    low, high = _extremes(image)
    if low == high:
        raise DataError("The image holds a single value: there is nothing to learn. Choose another image or region.")
    if image.dtype == np.uint8:
        return image
    return _scaled(image, low, high)


def as_colour(image: Array) -> Bytes:
    """Bring a colour image (..., 3 or 4) to uint8 (..., 3): its integer type's range, or 0 ... 1, to 0 ... 255.

    Raises
    ------
    DataError
        The image has no colour channels, holds NaN or infinity, or a single value.
    """
    _check_not_empty(image)
    if image.ndim < 3 or image.shape[-1] not in (3, 4):
        raise DataError(f"A colour image has 3 or 4 channels last, but this one has the shape {image.shape}.")
    image = image[..., :3]
    low, high = _extremes(image)
    if low == high:
        raise DataError("The image holds a single value: there is nothing to learn. Choose another image or region.")
    if image.dtype == np.uint8:
        return image
    if image.dtype.kind in "ui":
        low, high = 0.0, float(np.iinfo(image.dtype).max)
    elif low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    return _scaled(image, low, high)


def label_dtype(phases: Sequence[int]) -> np.dtype[Any]:
    """The smallest integer type that holds all phases; uint8 where it can."""
    kinds = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.int64, np.uint64)
    for kind in kinds:
        limits = np.iinfo(kind)
        if limits.min <= min(phases) and max(phases) <= limits.max:
            return np.dtype(kind)
    raise DataError(f"No integer type holds all of the phases {tuple(phases)}: relabel the image.")


def _check_not_empty(image: Array) -> None:
    if not image.size:
        raise DataError(f"The image is empty (shape {image.shape}): choose another image or region.")


def _luminance(image: Array) -> Array:
    """The mean of the colour channels, for a grey image that was saved as colour."""
    result = np.empty(image.shape[:-1], np.uint8 if image.dtype == np.uint8 else np.float32)
    for block, out in zip(blocks(image), blocks_like(image, result), strict=True):
        mean = block[..., :3].mean(axis=-1)
        out[:] = mean.round() if result.dtype == np.uint8 else mean
    return result


def _extremes(image: Array) -> tuple[float, float]:
    if image.dtype.kind not in "buif":
        raise DataError(f"The image holds {image.dtype} values: give whole or real numbers.")
    low, high = np.inf, -np.inf
    for block in blocks(image):
        if block.dtype.kind == "f" and not np.isfinite(block).all():
            raise DataError("The image holds NaN or infinite values: replace them, or crop them away.")
        low, high = min(low, float(block.min())), max(high, float(block.max()))
    return low, high


def _scaled(image: Array, low: float, high: float) -> Bytes:
    """Map low ... high to 0 ... 255, clipped and rounded."""
    result = np.empty(image.shape, np.uint8)
    for block, out in zip(blocks(image), blocks_like(image, result), strict=True):
        out[:] = (((block.astype(np.float64) - low) * (255 / (high - low))).clip(0, 255)).round()
    return result
