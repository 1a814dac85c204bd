"""From layers to images and back; no window is needed."""

from __future__ import annotations

from dataclasses import replace

import dask.array
import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.plugin.images import finding
from napari_slicegan.plugin.images.finding import look_at, sizes_of, smallest_of
from napari_slicegan.plugin.layers import Look, image_of, training_data
from napari_slicegan.plugin.phases import set_colour, set_name
from napari_slicegan.plugin.volume_layers import label_colormap, volume_layer
from napari_slicegan.plugin.work.worker import Control
from tests.plugin.conftest import two_phases

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 255, (32, 32, 3), np.uint8)
GREY = RNG.integers(0, 255, (32, 40), np.uint8)


@pytest.mark.parametrize(
    ("layer", "kind", "shape"),
    [
        (Labels(two_phases()), OutputKind.PHASES, (1, 32, 32)),
        (Labels(two_phases().astype(np.int64) * 200), OutputKind.PHASES, (1, 32, 32)),
        (Image(two_phases() == 1), OutputKind.PHASES, (1, 32, 32)),
        (Labels(np.stack([two_phases(16, seed) for seed in range(16)])), OutputKind.PHASES, (16, 16, 16)),
        (Image(GREY), OutputKind.GREY, (1, 32, 40, 1)),
        (Image(GREY / 255), OutputKind.GREY, (1, 32, 40, 1)),
        (Image(COLOUR), OutputKind.COLOUR, (1, 32, 32, 3)),
        (Image(np.stack([COLOUR] * 20), rgb=True), OutputKind.COLOUR, (20, 32, 32, 3)),
        (Image([GREY, GREY[::2, ::2]], multiscale=True), OutputKind.GREY, (1, 32, 40, 1)),
        (Image(dask.array.from_array(GREY, chunks=16)), OutputKind.GREY, (1, 32, 40, 1)),
        (Labels(dask.array.from_array(two_phases())), OutputKind.PHASES, (1, 32, 32)),
    ],
)
def test_all_layers_become_training_data(layer: Layer, kind: OutputKind, shape: tuple[int, ...]):
    data = training_data([image_of(layer)])
    assert (data.kind, data.sources[0].shape) == (kind, shape)
    assert look_at([image_of(layer, copy=False)], "auto", Control()).kind is kind


def test_the_calibration_of_the_layer_is_kept():
    layer = Image(GREY, scale=(0.4, 0.4), units="micrometer", name="a")
    data = training_data([image_of(layer)])
    assert (data.pixel_size, data.unit, data.names) == (0.4, "um", ("a",))
    assert sizes_of([image_of(layer)], 16) == "0.4 µm/px · 32 \u00d7 40 px"


def test_the_copy_is_not_painted_on():
    layer = Labels(two_phases())
    image = image_of(layer)
    layer.data[:] = 5
    assert set(np.unique(image.array)) == {1, 2}


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (Image(GREY, scale=(1, 2)), "not square"),
        (Image(np.zeros((20, 20, 20)), scale=(3, 1, 1)), "not square"),
        (Image(np.zeros((2, 2, 20, 20))), "4 dimensions"),
        (Image(np.zeros((20, 20, 3)), rgb=False), "3 pixels wide"),
        (Image(GREY, scale=(1, 1), units="second"), "unit 'second'"),
    ],
)
def test_layers_that_cannot_be_used(layer: Layer, sentence: str):
    with pytest.raises(DataError, match=sentence):
        image_of(layer)


def test_images_of_different_pixel_sizes_are_refused():
    images = [image_of(Labels(two_phases(), scale=(size, size), units="um")) for size in (1, 2)]
    for check in (lambda: training_data(images), lambda: sizes_of(images, 16)):
        with pytest.raises(DataError, match="resample them to one pixel size"):
            check()


def test_a_stack_is_as_small_as_its_shortest_edge():
    with pytest.raises(DataError, match=r"8 \u00d7 64 pixels.*choose Slices: normal to z"):
        sizes_of([image_of(Image(np.zeros((8, 64, 64))))], 16)


def test_regions_lose_the_pixels_that_a_shrunk_one_would_share_with_what_is_outside():
    image = replace(image_of(Image(np.zeros((400, 400), np.uint8))), regions=((0, 0, 300, 300), (331, 333, 395, 397)))
    assert "2 regions" in sizes_of([image], 31, 2)
    with pytest.raises(DataError, match=r"31 x 31 pixels is smaller than the 32 x 32 .*, or shrink it less"):
        sizes_of([image], 32, 2)


def test_the_shortest_side_of_all_that_is_trained_on():
    stack = image_of(Image(np.zeros((20, 64, 80), np.uint8)))
    slices = image_of(Image(np.zeros((20, 64, 80), np.uint8)), slices="z")
    regions = replace(image_of(Image(np.zeros((90, 90), np.uint8))), regions=((0, 0, 50, 60), (10, 60, 80, 85)))
    assert [smallest_of([image]) for image in (stack, slices, regions)] == [20, 64, 25]
    assert smallest_of([stack, regions]) == 20


