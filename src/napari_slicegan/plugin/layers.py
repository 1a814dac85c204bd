"""From layers to images: pixels, calibration and colours as they are at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.calibration import standard_size
from napari_slicegan.core.config import OutputKind
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.words import readable

if TYPE_CHECKING:
    from napari.layers import Layer

#: Pixels that are looked at in the window's own thread; more would be felt.
SAMPLE = 2**19
_METRES = {"nm": 1e-9, "um": 1e-6, "mm": 1e-3, "m": 1.0, "pixel": 1.0}

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Look:
    """How a layer is coloured, to show a volume in the same colours.

    Attributes
    ----------
    colormap : napari colormap
        Of labels (label to colour) or of intensities (0 ... 1 to colour); None for colour images.
    limits : (float, float), optional
        Values that the ends of the colormap stand for; None for labels.
    """

    colormap: Any = None
    limits: tuple[float, float] | None = None


@dataclass(frozen=True)
class LayerImage:
    """The image of a layer as it was at one moment: the layer may then be painted on, renamed or removed.

    Attributes
    ----------
    array : array (H, W), (H, W, 3 or 4), (Z, H, W) or (Z, H, W, 3 or 4)
        A copy, or the lazy array itself (dask, zarr).
    name : str
        Of the layer.
    rgb : bool
        Whether the last axis is colour.
    pixel_size : float
        Edge of a pixel in `unit`.
    unit : str
        For example "um"; "pixel" when napari knows of none.
    look : Look
        The colours.
    """

    array: Any
    name: str
    rgb: bool
    pixel_size: float
    unit: str
    look: Look

    @property
    def size_text(self) -> str:
        """Pixels along each axis, for people."""
        shape = self.array.shape[:-1] if self.rgb else self.array.shape
        return " x ".join(map(str, shape))


def image_of(layer: Layer, *, copy: bool = True) -> LayerImage:
    """Read a layer, in the main thread.

    Parameters
    ----------
    layer : Image or Labels layer
        2D or 3D, of one level or several (the finest is taken).
    copy : bool
        Whether an array in memory is copied; only a look does without.

    Returns
    -------
    LayerImage
        What training needs of it.

    Raises
    ------
    DataError
        The pixels are not square, their unit is no length, or the layer has too many dimensions.
    """
    array = layer.data[0] if layer.multiscale else layer.data
    rgb = bool(getattr(layer, "rgb", False))
    if layer.ndim not in (2, 3):
        raise DataError(f"The layer {layer.name} has {layer.ndim} dimensions: choose a 2D image or a 3D stack.")
    if not rgb and array.shape[-1] in (3, 4):
        raise DataError(
            f"The layer {layer.name} is {array.shape[-1]} pixels wide: if these are colours, open it as RGB."
        )
    size, unit = _pixel_size(layer)
    if copy and isinstance(array, np.ndarray):
        array = array.copy()
    return LayerImage(array, layer.name, rgb, size, unit, _look(layer))


def training_data(images: Sequence[LayerImage], kind: str = "auto", axis: str = "z") -> TrainingData:
    """Make training data; slow for large images, so not in the main thread.

    Raises
    ------
    DataError
        The images cannot be trained on, alone or together.
    """
    _check_same_size(images)
    arrays = [np.asarray(image.array) for image in images]
    size, unit = images[0].pixel_size, images[0].unit
    names = tuple(image.name for image in images)
    return TrainingData.from_images(*arrays, kind=kind, pixel_size=size, unit=unit, axis=axis, names=names)


def look_at(images: Sequence[LayerImage], kind: str, edge: int) -> str:
    """Say what images are, from a sample of their pixels that is quick to look at.

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
    str
        For example "3 phases: 0, 1, 2 · 0.4 µm/px · 384 x 384".

    Raises
    ------
    DataError
        The images cannot be trained on.
    """
    _check_same_size(images)
    for image in images:
        _check_edge(image, edge)
    sizes = ", ".join(dict.fromkeys(image.size_text for image in images))
    calibration = f"{images[0].pixel_size:.4g} {unit_text(images[0].unit)}/px"
    if images[0].unit == "pixel":
        calibration = "pixel size unknown"
    return f"{_kind_text(images, kind)} · {calibration} · {sizes}"


def unit_text(unit: str) -> str:
    """A unit as people write it."""
    return "px" if unit == "pixel" else readable(unit)


def _look(layer: Layer) -> Look:
    colormap = getattr(layer, "colormap", None)
    if getattr(layer, "rgb", False) or colormap is None:
        return Look()
    colormap = colormap.model_copy(deep=True)
    if hasattr(colormap, "use_selection"):
        colormap.use_selection = False  # the other labels are hidden, but have their colours
    limits = getattr(layer, "contrast_limits", None)
    return Look(colormap, None if limits is None else (float(limits[0]), float(limits[1])))


def _pixel_size(layer: Layer) -> tuple[float, str]:
    """The one pixel size of a layer and its unit."""
    sizes = [float(abs(size)) for size in layer.scale]
    units = {str(unit) for unit in layer.units[-2:]}
    if not np.allclose(sizes, sizes[-1], rtol=1e-3) or len(units) > 1:
        text = " x ".join(f"{size:g}" for size in sizes)
        raise DataError(f"The pixels of {layer.name} are not square ({text}): resample it, or correct its scale.")
    return standard_size(sizes[-1], units.pop())


def _check_same_size(images: Sequence[LayerImage]) -> None:
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


def _check_edge(image: LayerImage, edge: int) -> None:
    """Refuse what a crop does not fit into, without looking at a pixel."""
    shape = image.array.shape[:-1] if image.rgb else image.array.shape
    for plane in {shape[-2:], shape[:1] + shape[-1:], shape[:2]} if len(shape) == 3 else {shape}:
        nothing = np.broadcast_to(np.uint8(0), (1, *plane, 1))
        TrainingData(OutputKind.GREY, (nothing,)).check_edge(edge)


def _kind_text(images: Sequence[LayerImage], kind: str) -> str:
    if not all(isinstance(image.array, np.ndarray) for image in images):
        return "not in memory, read when it is used"
    samples = [_sample(image) for image in images]
    try:
        data = TrainingData.from_images(*samples, kind=kind)
    except DataError:
        if all(sample.size == image.array.size for sample, image in zip(samples, images, strict=True)):
            raise
        return "large, checked when it is used"  # a sample may lack a rare phase
    if data.kind is OutputKind.PHASES:
        return f"{data.channels} phases: {', '.join(map(str, data.phases))}"
    return str(data.kind)


def _sample(image: LayerImage) -> Array:
    """Every n-th pixel of a large image, all of a small one."""
    array: Array = image.array
    axes = array.ndim - image.rgb
    step = int(np.ceil((array.size / (SAMPLE * (array.shape[-1] if image.rgb else 1))) ** (1 / axes)))
    return array[(slice(None, None, max(step, 1)),) * axes]
