"""The optimiser, beside that of torch."""

from __future__ import annotations

import copy

import pytest
import torch

from napari_slicegan.core.adam import Adam
from tests.core.test_openmp import told_by

RATES = (0.01, (0.5, 0.99))


def parameters() -> list[torch.nn.Parameter]:
    """Three; the last never gets a gradient."""
    rng = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape, generator=rng)) for shape in ((3, 5), (7,), (2,))]


def learn(optimizer: Adam | torch.optim.Adam, steps: range) -> list[torch.Tensor]:
    """Take steps, the second parameter at every other one; copies of the parameters after each."""
    mine, after = optimizer.param_groups[0]["params"], []
    for number in steps:
        rng = torch.Generator().manual_seed(number)
        optimizer.zero_grad()
        for one in mine[: 1 + number % 2]:
            one.grad = torch.randn(one.shape, generator=rng)
        optimizer.step()
        after += [one.detach().clone() for one in mine]
    return after


@pytest.mark.parametrize("fused", [False, True])
def test_steps_are_those_of_torch_bit_for_bit(fused: bool):
    kinds = torch.optim.Adam, Adam
    expected, made = (learn(kind(parameters(), *RATES, fused=fused), range(6)) for kind in kinds)
    assert all(map(torch.equal, expected, made))
    assert not torch.equal(made[0], parameters()[0])


@pytest.mark.parametrize("kind", [torch.optim.Adam, Adam])
def test_it_goes_on_from_a_state_also_of_checkpoints_that_torch_has_written(kind: type):
    whole = learn(torch.optim.Adam(parameters(), *RATES, fused=True), range(8))
    begun = kind(parameters(), *RATES, fused=True)
    learn(begun, range(4))
    going = Adam(begun.param_groups[0]["params"], 1.0, (0.1, 0.1), fused=True)
    going.load_state_dict(copy.deepcopy(begun.state_dict()))
    assert all(map(torch.equal, whole[12:], learn(going, range(4, 8))))


TRAINING = """
import sys
import numpy as np
from napari_slicegan import NetworkConfig, Trainer, TrainingConfig, TrainingData

layers = {"kernel": (4, 4, 4), "stride": (2, 2, 2), "padding": (2, 2, 3), "channels": (4, 4)}
network = NetworkConfig(**layers, latent_channels=2, discriminator_channels=(4, 4))
image = np.random.default_rng(0).integers(0, 2, (32, 32))
recipe = TrainingConfig(iterations=1, discriminator_volumes=1, generator_volumes=1, real_crops=2, average=0.5)
trained = len(list(Trainer(TrainingData.from_labels(image), network, recipe, "cpu"))) > 0
print(trained, {"torch._dynamo", "sympy"} & set(sys.modules))
"""


def test_a_training_does_not_load_the_compiler_of_torch():
    """It takes as long to import as torch itself, and the algebra of its shapes a fifth of that."""
    assert told_by(TRAINING) == ["True", "set()"]
