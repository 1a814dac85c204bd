"""Bringing the phases of generated volumes to the fractions of the micrograph."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_slicegan.core import balance as balancing
from napari_slicegan.core.balance import LARGEST, channel_means
from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.training import Trainer
from napari_slicegan.core.volume.latent import latent_field
from tests.core.conftest import blobs, small_network, tiny_network


def generator(**settings):
    made = Generator(small_network(**settings), torch.Generator().manual_seed(0)).eval()
    made.layers[-1].weight.data *= 20
    return made


def latents(count, seed):
    return torch.randn(count, 4, 6, 6, 6, generator=torch.Generator().manual_seed(seed))


def balance(made, fields, wanted):
    with torch.no_grad():
        balancing.balance(made, made.outputs(fields).split(8), wanted)


def means(made, seed=1, count=24):
    """Of volumes that were not used for the balance."""
    with torch.no_grad():
        volumes = made(latents(count, seed))
    if made.config.output is not OutputKind.PHASES:
        return volumes.mean((0, 2, 3, 4)).numpy()
    labels = volumes.argmax(dim=1)
    return np.array([(labels == phase).float().mean() for phase in range(made.config.image_channels)])


@pytest.mark.parametrize("wanted", [(0.5, 0.5), (0.6, 0.3, 0.1), (0.1, 0.2, 0.3, 0.4)])
def test_the_fractions_become_those_that_are_wanted(wanted):
    made = generator(image_channels=len(wanted))
    before = means(made)
    balance(made, latents(24, 0), np.array(wanted))
    assert np.abs(before - wanted).max() > 0.05
    assert np.abs(means(made) - wanted).max() < 0.03


@pytest.mark.parametrize(("output", "wanted"), [("grey", (0.3,)), ("colour", (0.4, 0.5, 0.6))])
def test_the_intensities_become_those_that_are_wanted(output, wanted):
    made = generator(output=output, image_channels=len(wanted))
    balance(made, latents(24, 0), np.array(wanted))
    assert np.abs(means(made) - wanted).max() < 0.02


def test_what_has_not_been_learnt_is_not_made_to_look_so():
    made = generator()
    made.layers[-1].weight.data *= 100  # so sure of its phases that nothing small changes them
    balance(made, latents(8, 0), np.array([0.01, 0.01, 0.98]))
    assert LARGEST < made.offsets.abs().max() < made.outputs(latents(8, 1)).std()
    assert means(made)[2] < 0.9


def test_the_balance_keeps_up_with_outputs_that_grow():
    made = generator()
    before = means(made)
    made.layers[-1].weight.data *= 1000  # the same interfaces, and outputs as after a long training
    wanted = before + np.array([0.06, -0.03, -0.03])
    balance(made, latents(24, 0), wanted)
    assert np.abs(means(made) - wanted).max() < 0.02
    assert made.offsets.abs().max() > LARGEST


def test_a_second_balance_does_not_see_the_first():
    made = generator()
    balance(made, latents(8, 0), np.array([0.2, 0.3, 0.5]))
    once = made.offsets.clone()
    balance(made, latents(8, 0), np.array([0.2, 0.3, 0.5]))
    assert torch.equal(made.offsets, once)


def test_the_means_are_those_of_all_images_and_directions():
    images = [blobs((40, 60), 3, seed=seed) for seed in range(2)]
    two = TrainingData.from_labels(*images)  # the first is one view, the second two
    fractions = [[(image == phase).mean() for phase in range(3)] for image in images]
    np.testing.assert_allclose(channel_means(two), np.average(fractions, 0, [1, 2]))
    part = TrainingData.from_images(images[0], kind="phases", regions=(((0, 0, 20, 30), (20, 30, 40, 60)),))
    inside = np.concatenate([images[0][:20, :30].ravel(), images[0][20:, 30:].ravel()])
    np.testing.assert_allclose(channel_means(part), [(inside == phase).mean() for phase in range(3)])
    grey = np.random.default_rng(0).integers(50, 200, (40, 40), np.uint8)
    data = TrainingData.from_greyscale(grey)
    low, high = data.levels
    np.testing.assert_allclose(channel_means(data), [((grey - low) / (high - low)).mean()], rtol=1e-5)


def test_layers_of_a_large_stack_are_not_left_out(monkeypatch):
    monkeypatch.setattr("napari_slicegan.core.balance._MOST_PIXELS", 2**12)
    stack = np.zeros((32, 32, 32), np.uint8)  # 8 times as many
    stack[:, :, ::4] = 1
    data = TrainingData.from_images(stack, kind="phases")
    np.testing.assert_allclose(channel_means(data)[1], 0.25, atol=0.01)
    image = np.zeros((1, 256, 256), np.uint8)
    image[:, ::4] = 1  # along the rows that are looked at
    data = TrainingData.from_images(image[0], kind="phases")
    np.testing.assert_allclose(channel_means(data)[1], 0.25, atol=0.02)


@pytest.mark.parametrize("network", [small_network(), tiny_network("resize")], ids=["transpose", "resize"])
def test_models_keep_their_balance_in_files_and_in_volumes_of_any_size(network, recipe, data, tmp_path):
    trainer = Trainer(data, network, replace(recipe, balance_volumes=4, iterations=1))
    list(trainer)
    model = trainer.result.model
    assert (model.generator.offsets != 0).any()
    assert (trainer.gan.generator.offsets == 0).all()  # the training itself knows nothing of it
    model.save(tmp_path / "model.safetensors")
    again = SliceGAN.load(tmp_path / "model.safetensors")
    assert torch.equal(again.generator.offsets, model.generator.offsets)
    edge, cells = network.edge, network.geometry.latent_edge
    field = torch.from_numpy(latent_field(3, (1, 1, 1), (cells,) * 3, 4, (0, 0, 0)))[None]
    origin = (network.geometry.scale,) * 3
    volume = again.generate((edge,) * 3, seed=3, origin=origin)
    assert (again.generator(field)[0].argmax(dim=0).numpy() == volume).mean() > 0.999
    again.generator.offsets.zero_()
    assert (SliceGAN(again.generator, again.info).generate((edge,) * 3, seed=3, origin=origin) != volume).any()


def test_a_training_that_starts_from_a_model_begins_without_its_balance(recipe, data, tmp_path):
    first = Trainer(data, small_network(), replace(recipe, balance_volumes=4))
    list(first)
    first.model.save(tmp_path / "model.safetensors")
    second = Trainer(data, small_network(), recipe, start_from=tmp_path / "model.safetensors")
    assert (second.gan.generator.offsets == 0).all()


def test_previews_and_early_stops_do_not_wait_for_the_balance(recipe, data, monkeypatch):
    trainer = Trainer(data, small_network(), replace(recipe, balance_volumes=4, evaluation_iterations=50))
    assert (trainer.gan.snapshot(balanced=False).offsets == 0).all()
    monkeypatch.setattr("napari_slicegan.core.asides._SHORT", 0)  # nobody waits at all
    for _ in trainer:
        trainer.stop()
    assert (trainer.result.model.generator.offsets == 0).all()
    monkeypatch.undo()
    unjudged = Trainer(data, small_network(), replace(recipe, balance_volumes=4))
    for _ in unjudged:
        unjudged.stop()
    assert (unjudged.result.model.generator.offsets != 0).any()
