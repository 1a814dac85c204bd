"""From layers to images: pixels, calibration and colours as they are at one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.regions import Regions
from napari_slicegan.core.shrinking import shrunk
from napari_slicegan.core.words import readable
from napari_slicegan.plugin.phases import colours_of, names_of
from napari_slicegan.plugin.pixel_sizes import check_same_size, pixel_size

if TYPE_CHECKING:
    from napari.layers import Layer

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
    colours : mapping of int to "#rrggbb"
        What was chosen for phases instead.
    """

    colormap: Any = None
    limits: tuple[float, float] | None = None
    colours: Mapping[int, str] = field(default_factory=dict)

    def colour(self, phase: int) -> tuple[float, float, float, float]:
        """Red, green, blue and alpha of a phase, 0 to 1; transparent if nothing is known."""
        if phase in self.colours:
            text = self.colours[phase]
            red, green, blue = (int(text[place : place + 2], 16) / 255 for place in (1, 3, 5))
            return red, green, blue, 1.0
        if self.colormap is None:
            return 0.0, 0.0, 0.0, 0.0
        if self.limits is None:
            found = self.colormap.map(phase)  # one int: for an array napari compiles code for a second
        else:
            low, high = self.limits
            found = self.colormap.map(np.clip((phase - low) / max(high - low, 1e-12), 0, 1))[0]
        red, green, blue, alpha = (float(part) for part in np.ravel(found))
        return red, green, blue, alpha


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
    names : mapping of int to str
        What the values are called; empty if they have no names.
    regions : tuple of (top, left, bottom, right)
        The pixels that are trained on; none for all.
    slices : str
        "z", "y" or "x" if only the slices of a stack normal to this axis are used, which are along the first axis of
        `array` then; "" for those along all axes.
    """

    array: Any
    name: str
    rgb: bool
    pixel_size: float
    unit: str
    look: Look
    names: Mapping[int, str] = field(default_factory=dict)
    regions: Regions = ()
    slices: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """Pixels along each axis."""
        shape: tuple[int, ...] = self.array.shape
        return shape[:-1] if self.rgb else shape

    @property
    def record(self) -> str:
        """The name with the regions, for a model's provenance: "cathode, rows 0 to 380, columns 0 to 512"."""
        name = f"{self.name}, slices normal to {self.slices}" if self.slices else self.name
        if len(self.regions) > 1:
            return f"{name}, {len(self.regions)} regions"
        return "".join([name, *(f", rows {t} to {b}, columns {le} to {r}" for t, le, b, r in self.regions)])

    def cut(self) -> LayerImage:
        """Only what the regions need of the image: the box around them, in which they are then.

        Raises
        ------
        DataError
            A stack has several regions.
        """
        if not self.regions:
            return self
        if len(self.shape) == 3 and len(self.regions) > 1:
            raise DataError(f"{self.name} is a stack, which takes one region: choose one rectangle.")
        corners = np.array(self.regions)
        (top, left), (bottom, right) = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
        place = (slice(None),) * (len(self.shape) - 2) + (slice(top, bottom), slice(left, right))
        moved = tuple((t - top, le - left, b - top, r - left) for t, le, b, r in corners.tolist())
        return replace(self, array=self.array[place], regions=moved if len(moved) > 1 else ())


def image_of(layer: Layer, *, copy: bool = True, slices: str = "") -> LayerImage:
    """Read a layer, in the main thread.

    Parameters
    ----------
    layer : Image or Labels layer
        2D or 3D, of one level or several (the finest is taken).
    copy : bool
        Whether an array in memory is copied; only a look does without.
    slices : str
        "z", "y" or "x" for the slices of a 3D layer normal to this axis alone; "" for those along all axes.

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
    slices = slices if layer.ndim == 3 else ""
    size, unit = pixel_size(layer, slices)
    if copy and isinstance(array, np.ndarray):
        array = array.copy()
    array = _turned(array, "zyx".index(slices)) if slices else array
    return LayerImage(array, layer.name, rgb, size, unit, _look(layer), names_of(layer), slices=slices)


def training_data(images: Sequence[LayerImage], kind: str = "auto", axis: str = "z", shrink: int = 1) -> TrainingData:
    """Make training data, of images that are shrunk so many times; slow for large ones, so not in the main thread.

    Raises
    ------
    DataError
        The images cannot be trained on, alone or together.
    """
    check_same_size(images)
    first, cut = images[0], [image.cut() for image in images]
    details: dict[str, Any] = {"regions": [image.regions for image in cut]} if any(each.regions for each in cut) else {}
    if first.slices:
        details["slices"] = "z"  # along the first axis of the array, whatever it is called
    data = TrainingData.from_images(
        *(np.asarray(image.array) for image in cut),
        kind=kind,
        pixel_size=first.pixel_size,
        unit=first.unit,
        axis=axis,
        names=tuple(image.record for image in images),
        **details,
    )
    names, look = first.names, first.look
    if any(phase in names for phase in data.phases):
        data = replace(data, phase_names=tuple(names.get(phase, "") for phase in data.phases))
    if data.phases and (look.colours or look.colormap is not None):
        data = replace(data, phase_colours=tuple(hex_colour(look.colour(phase)) for phase in data.phases))
    return shrunk(data, shrink)


def hex_colour(colour: Sequence[float]) -> str:
    """Red, green, blue and alpha from 0 to 1 as "#rrggbb"; what is transparent is black."""
    *parts, alpha = colour
    return "#" + "".join(f"{round(255 * part) if alpha else 0:02x}" for part in parts)


def is_in_memory(array: Any) -> bool:
    """Whether an array can be read at once: neither lazily, nor from the file that it is mapped to."""
    return isinstance(array, np.ndarray) and not isinstance(array, np.memmap)


def unit_text(unit: str) -> str:
    """A unit as people write it."""
    return "px" if unit == "pixel" else readable(unit)


def _turned(array: Any, axis: int) -> Any:
    """An array with an axis in front, without reading it."""
    if axis and not hasattr(array, "transpose"):
        from dask.array import from_array  # napari depends on it

        array = from_array(array)
    return np.moveaxis(array, axis, 0) if axis else array


def _look(layer: Layer) -> Look:
    colormap = getattr(layer, "colormap", None)
    if getattr(layer, "rgb", False) or colormap is None:
        return Look()
    colormap = colormap.model_copy(deep=True)
    if hasattr(colormap, "use_selection"):
        colormap.use_selection = False  # the other labels are hidden, but have their colours
    limits = getattr(layer, "contrast_limits", None)
    return Look(colormap, None if limits is None else (float(limits[0]), float(limits[1])), colours_of(layer))
