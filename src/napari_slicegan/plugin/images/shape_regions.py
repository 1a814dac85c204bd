"""From the shapes of a layer to the regions of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.errors import DataError
from napari_slicegan.core.regions import Region, Regions

if TYPE_CHECKING:
    from napari.layers import Layer, Shapes

_TOLERANCE = 1e-6  # of a pixel: what rounding does to coordinates


def regions_in(shapes: Shapes, image: Layer, *, convert: bool = True) -> tuple[Regions, str]:
    """The pixels of an image whose centres are within the rectangles of a Shapes layer, wherever the two lie.

    Parameters
    ----------
    shapes : Shapes layer
        Rectangles; other shapes stand for the rectangles around them.
    image : Image or Labels layer
        2D, or 3D with the rectangles in its last two axes.
    convert : bool
        Whether the viewer converts units, which it does while all of its layers have units that can be converted.

    Returns
    -------
    tuple of (top, left, bottom, right), and str
        In pixels, clipped to the image; and a note on what is not as it was drawn, or "".

    Raises
    ------
    DataError
        Nothing is drawn on the image, or one of the layers is rotated or sheared.
    """
    for layer in (shapes, image):
        if not _is_upright(layer):
            raise DataError(
                f"The layer {layer.name} is rotated or sheared, so a rectangle is none of its pixels: reset its "
                "transform, or crop the image."
            )
    if not len(shapes.data):
        raise DataError(f"Draw a rectangle in the layer {shapes.name}, or choose the whole image as the region.")
    factor = _factor(shapes, image) if convert else 1.0
    found = [_region(np.asarray(vertices), shapes, image, factor) for vertices in shapes.data]
    regions = tuple(dict.fromkeys(region for region in found if region is not None))
    if not regions:
        raise DataError(f"The shapes of {shapes.name} are not on {image.name}: draw a rectangle on the image.")
    return regions, _note(shapes, found.count(None))


def _region(vertices: npt.NDArray[Any], shapes: Shapes, image: Layer, factor: float) -> Region | None:
    """The pixels within the bounds of a shape; None if there are none."""
    world = (vertices[:, -2:] * shapes.scale[-2:] + shapes.translate[-2:]) * factor
    pixels = (world - image.translate[-2:]) / image.scale[-2:]
    first = np.ceil(pixels.min(axis=0) - _TOLERANCE)
    after = np.floor(pixels.max(axis=0) + _TOLERANCE) + 1
    size = _size(image)
    top, left = (int(max(0, number)) for number in first)
    bottom, right = (int(min(most, number)) for most, number in zip(size, after, strict=True))
    return (top, left, bottom, right) if top < bottom and left < right else None


def _size(image: Layer) -> tuple[int, int]:
    """Rows and columns."""
    array: Any = image.data[0] if getattr(image, "multiscale", False) else image.data
    shape = array.shape[:-1] if getattr(image, "rgb", False) else array.shape
    return int(shape[-2]), int(shape[-1])


def _factor(shapes: Shapes, image: Layer) -> float:
    """How many units of the image one unit of the shapes is; 1 where they cannot be compared."""
    one, other = shapes.units[-1], image.units[-1]
    return float((1 * one).to(other).magnitude) if one.is_compatible_with(other) else 1.0


def _is_upright(layer: Layer) -> bool:
    affine = np.asarray(layer.affine.affine_matrix)
    turned = np.asarray(layer.rotate)
    return bool(
        np.allclose(turned, np.eye(len(turned)))
        and not np.any(layer.shear)
        and np.allclose(affine, np.eye(len(affine)))
    )


def _note(shapes: Shapes, outside: int) -> str:
    others = sum(not _is_rectangle(np.asarray(vertices)) for vertices in shapes.data)
    notes = []
    if others:
        verb = "shape stands for the rectangle around it" if others == 1 else "shapes stand for rectangles around them"
        notes.append(f"{others} {verb}")
    if outside:
        notes.append(f"{outside} outside of the image left out")
    return ", ".join(notes)


def _is_rectangle(vertices: npt.NDArray[Any]) -> bool:
    """Whether a shape is an upright rectangle."""
    corners = np.unique(np.round(vertices[:, -2:], 6), axis=0)
    return len(vertices) == 4 and len(corners) == 4 and all(len(np.unique(corners[:, i])) == 2 for i in (0, 1))
