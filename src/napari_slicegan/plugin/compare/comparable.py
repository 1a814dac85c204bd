"""What can be told of a comparison before a voxel is read: whether it is possible at all."""

from __future__ import annotations

import numpy as np

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.comparison.matching import check_size, ratio
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError
from napari_slicegan.plugin.compare.task import ComparisonOrder, truth_volume, volumes_of
from napari_slicegan.plugin.layers import LayerImage
from napari_slicegan.plugin.models import ModelEntry


def check_comparable(order: ComparisonOrder) -> None:
    """Refuse what cannot be compared, from shapes, types and pixel sizes alone.

    Parameters
    ----------
    order : ComparisonOrder
        What to compare.

    Raises
    ------
    DataError
        A volume is not 3D or too small, pixel sizes are known on one side only, or one side has other values.
    """
    first = order.truth[0]
    if (truth := truth_volume(order)) is not None:
        check_size(truth)
    nothing = np.zeros((1, 1, 1, 1), np.uint8)
    sized = TrainingData(OutputKind.GREY, (nothing,), pixel_size=first.pixel_size * order.shrink, unit=first.unit)
    volumes = volumes_of(order)
    for volume in volumes if isinstance(volumes, list) else ():
        check_size(volume)
    for side in volumes if isinstance(volumes, list) else (volumes,):
        ratio(sized, side)
    if not isinstance(order.judged, ModelEntry):
        for judged in order.judged:
            _check_values(judged.image, first, order.kind)


def _check_values(image: LayerImage, truth: LayerImage, kind: str) -> None:
    """Refuse colours beside none, and numbers that are no labels or no 8 bits."""
    is_auto = kind == "auto"
    in_colour = kind == OutputKind.COLOUR or (is_auto and truth.rgb)
    if image.rgb is not in_colour:
        colours, others = (image.name, truth.name) if image.rgb else (truth.name, image.name)
        raise DataError(f"{colours} is in colour, and {others} is not: compare two of one kind.")
    is_grey = kind == OutputKind.GREY or (is_auto and truth.array.dtype.kind == "f")
    if image.array.dtype.kind not in "bui" or ((in_colour or is_grey) and image.array.dtype != np.uint8):
        what = "save it in 8 bits on the scale of the image" if in_colour or is_grey else "segment it"
        raise DataError(f"{image.name} holds {image.array.dtype} values: {what}.")
