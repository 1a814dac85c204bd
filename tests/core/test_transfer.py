"""Of a training that another one starts from only what fits and is sound is taken over."""

from dataclasses import replace

import pytest
import torch

from napari_slicegan.core.checkpoint import read_checkpoint, write_checkpoint
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.training import Trainer
from tests.core.conftest import blobs, small_network


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    """Whether two players have the same weights."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(*pair) for pair in pairs)


@pytest.fixture
def checkpoint(tmp_path, recipe, data):
    """A training that has ended, and its checkpoint."""
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(data, small_network(), recipe, checkpoint=path)
    list(trainer)
    return trainer, path


def test_discriminators_of_other_layers_stay_as_they_are(checkpoint, recipe, data):
    before, path = checkpoint
    network = small_network(discriminator_channels=(5, 7))
    fresh, started = Trainer(data, network, recipe), Trainer(data, network, recipe, start_from=path)
    assert same(started.gan.generator, before.gan.generator)
    assert same(started.gan.discriminators[0], fresh.gan.discriminators[0])


@pytest.mark.parametrize("is_sound", [True, False])
def test_discriminators_are_taken_over_if_their_weights_are_numbers(checkpoint, recipe, data, is_sound):
    before, path = checkpoint
    state = read_checkpoint(path)
    first = next(iter(state["gan"]["discriminators"][0].values()))
    if not is_sound:
        first.view(-1)[0] = float("nan")
    write_checkpoint(path, state)
    fresh, started = Trainer(data, small_network(), recipe), Trainer(data, small_network(), recipe, start_from=path)
    assert same(started.gan.generator, before.gan.generator)
    assert same(started.gan.discriminators[0], (before if is_sound else fresh).gan.discriminators[0])


def test_those_of_wide_slices_do_not_stand_in_for_those_of_a_second_image(tmp_path, recipe):
    images, path = [blobs((96, 96), 2, seed=seed) for seed in range(2)], tmp_path / "checkpoint.pt"
    list(Trainer(TrainingData.from_labels(*images), small_network(), recipe, checkpoint=path))  # two images
    data, wide = TrainingData.from_labels(images[0]), replace(recipe, wide_share=0.5)
    fresh, started = Trainer(data, small_network(), wide), Trainer(data, small_network(), wide, start_from=path)
    assert len(started.gan.critics) == 2
    assert all(map(same, started.gan.critics, fresh.gan.critics))
