"""What was chosen to train on, as layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_slicegan.core.errors import DataError
from napari_slicegan.plugin.images.shape_regions import regions_in
from napari_slicegan.plugin.layers import LayerImage, image_of

if TYPE_CHECKING:
    from napari.layers import Layer, Shapes


@dataclass(frozen=True)
class Choice:
    """What was chosen: the layers themselves, for the main thread only.

    Attributes
    ----------
    layers : tuple of Layer
        One, two or three.
    kind : str
        An `OutputKind` or "auto".
    axis : str
        The special axis of two images.
    shapes : Shapes layer, optional
        With the regions: each image is trained on within the rectangles that lie on it.
    slices : str
        The axis that the slices of the one 3D layer are normal to; "" for all axes.
    convert : bool
        Whether the viewer converts between the units of its layers.
    shrink : int
        So many pixels along an edge become one.
    """

    layers: tuple[Layer, ...]
    kind: str
    axis: str
    shapes: Shapes | None = None
    slices: str = ""
    convert: bool = True
    shrink: int = 1

    def images(self, *, copy: bool = True) -> tuple[LayerImage, ...]:
        """The layers' images with their regions.

        Parameters
        ----------
        copy : bool
            Whether arrays in memory are copied; only a look does without.

        Raises
        ------
        DataError
            A layer cannot be trained on.
        """
        images = tuple(image_of(layer, copy=copy, slices=self.slices) for layer in self.layers)
        if self.shapes is None:
            return images
        if images[0].slices in ("y", "x"):
            raise DataError("Regions are drawn on the slices normal to z: choose these slices, or the whole image.")
        found = (regions_in(self.shapes, layer, convert=self.convert)[0] for layer in self.layers)
        return tuple(replace(image, regions=regions) for image, regions in zip(images, found, strict=True))

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The finest level of each layer, as it is."""
        return tuple(layer.data[0] if layer.multiscale else layer.data for layer in self.layers)

    @property
    def note(self) -> str:
        """What is not as it was drawn."""
        shrunk = [f"shrunk by a factor of {self.shrink}"] if self.shrink > 1 else []
        if self.shapes is None:
            return "".join(shrunk)
        notes = (regions_in(self.shapes, layer, convert=self.convert)[1] for layer in self.layers)
        return ", ".join([*filter(None, dict.fromkeys(notes)), *shrunk])
