"""Images with the options that go with them."""

import numpy as np
import pytest
from PIL import Image

from napari_slicegan.cli.images import read_training_data
from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.errors import DataError
from tests.cli.conftest import blobs, write


def test_the_size_comes_from_the_file(image):
    data = read_training_data([str(image)])
    assert (data.kind, data.phases, data.names) == (OutputKind.PHASES, (0, 255), ("image.tif",))
    assert (data.pixel_size, data.unit) == (0.5, "um")
    np.testing.assert_array_equal(data.sources[0][0] * 255, blobs((24, 40)))


def test_a_stated_size_wins_and_its_unit_becomes_a_standard_one(image):
    data = read_training_data([str(image)], size=(2.0, "micron"))
    assert (data.pixel_size, data.unit) == (2.0, "um")


def test_without_any_size_a_pixel_is_a_pixel():
    data = read_training_data([str(write("a.tif", blobs((20, 20))))])
    assert (data.pixel_size, data.unit) == (1.0, "pixel")


def test_files_agree_across_units_and_those_without_a_size_follow():
    paths = [
        write("a.tif", blobs((20, 20))),
        write("b.tif", blobs((20, 20)), 0.5, "um"),
        write("c.tif", blobs((20, 20)), 500.0, "nm"),
    ]
    data = read_training_data([str(path) for path in paths])
    assert (data.pixel_size, data.unit) == (0.5, "um")


def test_different_sizes_are_refused_unless_one_is_stated():
    paths = [str(write("a.tif", blobs((20, 20)), 0.5)), str(write("b.tif", blobs((20, 20)), 0.4))]
    with pytest.raises(DataError, match=r"a\.tif 0\.5 um, b\.tif 0\.4 um.*--pixel-size and --unit"):
        read_training_data(paths)
    assert read_training_data(paths, size=(3, "nm")).pixel_size == 3


def test_two_images_take_the_axis(image):
    assert read_training_data([str(image)] * 2, axis="x").axis == "x"


@pytest.mark.parametrize("shape", [(24, 40), (5, 24, 40), (24, 40, 3), (5, 24, 40, 3)])
def test_a_crop_is_of_rows_and_columns_without_its_end(shape):
    array = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    path = write("a.tif", array)
    if shape[-1] == 3:
        data = read_training_data([str(path)], "colour", crop=(1, 2, 21, 40))
        expected = array[..., 1:21, 2:40, :]
    else:
        data = read_training_data([str(path)], "grey", crop=(1, 2, 21, 40))
        expected = array[..., 1:21, 2:40, None]
    stack = data.sources[0] if len(expected) != 20 else data.sources[0][0]
    np.testing.assert_array_equal(stack, expected)


@pytest.mark.parametrize("crop", [(-1, 0, 10, 10), (0, 0, 25, 10), (0, 0, 10, 41), (5, 0, 5, 10), (0, 9, 10, 3)])
def test_a_crop_outside_is_refused_with_what_is_possible(image, crop):
    with pytest.raises(DataError, match=r"0 <= Y0 < Y1 <= 24 and 0 <= X0 < X1 <= 40"):
        read_training_data([str(image)], crop=crop)


def test_a_part_is_cut_out_before_it_is_shrunk():
    write("a.tif", np.arange(64, dtype=np.uint8).reshape(8, 8))
    data = read_training_data(["a.tif"], crop=(2, 2, 6, 6), size=(0.5, "um"), shrink=2)
    np.testing.assert_array_equal(data.sources[0][0, ..., 0], [[22, 24], [38, 40]])
    assert data.pixel_size == 1.0


def test_phases_stored_as_colour_are_phases():
    Image.fromarray(np.repeat(blobs((20, 20))[..., None], 3, axis=-1)).save("a.png")
    data = read_training_data(["a.png"])
    assert (data.kind, data.phases) == (OutputKind.PHASES, (0, 255))


def test_grey_stored_as_colour_is_grey():
    grey = np.random.default_rng(0).integers(0, 255, (20, 20), dtype=np.uint8)
    Image.fromarray(np.repeat(grey[..., None], 3, axis=-1)).save("a.png")
    data = read_training_data(["a.png"])
    assert data.kind is OutputKind.GREY
    np.testing.assert_array_equal(data.sources[0][0, ..., 0], grey)


def test_colour_stays_colour_and_is_no_stack_of_phases():
    Image.fromarray(np.random.default_rng(0).integers(0, 2, (20, 20, 3), dtype=np.uint8)).save("a.png")
    assert read_training_data(["a.png"]).kind is OutputKind.COLOUR
    with pytest.raises(DataError, match=r"a\.png is in colour"):
        read_training_data(["a.png"], "phases")
