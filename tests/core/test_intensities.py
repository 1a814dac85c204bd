"""Histograms, gradients and local binary patterns against definitions written out, and their sums over boxes."""

import numpy as np
import pytest
from skimage.filters import sobel_h, sobel_v

from napari_slicegan.core.statistics.intensities import (
    GRADIENT_EDGES,
    STEEPEST,
    IntensitySums,
    cumulative,
    intensity_sums,
)


def whole(planes: np.ndarray) -> IntensitySums:
    return intensity_sums(planes, tuple(slice(0, size) for size in planes.shape[:3]))


def noise(*shape: int, levels: int = 256) -> np.ndarray:
    return np.random.default_rng(3).integers(0, levels, shape, dtype=np.uint8)


def pattern(window: np.ndarray) -> int:
    """The definition, one neighbourhood (3, 3) at a time."""
    ring = np.concatenate([window[0], window[1:, 2], window[2, 1::-1], window[1, :1]]) >= window[1, 1]
    runs = sum(here != before for here, before in zip(ring, np.roll(ring, 1), strict=True))
    return int(ring.sum()) if runs <= 2 else 9


@pytest.mark.parametrize("channels", [1, 3])
def test_boxes_add_up_to_the_whole_exactly(channels):
    planes = noise(5, 21, 30, channels, levels=9)
    cuts = ([0, 2, 5], [0, 1, 9, 21], [0, 13, 14, 30])
    boxes = [
        (slice(*n), slice(*y), slice(*x))
        for n in zip(cuts[0], cuts[0][1:], strict=False)
        for y in zip(cuts[1], cuts[1][1:], strict=False)
        for x in zip(cuts[2], cuts[2][1:], strict=False)
    ]
    parts = [intensity_sums(planes, box) for box in boxes]
    for total, *pieces in zip(whole(planes), *parts, strict=True):
        np.testing.assert_array_equal(sum(pieces), total)


def test_many_planes_are_counted_a_few_at_a_time(monkeypatch):
    planes = noise(7, 12, 12, 1)
    at_once = whole(planes)
    monkeypatch.setattr("napari_slicegan.core.statistics.intensities._AT_ONCE", 300)
    for few, all_ in zip(whole(planes), at_once, strict=True):
        np.testing.assert_array_equal(few, all_)


def test_levels_are_counted_in_each_channel():
    planes = noise(2, 8, 9, 3)
    for channel, counts in enumerate(whole(planes).levels):
        np.testing.assert_array_equal(counts, np.bincount(planes[..., channel].ravel(), minlength=256))


def test_patterns_follow_their_definition():
    planes = noise(1, 14, 15, 1, levels=4)
    image = planes[0, :, :, 0]
    found = [pattern(image[y - 1 : y + 2, x - 1 : x + 2]) for y in range(1, 13) for x in range(1, 14)]
    np.testing.assert_array_equal(whole(planes).textures, np.bincount(found, minlength=10))


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (np.full((5, 5), 7), {8: 9}),
        (np.arange(5)[:, None] * np.ones((1, 5)), {5: 9}),
        (np.arange(25).reshape(5, 5) % 2 * 9, {8: 5, 9: 4}),  # a bright one sees only the corners as bright
    ],
    ids=["flat", "ramp", "checkerboard"],
)
def test_patterns_of_simple_images(image, expected):
    counts = whole(image[None, ..., None].astype(np.uint8)).textures
    assert {place: count for place, count in enumerate(counts) if count} == expected


def test_gradients_are_those_of_sobel():
    planes = noise(1, 40, 41, 1)
    image = planes[0, :, :, 0].astype(float)
    inside = (slice(1, -1), slice(1, -1))
    magnitude = np.hypot(sobel_h(image)[inside], sobel_v(image)[inside])  # scikit-image divides by 4, over two pixels
    expected, _ = np.histogram(magnitude / 2, GRADIENT_EDGES)
    np.testing.assert_allclose(whole(planes).gradients, expected, atol=2)  # a few lie on an edge, where floats round


def test_a_ramp_has_one_gradient_and_the_steepest_step_is_in_range():
    ramp = np.broadcast_to(np.arange(0, 80, 8, dtype=np.uint8), (10, 10))[None, ..., None]
    counts = whole(ramp).gradients
    bin_of_8 = np.searchsorted(GRADIENT_EDGES, 8) - 1
    assert counts[bin_of_8] == counts.sum() == 64
    corner = np.array([[0, 0, 255], [0, 0, 255], [255, 255, 255]], np.uint8)
    corner[0, 2] = corner[2, 0] = 255
    assert whole(corner[None, ..., None]).gradients.sum() == 1
    assert GRADIENT_EDGES[-1] == STEEPEST > np.hypot(127.5, 127.5)


def test_grey_in_three_channels_is_that_grey():
    grey = noise(1, 16, 16, 1)
    colour = np.repeat(grey, 3, axis=-1)
    np.testing.assert_array_equal(whole(colour).textures, whole(grey).textures)
    np.testing.assert_array_equal(whole(colour).gradients, whole(grey).gradients)


@pytest.mark.parametrize(("bright", "dark"), [(1, 0), (0, 2)])
def test_green_is_brighter_than_red_and_red_than_blue(bright, dark):
    image = np.zeros((1, 3, 3, 3), np.uint8)
    image[..., dark] = 255
    image[0, 1, 1] = np.roll((255, 0, 0), bright)
    assert whole(image).textures[0] == 1


def test_a_line_of_pixels_has_levels_only():
    sums = whole(noise(1, 1, 9, 1))
    assert sums.levels.sum() == 9
    assert sums.gradients.sum() == sums.textures.sum() == 0


def test_cumulative_shares_end_at_one():
    np.testing.assert_array_equal(cumulative([[1, 0, 3], [2, 2, 0]]), [[0.25, 0.25, 1], [0.5, 1, 1]])
    assert np.isnan(cumulative([0, 0])).all()
