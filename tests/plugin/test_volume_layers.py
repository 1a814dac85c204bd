"""Volumes as layers: colours and names of phases, and what they know of themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from napari.layers import Labels, Layer
from napari.utils.colormaps import Colormap, DirectLabelColormap

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.plugin.layers import Look
from napari_slicegan.plugin.models import ModelEntry
from napari_slicegan.plugin.volume_layers import appearance, is_endless, volume_layer

VOLUME = np.array([[[0, 2], [5, 2]]], np.uint8)
INFO = ModelInfo(
    NetworkConfig(),
    (0, 2, 5),
    0.4,
    "um",
    phase_names=("pore", "carbon", "binder"),
    phase_colours=("#101010", "#ff0000", "#00ff80"),
)


def test_a_loaded_model_gives_its_colours_and_names():
    layer = Layer.create(*volume_layer(VOLUME, INFO, "v", None, {"seed": 3}))
    assert isinstance(layer, Labels)
    assert layer.data.dtype == np.uint8
    assert [layer.colormap.map(phase).ravel().tolist() for phase in (0, 2)] == [[0, 0, 0, 0], [1, 0, 0, 1]]
    assert layer.colormap.map(7).ravel()[3] == 0
    assert layer.get_status((0, 0, 1), world=False)["coordinates"].endswith("; name: carbon")
    facts = layer.metadata["napari-slicegan"]
    assert (facts["seed"], facts["phases"], facts["phase_names"]) == (3, [0, 2, 5], list(INFO.phase_names))
    assert facts["phase_colours"] == list(INFO.phase_colours)


def test_the_colours_of_the_training_layer_count_more():
    colours = DirectLabelColormap(color_dict={2: "blue", 5: "green", None: "transparent"})
    layer = Layer.create(*volume_layer(VOLUME, INFO, "v", Look(colours)))
    assert layer.colormap.map(2).ravel().tolist() == [0, 0, 1, 1]


def test_a_colour_that_was_chosen_counts_more_than_the_grey_level_of_an_image():
    look = Look(Colormap([[0, 0, 0, 1], [1, 1, 1, 1]]), (0.0, 5.0), {2: "#ff0000"})
    layer = Layer.create(*volume_layer(VOLUME, INFO, "v", look))
    assert [layer.colormap.map(phase).ravel().tolist() for phase in (2, 5)] == [[1, 0, 0, 1], [1, 1, 1, 1]]


def test_a_layer_with_metadata_of_others_is_not_endless():
    assert not is_endless(Labels(VOLUME, metadata={"napari-slicegan": "a note"}))
    assert is_endless(Labels(VOLUME, metadata={"napari-slicegan": {"endless": True}}))


def test_a_model_that_knows_neither_leaves_napari_its_colours():
    layer = Layer.create(*volume_layer(VOLUME, replace(INFO, phase_names=(), phase_colours=()), "v", None))
    assert layer.colormap.map(2).ravel().tolist() == Labels(VOLUME).colormap.map(2).ravel().tolist()
    assert layer.metadata["napari-slicegan"] == {"phases": [0, 2, 5]}
    assert "name" not in layer.features


@pytest.mark.parametrize(("kind", "channels"), [(OutputKind.GREY, 1), (OutputKind.COLOUR, 3)])
def test_intensities_are_shown_through(kind, channels):
    info = ModelInfo(NetworkConfig(output=kind, image_channels=channels))
    volume = np.zeros((2, 3, 4, 3)[: 3 + (channels == 3)], np.uint8)
    layer = Layer.create(*volume_layer(volume, info, "v", None))
    assert layer.rendering == appearance("image", channels == 3)["rendering"]
    assert layer.rgb == (channels == 3)
    assert layer.rgb or layer.contrast_limits == [0, 255]
    assert layer.metadata["napari-slicegan"] == {}


@pytest.mark.parametrize(
    ("images", "material"),
    [
        (["cathode"], "cathode"),
        (["cathode.tif"], "cathode"),
        (["flat, slices normal to z, rows 0 to 8, columns 0 to 9", "side"], "flat"),
        (["photo, 2 regions"], "photo"),
        ([], "run"),
        ("no list", "run"),
    ],
)
def test_volumes_are_called_after_what_was_trained_on(images, material):
    info = SimpleNamespace(provenance={"images": images})
    assert ModelEntry("run", SimpleNamespace(info=info), Path("run")).material == material
