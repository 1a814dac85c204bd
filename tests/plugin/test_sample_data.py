"""The samples: instant, calibrated, and fit to be trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Image, Labels, Layer

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.sample_models import sample_models
from napari_slicegan.core.synthetic import MATERIALS
from napari_slicegan.plugin import sample_data
from napari_slicegan.plugin.files.dropped_models import open_model
from napari_slicegan.plugin.layers import image_of, training_data
from napari_slicegan.plugin.parts.docks import GENERATE, TRAIN, open_dock
from napari_slicegan.plugin.work.jobs import jobs_of
from tests.plugin.conftest import PLUGIN, click


@pytest.mark.parametrize(
    ("name", "count", "layer_type", "kind", "unit"),
    [
        ("cathode", 1, Labels, OutputKind.PHASES, "um"),
        ("fibres", 3, Labels, OutputKind.PHASES, "um"),
        ("polycrystal", 1, Image, OutputKind.GREY, "um"),
        ("gravel", 1, Image, OutputKind.GREY, "pixel"),
    ],
)
def test_a_sample_can_be_trained_on(name, count, layer_type, kind, unit):
    layers = [Layer.create(*layer) for layer in getattr(sample_data, name)()]
    assert len(layers) == count
    assert all(isinstance(layer, layer_type) for layer in layers)
    data = training_data([image_of(layer) for layer in layers])
    assert (data.kind, data.unit, len(data.sources)) == (kind, unit, count)
    data.check_edge(64)
    assert data.phase_names == (MATERIALS[name].phases if name in MATERIALS else ())


def test_the_planes_of_the_fibres_are_in_the_order_of_training():
    layers = [Layer.create(*layer) for layer in sample_data.fibres()]
    assert [layer.axis_labels for layer in layers] == [("y", "x"), ("z", "x"), ("z", "y")]


def test_samples_open_from_the_menu_with_all_colours(make_napari_viewer):
    viewer = make_napari_viewer()
    for name in ("cathode", "fibres", "polycrystal", "gravel"):
        viewer.open_sample(PLUGIN, name)
    assert len(viewer.layers) == 6
    cathode = viewer.layers["cathode"]
    assert len({tuple(colour) for colour in cathode.colormap.map(np.arange(3))}) == 3
    assert np.unique(cathode.data).tolist() == [0, 1, 2]


def test_a_generator_of_the_package_makes_a_volume_beside_its_micrograph(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    viewer.open_sample(PLUGIN, "generated_cathode")
    assert [layer.name for layer in viewer.layers] == ["cathode"]  # the window does not wait
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=60_000)
    micrograph, volume = viewer.layers
    assert volume.name == "cathode volume, seed 0"
    assert (volume.data.shape, viewer.dims.ndisplay) == ((128,) * 3, 3)
    assert tuple(volume.scale[1:]) == tuple(micrograph.scale)
    np.testing.assert_array_equal(volume.colormap.map(np.arange(1, 3)), micrograph.colormap.map(np.arange(1, 3)))
    dock = open_dock(viewer, GENERATE)
    assert dock.form.entry.name == "cathode"
    qtbot.waitUntil(lambda: not any(job.status.state.is_busy for job in jobs_of(viewer).all), timeout=60_000)


@pytest.mark.parametrize("name", ["cathode", "fibres", "polycrystal"])
def test_without_a_window_the_volume_is_there_at_once(name):
    layers = [Layer.create(*layer) for layer in getattr(sample_data, f"generated_{name}")()]
    assert len(layers) == 1 + len(MATERIALS[name].normals)
    assert layers[-1].data.shape == (128,) * 3
    assert len(np.unique(layers[-1].data)) >= len(MATERIALS[name].phases)
    assert layers[-1].name == f"{name} volume, seed 0"


def test_training_begins_with_what_a_generator_of_the_package_has_learnt(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    dock = open_dock(viewer, GENERATE)
    path = sample_models()["fibres"]
    open_model(path, viewer)
    qtbot.waitUntil(lambda: dock.form.entry is not None, timeout=60_000)
    click(dock.files.train)
    train = open_dock(viewer, TRAIN)
    assert train.start_from.path == path
    assert "fibres" in train.start_from.label.text()
    assert replace(train.settings.network_config(), image_channels=2) == SliceGAN.load(path).info.network
    qtbot.waitUntil(lambda: not any(job.status.state.is_busy for job in jobs_of(viewer).all), timeout=60_000)
