"""The check of the chosen images, and what its offers make, as workers of napari do it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.check.checks import check
from napari_slicegan.core.check.result import Crop, ImageCheck, Snap
from napari_slicegan.core.check.values import snap
from napari_slicegan.core.errors import DataError
from napari_slicegan.plugin.layers import LayerImage, training_data
from napari_slicegan.plugin.worker import Control, no_defects

_MOST_LAZY = 2**28  # bytes that are read for a check that nobody asked for


@dataclass(frozen=True)
class Question:
    """What to check.

    Attributes
    ----------
    images : tuple of LayerImage
        One, two or three; their arrays are the layers' own.
    kind : str
        An `OutputKind` or "auto".
    axis : str
        The special axis of two images.
    edge : int
        Of a training crop, in pixels.
    """

    images: tuple[LayerImage, ...]
    kind: str
    axis: str
    edge: int

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for equal questions; holds no array, so that a removed layer can go."""
        images = ((id(image.array), image.name, image.pixel_size, image.unit) for image in self.images)
        return (*images, self.kind, self.axis, self.edge)


def check_images(question: Question, control: Control) -> Generator[object, None, ImageCheck]:
    """Check images."""
    with no_defects("The check of the image"):
        yield 0.0
        for image in question.images:
            if not isinstance(image.array, np.ndarray) and image.array.nbytes > _MOST_LAZY:
                raise DataError(f"{image.name} is large and not in memory: check it with napari-slicegan check.")
        control.check()
        data = training_data(question.images, question.kind, question.axis)
        control.check()
        return check(data, question.edge, originals=[np.asarray(image.array) for image in question.images])


def take_offer(image: LayerImage, offer: Snap | Crop, control: Control) -> Generator[object, None, npt.NDArray[Any]]:
    """Make what an offer offers of an image: (..., H, W) indices of phases, or a part of it."""
    with no_defects("The change of the image"):
        yield 0.0
        control.check()
        array = np.asarray(image.array)
        if isinstance(offer, Snap):
            return snap(array, offer.values)
        return array[offer.top : offer.bottom, offer.left : offer.right].copy()
