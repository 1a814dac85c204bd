"""From images of any type to stacks of bytes: their kind, their phases, what lies within their regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.regions import Regions, as_regions, filled, pieces
from napari_slicegan.core.values import as_bytes, distinct_values, is_colour

MAX_PHASES = 8
MAX_COUNTED = 2**16

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]


def detect_kind(image: Array) -> OutputKind:
    """Tell phases (at most 8 integer values), colour (3 or 4 channels last) and grey apart.

    Parameters
    ----------
    image : array
        2D or 3D, with or without channels last.

    Returns
    -------
    OutputKind
        A guess that the user may overrule.
    """
    if is_colour(image):
        return OutputKind.COLOUR
    if image.dtype.kind in "bui":
        values = distinct_values(image, MAX_PHASES)
        if values is not None and len(values) <= MAX_PHASES:
            return OutputKind.PHASES
    return OutputKind.GREY


def check_phases(values: list[int] | None, image: Array) -> None:
    """Refuse an image that does not hold 2 to 8 phases.

    Raises
    ------
    DataError
        It is in colour, holds no whole numbers, or too many or too few of them.
    """
    if is_colour(image):
        raise DataError("The image is in colour, and phases are single numbers: segment it, or train on it as colour.")
    if image.dtype.kind not in "bui":
        raise DataError(
            f"Phases are whole numbers, but the image holds {image.dtype} values: segment it, or train on it as grey."
        )
    if values is None or len(values) > MAX_PHASES:
        count = len(values) if values else f"more than {MAX_COUNTED}"
        raise DataError(
            f"The image holds {count} values, more than the {MAX_PHASES} phases that are possible, so it is not "
            "segmented: train on it as grey, or segment it first."
        )
    if len(values) < 2:
        raise DataError("The image holds a single value: there is nothing to learn. Choose another image or region.")


def inside(images: Sequence[Array], regions: Sequence[Regions]) -> tuple[Array, ...]:
    """Images with nothing to be found outside of their regions: one of their own values stands there."""
    if not (regions := _regions_of(images, regions)):
        return tuple(images)
    return tuple(map(filled, images, regions))


def intensities(images: Sequence[Array], regions: Sequence[Regions]) -> tuple[list[Bytes], tuple[float, float]]:
    """Images as bytes, and the levels within their regions."""
    if not (checked := _regions_of(images, regions)):
        return as_bytes(images)
    parts = [part for image, some in zip(images, checked, strict=True) for part in pieces(image, some)]
    return as_bytes(inside(images, checked), parts)


def _regions_of(images: Sequence[Array], regions: Sequence[Regions]) -> tuple[Regions, ...]:
    if any(map(len, regions)) and any(image.ndim - is_colour(image) != 2 for image in images):
        raise DataError("Regions are of 2D images: crop the stack instead, or give 2D images.")
    return as_regions(regions, [image.shape[:2] for image in images])


def stacks_of(images: Sequence[Bytes], *, channels: bool, slices: str = "") -> tuple[Bytes, ...]:
    """Stacks (N, H, W[, C]) for each view: of 2D images one each, of a 3D stack its slices.

    These are along z, y and x; or, where `slices` is one of these, along that axis alone, for all views.
    """
    if slices not in ("", "z", "y", "x"):
        raise DataError(f"There are no slices normal to {slices!r}: choose z, y or x, or none of them for all axes.")
    dimensions = {image.ndim - channels for image in images}
    if dimensions == {2} and not slices:
        return tuple(image[None] for image in images)
    if dimensions == {3} and len(images) == 1:
        return tuple(np.moveaxis(images[0], axis, 0) for axis, name in enumerate("zyx") if slices in ("", name))
    if slices:
        raise DataError("Slices are chosen of one 3D stack: give one, or choose no axis.")
    raise DataError("Give one, two or three 2D images, or one 3D stack.")
