"""From shapes to regions of pixels, wherever the two layers lie."""

import numpy as np
import pytest
from napari.layers import Image, Shapes

from napari_slicegan.core.errors import DataError
from napari_slicegan.plugin.images.shape_regions import regions_in

IMAGE = np.zeros((60, 80), np.uint8)


def rectangle(top: float, left: float, bottom: float, right: float, plane: float | None = None) -> np.ndarray:
    corners = np.array([[top, left], [top, right], [bottom, right], [bottom, left]], float)
    return corners if plane is None else np.insert(corners, 0, plane, axis=1)


def shapes(*data: np.ndarray, shape_type: str | list[str] = "rectangle", **details) -> Shapes:
    return Shapes(list(data), shape_type=shape_type, name="drawn", **details)


def test_pixels_whose_centres_are_inside_belong_to_it():
    found, note = regions_in(shapes(rectangle(9.6, 4, 20.3, 30.5)), Image(IMAGE))
    assert found == ((10, 4, 21, 31),)
    assert note == ""


def test_several_rectangles_are_clipped_to_the_image():
    found, _ = regions_in(shapes(rectangle(-10, -5, 20, 30), rectangle(40, 50, 100, 200)), Image(IMAGE))
    assert found == ((0, 0, 21, 31), (40, 50, 60, 80))


@pytest.mark.parametrize(
    ("drawn", "image", "finer"),
    [
        ({}, {}, 1),
        ({"scale": (2, 2), "translate": (5, -3)}, {"scale": (2, 2), "translate": (5, -3)}, 1),
        ({"scale": (1, 1)}, {"scale": (0.5, 0.5)}, 2),
        ({"scale": (2, 2), "translate": (4, 4)}, {"translate": (4, 4)}, 2),
    ],
)
def test_scale_and_translation_of_both_layers_count(drawn: dict, image: dict, finer: int):
    layer = Image(np.zeros((60 * finer, 80 * finer)), **image)
    found, _ = regions_in(shapes(rectangle(10, 20, 30, 40), **drawn), layer)
    assert found == ((10 * finer, 20 * finer, 30 * finer + 1, 40 * finer + 1),)


@pytest.mark.parametrize(("convert", "expected"), [(True, (10, 20, 31, 41)), (False, (0, 0, 1, 1))])
def test_units_are_converted_as_the_viewer_does(convert: bool, expected: tuple[int, ...]):
    layer = shapes(rectangle(10, 20, 30, 40) if convert else rectangle(0, 0, 300, 400), units="nm")
    if convert:
        layer.scale = (500, 500)
    image = Image(IMAGE, scale=(0.5, 0.5) if convert else (1000, 1000), units="um")
    assert regions_in(layer, image, convert=convert)[0] == (expected,)


def test_a_mirrored_image_is_still_upright():
    found, _ = regions_in(shapes(rectangle(-30, 20, -10, 40)), Image(IMAGE, scale=(-1, 1)))
    assert found == ((10, 20, 31, 41),)


def test_shapes_on_a_stack_count_in_its_planes():
    stack = Image(np.zeros((20, 60, 80), np.uint8))
    assert regions_in(shapes(rectangle(10, 20, 30, 40, plane=7)), stack)[0] == ((10, 20, 31, 41),)


def test_other_shapes_stand_for_the_rectangle_around_them():
    triangle = np.array([[10, 20], [30, 30], [10, 40]])
    found, note = regions_in(shapes(triangle, shape_type="polygon"), Image(IMAGE))
    assert found == ((10, 20, 31, 41),)
    assert note == "1 shape stands for the rectangle around it"
    turned = np.array([[10, 20], [20, 30], [30, 20], [20, 10]])
    assert "1 shape" in regions_in(shapes(turned), Image(IMAGE))[1]


def test_what_lies_outside_is_left_out():
    inside, outside = rectangle(10, 20, 30, 40), rectangle(100, 100, 120, 120)
    found, note = regions_in(shapes(inside, outside, inside), Image(IMAGE))
    assert found == ((10, 20, 31, 41),)
    assert note == "1 outside of the image left out"


@pytest.mark.parametrize(
    ("layer", "image", "words"),
    [
        (Shapes(name="drawn"), Image(IMAGE), "Draw a rectangle in the layer drawn"),
        (shapes(rectangle(100, 0, 110, 10)), Image(IMAGE, name="photo"), "not on photo"),
        (shapes(rectangle(0, 0, 20, 20), rotate=30), Image(IMAGE), "drawn is rotated"),
        (shapes(rectangle(0, 0, 20, 20)), Image(IMAGE, shear=[0.3], name="photo"), "photo is rotated or sheared"),
        (shapes(rectangle(0, 0, 20, 20)), Image(IMAGE, affine=np.diag([2, 2, 1]), name="photo"), "photo is rotated"),
    ],
)
def test_shapes_that_give_no_region(layer: Shapes, image: Image, words: str):
    with pytest.raises(DataError, match=words):
        regions_in(layer, image)
