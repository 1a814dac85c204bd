"""The samples: instant, calibrated, and fit to be trained on."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image, Labels, Layer

from napari_slicegan.core.config import OutputKind
from napari_slicegan.core.synthetic import MATERIALS
from napari_slicegan.plugin import sample_data
from napari_slicegan.plugin.layers import image_of, training_data
from tests.plugin.conftest import PLUGIN


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
