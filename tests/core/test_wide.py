"""The second look from twice as far: what it compares with what, and who learns from it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.training import Trainer
from napari_slicegan.core.training_memory import training_bytes
from napari_slicegan.core.wide import WideView
from tests.core.conftest import blobs, small_network
from tests.core.test_training import assert_same, weights

CPU = torch.device("cpu")


@pytest.fixture
def wide(recipe):
    return replace(recipe, wide_share=1.0)


@pytest.fixture
def large() -> TrainingData:
    return TrainingData.from_labels(blobs((40, 48)))


def a_view(data, recipe) -> WideView:
    view = GAN(data, small_network(), recipe, CPU).wide
    assert view is not None
    return view


class Ramp:
    """Stands in for a generator: the first channel grows along one axis from 0 to nearly 1."""

    def __init__(self, axis: int) -> None:
        self.axis, self.shapes = axis, []

    def __call__(self, latent):
        config = small_network()
        shape = [config.geometry.scale * (cells - config.geometry.overlap) for cells in latent.shape[2:]]
        self.shapes.append(tuple(shape))
        ramp = torch.arange(shape[self.axis]) / shape[self.axis]
        first = ramp.reshape([-1 if axis == self.axis else 1 for axis in range(3)]).expand(shape)
        return torch.stack([first, 1 - first])[None]


@pytest.mark.parametrize(("axis", "rows", "columns"), [(0, [1, 2], []), (1, [0], [2]), (2, [], [0, 1])])
def test_slabs_are_thin_along_one_axis_and_twice_as_wide_as_a_cube(axis, rows, columns, large, wide):
    view, rng = a_view(large, wide), torch.Generator().manual_seed(0)
    ramp, seen = Ramp(axis), set()
    for _ in range(20):
        _, images = view.slices(ramp, rng)
        assert images.shape == (2, 2, 16, 16)
        normal = ramp.shapes[-1].index(8)
        assert sorted(ramp.shapes[-1]) == [8, 32, 32]
        grows = [int((images[0, 0].diff(dim=dim) > 0).all()) for dim in (0, 1)]
        assert grows == [normal in rows, normal in columns]
        if sum(grows):  # means of two voxels each, from 0.5 / 32 on
            assert float(images[0, 0].min()) == pytest.approx(0.5 / 32)
        seen.add(normal)
    assert seen == {0, 1, 2}


def test_real_crops_are_twice_as_wide_at_half_the_resolution(wide):
    image = np.kron(blobs((32, 32)), np.ones((2, 2), np.uint8))  # 64 x 64: squares of 2 x 2 pixels
    view = a_view(TrainingData.from_labels(image), wide)
    _, real, fake = view.images(Ramp(0), torch.Generator().manual_seed(0))
    assert real.shape == fake.shape == (2, 2, 16, 16)
    assert set(real.unique().tolist()) <= {0, 0.25, 0.5, 0.75, 1}
    torch.testing.assert_close(real.sum(dim=1), torch.ones(2, 16, 16))


def test_each_axis_is_compared_with_its_own_image(wide):
    data = TrainingData.from_labels(*(blobs((40, 40), seed=seed) for seed in range(3)))
    view, rng = a_view(data, wide), torch.Generator().manual_seed(0)
    assert len(view.discriminators) == 3
    for _ in range(10):
        ramp = Ramp(0)
        source, _ = view.slices(ramp, rng)
        assert source == ramp.shapes[-1].index(8)


def test_a_side_view_is_turned_as_its_image_is(wide):
    data = TrainingData.from_labels(blobs((40, 40)), blobs((40, 40), seed=1), axis="y")
    view, rng = a_view(data, wide), torch.Generator().manual_seed(0)
    for _ in range(20):
        ramp = Ramp(1)  # along y, which goes down the rows of a side view
        source, images = view.slices(ramp, rng)
        if source == 1:
            assert (images[0, 0].diff(dim=0) > 0).all()


def test_where_images_are_too_small_there_is_none(wide):
    narrow = TrainingData.from_labels(blobs((31, 64)))
    assert GAN(narrow, small_network(), wide, CPU).wide is None
    assert GAN(TrainingData.from_labels(blobs((32, 64))), small_network(), wide, CPU).wide is not None
    trainer = Trainer(narrow, small_network(), wide)
    list(trainer)
    assert trainer.iteration == 3


def test_without_a_share_there_is_none(recipe, large):
    gan = GAN(large, small_network(), recipe, CPU)
    assert gan.wide is None
    assert gan.critics == gan.discriminators


@pytest.mark.parametrize(("share", "learns"), [(1.0, True), (1e-9, False)])
def test_its_discriminator_learns_when_it_is_due(share, learns, recipe, large):
    gan = GAN(large, small_network(), replace(recipe, wide_share=share), CPU)
    before = [weight.clone() for weight in gan.critics[1].parameters()]
    near = [weight.clone() for weight in gan.critics[0].parameters()]
    gan.update_discriminators()
    assert all(torch.equal(*pair) for pair in zip(before, gan.critics[1].parameters(), strict=True)) != learns
    assert not all(torch.equal(*pair) for pair in zip(near, gan.critics[0].parameters(), strict=True))
    before = [weight.clone() for weight in gan.critics[1].parameters()]
    gan.update_generator()
    assert all(torch.equal(*pair) for pair in zip(before, gan.critics[1].parameters(), strict=True))


def test_it_learns_to_tell_apart(wide, large):
    gan = GAN(large, small_network(), replace(wide, learning_rate=1e-2, slices_per_axis=8), CPU)
    source, real, fake = gan.wide.images(gan.generator, torch.Generator().manual_seed(0))
    critic = gan.wide.discriminators[source]
    before = (critic(real).mean() - critic(fake).mean()).item()
    for _ in range(15):
        gan.update_discriminators()
    assert (critic(real).mean() - critic(fake).mean()).item() > before + 0.5


def test_the_generator_learns_from_it(wide, large):
    """With near discriminators that say nothing, the generator goes where the wide ones tell it to."""
    gan = GAN(large, small_network(), replace(wide, learning_rate=1e-2), CPU)
    for critic in gan.discriminators:
        for weight in critic.parameters():
            weight.data.zero_()
    first, second = gan.wide.discriminators[0].layers[0].weight, gan.generator.layers[0].weight.clone()
    assert first.abs().sum() > 0
    gan.update_generator()
    assert not torch.equal(second, gan.generator.layers[0].weight)


def test_resumed_training_is_bit_identical(recipe, large, tmp_path):
    recipe = replace(recipe, iterations=6, wide_share=0.5)
    whole, path = Trainer(large, small_network(), recipe), tmp_path / "checkpoint.pt"
    list(whole)
    list(Trainer(large, small_network(), replace(recipe, iterations=2), checkpoint=path))
    resumed = Trainer.resume(path, large, recipe)
    list(resumed)
    assert_same(weights(whole), weights(resumed))
    assert_same(whole.gan.critics[1].state_dict(), resumed.gan.critics[1].state_dict())


def test_a_training_starts_from_all_discriminators_of_another(wide, large, tmp_path):
    path = tmp_path / "checkpoint.pt"
    first = Trainer(large, small_network(), wide, checkpoint=path)
    list(first)
    second = Trainer(large, small_network(), wide, start_from=path)
    assert_same(first.gan.critics[1].state_dict(), second.gan.critics[1].state_dict())


def test_it_counts_in_the_memory(wide, recipe, large):
    assert training_bytes(large, small_network(), wide, "cpu") > training_bytes(large, small_network(), recipe, "cpu")
