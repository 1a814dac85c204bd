"""Pixel values of any type as the uint8 that training works on, without copies larger than the image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.errors import DataError, OutputError

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


def as_grey(image: Array) -> Array:
    """One channel of a grey image: the mean of the channels where it was saved as colour.

    Raises
    ------
    DataError
        The image is empty or holds no numbers.
    """
    _check_not_empty(image)
    _check_numbers(image)
    return _luminance(image) if is_colour(image) else image


def as_colour(image: Array) -> Array:
    """Three channels of a colour image (..., 3 or 4), without alpha.

    Raises
    ------
    DataError
        The image has no colour channels.
    """
    _check_not_empty(image)
    if not is_colour(image):
        raise DataError(f"A colour image has 3 or 4 channels last, but this one has the shape {image.shape}.")
    _check_numbers(image)
    return image[..., :3]


def is_colour(image: Array) -> bool:
    """Whether an array has 3 or 4 channels last."""
    return image.ndim >= 3 and image.shape[-1] in (3, 4)


def as_bytes(images: Sequence[Array], parts: Sequence[Array] | None = None) -> tuple[list[Bytes], tuple[float, float]]:
    """Bring images to uint8 together, so that equal values stay equal.

    Parameters
    ----------
    images : sequence of array
        Intensities of any type, all of one range.
    parts : sequence of array, optional
        Where the levels are looked for; by default in the images.

    Returns
    -------
    (list of uint8 array, (low, high))
        uint8 images as they are, others with nearly all of their range spread over 0 ... 255; and the levels
        that hold nearly all intensities (99.8 %: a hot pixel must not flatten all others).

    Raises
    ------
    DataError
        An image holds NaN, infinity or a single value, or their types differ.
    """
    if len({image.dtype for image in images}) > 1:
        kinds = ", ".join(str(image.dtype) for image in images)
        raise DataError(f"The images are of different types ({kinds}): save them in one type, on one scale.")
    for image in images:
        low, high = _extremes(image)
        if low == high:
            raise DataError(
                "The image holds a single value: there is nothing to learn. Choose another image or region."
            )
    low, high = _levels(images if parts is None else parts)
    if images[0].dtype == np.uint8:
        return list(images), (low, high)
    return [_scaled(image, low, high) for image in images], (0.0, 255.0)


def _levels(images: Sequence[Array]) -> tuple[float, float]:
    """The intensities between which nearly all of a sample lie, or the extremes of a nearly constant one."""
    sample = np.concatenate([image[tuple(map(_thinning, image.shape))].ravel() for image in images])
    low, high = np.percentile(sample.astype(np.float64), [0.1, 99.9])
    if low < high:
        return float(low), float(high)
    limits = [_extremes(image) for image in images]
    return min(low for low, _ in limits), max(high for _, high in limits)


def _thinning(size: int) -> slice:
    """About a thousand places along an axis."""
    return slice(None, None, max(1, size // 1024))


def label_dtype(phases: Sequence[int]) -> np.dtype[Any]:
    """The smallest integer type that holds all phases; uint8 where it can."""
    kinds = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.int64, np.uint64)
    for kind in kinds:
        limits = np.iinfo(kind)
        if limits.min <= min(phases) and max(phases) <= limits.max:
            return np.dtype(kind)
    raise DataError(f"No integer type holds all of the phases {tuple(phases)}: relabel the image.")


def cast(values: Array, dtype: np.dtype[Any]) -> Array:
    """Values in another type, the same array where they are in it.

    Raises
    ------
    OutputError
        They are whole numbers that the type cannot hold.
    """
    if values.dtype.kind in "iu" and dtype.kind in "iu" and values.size and not np.can_cast(values.dtype, dtype):
        low, high, limits = int(values.min()), int(values.max()), np.iinfo(dtype)
        if low < limits.min or high > limits.max:
            raise OutputError(
                f"The values {low} to {high} do not fit into {dtype.name}: choose another format, or relabel them."
            )
    return values.astype(dtype, copy=False)


def _check_numbers(image: Array) -> None:
    if image.dtype.kind not in "buif":
        raise DataError(f"The image holds {image.dtype} values: give whole or real numbers.")


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
    low, high = np.inf, -np.inf
    for block in blocks(image):
        if block.dtype.kind == "f" and not np.isfinite(block).all():
            raise DataError("The image holds NaN or infinite values: replace them, or crop them away.")
        low, high = min(low, float(block.min())), max(high, float(block.max()))
    return low, high


def _scaled(image: Array, low: float, high: float) -> Bytes:
    """Map low ... high to 0 ... 255, clipped and rounded, as a uint8 array of the image's shape."""
    result = np.empty(image.shape, np.uint8)
    for block, out in zip(blocks(image), blocks_like(image, result), strict=True):
        out[:] = (((block.astype(np.float64) - low) * (255 / (high - low))).clip(0, 255)).round()
    return result
