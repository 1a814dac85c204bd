"""How discriminators see grey levels and colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_slicegan.core.contrast import VARIANCE, lens_for
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.networks import Discriminator
from napari_slicegan.core.training import Trainer
from tests.core.conftest import small_network
from tests.core.test_training import assert_same, weights

CPU = torch.device("cpu")
GREY = (100 + 20 * np.random.default_rng(0).normal(size=(64, 72))).clip(0, 255).astype(np.uint8)
COLOUR = np.stack([GREY, GREY[::-1] // 2, GREY[:, ::-1]], axis=-1)


@pytest.fixture
def standard(recipe):
    return replace(recipe, contrast="standard")


def all_of(data: TrainingData) -> torch.Tensor:
    """The image as a crop (1, C, H, W) of all of it."""
    low, high = data.levels
    return ((torch.from_numpy(data.sources[0]).movedim(-1, 1).float() - low) / (high - low)).clamp(0, 1)


@pytest.mark.parametrize("image", [GREY, COLOUR])
def test_through_the_lens_micrographs_have_the_variance_of_phases(image):
    data = TrainingData.from_images(image)
    seen = lens_for(data, CPU).of_images(all_of(data))
    torch.testing.assert_close(seen.mean((0, 2, 3)), torch.zeros(data.channels), atol=0.01, rtol=0)
    assert float(seen.var((0, 2, 3), correction=0).sum()) == pytest.approx(VARIANCE, rel=0.01)


def test_of_three_images_all_count():
    images = [np.full((32, 32), level, np.uint8) for level in (0, 30, 60)]
    for image in images:
        image[:16] += 90
    lens = lens_for(TrainingData.from_images(*images, kind="grey"), CPU)
    levels = np.concatenate([image.ravel() for image in images]) / 150  # from 0, the darkest, to the brightest
    values = np.arctanh((2 * levels - 1).clip(-0.98, 0.98))
    assert float(lens.middle) == pytest.approx(values.mean(), abs=0.01)
    assert lens.gain == pytest.approx((VARIANCE / values.var()) ** 0.5, rel=0.01)


def test_an_image_that_is_nearly_flat_is_not_stretched_without_end():
    image = np.full((300, 300), 128, np.uint8)
    image[0, :6], image[7, 9:12] = 0, 255
    assert lens_for(TrainingData.from_images(image, kind="grey"), CPU).gain == 20


def test_outputs_are_seen_as_the_images_that_they_become():
    outputs = torch.linspace(-2, 2, 300).view(3, 1, 10, 10)
    lens = lens_for(TrainingData.from_images(GREY), CPU)
    torch.testing.assert_close(lens.of_images(0.5 * (torch.tanh(outputs) + 1)), lens.of_outputs(outputs))


def test_what_is_blacker_than_black_is_still_told_from_it():
    lens = lens_for(TrainingData.from_images(GREY), CPU)
    black, blacker = (lens.of_outputs(torch.full((1, 1, 2, 2), output)) for output in (-3.0, -6.0))
    assert (blacker < black).all()
    assert (black < lens.of_images(torch.zeros(1, 1, 2, 2))).all()
    assert lens.of_images(torch.zeros(1, 1, 2, 2)).isfinite().all()


@pytest.mark.parametrize(("has_bias", "is_homogeneous"), [(False, True), (True, False)])
def test_only_with_biases_a_discriminator_can_know_a_contrast(has_bias, is_homogeneous):
    critic = Discriminator(small_network(image_channels=1), torch.Generator().manual_seed(0), has_bias)
    images = torch.rand(3, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(critic(2 * images), 2 * critic(images), atol=1e-6) == is_homogeneous


def test_first_biases_come_from_the_seed_alone():
    made = [Discriminator(small_network(), torch.Generator().manual_seed(seed), True) for seed in (0, 0, 1)]
    bias = [critic.layers[0].bias.detach() for critic in made]
    assert torch.equal(bias[0], bias[1])
    assert not torch.equal(bias[0], bias[2])
    assert 0 < float(bias[0].abs().max()) <= 1 / (2 * 16) ** 0.5


@pytest.mark.parametrize("wide_share", [0.0, 1.0])
def test_discriminators_see_crops_and_slices_through_the_same_lens(standard, wide_share, monkeypatch):
    data, shown = TrainingData.from_images(GREY), []
    gan = GAN(data, small_network(), replace(standard, wide_share=wide_share), CPU)
    plain = Discriminator._hidden

    def look(critic, images):
        shown.append(images.detach())
        return plain(critic, images)

    monkeypatch.setattr(Discriminator, "_hidden", look)
    gan.update_discriminators()
    gan.update_generator()
    for images in shown:  # real, generated and mixed: none from 0 to 1 as grey levels are
        assert images.shape[2:] == (16, 16)
        assert float(images.min()) < -0.1
    assert len(shown) == (6 if wide_share else 3)


def test_nothing_changes_for_phases(recipe, standard, data):
    plain, same = Trainer(data, small_network(), recipe), Trainer(data, small_network(), standard)
    assert same.gan.shown.lens is None
    list(plain), list(same)
    assert_same(weights(plain), weights(same))


@pytest.mark.parametrize("image", [GREY, COLOUR])
def test_resumed_training_is_bit_identical(standard, image, tmp_path):
    data, path = TrainingData.from_images(image), tmp_path / "checkpoint.pt"
    recipe = replace(standard, iterations=4, wide_share=0.5)
    whole = Trainer(data, small_network(), recipe)
    list(whole)
    list(Trainer(data, small_network(), replace(recipe, iterations=2), checkpoint=path))
    resumed = Trainer.resume(path, data, recipe)
    list(resumed)
    assert_same(weights(whole), weights(resumed))


def test_discriminators_without_biases_are_not_taken_over(recipe, standard, tmp_path):
    data, path = TrainingData.from_images(GREY), tmp_path / "checkpoint.pt"
    before = Trainer(data, small_network(), recipe, checkpoint=path)
    list(before)
    fresh, started = Trainer(data, small_network(), standard), Trainer(data, small_network(), standard, start_from=path)
    assert_same(started.gan.generator.state_dict(), before.gan.generator.state_dict())
    assert_same(started.gan.discriminators[0].state_dict(), fresh.gan.discriminators[0].state_dict())
