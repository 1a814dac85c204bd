"""What is added to a viewer, and how it is brought into view."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer

from napari_slicegan.plugin.volume_layers import LayerTuple
from napari_slicegan.plugin.workarounds import aim_cursor

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

#: Of the camera at the first turn to 3D, in z, y, x: it looks down on three faces of a cube.
VIEW, UP = (-1.0, 0.5, -0.65), (0.0, -1.0, 0.0)
_GAP = 1.08


def prepare_napari() -> None:
    """Import, in another thread, what napari imports when a camera first moves: the window would stand still."""
    import scipy.spatial.transform  # noqa: F401


def add_beside(viewer: ViewerModel, layer_tuple: LayerTuple, source: Layer | None) -> Layer:
    """Add a volume beside a layer, and leave camera, point, selection and all other layers as they are."""
    from napari.layers import Layer

    data, details, kind = layer_tuple
    if source is not None:
        low, high = source.extent.world
        details = details | {"translate": (0.0, float(low[-2]), float(low[-1] + _GAP * (high[-1] - low[-1])))}
    selected, was_flat = set(viewer.layers.selection), viewer.dims.ndim < 3
    camera = viewer.scene.camera
    center, zoom, angles = camera.center, camera.zoom, camera.angles
    aim_cursor(viewer)
    layer = viewer.add_layer(Layer.create(data, details, kind))
    viewer.layers.selection.clear()
    viewer.layers.selection.update(selected)
    camera.center, camera.zoom, camera.angles = center, zoom, angles  # napari fits the view when it gets an axis
    if was_flat:  # along an axis that was not there before, the point is nobody's yet: the middle shows something
        middle = float(layer.extent.world.mean(axis=0)[0])
        QTimer.singleShot(0, lambda: viewer.dims.ndim > 2 and viewer.dims.set_point(0, middle))
    return layer


def add_volume(viewer: ViewerModel, layer_tuple: LayerTuple, *, in_3d: bool) -> Layer:
    """Add a generated volume; in 3D alone, with the camera on it."""
    from napari.layers import Layer

    data, details, kind = layer_tuple
    aim_cursor(viewer)
    layer = viewer.add_layer(Layer.create(data, details, kind))
    if in_3d:
        look_at_layer(viewer, layer)
    return layer


def look_at_layer(viewer: ViewerModel, layer: Layer) -> None:
    """Turn to 3D with the camera on a layer, alone."""
    for other in viewer.layers:
        other.visible = other is layer
    if viewer.dims.ndisplay != 3:
        viewer.dims.ndisplay = 3
        viewer.scene.camera.set_view_direction(VIEW, UP)
    aim_cursor(viewer)
    viewer.fit_to_view(layers=[layer])


@dataclass(frozen=True)
class View:
    """What a user looks at: to go back there later, as far as it is still there.

    Attributes
    ----------
    ndisplay : int
        2 or 3.
    point : tuple of float
        Of the sliders.
    camera : tuple
        Centre, zoom and angles.
    visible : tuple of (weakref of Layer, bool)
        Of each layer.
    """

    ndisplay: int
    point: tuple[float, ...]
    camera: tuple[Any, float, Any]
    visible: tuple[tuple[weakref.ref[Layer], bool], ...]

    @classmethod
    def of(cls, viewer: ViewerModel) -> View:
        """What a viewer shows now."""
        camera, dims = viewer.scene.camera, viewer.dims
        visible = tuple((weakref.ref(layer), layer.visible) for layer in viewer.layers)
        return cls(dims.ndisplay, dims.point, (camera.center, camera.zoom, camera.angles), visible)

    def restore(self, viewer: ViewerModel) -> None:
        """Show it again; layers that have come since stay as they are."""
        for reference, was_visible in self.visible:
            if (layer := reference()) is not None and layer in viewer.layers:
                layer.visible = was_visible
        viewer.dims.ndisplay = self.ndisplay
        if len(self.point) == viewer.dims.ndim:
            viewer.dims.set_point(range(viewer.dims.ndim), self.point)
        camera = viewer.scene.camera
        camera.angles = self.camera[2]
        camera.center, camera.zoom = self.camera[:2]
