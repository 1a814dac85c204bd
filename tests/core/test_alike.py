"""Axes that stay alike: kernels, what a generator makes of them, and trainings that keep them so."""

import copy
from dataclasses import replace
from itertools import permutations

import pytest
import torch

from napari_slicegan.core.alike import AlikeAxes, orders_of_axes
from napari_slicegan.core.choices import Axes, Symmetry, Upsampling
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.training import Trainer
from napari_slicegan.core.transfer import transfer
from tests.core.conftest import blobs, small_network

CPU = torch.device("cpu")
ALL = list(permutations(range(3)))


def images(count):
    return [blobs((40, 40), seed=seed) for seed in range(count)]


@pytest.fixture
def recipe(recipe):
    return replace(recipe, symmetry=Symmetry.AUTO, axes=Axes.ALIKE, learning_rate=1e-3)


@pytest.mark.parametrize(
    ("count", "symmetry", "orders"),
    [
        (1, Symmetry.ROTATE, ALL),
        (1, Symmetry.NONE, [(0, 1, 2)]),
        (1, Symmetry.MIRROR, [(0, 1, 2)]),
        (3, Symmetry.NONE, [(0, 1, 2)]),
    ],
)
def test_orders_of_axes(count, symmetry, orders):
    assert orders_of_axes(TrainingData.from_images(*images(count)), symmetry) == orders


@pytest.mark.parametrize(("axis", "other"), [("z", (0, 2, 1)), ("y", (2, 1, 0)), ("x", (1, 0, 2))])
def test_of_two_images_the_axes_alike_are_those_that_share_one(axis, other):
    data = TrainingData.from_images(*images(2), axis=axis)
    assert orders_of_axes(data, Symmetry.NONE) == [(0, 1, 2), other]


def turned(volumes, order):
    """Volumes or latent fields (B, C, Z, Y, X) whose axes have changed places."""
    return volumes.permute(0, 1, *(2 + axis for axis in order))


@pytest.mark.parametrize("upsampling", Upsampling)
@pytest.mark.parametrize("order", ALL)
def test_a_turned_field_makes_the_turned_volume(recipe, order, upsampling):
    network = replace(small_network(), upsampling=upsampling)
    gan = GAN(TrainingData.from_images(*images(1)), network, recipe, CPU)
    for _ in range(3):
        gan.update_discriminators()
        gan.update_generator()
    field = torch.randn(1, network.latent_channels, 4, 5, 6)
    generator = gan.generator.eval()
    with torch.no_grad():
        made, turned_first = generator(field), generator(turned(field, order))
        mirrored = generator(field.flip(2)).flip(2)
    torch.testing.assert_close(turned(made, order), turned_first, rtol=1e-3, atol=1e-4)
    assert (made - mirrored).abs().max() > 1e-3  # kernels are not more symmetric than they must be


def test_first_weights_keep_their_spread(recipe):
    data = TrainingData.from_images(*images(1))
    alike, free = (GAN(data, small_network(), replace(recipe, axes=axes), CPU) for axes in (Axes.ALIKE, Axes.FREE))
    for some, others in zip(alike.generator.parameters(), free.generator.parameters(), strict=True):
        if some.ndim == 5:
            assert some.std().item() == pytest.approx(others.std().item())
            assert not torch.allclose(some, others)


def test_free_axes_differ(recipe):
    data = TrainingData.from_images(*images(1))
    gan = GAN(data, small_network(), replace(recipe, axes=Axes.FREE), CPU)
    assert gan.alike is None
    assert not AlikeAxes(ALL).hold_for(gan.generator)


def test_they_stay_alike_from_new_weights_on_and_over_a_checkpoint(recipe):
    gan = GAN(TrainingData.from_images(*images(1)), small_network(), recipe, CPU)
    gan.begin_again({}, 1e-3)
    gan.update_generator()
    other = GAN(TrainingData.from_images(*images(1)), small_network(), recipe, CPU)
    other.load_state_dict(copy.deepcopy(gan.state_dict()))
    other.update_generator()
    gan.update_generator()
    for mine, its in zip(gan.generator.parameters(), other.generator.parameters(), strict=True):
        assert torch.equal(mine, its)
    assert AlikeAxes(ALL).hold_for(other.generator)


def test_a_training_from_a_model_whose_axes_differ_leaves_them_free(recipe, tmp_path):
    data = TrainingData.from_images(*images(1))
    free = Trainer(data, small_network(), replace(recipe, axes=Axes.FREE), "cpu")
    list(free)
    free.model.save(tmp_path / "free.safetensors")
    gan = GAN(data, small_network(), recipe, CPU)
    transfer(tmp_path / "free.safetensors", gan)
    before = gan.generator.layers[0].weight.clone()
    gan.update_generator()
    change = gan.generator.layers[0].weight - before
    assert not torch.allclose(change, change.transpose(2, 3), atol=1e-5)


def test_a_training_from_a_model_whose_axes_are_alike_keeps_them_so(recipe, tmp_path):
    data = TrainingData.from_images(*images(1))
    alike = Trainer(data, small_network(), recipe, "cpu")
    list(alike)
    alike.model.save(tmp_path / "alike.safetensors", half=True)
    gan = GAN(data, small_network(), replace(recipe, seed=1), CPU)
    transfer(tmp_path / "alike.safetensors", gan)
    gan.update_generator()
    assert AlikeAxes(ALL).hold_for(gan.generator)
