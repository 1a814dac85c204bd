"""Training on rectangles of an image: nothing outside of them counts, every pixel in them is seen about as often."""

from collections import Counter

import numpy as np
import pytest
import torch

from napari_slicegan.core import crops as crops_module
from napari_slicegan.core.choices import Crops, OutputKind, Symmetry
from napari_slicegan.core.crops import CropSampler
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError
from tests.core.conftest import blobs

TWO = ((0, 0, 20, 24), (30, 10, 48, 28))


def micrograph() -> np.ndarray:
    """Two phases above, and a data bar with many other values below."""
    image = blobs((60, 40)) * 3 + 2
    image[50:] = np.arange(10 * 40).reshape(10, 40) % 200
    return image.astype(np.uint8)


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_phases_outside_of_the_regions_are_none():
    image = micrograph()
    assert TrainingData.from_images(image).kind is OutputKind.GREY
    data = TrainingData.from_images(image, regions=[TWO])
    assert (data.kind, data.phases, data.regions) == (OutputKind.PHASES, (2, 5), (TWO,))
    assert [piece.shape for piece in data.pieces(0)] == [(1, 20, 24), (1, 18, 18)]
    for piece, (top, left, bottom, right) in zip(data.pieces(0), TWO, strict=True):
        np.testing.assert_array_equal(np.array(data.phases)[piece[0]], image[top:bottom, left:right])
    assert data.sources[0].max() == 1
    assert "2 regions of 20 x 24, 18 x 18" in data.summary


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_levels_are_those_of_the_regions(dtype: type):
    image = np.random.default_rng(0).integers(20, 120, (60, 40)).astype(dtype)
    image[50:] = 255
    if dtype is np.float32:
        image[55] = np.nan
    data = TrainingData.from_images(image, kind="grey", regions=[TWO])
    inside = CropSampler(data, 16, Symmetry.NONE).draw(0, 50, rng())
    assert (inside.min(), inside.max()) == (0, 1)
    assert inside.std() > 0.25


def test_levels_are_not_those_of_a_large_rest():
    image = np.random.default_rng(0).random((400, 400))
    part = TrainingData.from_images(image[:20, :24])
    data = TrainingData.from_images(image, regions=[((0, 0, 20, 24),)])
    np.testing.assert_array_equal(next(data.pieces(0)), part.sources[0])


def test_colour_has_regions_as_well():
    image = np.random.default_rng(0).integers(0, 200, (60, 40, 3), np.uint8)
    data = TrainingData.from_images(image, regions=[TWO])
    assert [piece.shape for piece in data.pieces(0)] == [(1, 20, 24, 3), (1, 18, 18, 3)]


def test_every_pixel_of_large_regions_is_seen_about_as_often(monkeypatch):
    monkeypatch.setattr(crops_module, "_MOST_PIXELS", 0)
    regions, size = ((0, 0, 60, 64), (70, 10, 160, 80), (100, 90, 118, 108)), 16
    numbers = np.arange(160 * 128).reshape(160, 128)
    source = np.stack([numbers // 256, numbers % 256, numbers % 256], axis=-1).astype(np.uint8)
    data = TrainingData(OutputKind.COLOUR, (source[None],), regions=(regions,))
    sampler = CropSampler(data, size, Symmetry.NONE, Crops.REPRESENTATIVE)
    crops = (sampler.draw(0, 40_000, rng())[:, :, 0, 0] * 255).round().int()
    seen = np.zeros(numbers.shape)
    for number, times in Counter((256 * crops[:, 0] + crops[:, 1]).tolist()).items():
        y, x = divmod(number, 128)
        seen[y : y + size, x : x + size] += times
    inside = np.zeros(numbers.shape, bool)
    for top, left, bottom, right in regions:
        inside[top:bottom, left:right] = True
    assert np.all(seen[inside] > 0)
    assert np.all(seen[~inside] == 0)
    for top, left, bottom, right in regions:
        means = seen[top:bottom, left:right] / seen[inside].mean()
        assert means.mean() == pytest.approx(1, abs=0.05)
        border = means.copy()
        border[size:-size, size:-size] = np.nan
        assert np.nanmean(border) == pytest.approx(1, abs=0.1)  # 0.8 were every place of a crop as likely


def test_uniform_crops_come_from_every_place_of_the_regions_as_often():
    regions, size = ((0, 0, 20, 24), (30, 10, 48, 28)), 16
    numbers = np.arange(50 * 30).reshape(50, 30)
    source = np.stack([numbers // 256, numbers % 256, numbers % 256], axis=-1).astype(np.uint8)
    data = TrainingData(OutputKind.COLOUR, (source[None],), regions=(regions,))
    crops = (CropSampler(data, size, Symmetry.NONE).draw(0, 54_000, rng())[:, :, 0, 0] * 255).round().int()
    seen = Counter((256 * crops[:, 0] + crops[:, 1]).tolist())
    places = [(y, x) for y in range(5) for x in range(9)] + [(y, x) for y in range(30, 33) for x in range(10, 13)]
    assert set(seen) == {30 * y + x for y, x in places}
    assert all(850 < times < 1150 for times in seen.values())


def test_the_fingerprint_knows_the_regions():
    image = micrograph()
    prints = {
        TrainingData.from_images(image, kind="grey", regions=regions).fingerprint
        for regions in ((), [TWO], [TWO[:1]], [()])
    }
    assert len(prints) == 3  # no regions of one image are no regions
    source = TrainingData.from_images(blobs((60, 40))).sources
    same = {TrainingData(OutputKind.PHASES, source, (0, 1), regions=regions).fingerprint for regions in ((), (TWO,))}
    assert len(same) == 2


def test_a_region_that_is_smaller_than_a_crop_is_refused():
    data = TrainingData.from_images(micrograph(), regions=[TWO])
    with pytest.raises(DataError, match=r"A region of 18 x 18 pixels is smaller than the 19 x 19.*draw it larger"):
        CropSampler(data, 19, Symmetry.NONE)


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        ([((0, 0, 61, 40),)], "not within the image of 60 x 40"),
        ([((5, 5, 5, 40),)], "not within"),
        ([((-1, 0, 20, 20),)], "not within"),
        ([((0, 0, 20),)], "whole pixels"),
        ([((0, 0, 20.5, 20),)], "whole pixels"),
        ([TWO, TWO], "regions for 2 images"),
    ],
)
def test_regions_that_are_none(regions: list, words: str):
    with pytest.raises(DataError, match=words):
        TrainingData.from_images(micrograph(), regions=regions)


def test_a_stack_has_no_regions():
    with pytest.raises(DataError, match="crop the stack"):
        TrainingData.from_images(blobs((20, 20, 20)), regions=[((0, 0, 18, 18),)])


@pytest.mark.parametrize("region", [(-1, 0, 60, 40), (0, -1, 60, 40), (0, 0, 61, 40), (0, 0, 60, 41)])
def test_no_edge_of_a_region_lies_outside_of_the_image(region: tuple[int, ...]):
    assert TrainingData.from_images(micrograph(), regions=[((0, 0, 60, 40),)]).regions == (((0, 0, 60, 40),),)
    with pytest.raises(DataError, match="not within the image"):
        TrainingData.from_images(micrograph(), regions=[(region,)])
