"""Rectangles of an image that are trained on, when not all of it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.errors import DataError

Array = npt.NDArray[Any]
#: First row, first column, and the row and the column after the last: (top, left, bottom, right).
Region: TypeAlias = tuple[int, int, int, int]
#: The regions of one image; none for all of it.
Regions: TypeAlias = tuple[Region, ...]


def as_regions(given: Sequence[Sequence[Sequence[int]]], shapes: Sequence[tuple[int, ...]]) -> tuple[Regions, ...]:
    """Check the regions of images.

    Parameters
    ----------
    given : sequence of sequences of (top, left, bottom, right)
        For each image its regions in pixels; an image without any is used whole. Empty when all are.
    shapes : sequence of (height, width)
        Of the images.

    Returns
    -------
    tuple of tuples of (int, int, int, int)
        The same, one tuple for each image; empty when all images are whole.

    Raises
    ------
    DataError
        A region is none, or is not within its image; or there are regions for another number of images.
    """
    if not any(len(regions) for regions in given):
        return ()
    if len(given) != len(shapes):
        raise DataError(f"There are regions for {len(given)} images, but {len(shapes)} images: give regions for each.")
    return tuple(
        tuple(_checked(region, shape) for region in regions) for regions, shape in zip(given, shapes, strict=True)
    )


def pieces(image: Array, regions: Regions, axis: int = 0) -> Iterator[Array]:
    """The parts of an image within its regions, as views.

    Parameters
    ----------
    image : array
        Rows are along `axis`, columns along the next.
    regions : tuple of (top, left, bottom, right)
        None of them: the image itself.
    axis : int
        Of the rows: 0 of an image, 1 of a stack of images.

    Yields
    ------
    array
        For each region.
    """
    if not regions:
        yield image
    for top, left, bottom, right in regions:
        yield image[(slice(None),) * axis + (slice(top, bottom), slice(left, right))]


def filled(image: Array, regions: Regions) -> Array:
    """A copy of an image in which all that lies outside of its regions has the value of their first pixel."""
    if not regions:
        return image
    top, left, _, _ = regions[0]
    result = np.empty_like(image)
    result[:] = image[top, left]
    for part, place in zip(pieces(image, regions), pieces(result, regions), strict=True):
        place[:] = part
    return result


def _checked(region: Sequence[int], shape: tuple[int, ...]) -> Region:
    if len(region) != 4 or not all(isinstance(number, int | np.integer) for number in region):
        raise DataError(f"A region is {region!r}: give its top, left, bottom and right in whole pixels.")
    top, left, bottom, right = (int(number) for number in region)
    height, width = shape
    if not (0 <= top < bottom <= height and 0 <= left < right <= width):
        raise DataError(
            f"The region of rows {top} to {bottom} and columns {left} to {right} is not within the image of "
            f"{height} x {width} pixels: move it."
        )
    return top, left, bottom, right
