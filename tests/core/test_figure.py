"""The picture of micrographs beside slices: what is shown where, and at which scale."""

from itertools import pairwise

import numpy as np
import pytest

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.figure import PALETTE, comparison, scale_bar_length
from tests.core.conftest import blobs

COLOURS = np.array(PALETTE, np.uint8)


def panels(sheet, edge: int) -> list[np.ndarray]:
    """The pictures on a sheet, row by row, one pixel for each of their own."""
    pixels = np.asarray(sheet)
    zoom = 384 // edge
    side = edge * zoom
    dark = (pixels != 255).any(axis=-1)
    tops = _starts(dark[:, 48 : 48 + side].all(axis=1), side)
    lefts = _starts(dark[tops[0] : tops[0] + side].all(axis=0), side)
    return [pixels[y : y + side : zoom, x : x + side : zoom] for y in tops for x in lefts]


def _starts(filled: np.ndarray, side: int) -> list[int]:
    """Where runs of at least a panel's side begin."""
    edges = np.flatnonzero(np.diff(np.r_[0, filled.astype(int), 0]))
    return [start for start, end in edges.reshape(-1, 2) if end - start >= side]


def test_one_micrograph_stands_beside_the_middle_planes():
    image, volume = blobs((64, 64)) * 9, blobs((64, 64, 64), seed=1) * 9
    shown = panels(comparison(TrainingData.from_labels(image), volume), 64)
    expected = [image, volume[32], volume[:, 32], volume[:, :, 32]]
    assert len(shown) == 4
    for picture, plane in zip(shown, expected, strict=True):
        np.testing.assert_array_equal(picture, COLOURS[plane // 9])


@pytest.mark.parametrize(("count", "row", "column"), [(1, 0, 4), (3, 1, 3)])
def test_a_plane_at_45_degrees_comes_last(count, row, column):
    z, y, x = np.indices((64, 64, 64))
    volume = np.where(y == x, (z + y) % 2, 2).astype(np.uint8)  # only that plane has the phases 0 and 1
    data = TrainingData.from_labels(*(blobs((64, 64), phases=3, seed=seed) for seed in range(count)))
    pixels = np.asarray(comparison(data, volume, oblique=True))
    top, left = 164 + row * 472, 48 + column * 416
    shown = pixels[top : top + 384 : 6, left : left + 384 : 6]
    along = np.rint(np.arange(90) / 2**0.5).astype(int)[13:77]  # 90 pixels on the diagonal, of which 64 are shown
    np.testing.assert_array_equal(shown, COLOURS[volume[:, along, along]])
    assert not (shown == COLOURS[2]).all(-1).any()


def test_all_are_cut_to_one_size_from_the_middle():
    image, volume = blobs((48, 90)), blobs((64, 64, 64), seed=1)
    shown = panels(comparison(TrainingData.from_labels(image), volume), 48)
    np.testing.assert_array_equal(shown[0], COLOURS[image[:, 21:69]])
    np.testing.assert_array_equal(shown[1], COLOURS[volume[32, 8:56, 8:56]])


def test_micrographs_of_planes_stand_above_these_planes():
    images = [blobs((64, 64), seed=seed) for seed in range(3)]
    volume = blobs((64, 64, 64), seed=4)
    shown = panels(comparison(TrainingData.from_labels(*images), volume), 64)
    for picture, plane in zip(shown, [*images, volume[32], volume[:, 32], volume[:, :, 32]], strict=True):
        np.testing.assert_array_equal(picture, COLOURS[plane])


def test_a_side_view_is_turned_like_the_plane_below_it():
    face, side = blobs((64, 64)), blobs((64, 64), seed=1)
    shown = panels(comparison(TrainingData.from_labels(face, side, axis="y"), blobs((64,) * 3)), 64)
    for picture, plane in zip(shown[:3], [side, face, side.T], strict=True):
        np.testing.assert_array_equal(picture, COLOURS[plane])


@pytest.mark.parametrize("channels", [(), (3,)], ids=["grey", "colour"])
def test_intensities_are_shown_as_they_are(channels):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 250, (64, 64, *channels), dtype=np.uint8)
    volume = rng.integers(0, 250, (64, 64, 64, *channels), dtype=np.uint8)
    shown = panels(comparison(TrainingData.from_images(image), volume), 64)
    for picture, plane in zip(shown, [image, volume[32], volume[:, 32], volume[:, :, 32]], strict=True):
        np.testing.assert_array_equal(picture, plane.reshape(64, 64, -1).repeat(3 // (len(channels) * 2 + 1), axis=-1))


@pytest.mark.parametrize(
    ("extent", "length"), [(100, 20), (60, 20), (51.2, 10), (15, 5), (3, 1), (0.9, 0.2), (6e-3, 2e-3), (384, 100)]
)
def test_scale_bars_have_round_lengths(extent, length):
    assert scale_bar_length(extent) == pytest.approx(length)


@pytest.mark.parametrize(("pixel_size", "length"), [(0.4, 5), (1.0, 20), (30.0, 500)])
def test_the_scale_bar_is_as_long_as_it_says(pixel_size, length):
    data = TrainingData.from_labels(blobs((64, 64)), pixel_size=pixel_size, unit="nm")
    sheet = np.asarray(comparison(data, blobs((64,) * 3)))
    foot = (sheet[-90:] == (28, 33, 43)).all(axis=-1)
    right = sheet.shape[1] - 48
    row = max(foot, key=lambda line: line[right - 20 : right].sum())
    drawn = right - np.flatnonzero(~row[:right])[-1] - 1
    assert drawn == round(length / pixel_size * 6)


def test_the_first_phases_are_told_apart_by_lightness_alone():
    weights = np.array([0.2126, 0.7152, 0.0722])
    light = sorted((COLOURS[:4] / 255) ** 2.2 @ weights)
    assert all(after / before > 1.2 for before, after in pairwise(light))


@pytest.mark.parametrize("names", [(), ("matrix", "fibre")])
def test_the_legend_changes_with_names_and_shares(names):
    data = TrainingData.from_labels(blobs((64, 64)))
    volume = blobs((64,) * 3)
    plain, named = (np.asarray(comparison(data, volume, n)) for n in ((), names))
    assert np.array_equal(plain, named) == (names == ())
    fewer = np.asarray(comparison(data, np.zeros_like(volume)))
    assert not np.array_equal(plain[-80:], fewer[-80:])
