"""Every idea of the screening can be trained, and changes what it says it changes."""

from dataclasses import replace

import pytest
import torch

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.presets import preset_named

# A source distribution holds no benchmarks.
ideas = pytest.importorskip("ideas")
screening = pytest.importorskip("screening")


@pytest.fixture(scope="module")
def data() -> TrainingData:
    return TrainingData.from_images(screening.field())


@pytest.mark.parametrize("name", ideas.IDEAS)
def test_an_idea_moves_the_weights_of_all_players(name, data):
    gan = ideas.IDEAS[name].players(data, *screening.settings_of(name, 0), torch.device("cpu"))
    players = [gan.generator, *gan.discriminators]
    before = [next(player.parameters()).clone() for player in players]
    gan.update_discriminators()
    gan.update_generator()
    assert gan.is_finite
    assert not any(torch.equal(old, next(player.parameters())) for old, player in zip(before, players, strict=True))


def test_every_idea_is_one_of_its_own():
    recipes = [(*screening.settings_of(name, 0), idea.players) for name, idea in ideas.IDEAS.items()]
    assert all(recipes.count(recipe) == 1 for recipe in recipes)
    quick = preset_named("quick")
    assert screening.settings_of(ideas.BASE, 7) == (quick.network, replace(quick.training, seed=7, **ideas.ALONE))
