"""Crops that are, on average, like the image that they come from."""

import numpy as np
import pytest
import torch

from napari_slicegan.core.choices import Crops, Symmetry
from napari_slicegan.core.crops import CropSampler
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.representative import LEAST, balanced, crop_means, representative_weights
from tests.core.conftest import blobs


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def phases_with_a_rare_border() -> np.ndarray:
    """Three phases; the last is rough, and more frequent near the border."""
    image = blobs((96, 80), 2)
    frame = np.ones(image.shape, bool)
    frame[12:-12, 12:-12] = False
    random = np.random.default_rng(0)
    image[(random.random(image.shape) < 0.3) & frame] = 2
    image[(random.random(image.shape) < 0.1) & ~frame] = 2
    return image


def changes(images: np.ndarray, axis: int) -> np.ndarray:
    """Share of steps along an axis at which each phase begins or ends, of one-hot images (N, C, H, W)."""
    return (np.diff(images, axis=2 + axis) != 0).mean((0, 2, 3))


def test_means_are_those_that_are_wanted_by_weights_that_are_almost_alike():
    found = np.random.default_rng(0).normal(size=(5000, 3)) * [1, 5, 0.1] + [0, 10, 0]
    wanted = np.array([0.2, 9, 0.01])
    weights = balanced(found, wanted)
    assert weights.sum() == pytest.approx(1)
    assert (weights > 0).all()
    np.testing.assert_allclose((weights @ found - wanted) / found.std(axis=0), 0, atol=0.005)
    assert 0.85 < 1 / np.square(weights).sum() / len(weights) < 1
    # Of one normal number the best weights are exponentials of it.
    one = balanced(found[:, :1], wanted[:1])
    tilted = np.exp(np.polyfit(found[:, 0], np.log(one), 1)[0] * found[:, 0])
    np.testing.assert_allclose(one, tilted / tilted.sum(), rtol=1e-6)


@pytest.mark.parametrize("wanted", [50.0, -1e6])
def test_what_no_weights_give_is_approached_by_many_crops(wanted):
    found = np.random.default_rng(0).normal(size=(1000, 1))
    weights = balanced(found, np.array([wanted]))
    assert 1 / np.square(weights).sum() >= LEAST * len(weights)
    assert 0 < (weights @ found)[0] / wanted < 1


def test_crops_that_are_all_alike_count_alike():
    assert balanced(np.ones((4, 2)), np.array([0.0, 3.0])) == pytest.approx([0.25] * 4)


@pytest.mark.parametrize("symmetry", [Symmetry.NONE, Symmetry.ROTATE])
def test_crops_have_the_fractions_and_the_surfaces_of_the_image(symmetry):
    image = phases_with_a_rare_border()
    data = TrainingData.from_labels(image)
    crops = CropSampler(data, 24, symmetry, Crops.REPRESENTATIVE).draw(0, 20_000, rng()).numpy()
    whole = np.stack([image == phase for phase in range(3)])[None].astype(np.float32)
    np.testing.assert_allclose(crops.mean((0, 2, 3)), whole.mean((0, 2, 3)), atol=0.003)
    wanted = [changes(whole, axis) for axis in range(2)]
    if symmetry is Symmetry.ROTATE:
        wanted = [np.mean(wanted, axis=0)] * 2
    for axis in range(2):
        np.testing.assert_allclose(changes(crops, axis), wanted[axis], rtol=0.02)
    assert abs((image[12:-12, 12:-12] == 2).mean() - (image == 2).mean()) > 0.03  # what crops see most often


@pytest.mark.parametrize("kind", ["grey", "colour"])
def test_crops_have_the_mean_and_the_contrast_of_the_image(kind):
    rows, columns = np.indices((90, 90))
    middle = np.hypot(rows - 45, columns - 45) < 30
    noise = np.random.default_rng(0).normal(size=(90, 90))
    grey = (120 + 40 * middle + noise * np.where(middle, 10, 40)).clip(0, 255).astype(np.uint8)
    image = grey if kind == "grey" else np.stack([grey, 255 - grey, grey.T], axis=-1)
    data = TrainingData.from_images(image, kind=kind)
    crops = CropSampler(data, 32, Symmetry.ROTATE, Crops.REPRESENTATIVE).draw(0, 20_000, rng())
    low, high = data.levels
    scaled = ((data.sources[0][0].astype(float) - low) / (high - low)).clip(0, 1)
    np.testing.assert_allclose(crops.mean((0, 2, 3)), scaled.mean((0, 1)), atol=0.003)
    np.testing.assert_allclose(crops.square().mean((0, 2, 3)), (scaled**2).mean((0, 1)), atol=0.003)
    assert abs(grey[middle].mean() - grey.mean()) > 15


def test_only_the_regions_count(monkeypatch):
    """Neither what is in the rest of the image, nor how large that is."""
    monkeypatch.setattr("napari_slicegan.core.crops._MOST_PIXELS", 96 * 80)
    part, image = phases_with_a_rare_border()[:, :40], np.zeros((200, 200), np.uint8)
    image[30:126, 70:110] = part
    data = TrainingData.from_images(image, kind="phases", regions=(((30, 70, 126, 110),),))
    crops = CropSampler(data, 24, Symmetry.NONE, Crops.REPRESENTATIVE).draw(0, 20_000, rng())
    wanted = [(part == phase).mean() for phase in range(3)]
    np.testing.assert_allclose(crops.mean((0, 2, 3)), wanted, atol=0.004)


def test_places_of_every_image_of_a_stack_have_weights():
    stack = np.stack([blobs((40, 40), seed=seed) for seed in range(3)])
    data = TrainingData.from_labels(blobs((40, 40)))
    object.__setattr__(data, "sources", (stack,))
    places = np.array([(n, y, x) for n in range(3) for y in range(25) for x in range(25)])
    weights = representative_weights(data, 0, places, 16, True)
    means = [stack[n, y : y + 16, x : x + 16].mean() for n, y, x in places]
    assert weights @ means == pytest.approx(stack.mean(), abs=0.001)


@pytest.mark.parametrize("kind", [bool, np.float32])
def test_means_of_crops_are_those_of_two_sums_bit_for_bit(kind):
    random = np.random.default_rng(0)
    field = random.random((3, 40, 50)).astype(np.float32)
    field = field > 0.4 if kind is bool else field
    places = np.column_stack([random.integers(0, size, 200) for size in (3, 40 - 15, 50 - 15)])
    sums = np.zeros((3, 41, 51), np.int64 if kind is bool else np.float64)
    np.cumsum(field.cumsum(axis=1, dtype=sums.dtype), axis=2, out=sums[:, 1:, 1:])
    n, y, x = places.T
    means = (sums[n, y + 16, x + 16] - sums[n, y, x + 16] - sums[n, y + 16, x] + sums[n, y, x]) / 16**2
    np.testing.assert_array_equal(crop_means(field, places, 16, 16), means)
    np.testing.assert_allclose(means, [field[n, y : y + 16, x : x + 16].mean() for n, y, x in places], rtol=1e-6)


def test_crops_are_the_same_each_time():
    data = TrainingData.from_labels(phases_with_a_rare_border())
    one, other = (CropSampler(data, 24, Symmetry.ROTATE, Crops.REPRESENTATIVE).draw(0, 20, rng()) for _ in range(2))
    assert torch.equal(one, other)
