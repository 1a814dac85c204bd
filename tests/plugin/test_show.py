"""What is added to a viewer leaves alone what the user looks at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.events import Preview
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.plugin.show import add_volume
from napari_slicegan.plugin.train.preview import PreviewLayer
from napari_slicegan.plugin.volume_layers import volume_layer

INFO = ModelInfo(NetworkConfig(image_channels=2), (1, 2), 0.4, "um", {"images": ["micrograph"]})


def volume(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 3, (8, 8, 8), np.uint8)


def look_of(viewer: ViewerModel) -> tuple[Any, ...]:
    """All that a preview must not change."""
    camera, dims = viewer.scene.camera, viewer.dims
    layers = [(layer.name, layer.visible) for layer in viewer.layers if not layer.name.endswith(" preview")]
    place = (camera.center, camera.zoom, camera.angles, dims.ndisplay, dims.point[-2:])
    return (*place, set(viewer.layers.selection), viewer.layers.selection.active, layers)


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    for name in ("micrograph", "hidden", "chosen"):
        viewer.add_labels(np.ones((32, 32), np.uint8), name=name, scale=(0.4, 0.4), units=("um", "um"))
    viewer.layers["hidden"].visible = False
    viewer.layers.selection = {viewer.layers["micrograph"], viewer.layers["chosen"]}
    viewer.scene.camera.zoom, viewer.scene.camera.center = 7.0, (0.0, 3.0, 4.0)
    return viewer


@pytest.mark.parametrize("ndisplay", [2, 3])
def test_a_preview_takes_nothing_over(viewer, tmp_path, ndisplay):
    viewer.add_labels(np.ones((4, 32, 32), np.uint8), name="stack") if ndisplay == 3 else None
    viewer.layers.selection = {viewer.layers["micrograph"], viewer.layers["chosen"]}
    viewer.dims.ndisplay = ndisplay
    viewer.scene.camera.zoom = 7.0
    before = look_of(viewer)
    preview = PreviewLayer(viewer)
    preview.forget(viewer.layers["micrograph"])
    preview.describe(INFO, None, tmp_path / "run")
    preview.show(Preview(1, volume(1)))
    assert look_of(viewer) == before
    layer = viewer.layers[-1]
    assert layer.name == "micrograph preview"
    preview.show(Preview(2, volume(2)))
    assert look_of(viewer) == before
    assert viewer.layers[-1] is layer
    np.testing.assert_array_equal(layer.data, volume(2))
    assert layer.metadata["napari-slicegan"]["iterations"] == 2
    assert layer.metadata["napari-slicegan"]["model"] == str(tmp_path / "run")
    assert (tuple(layer.scale), layer.axis_labels) == ((0.4,) * 3, ("z", "y", "x"))
    assert {str(unit) for unit in layer.units} == {"micrometer"}
    assert layer.extent.world[0][-1] > viewer.layers["micrograph"].extent.world[1][-1]  # beside it


def test_a_preview_that_was_removed_comes_back_only_when_asked_for(viewer, tmp_path):
    preview = PreviewLayer(viewer)
    preview.describe(INFO, None, tmp_path / "run")
    assert not preview.is_there
    preview.show(Preview(1, volume(1)))
    viewer.layers.pop()
    preview.show(Preview(2, volume(2)))
    assert len(viewer.layers) == 3
    before = look_of(viewer)
    preview.bring_into_view()
    assert preview.is_in_view
    assert viewer.dims.ndisplay == 3
    assert [layer.visible for layer in viewer.layers] == [False, False, False, True]
    np.testing.assert_array_equal(viewer.layers[-1].data, volume(2))
    assert viewer.scene.camera.zoom != 7.0
    preview.go_back()
    assert look_of(viewer) == before
    assert not preview.is_in_view
    preview.bring_into_view()
    viewer.layers.remove("chosen")
    later = viewer.add_labels(np.ones((32, 32), np.uint8), name="later", visible=False)
    preview.go_back()
    assert viewer.layers["micrograph"].visible
    assert not later.visible  # it was not there
    preview.forget(None)
    preview.bring_into_view()  # of the next training there is none yet
    assert len(viewer.layers) == 4
    assert not preview.is_in_view


def test_volumes_with_names_are_added_while_the_view_is_in_3d(viewer):
    viewer.layers.clear()
    named = replace(INFO, phase_names=("pore", "grain"))
    for seed in (1, 2):  # the first in 2D, the second in 3D, where the mouse has never been
        viewer.mouse_over_canvas = True
        layer = add_volume(viewer, volume_layer(volume(seed), named, f"seed {seed}", None), in_3d=True)
        assert [other.name for other in viewer.layers if other.visible] == [layer.name]
        assert viewer.layers.selection.active is layer
    viewer.layers.selection.active = viewer.layers["seed 1"]
    assert viewer.dims.ndisplay == 3
