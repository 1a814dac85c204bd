"""How large the pixels of layers are, and whether those of several are alike."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from napari_slicegan.core.calibration import standard_size
from napari_slicegan.core.errors import DataError

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_slicegan.plugin.layers import LayerImage

_METRES = {"nm": 1e-9, "um": 1e-6, "mm": 1e-3, "m": 1.0, "pixel": 1.0}


class NotSquareError(DataError):
    """The edges of a pixel differ."""


def pixel_size(layer: Layer, slices: str = "") -> tuple[float, str]:
    """The one pixel size of a layer and its unit; of slices normal to one axis it is the size within their plane.

    Raises
    ------
    NotSquareError
        The pixels are not square.
    DataError
        Their unit is no length.
    """
    axes = [axis for axis in range(layer.ndim) if not slices or axis != "zyx".index(slices)]
    sizes = [float(abs(layer.scale[axis])) for axis in axes]
    units = {str(layer.units[axis]) for axis in axes[-2:]}
    if not np.allclose(sizes, sizes[-1], rtol=1e-3) or len(units) > 1:
        text = " x ".join(f"{size:g}" for size in sizes)
        raise NotSquareError(f"The pixels of {layer.name} are not square ({text}): resample it, or correct its scale.")
    return standard_size(sizes[-1], units.pop())


def square_slices(layer: Layer) -> str:
    """The axes "z", "y", "x" normal to which the slices of a stack have square pixels."""
    found = ""
    for axis in "zyx":
        with suppress(DataError):
            pixel_size(layer, axis)
            found += axis
    return found


def check_same_size(images: Sequence[LayerImage]) -> None:
    """Refuse images whose pixels are of different sizes.

    Raises
    ------
    DataError
        They are.
    """
    first = images[0]
    for image in images[1:]:
        if not np.isclose(1, _ratio(first, image), rtol=1e-3):
            raise DataError(
                f"{first.name} has pixels of {first.pixel_size:g} {first.unit}, {image.name} of "
                f"{image.pixel_size:g} {image.unit}: resample them to one pixel size, or correct their scale."
            )


def _ratio(one: LayerImage, other: LayerImage) -> float:
    """How many pixels of one are as long as a pixel of another; nan if the unit of only one is a length."""
    (size, unit), (other_size, other_unit) = (standard_size(image.pixel_size, image.unit) for image in (one, other))
    if "pixel" in (unit, other_unit) and unit != other_unit:
        return float("nan")
    return other_size * _METRES[other_unit] / (size * _METRES[unit])
