"""What one update is made of: how often, of which losses, and whose say counts how much."""

from dataclasses import replace

import pytest
import torch

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.training import Trainer
from tests.core.conftest import blobs, small_network

CPU = torch.device("cpu")


class Constant(torch.nn.Module):
    """A discriminator that gives all images one score."""

    def __init__(self, score: float) -> None:
        super().__init__()
        self.score = score

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return 0 * images.flatten(1).sum(dim=1) + self.score


@pytest.mark.parametrize("steps", [1, 3])
def test_in_every_iteration_the_discriminators_are_updated_as_often_as_was_set(steps, recipe, data):
    trainer = Trainer(data, small_network(), replace(recipe, discriminator_steps=steps))
    made = []
    for name in ("update_discriminators", "update_generator"):
        update = getattr(trainer.gan, name)
        setattr(trainer.gan, name, lambda name=name, update=update: made.append(name) or update())
    list(trainer)
    assert made == 3 * [*steps * ["update_discriminators"], "update_generator"]


@pytest.mark.parametrize("weight", [0.5, 10.0])
def test_discriminators_learn_to_tell_apart_and_pay_a_penalty(weight, recipe, data):
    losses = GAN(data, small_network(), replace(recipe, penalty_weight=weight), CPU).update_discriminators()
    assert losses["penalty"] > 0
    expected = weight * losses["penalty"] - losses["critic_distance"]
    torch.testing.assert_close(losses["discriminator_loss"], expected)


def test_a_discriminator_that_is_trained_alone_gives_real_images_higher_scores(recipe, data):
    recipe = replace(recipe, learning_rate=1e-2, real_crops=16, slices_per_axis=4)
    gan = GAN(data, small_network(), recipe, CPU)
    distances = [float(gan.update_discriminators()["critic_distance"]) for _ in range(12)]
    assert distances[-1] > max(0, distances[0])


@pytest.mark.parametrize(("scores", "loss"), [([6.0], -6), ([3.0, 6.0], -5), ([3.0, 6.0, 12.0], -7)])
def test_every_axis_counts_a_third_for_the_generator(scores, loss, recipe):
    data = TrainingData.from_labels(*(blobs((20, 20), seed=seed) for seed in range(len(scores))))
    gan = GAN(data, small_network(), recipe, CPU)
    gan.discriminators = [Constant(score) for score in scores]
    assert float(gan.update_generator()["generator_loss"]) == pytest.approx(loss)
