"""From layers to images and back; no window is needed."""

from __future__ import annotations

import dask.array
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap

from napari_slicegan.core.config import NetworkConfig, OutputKind
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.plugin.layers import Look, image_of, look_at, training_data
from napari_slicegan.plugin.volume_layers import label_colormap, volume_layer
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
    assert look_at([image_of(layer, copy=False)], "auto", 16)


def test_the_calibration_of_the_layer_is_kept():
    layer = Image(GREY, scale=(0.4, 0.4), units="micrometer", name="a")
    data = training_data([image_of(layer)])
    assert (data.pixel_size, data.unit, data.names) == (0.4, "um", ("a",))
    assert look_at([image_of(layer)], "auto", 16) == "grey · 0.4 µm/px · 32 x 40"


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
    for check in (lambda: training_data(images), lambda: look_at(images, "auto", 16)):
        with pytest.raises(DataError, match="resample them to one pixel size"):
            check()


def test_a_stack_is_as_small_as_its_shortest_edge():
    with pytest.raises(DataError, match="8 x 64"):
        look_at([image_of(Image(np.zeros((8, 64, 64))))], "auto", 16)


def test_a_large_image_is_only_sampled(monkeypatch: pytest.MonkeyPatch):
    seen = []
    from napari_slicegan.plugin import layers

    monkeypatch.setattr(layers, "SAMPLE", 2**10)
    original = layers.TrainingData.from_images
    monkeypatch.setattr(
        layers.TrainingData, "from_images", lambda image, **more: seen.append(image.size) or original(image, **more)
    )
    rare = np.zeros((512, 512), np.uint8)
    rare[1, 1] = 1  # between the pixels that are looked at
    assert "checked when it is used" in look_at([image_of(Labels(rare))], "phases", 16)
    assert max(seen) <= 2**10
    seen.clear()
    assert look_at([image_of(Labels(np.kron(two_phases(), np.ones((16, 16), np.uint8))))], "auto", 16).startswith(
        "2 ph"
    )


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
    assert layer.metadata == {"napari-slicegan": {"seed": 3}}


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
