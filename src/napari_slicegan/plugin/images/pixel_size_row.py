"""The row of the *Train* dock that shows the pixel size and changes that of the chosen layers."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import ComboBox, LineEdit
from psygnal import Signal

from napari_slicegan.core.calibration import UNITS, standard_size
from napari_slicegan.core.errors import DataError
from napari_slicegan.plugin.images.file_tags import forget, lacks_size, reading_of
from napari_slicegan.plugin.layers import unit_text
from napari_slicegan.plugin.parts.dock import row
from napari_slicegan.plugin.pixel_sizes import pixel_size
from napari_slicegan.plugin.work.background import Background

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

_TOOLTIP = (
    "Edge of a pixel and its unit; a change is written to the chosen layers, so that the scale bar and the volumes "
    "agree with it. Another unit keeps the number."
)


class PixelSizeRow:
    """The pixel size of the chosen layers, to be read and to be corrected.

    Parameters
    ----------
    viewer : ViewerModel
        Whose camera goes with the layers, so that nothing seems to move.

    Attributes
    ----------
    widget : Container
        The row.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layers: tuple[Layer, ...] = ()
        self._others: tuple[Layer, ...] = ()
        self._slices = ""
        self._from_tags = False
        self.size = LineEdit(tooltip=_TOOLTIP)
        choices = [(unit_text(unit), unit) for unit in UNITS]
        self.unit = ComboBox(choices=choices, value="pixel", tooltip=_TOOLTIP)
        self.widget = row(self.size, self.unit, label="Pixel size", tooltip=_TOOLTIP)
        self._reading = Background(self.widget.native)
        self.size.native.editingFinished.connect(self._write)
        self.unit.changed.connect(self._write)

    @property
    def note(self) -> str:
        """Where the size comes from, if not from the layer."""
        return "pixel size from the file's tags" if self._from_tags else ""

    def show(self, layers: Sequence[Layer], others: Sequence[Layer] = (), slices: str = "") -> None:
        """Show the pixel size of layers; one that is missing is read from their files and follows, with `changed`.

        Parameters
        ----------
        layers : sequence of Layer
            The images, the first of which counts.
        others : sequence of Layer
            What lies on them, and is to go with them.
        slices : str
            The axis that the slices of a 3D layer are normal to; the distance between them may differ.
        """
        if self._layers[:1] != tuple(layers[:1]):
            self._from_tags = False
        self._layers, self._others, self._slices = (*layers, *others), tuple(others), slices
        for layer in layers:
            if (reading := reading_of(layer)) is not None:
                self._reading.run(reading, partial(self._take_tags, weakref.ref(layer)))
        self.widget.enabled = bool(layers)
        self._show(*_size_of(layers[0], slices) if layers else ("", "pixel"))

    def _take_tags(self, reference: weakref.ref[Layer], tags: tuple[float, str] | None) -> None:
        """Give a layer the size that its file knows, unless it has got one or another layer is chosen by now."""
        layer = reference()
        if layer is None or tags is None:
            return
        if layer not in self._layers:
            forget(layer)
        elif lacks_size(layer):
            self._apply([layer, *self._others], *tags)
            self._from_tags = True
            self.changed.emit()

    def _show(self, text: str, unit: str) -> None:
        self._text = text
        self.size.value = text
        with self.unit.changed.blocked():
            self.unit.value = unit

    def _write(self, *_: object) -> None:
        """Give the layers what was entered; what is no number is put back."""
        if not self._layers:
            return
        shown, unit = _size_of(self._layers[0], self._slices)
        text, chosen = str(self.size.value).strip().replace(",", "."), str(self.unit.value)
        if (text, chosen) == (shown, unit):
            return
        try:
            size = standard_size(float(text), chosen)[0]
        except (ValueError, DataError):
            self._show(shown, unit)
            return
        self._from_tags = False
        self._apply(self._layers, size, chosen)
        self.changed.emit()

    def _apply(self, layers: Sequence[Layer], size: float, unit: str) -> None:
        """Change the size of the first layer's pixels, and let all else go with it."""
        within = -2 if self._slices == "x" else -1
        ratio = size / float(abs(layers[0].scale[within]))
        for layer in layers:
            is_square = _is_image(layer) and not (self._slices and layer.ndim == 3)
            steps = np.sign(layer.scale) * size if is_square else layer.scale * ratio
            layer.translate = np.asarray(layer.translate) * ratio
            layer.scale = steps
            layer.units = (unit,) * layer.ndim
        camera: Any = self._viewer.scene.camera
        camera.center = tuple(ratio * place for place in camera.center)
        camera.zoom = camera.zoom / ratio


def _is_image(layer: Layer) -> bool:
    from napari.layers import Image, Labels

    return isinstance(layer, Image | Labels)


def _size_of(layer: Layer, slices: str) -> tuple[str, str]:
    """Number and unit of a layer's pixels; no number if they are not square."""
    try:
        size, unit = pixel_size(layer, slices)
    except DataError:
        return "", "pixel"
    return f"{size:.6g}", unit
