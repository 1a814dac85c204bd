"""What is added to a viewer, and how it is brought into view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_slicegan.plugin.volume_layers import LayerTuple

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

#: Of the camera at the first turn to 3D, in z, y, x: it looks down on three faces of a cube.
VIEW, UP = (-1.0, 0.5, -0.65), (0.0, -1.0, 0.0)
_GAP = 1.08


def add_preview(viewer: ViewerModel, layer_tuple: LayerTuple, source: Layer | None) -> Layer:
    """Add a preview beside the layer that is trained on, without changing what is selected."""
    from napari.layers import Layer

    data, details, kind = layer_tuple
    if source is not None:
        low, high = source.extent.world
        details = details | {"translate": (0.0, float(low[-2]), float(low[-1] + _GAP * (high[-1] - low[-1])))}
    selected, was_flat = set(viewer.layers.selection), viewer.dims.ndim < 3
    layer = viewer.add_layer(Layer.create(data, details, kind))
    viewer.layers.selection.clear()
    viewer.layers.selection.update(selected)
    if was_flat:
        viewer.dims.set_point(0, float(layer.extent.world.mean(axis=0)[0]))
    viewer.fit_to_view()
    return layer


def add_volume(viewer: ViewerModel, layer_tuple: LayerTuple, *, in_3d: bool) -> Layer:
    """Add a generated volume; in 3D alone, with the camera on it."""
    from napari.layers import Layer

    data, details, kind = layer_tuple
    layer = viewer.add_layer(Layer.create(data, details, kind))
    if in_3d:
        for other in viewer.layers:
            other.visible = other is layer
        if viewer.dims.ndisplay != 3:
            viewer.dims.ndisplay = 3
            viewer.scene.camera.set_view_direction(VIEW, UP)
        viewer.fit_to_view(layers=[layer])
    return layer
