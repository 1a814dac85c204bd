"""What the chosen images are: their sizes from their shapes alone, and what a pixel is from a sample of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import AXES, TrainingData
from napari_slicegan.core.errors import DataError, SliceGANError
from napari_slicegan.core.regions import pieces
from napari_slicegan.core.shrinking import shrunk_region
from napari_slicegan.plugin.check.image_part import part_of
from napari_slicegan.plugin.layers import LayerImage, is_in_memory, unit_text
from napari_slicegan.plugin.pixel_sizes import check_same_size
from napari_slicegan.plugin.work.worker import Control

#: Values that are looked at; where there are no more, a look is quick enough for the window's own thread.
SAMPLE = 2**19
_MOST_LISTED = 3

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Found:
    """What a pixel of images is.

    Attributes
    ----------
    text : str
        The number of phases, or the kind.
    kind : OutputKind or None
        What a pixel is; None where a sample does not tell.
    phases : tuple of int
        The values; empty for grey and colour.
    """

    text: str
    kind: OutputKind | None = None
    phases: tuple[int, ...] = ()


def is_quick(images: Sequence[LayerImage]) -> bool:
    """Whether to look at the pixels of images takes a moment only."""
    arrays = [image.array for image in images]
    return all(map(is_in_memory, arrays)) and sum(array.size for array in arrays) <= SAMPLE


def sizes_of(images: Sequence[LayerImage], edge: int, shrink: int = 1) -> str:
    """Say how large pixels and images are; no pixel is read for that.

    Parameters
    ----------
    images : sequence of LayerImage
        One, two or three.
    edge : int
        Edge of a training crop in pixels.
    shrink : int
        How many times the images are shrunk before.

    Returns
    -------
    str
        "0.4 µm/px · 384 x 384 px".

    Raises
    ------
    DataError
        The images are too small, their pixels differ, or there is a stack among several.
    """
    if len(images) > 1 and (stack := next((image for image in images if len(image.shape) == 3), None)):
        raise DataError(
            f"{stack.name} is a 3D stack, which shows all directions by itself: choose Material: isotropic: 1 image; "
            "the row Slices then says which of its slices are used."
        )
    check_same_size(images)
    for image in images:
        _check_edge(image.cut(), edge, shrink, whole=not image.regions)
    sizes = ", ".join(dict.fromkeys(map(_size_text, images)))
    calibration = f"{images[0].pixel_size:.4g} {unit_text(images[0].unit)}/px"
    if images[0].unit == "pixel":
        calibration = "pixel size unknown"
    return f"{calibration} · {sizes}"


def look_at(images: Sequence[LayerImage], kind: str, control: Control) -> Found:
    """Say what a pixel of images is, from a sample of them; quick if `is_quick`.

    Parameters
    ----------
    images : sequence of LayerImage
        One, two or three; of one that is not in memory the part is read that the image check reads, too.
    kind : str
        An `OutputKind` or "auto".
    control : Control
        Asked before something is read.

    Returns
    -------
    Found
        What it is.

    Raises
    ------
    DataError
        The images cannot be trained on, or not be read.
    CancelledError
        A stop was asked for.
    """
    samples = [_sample(image, control) for image in images]
    are_whole = [sample.size == image.cut().array.size for sample, image in zip(samples, images, strict=True)]
    try:
        data = TrainingData.from_images(*samples, kind=kind)
    except DataError:
        if all(are_whole):
            raise
        return Found("large, checked when it is used")  # a sample may lack a rare phase
    text = f"{data.channels} phases" if data.kind is OutputKind.PHASES else str(data.kind)
    is_part = not all(whole or is_in_memory(image.array) for whole, image in zip(are_whole, images, strict=True))
    return Found(f"{text} in the part that was read" if is_part else text, data.kind, data.phases)


def _size_text(image: LayerImage) -> str:
    """Pixels along each axis, or of the regions."""
    slices = f"{image.shape[0]} slices of " if image.slices else ""
    if not image.regions:
        return f"{slices}{_times(image.shape[1:] if slices else image.shape)} px"
    sizes = [_times((bottom - top, right - left)) for top, left, bottom, right in image.regions]
    if len(sizes) == 1:
        return f"{slices}1 region, {sizes[0]} px"
    more = ["…"] if len(sizes) > _MOST_LISTED else []
    return f"{len(sizes)} regions, {', '.join(sizes[:_MOST_LISTED] + more)} px"


def _times(sizes: Sequence[int]) -> str:
    """Sizes with signs of multiplication between them."""
    return " \u00d7 ".join(map(str, sizes))


def smallest_of(images: Sequence[LayerImage]) -> int:
    """The shortest side of all planes and regions that are trained on, in pixels."""
    return min(min(sides) for image in images for sides in _sides(image.cut()))


def _sides(image: LayerImage) -> list[tuple[int, int]]:
    """Rows and columns of the planes of an image that was cut, or of its regions."""
    if image.regions:
        return [(bottom - top, right - left) for top, left, bottom, right in image.regions]
    *depth, rows, columns = image.shape
    return [(rows, columns)] if not depth or image.slices else [(rows, columns), (depth[0], columns), (depth[0], rows)]


def _check_edge(image: LayerImage, edge: int, shrink: int, *, whole: bool) -> None:
    """Refuse what a crop does not fit into, without looking at a pixel."""
    shape = tuple(size // shrink for size in image.shape)
    planes = [shape[-2:]]
    if len(shape) == 3 and not image.slices:
        planes = [shape[1:], (shape[0], shape[2]), shape[:2]]
        _check_slices(planes, edge)
    for plane in planes:
        nothing = np.broadcast_to(np.uint8(0), (1, *plane, 1))
        regions = tuple(shrunk_region(region, shrink) for region in image.regions)
        if not whole and not regions and len(shape) == 2:
            regions = ((0, 0, plane[0], plane[1]),)
        try:
            TrainingData(OutputKind.GREY, (nothing,), regions=(regions,)).check_edge(edge)
        except DataError as error:
            raise DataError(f"{str(error)[:-1]}, or shrink it less." if shrink > 1 else str(error)) from None


def _check_slices(planes: Sequence[tuple[int, ...]], edge: int) -> None:
    """Refuse a stack of which only some slices are large enough, with a way out."""
    fits = [min(plane) >= edge for plane in planes]
    if any(fits) and not all(fits):
        small, axis = AXES[fits.index(False)], AXES[fits.index(True)]
        raise DataError(
            f"The slices normal to {small} have {_times(planes[fits.index(False)])} pixels, fewer than the "
            f"{_times((edge, edge))} of a training crop: choose Slices: normal to {axis}, or a thicker stack."
        )


def _sample(image: LayerImage, control: Control) -> Array:
    """Every n-th pixel of a large image, all of a small one; those of several regions in one column."""
    if not is_in_memory(image.array):
        return _read(image, control)
    control.check()
    cut = image.cut()
    parts = list(pieces(cut.array, cut.regions))
    samples = [_thinned(part, len(cut.shape), SAMPLE // len(parts), cut.rgb) for part in parts]
    if len(samples) == 1:
        return samples[0]
    channels = cut.array.shape[2:]
    return np.concatenate([sample.reshape(-1, 1, *channels) for sample in samples])


def _read(image: LayerImage, control: Control) -> Array:
    """A part of what is not in memory."""
    try:
        array: Array = part_of(image, control).image.array
    except SliceGANError:
        raise
    except Exception as error:  # whatever a file or a computation may raise
        raise DataError(f"{image.name} cannot be read ({error}): open it again, or choose another layer.") from error
    return array


def _thinned(array: Array, axes: int, most: int, rgb: bool) -> Array:
    step = int(np.ceil((array.size / (most * (array.shape[-1] if rgb else 1))) ** (1 / axes)))
    return array[(slice(None, None, max(step, 1)),) * axes]
