"""Which image lies on which face of the drawing, and how it is turned."""

from dataclasses import replace

import dask.array
import numpy as np
import pytest
from napari.layers import Image, Labels
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtGui import QImage

from napari_slicegan.plugin.images.axes_cube import AxesCube, faces_of, picture
from napari_slicegan.plugin.layers import LayerImage, image_of
from napari_slicegan.plugin.painting import painted
from napari_slicegan.plugin.phases import set_colour

EDGE = 16
RNG = np.random.default_rng(0)


def ramp(down: bool, level: int) -> LayerImage:
    """An image that brightens down its rows, or along its columns, in one of three colours."""
    values = np.arange(EDGE) * 16
    image = np.broadcast_to(values[:, None] if down else values, (EDGE, EDGE))
    return image_of(Image(image, colormap=("red", "green", "blue")[level], contrast_limits=(0, 255)))


def brightens(face: QImage | None) -> tuple[str, str]:
    """Along what a face brightens, and its colour."""
    assert face is not None
    last = face.width() - 1
    pixels = {name: face.pixelColor(*place) for name, place in (("rows", (0, last)), ("columns", (last, 0)))}
    name = max(pixels, key=lambda key: pixels[key].lightness())
    colour = pixels[name]
    parts = {"red": colour.red(), "green": colour.green(), "blue": colour.blue()}
    return name, max(parts, key=lambda key: parts[key])


def test_three_images_lie_as_they_are():
    faces = faces_of([ramp(True, 0), ramp(True, 1), ramp(False, 2)], "z")
    assert {name: brightens(face) for name, face in faces.items()} == {
        "z": ("rows", "red"),
        "y": ("rows", "green"),
        "x": ("columns", "blue"),
    }


@pytest.mark.parametrize(
    ("axis", "turned"),
    [
        ("z", {"y": "rows", "x": "rows"}),  # of both z is down the rows
        ("y", {"z": "rows", "x": "columns"}),  # y is down the rows of (y, x), along the columns of (z, y)
        ("x", {"z": "columns", "y": "columns"}),
    ],
)
def test_the_side_view_has_the_special_axis_where_the_face_has_it(axis: str, turned: dict[str, str]):
    faces = faces_of([ramp(False, 0), ramp(True, 1)], axis)
    assert brightens(faces.pop(axis)) == ("columns", "red")
    assert {name: brightens(face) for name, face in faces.items()} == {
        name: (way, "green") for name, way in turned.items()
    }


def test_missing_images_leave_their_faces_empty(qtbot):
    cube = AxesCube()
    qtbot.addWidget(cube)
    cube.resize(300, 190)
    cube.show_images([ramp(True, 0), None], "x")
    assert [name for name, face in cube.faces.items() if face is None] == ["z", "y"]
    assert not cube.isHidden()
    drawn = cube.grab().toImage()
    assert len({drawn.pixel(x, y) for x in range(0, 300, 5) for y in range(0, 190, 5)}) > 5
    cube.show_images([ramp(True, 0)])
    assert cube.isHidden()


def test_a_stack_shows_its_own_slices(qtbot):
    cube = AxesCube()
    qtbot.addWidget(cube)
    stack = np.zeros((EDGE, EDGE, EDGE), np.uint8)
    stack[0], stack[1:, -1], stack[1:, :-1, -1] = 80, 160, 240
    cube.show_images([image_of(Image(stack, contrast_limits=(0, 255)))])
    levels = {name: face.pixelColor(3, 3).red() for name, face in cube.faces.items() if face}
    assert levels == {"z": 80, "y": 160, "x": 240}


def test_pictures_are_small_squares_in_the_colours_of_the_layer():
    table = {1: "#ff0000", 2: "#0000ff", None: "transparent"}
    labels = Labels(
        np.repeat([[1, 2]], 500, axis=0).repeat(400, axis=1), colormap=DirectLabelColormap(color_dict=table)
    )
    image = image_of(labels)
    face = picture(image, image.array)
    assert face is not None
    assert face.width() == face.height() <= 128
    assert [face.pixelColor(x, 5).name() for x in (0, face.width() - 1)] == ["#ff0000", "#0000ff"]
    colour = np.zeros((8, 8, 3), np.uint8) + np.array([1, 2, 3], np.uint8)
    rgb = image_of(Image(colour, rgb=True))
    assert picture(rgb, rgb.array).pixelColor(0, 0).name() == "#010203"
    lazy = replace(image, array=dask.array.from_array(image.array))
    assert picture(lazy, lazy.array) is None


def test_colours_that_were_chosen_for_grey_phases_are_painted():
    layer = Image(np.repeat([[0, 255]], 8, axis=0).repeat(4, axis=1).astype(np.uint8), contrast_limits=(0, 255))
    set_colour(layer, 255, "#12ab34", {})
    image = image_of(layer)
    face = picture(image, image.array)
    assert [face.pixelColor(x, 5).name() for x in (0, 7)] == ["#000000", "#12ab34"]


def test_very_many_labels_are_painted_too():
    plane = np.arange(64 * 64).reshape(64, 64)
    colours = painted(plane, image_of(Labels(plane)).look)
    assert colours.shape == (64, 64, 4)
    assert colours[0, 0, 3] == 0
    assert (colours[1:, :, 3] == 255).all()


def test_colours_from_0_to_1_are_those_in_bytes():
    colours = RNG.integers(0, 256, (4, 5, 3), np.uint8)
    np.testing.assert_allclose(painted(colours / 255, None)[..., :3], colours, atol=1)
    np.testing.assert_array_equal(painted(colours, None), np.dstack([colours, np.full((4, 5), 255, np.uint8)]))


def test_what_is_mapped_from_a_file_is_not_drawn(tmp_path):
    np.save(tmp_path / "v.npy", np.zeros((16, 16, 16), np.uint8))
    image = image_of(Image(np.load(tmp_path / "v.npy", mmap_mode="r"), contrast_limits=(0, 1)), copy=False)
    assert picture(image, image.array[0]) is None