def test_a_large_image_is_only_sampled(monkeypatch: pytest.MonkeyPatch):
    seen = []
    monkeypatch.setattr(finding, "SAMPLE", 2**10)
    original = finding.TrainingData.from_images
    monkeypatch.setattr(
        finding.TrainingData, "from_images", lambda image, **more: seen.append(image.size) or original(image, **more)
    )
    rare = np.zeros((512, 512), np.uint8)
    rare[1, 1] = 1  # between the pixels that are looked at
    assert "checked when it is used" in look_at([image_of(Labels(rare))], "phases", Control()).text
    assert max(seen) <= 2**10
    seen.clear()
    found = look_at([image_of(Labels(np.kron(two_phases(), np.ones((16, 16), np.uint8))))], "auto", Control())
    assert found.phases == (1, 2)


def info(kind: OutputKind, phases: tuple[int, ...] = ()) -> ModelInfo:
    return ModelInfo(NetworkConfig(output=kind, image_channels=len(phases) or 3), phases, 0.25, "um")


def test_a_volume_of_labels_becomes_a_layer():
    volume = np.zeros((4, 5, 6), np.uint8)
    layer = Layer.create(*volume_layer(volume, info(OutputKind.PHASES, (0, 1)), "name", None, {"seed": 3}))
    assert isinstance(layer, Labels)
    assert layer.data is volume
    np.testing.assert_allclose(layer.scale, 0.25)
    assert [str(unit) for unit in layer.units] == ["micrometer"] * 3
    assert (layer.axis_labels, layer.name) == (("z", "y", "x"), "name")
    assert layer.metadata["napari-slicegan"]["seed"] == 3


def test_four_columns_of_grey_are_not_taken_for_colours():
    layer = Layer.create(*volume_layer(np.zeros((128, 128, 4), np.uint8), info(OutputKind.GREY), "name", None))
    assert (layer.rgb, layer.ndim) == (False, 3)


def test_a_grey_volume_has_the_colormap_of_its_image():
    look = image_of(Image(GREY, colormap="magma")).look
    layer = Layer.create(*volume_layer(np.zeros((8, 8, 8), np.uint8), info(OutputKind.GREY), "name", look))
    assert layer.colormap.name == "magma"


def test_phases_have_the_colours_of_a_labels_layer():
    source = Labels(two_phases(), colormap=DirectLabelColormap(color_dict={1: "red", 2: "blue", None: "white"}))
    colormap = label_colormap(image_of(source).look, (1, 2))
    np.testing.assert_allclose(colormap.color_dict[2], (0, 0, 1, 1))
    cyclic = Labels(two_phases())
    cyclic.show_selected_label = True
    colormap = label_colormap(image_of(cyclic).look, (1, 2))
    np.testing.assert_allclose(colormap.color_dict[2], Labels(two_phases()).get_color(2))


def test_phases_have_the_colours_of_an_image_layer():
    source = Image(two_phases(values=(0, 255)), colormap="green")
    colormap = label_colormap(image_of(source).look, (0, 255))
    np.testing.assert_allclose(colormap.color_dict[255], (0, 1, 0, 1))
    assert colormap.color_dict[0][3] == 0


def test_a_look_of_nothing_keeps_the_colours_of_napari():
    _, details, _ = volume_layer(np.zeros((4, 4, 4), np.uint8), info(OutputKind.PHASES, (0, 1)), "name", Look())
    assert "colormap" not in details


def test_calibrated_layers_beside_each_other_keep_the_units_of_the_viewer():
    viewer = ViewerModel()
    viewer.add_layer(Labels(two_phases(), scale=(0.25, 0.25), units="um"))
    viewer.add_layer(
        Layer.create(*volume_layer(np.ones((8, 8, 8), np.uint8), info(OutputKind.PHASES, (0, 1)), "a", None))
    )
    assert {str(unit) for unit in viewer.layers.extent.units} == {"micrometer"}


@pytest.mark.parametrize(("size", "same"), [(400, True), (400.2, True), (402, False), (0.4, False)])
def test_pixel_sizes_in_other_units_are_compared_as_lengths(size: float, same: bool):
    images = [image_of(Image(GREY, scale=(edge,) * 2, units=unit)) for edge, unit in ((0.4, "um"), (size, "nm"))]
    if same:
        assert training_data(images).pixel_size == 0.4
        return
    with pytest.raises(DataError, match="resample them to one pixel size"):
        training_data(images)


def test_a_known_pixel_size_differs_from_an_unknown_one():
    with pytest.raises(DataError, match="resample them"):
        training_data([image_of(Image(GREY, units="um")), image_of(Image(GREY))])


