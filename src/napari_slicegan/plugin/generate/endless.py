"""Endless volumes as layers: what is looked at is made, and shown when it is there."""

from __future__ import annotations

import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import psygnal
from qtpy.QtCore import QObject, QTimer, Signal  # type: ignore[attr-defined]

from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.volume.planes import PlaneView
from napari_slicegan.core.volume.request import Triple
from napari_slicegan.plugin.volume_layers import placed, volume_layer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_slicegan.core.volume.endless import EndlessVolume
    from napari_slicegan.plugin.models import ModelEntry

Point = npt.NDArray[np.float64]

#: Voxels across the window when an endless volume is opened.
OPENED = 512
#: Milliseconds after which what has changed is seen to; what changes meanwhile is seen to with it.
_SOON_MS = 40
_FLAT_ONLY = "The endless volume is shown plane by plane: turn to 2D, or take a box of it."


def browse(viewer: ViewerModel, entry: ModelEntry, seed: int) -> Layer:
    """Add the endless volume of a seed, look at the plane through its origin, and hide the other layers.

    Parameters
    ----------
    viewer : ViewerModel
        Turned to 2D.
    entry : ModelEntry
        What makes the volume.
    seed : int
        Which endless volume.

    Returns
    -------
    Layer
        Labels or Image, of several levels; `browser_of` knows what it is doing.

    Raises
    ------
    ModelError
        The model is not loaded.
    """
    from napari.layers import Layer

    from napari_slicegan.core.volume.endless import EndlessVolume  # imports torch

    viewer = _itself(viewer)
    if (model := entry.loaded) is None:
        raise ModelError(f"{entry.name} is not loaded yet: wait a moment.")
    volume, info = EndlessVolume(model, seed), model.info
    record = info.history(model=str(entry.path), seed=seed, origin=list(volume.origin), endless=True)
    name = f"{entry.material} endless volume, seed {seed}"
    data, details, kind = placed(volume_layer(volume.levels, info, name, entry.look, record), volume.origin)
    layer = Layer.create(data, details, kind)
    layer.editable = False
    _use_units_of(viewer, layer)
    viewer.dims.ndisplay = 2
    viewer.add_layer(layer)
    for other in viewer.layers:
        other.visible = other is layer
    viewer.dims.set_point(range(-layer.ndim, 0), [0.0] * layer.ndim)
    viewer.scene.camera.center = (0.0, 0.0, 0.0)
    viewer.scene.camera.zoom = min(viewer.canvas.viewbox_size(viewer.layers)) / (OPENED * layer.scale[-1])
    _browsers[layer] = Browser(viewer, layer, volume)
    return layer


def browser_of(layer: Layer) -> Browser | None:
    """What a layer of an endless volume is doing; None for other layers."""
    return _browsers.get(_itself(layer))


