"""What the chosen images are, from a look that is quick enough for the window's own thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.config import OutputKind
from napari_slicegan.core.data import AXES, TrainingData
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.regions import pieces
from napari_slicegan.plugin.layers import LayerImage, check_same_size, unit_text

#: Pixels that are looked at in the window's own thread; more would be felt.
SAMPLE = 2**19
_MOST_LISTED = 3

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Found:
    """What images are.

    Attributes
    ----------
    text : str
        Number of phases, pixel size, and pixels along each axis.
    kind : OutputKind or None
        What a pixel is; None while that is not known, since the image is not in memory or too large.
    phases : tuple of int
        The values; empty for grey and colour.
    shares : tuple of float
        How much of the images each phase takes, of all pixels that were looked at.
    """

    text: str
    kind: OutputKind | None = None
    phases: tuple[int, ...] = ()
    shares: tuple[float, ...] = ()


def look_at(images: Sequence[LayerImage], kind: str, edge: int) -> Found:
    """Say what images are, from a sample of their pixels.

    Parameters
    ----------
    images : sequence of LayerImage
        One, two or three.
    kind : str
        An `OutputKind` or "auto".
    edge : int
        Edge of a training crop in pixels.

    Returns
    -------
    Found
        What they are.

    Raises
    ------
    DataError
        The images cannot be trained on.
    """
    check_same_size(images)
    cut = [image.cut() for image in images]
    for image, part in zip(images, cut, strict=True):
        _check_edge(part, edge, whole=not image.regions)
    sizes = ", ".join(dict.fromkeys(map(_size_text, images)))
    calibration = f"{images[0].pixel_size:.4g} {unit_text(images[0].unit)}/px"
    if images[0].unit == "pixel":
        calibration = "pixel size unknown"
    kind_text, data = _look(cut, kind)
    text = f"{kind_text} · {calibration} · {sizes}"
    return Found(text) if data is None else Found(text, data.kind, data.phases, _shares(data))


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


def _check_edge(image: LayerImage, edge: int, *, whole: bool) -> None:
    """Refuse what a crop does not fit into, without looking at a pixel."""
    shape = image.shape
    planes = [shape[-2:]]
    if len(shape) == 3 and not image.slices:
        planes = [shape[1:], (shape[0], shape[2]), shape[:2]]
        _check_slices(planes, edge)
    for plane in planes:
        nothing = np.broadcast_to(np.uint8(0), (1, *plane, 1))
        regions = image.regions
        if not whole and not regions and len(shape) == 2:
            regions = ((0, 0, plane[0], plane[1]),)
        TrainingData(OutputKind.GREY, (nothing,), regions=(regions,)).check_edge(edge)


def _check_slices(planes: Sequence[tuple[int, ...]], edge: int) -> None:
    """Refuse a stack of which only some slices are large enough, with a way out."""
    fits = [min(plane) >= edge for plane in planes]
    if any(fits) and not all(fits):
        small, axis = AXES[fits.index(False)], AXES[fits.index(True)]
        raise DataError(
            f"The slices normal to {small} have {_times(planes[fits.index(False)])} pixels, fewer than the "
            f"{_times((edge, edge))} of a training crop: choose Slices: normal to {axis}, or a thicker stack."
        )


def _look(images: Sequence[LayerImage], kind: str) -> tuple[str, TrainingData | None]:
    """What a pixel is, in words, with the sample that says so."""
    if not all(isinstance(image.array, np.ndarray) for image in images):
        return "not in memory, read when it is used", None
    samples = [_sample(image) for image in images]
    try:
        data = TrainingData.from_images(*samples, kind=kind)
    except DataError:
        if all(sample.size == image.array.size for sample, image in zip(samples, images, strict=True)):
            raise
        return "large, checked when it is used", None  # a sample may lack a rare phase
    if data.kind is OutputKind.PHASES:
        return f"{data.channels} phases", data
    return str(data.kind), data


def _shares(data: TrainingData) -> tuple[float, ...]:
    if not data.phases:
        return ()
    sources = data.sources[:1] if len(data.sources[0]) > 1 else data.sources  # of a stack each pixel once
    counts = np.sum([np.bincount(source.ravel(), minlength=data.channels) for source in sources], axis=0)
    return tuple(float(share) for share in counts / counts.sum())


def _sample(image: LayerImage) -> Array:
    """Every n-th pixel of a large image, all of a small one; those of several regions in one column."""
    parts = list(pieces(image.array, image.regions))
    samples = [_thinned(part, len(image.shape), SAMPLE // len(parts), image.rgb) for part in parts]
    if len(samples) == 1:
        return samples[0]
    channels = image.array.shape[2:]
    return np.concatenate([sample.reshape(-1, 1, *channels) for sample in samples])


def _thinned(array: Array, axes: int, most: int, rgb: bool) -> Array:
    step = int(np.ceil((array.size / (most * (array.shape[-1] if rgb else 1))) ** (1 / axes)))
    return array[(slice(None, None, max(step, 1)),) * axes]