REGIONS = ((2, 4, 20, 24), (10, 16, 28, 36))


def test_regions_are_cut_out_of_what_is_read():
    image = replace(image_of(Image(GREY, name="a")), regions=REGIONS)
    cut = image.cut()
    np.testing.assert_array_equal(cut.array, GREY[2:28, 4:36])
    assert cut.regions == ((0, 0, 18, 20), (8, 12, 26, 32))
    data = training_data([image])
    assert data.regions == (cut.regions,)
    assert data.names == ("a, 2 regions",)
    assert sizes_of([image], 16) == "pixel size unknown · 2 regions, 18 \u00d7 20, 18 \u00d7 20 px"


def test_one_region_is_an_image_of_its_own():
    lazy = Image(dask.array.from_array(GREY, chunks=16), name="a")
    image = replace(image_of(lazy), regions=REGIONS[:1])
    data = training_data([image])
    assert (data.regions, data.sources[0].shape) == ((), (1, 18, 20, 1))
    assert data.names == ("a, rows 2 to 20, columns 4 to 24",)
    assert sizes_of([image], 16).endswith("1 region, 18 \u00d7 20 px")


def test_a_region_of_a_stack_is_one_of_all_its_slices():
    stack = image_of(Labels(np.stack([two_phases(32, seed) for seed in range(16)]), name="a"))
    data = training_data([replace(stack, regions=REGIONS[:1])])
    assert [source.shape for source in data.sources] == [(16, 18, 20), (18, 16, 20), (20, 16, 18)]
    with pytest.raises(DataError, match="takes one region"):
        training_data([replace(stack, regions=REGIONS)])


def test_a_region_that_is_too_small_is_told_from_an_image_that_is():
    image = image_of(Image(GREY))
    for regions in (REGIONS, REGIONS[:1]):
        with pytest.raises(DataError, match="A region of 18 x 20 pixels"):
            sizes_of([replace(image, regions=regions)], 24)
    with pytest.raises(DataError, match="An image of 32 x 40"):
        sizes_of([image], 33)


def test_what_lies_outside_of_the_regions_is_not_looked_at():
    barred = two_phases()
    barred[28:] = np.arange(32)
    image = image_of(Labels(barred))
    assert look_at([image], "auto", Control()).kind is OutputKind.GREY
    found = look_at([replace(image, regions=((0, 0, 16, 32), (8, 0, 28, 20)))], "auto", Control())
    assert (found.kind, found.phases) == (OutputKind.PHASES, (1, 2))


@pytest.mark.parametrize(
    "details",
    [
        {"features": pd.DataFrame({"index": [2, 1], "Name": ["pore", "grain"]})},
        {"features": pd.DataFrame({"label": ["background", "grain", "pore"]})},
        {"metadata": {"phase_names": {1: "grain", "2": " pore ", "x": "y", 7: 3}}},
        {"metadata": {"phase_names": ["background", "grain", "pore"]}},
    ],
)
def test_phases_are_called_as_the_layer_calls_them(details: dict):
    data = training_data([image_of(Labels(two_phases(), **details))])
    assert data.phase_names == ("grain", "pore")


def test_phases_without_names_have_none():
    assert training_data([image_of(Labels(two_phases()))]).phase_names == ()
    half = Labels(two_phases(), metadata={"phase_names": {2: "pore"}})
    assert training_data([image_of(half)]).phase_names == ("", "pore")


def test_the_training_knows_the_colours_of_the_layer():
    table = {0: "transparent", 1: "red", 2: "#0080ff", None: "black"}
    layer = Labels(two_phases(), colormap=DirectLabelColormap(color_dict=table))
    assert training_data([image_of(layer)]).phase_colours == ("#ff0000", "#0080ff")
    hollow = Labels(two_phases(values=(0, 2)), colormap=layer.colormap)
    assert training_data([image_of(hollow)]).phase_colours == ("#000000", "#0080ff")
    assert training_data([image_of(Image(COLOUR))]).phase_colours == ()


@pytest.mark.parametrize("kind", [Labels, Image])
def test_a_name_and_a_colour_that_are_changed_stay_with_the_layer(kind: type):
    layer = kind(two_phases(), metadata={"mine": 1})
    set_name(layer, 2, " pore ")
    set_name(layer, 1, "grain")
    set_colour(layer, 2, "#102030", {1: "#ffffff"})
    data = training_data([image_of(layer)])
    assert data.phase_names == ("grain", "pore")
    assert data.phase_colours[1] == "#102030"
    assert layer.metadata["mine"] == 1
    if kind is Labels:
        np.testing.assert_allclose(layer.get_color(2), np.array([16, 32, 48, 255]) / 255, atol=1e-6)
        np.testing.assert_allclose(layer.get_color(1), 1)
    set_name(layer, 2, "")
    assert image_of(layer).names == {1: "grain"}
