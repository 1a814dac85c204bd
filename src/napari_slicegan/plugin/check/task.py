"""The check of the chosen images, and what its offers make, as workers of napari do it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.check.checks import check
from napari_slicegan.core.check.result import Crop, Finding, ImageCheck, Snap
from napari_slicegan.core.check.values import snap
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.regions import Regions
from napari_slicegan.core.segmentation import segment
from napari_slicegan.plugin.check.image_part import Part, part_of
from napari_slicegan.plugin.images.finding import smallest_of
from napari_slicegan.plugin.layers import LayerImage, training_data
from napari_slicegan.plugin.work.worker import Control, no_defects


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
    versions : tuple of int
        Of the images' pixels, from `Versions`.
    shrink : int
        How many times the images are shrunk before crops are taken.
    """

    images: tuple[LayerImage, ...]
    kind: str
    axis: str
    edge: int
    versions: tuple[int, ...]
    shrink: int = 1

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for equal questions; holds no array, so that a removed layer can go."""
        images = (
            (
                *(image.name, image.pixel_size, image.unit, image.regions, image.slices),
                *(tuple(image.look.colours.items()), tuple(image.names.items())),
            )
            for image in self.images
        )
        return (*images, self.versions, self.kind, self.axis, self.edge, self.shrink)


@dataclass(frozen=True)
class Segmentation:
    """How a layer is segmented.

    Attributes
    ----------
    phases : int
        How many.
    smoothing : int
        Radius in pixels of a median that is taken before.
    regions : tuple of (top, left, bottom, right)
        Whose grey levels say where the thresholds are; none for those of the whole layer.
    """

    phases: int
    smoothing: int
    regions: Regions = ()


@dataclass(frozen=True)
class Answer:
    """What was found, and which part was looked at: a sentence, empty for whole images."""

    found: ImageCheck
    note: str


def check_images(question: Question, control: Control) -> Generator[object, None, Answer]:
    """Check images, of large ones a part."""
    with no_defects("The check of the image"):
        yield 0.0
        parts = [part_of(image, control) for image in question.images]
        note = " ".join(dict.fromkeys(part.note for part in parts if part.note))
        try:
            data = training_data([part.image for part in parts], question.kind, question.axis)
        except DataError as error:  # a part may lack a phase
            raise DataError(f"{error} {note}".strip()) from None
        if note:
            data = replace(data, sources=data.sources[: len(parts)])  # of a stack the slices along z
        control.check()
        originals = [part.image.array for part in parts]
        smallest = smallest_of(question.images)
        found = check(data, question.edge, originals=originals, shrink=question.shrink, smallest=smallest)
        findings = tuple(_placed(finding, parts, question.images) for finding in found.findings)
        return Answer(replace(found, findings=findings), note)


def _placed(finding: Finding, parts: list[Part], images: Sequence[LayerImage]) -> Finding:
    """Offer a region of the image instead of one of its part; the user has drawn one already if there are regions."""
    if not isinstance(finding.offer, Crop):
        return finding
    if images[finding.offer.image].regions:
        return replace(finding, offer=None)
    return replace(finding, offer=parts[finding.offer.image].placed(finding.offer))


def take_offer(
    image: LayerImage, offer: Snap | Crop | Segmentation, control: Control
) -> Generator[object, None, npt.NDArray[Any]]:
    """Make what is wanted of an image: indices of phases (..., H, W), or a part of it."""
    with no_defects("The change of the image"):
        yield 0.0
        control.check()
        array = np.asarray(image.array)
        if isinstance(offer, Segmentation):
            return segment(array, offer.phases, offer.smoothing, offer.regions, control.check)
        if isinstance(offer, Snap):
            return snap(array, offer.values)
        return array[offer.top : offer.bottom, offer.left : offer.right].copy()
