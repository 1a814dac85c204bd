"""The row of the *Train* dock that says which region of the image is trained on."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QSizePolicy

from napari_slicegan.plugin.images.layer_combo import ShapesCombo
from napari_slicegan.plugin.parts.dock import button, row

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer, Shapes

NAME = "training region"
_PAUSE = 200  # milliseconds after the last edit of a shape
_COLOUR = "#ffd200"
_EVENTS = ("data", "scale", "translate", "units", "rotate", "shear", "affine")


class RegionRow:
    """A choice of the whole image or of the shapes in a layer, and a button to draw some.

    Parameters
    ----------
    viewer : ViewerModel
        Whose Shapes layers are offered.
    image : callable
        Gives the layer that is to be trained on, or None.

    Attributes
    ----------
    widget : Container
        The row.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, image: Callable[[], Layer | None]) -> None:
        self._viewer, self._image = viewer, image
        tooltip = (
            "Train on the rectangles of a Shapes layer instead of the whole image, for example without a scale bar. "
            "They hold for every image that they lie on, and can be moved at any time; a training that has begun "
            "keeps its own."
        )
        self.combo = ShapesCombo(viewer, None, label="Region", tooltip=tooltip)
        self.draw = button("Draw…", "Draw a rectangle on the image; more than one is possible.", self._draw)
        self.widget = row(self.combo, self.draw, label="Region", tooltip=tooltip)
        self.combo.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.draw.native.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._timer = QTimer(self.widget.native)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self.changed.emit)
        self._followed: weakref.ref[Shapes] | None = None
        self.combo.changed.connect(self._follow)

    @property
    def layer(self) -> Shapes | None:
        """The chosen layer; None for the whole image."""
        return self.combo.value

    def refresh(self) -> None:
        """Let the user draw while there is an image to draw on."""
        self.draw.enabled = self._image() is not None

    def reset_choices(self) -> None:
        """Follow the layer list."""
        self.combo.reset_choices()

    def _follow(self, _layer: object = None) -> None:
        """Watch the chosen layer, and no other."""
        self._listen("disconnect")
        self._followed = None if self.layer is None else weakref.ref(self.layer)
        self._listen("connect")
        self.changed.emit()

    def _listen(self, how: str) -> None:
        if self._followed is not None and (layer := self._followed()) is not None:
            for name in _EVENTS:
                getattr(getattr(layer.events, name), how)(self._wait)

    def _wait(self, _event: object = None) -> None:
        self._timer.start()

    def _draw(self) -> None:
        """Let the user draw in the chosen layer, or in a new one on the image."""
        image, shapes = self._image(), self.layer
        if image is None:
            return
        if shapes is None:
            shapes = _new_shapes(image)
            self._viewer.add_layer(shapes)
            self.combo.value = shapes
        shapes.visible = True
        self._viewer.layers.selection.active = shapes
        shapes.mode = "add_rectangle"


def _new_shapes(image: Layer) -> Any:
    """An empty Shapes layer with the grid of an image, with lines that can be seen on it."""
    from napari.layers import Shapes

    low, high = image.extent.data
    line = max(1.0, float(max(high[-2:] - low[-2:])) / 250)
    return Shapes(
        ndim=image.ndim,
        name=NAME,
        scale=image.scale,
        translate=image.translate,
        units=image.units,
        axis_labels=image.axis_labels,
        edge_color=_COLOUR,
        face_color=f"{_COLOUR}20",
        edge_width=line,
    )