def box_in_view(viewer: ViewerModel, layer: Layer, depth: int) -> tuple[Triple, Triple]:
    """Find the box of an endless volume that is in view.

    Parameters
    ----------
    viewer : ViewerModel
        In 2D.
    layer : Layer
        Of an endless volume.
    depth : int
        Voxels across the plane that is seen, around it.

    Returns
    -------
    (int, int, int), (int, int, int)
        Origin and shape, along z, y, x, in voxels of the endless volume.

    Raises
    ------
    ModelError
        Nothing of the endless volume is in view.
    """
    browser, view = browser_of(layer), plane_in_view(viewer, layer)
    if browser is None or view is None or not view.rows or not view.columns:
        raise ModelError(f"Nothing of {layer.name} is in view: turn to 2D and bring it into view.")
    axis, index = view.plane
    spans = [view.rows, view.columns]
    first = max(0, index - depth // 2)
    spans.insert(axis, range(first, min(first + depth, layer.data[0].shape[axis])))
    z, y, x = (span.start + start for span, start in zip(spans, browser.volume.origin, strict=True))
    return (z, y, x), (len(spans[0]), len(spans[1]), len(spans[2]))


def plane_in_view(viewer: ViewerModel, layer: Layer) -> PlaneView | None:
    """Find what of a layer is inside the window; None in 3D, or where the slider is beside the layer."""
    others = viewer.dims.ndim - layer.ndim  # axes in front that the layer has not
    shown = [axis - others for axis in viewer.dims.displayed]
    if len(shown) != 2 or min(shown) < 0:
        return None
    half = np.divide(viewer.canvas.viewbox_size(viewer.layers), 2 * viewer.scene.camera.zoom)
    corners = np.repeat(_middle(viewer)[None], 2, axis=0)
    corners[:, list(viewer.dims.displayed)] += [-half, half]
    low, high = np.sort([layer.world_to_data(corner) for corner in corners], axis=0)
    shape = layer.data[0].shape
    seen = [
        range(*np.clip(np.floor((low[axis] + 0.5, high[axis] + 1.5)).astype(int), 0, shape[axis]))
        for axis in sorted(shown)
    ]
    (axis,) = {0, 1, 2} - set(shown)
    step = 2**layer.data_level  # napari takes a plane of the level that it shows
    index = int(np.round(low[axis] / step)) * step
    return PlaneView((axis, min(index, shape[axis] - step)), *seen) if 0 <= np.round(low[axis]) < shape[axis] else None


def _middle(viewer: ViewerModel) -> Point:
    """The point in the middle of the window, in world coordinates."""
    middle = np.array(viewer.dims.point)
    middle[list(viewer.dims.displayed)] = viewer.scene.camera.center[-len(viewer.dims.displayed) :]
    return middle


def _itself(thing: Any) -> Any:
    """A viewer or layer without the proxy that napari gives to widgets, which lives no longer than they."""
    return getattr(thing, "__wrapped__", thing)


def _use_units_of(viewer: ViewerModel, layer: Layer) -> None:
    """Give a layer the viewer's unit of length: where they differ, napari takes too coarse or too fine a level."""
    unit = viewer.dims.units[-1] if viewer.dims.units else layer.units[-1]
    if unit != layer.units[-1] and unit.is_compatible_with(layer.units[-1]):
        factor = (1 * layer.units[-1]).to(unit).magnitude
        layer.scale, layer.translate = layer.scale * factor, layer.translate * factor
        layer.units = (unit,) * layer.ndim


class Browser(QObject):
    """Keeps an endless volume at work on what is looked at, and its layer up to date, as long as the layer is there.

    Parameters
    ----------
    viewer : ViewerModel
        Held weakly, like the layer.
    layer : Layer
        Of the volume's levels; already in the viewer.
    volume : EndlessVolume
        What is browsed.
    """

    changed = psygnal.Signal(str)
    _made = Signal()

    def __init__(self, viewer: ViewerModel, layer: Layer, volume: EndlessVolume) -> None:
        super().__init__()
        self.volume, self.message = volume, ""
        self._viewer, self._layer = weakref.ref(viewer), weakref.ref(layer)
        self._shown = 0  # pieces
        self._place: tuple[Point, float] | None = None  # the middle of the window, and the zoom
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SOON_MS)
        self._timer.timeout.connect(self._update)
        self._made.connect(self._soon)  # arrives in the main thread
        volume.on_change = lambda: self._made.emit()  # a bound signal would not keep this object alive
        weakref.finalize(layer, volume.close)
        self._sources = [
            *(viewer.scene.camera.events.center, viewer.scene.camera.events.zoom, viewer.canvas.events.size),
            *(layer.events.set_data, layer.events.visible),
        ]
        for event in self._sources:
            event.connect(self._soon)
        viewer.dims.events.order.connect(self._stay, position="last")
        viewer.dims.events.ndisplay.connect(self._stay, position="last")
        viewer.layers.events.removed.connect(self._leave)
        self._update()

    def close(self) -> None:
        """Stop computing and free the memory; the layer, if it is still there, becomes empty."""
        self.volume.close()
        self._timer.stop()
        for event in self._sources:
            event.disconnect(self._soon)
        self._sources = []
        if (viewer := self._viewer()) is not None:
            viewer.dims.events.order.disconnect(self._stay)
            viewer.dims.events.ndisplay.disconnect(self._stay)
            viewer.layers.events.removed.disconnect(self._leave)

    def _soon(self, *_: object) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _update(self) -> None:
        """Pass on what is looked at, show what has been made, and say what is going on."""
        viewer, layer = self._viewer(), self._layer()
        if viewer is None or layer is None:
            return
        view = plane_in_view(viewer, layer) if layer.visible else None
        if view is not None:
            view = replace(view, plane=self.volume.last_read(view.plane, 2**layer.data_level))
        self.volume.look(view)
        if view is not None:
            self._place = _middle(viewer), viewer.scene.camera.zoom
        if self._shown != self.volume.made:
            self._shown = self.volume.made
            layer.refresh(thumbnail=False, highlight=False, extent=False)
        message = _FLAT_ONLY if layer.visible and viewer.dims.ndisplay == 3 else self.volume.message
        if message != self.message:
            self.message = message
            self.changed.emit(message)

    def _leave(self, event: Any) -> None:
        if event.value is self._layer():
            self.close()

    def _stay(self, *_: object) -> None:
        """Keep the same voxel in the middle when axes are exchanged: napari would show all of the endless volume."""
        viewer, layer = self._viewer(), self._layer()
        if viewer is None or layer is None or not layer.visible or viewer.dims.ndisplay != 2 or self._place is None:
            return
        middle, zoom = self._place
        if len(middle) == viewer.dims.ndim:
            viewer.dims.set_point(range(len(middle)), middle)
            viewer.scene.camera.center = middle[list(viewer.dims.displayed)]
            viewer.scene.camera.zoom = zoom


_browsers: WeakKeyDictionary[Layer, Browser] = WeakKeyDictionary()
