"""Normalisation of the generator: in training as published, or as in evaluation."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from napari_slicegan.core.choices import Normalization
from napari_slicegan.core.normalization import FIRST, LAST, BatchNormalization
from napari_slicegan.core.training import Trainer
from tests.core.conftest import small_network


def values(seed=0, count=2):
    return torch.randn(count, 3, 4, 5, 6, generator=torch.Generator().manual_seed(seed)) * 2 + 1


def layer(renormalized=True, batches=LAST):
    made = BatchNormalization(3)
    made.is_renormalized = renormalized
    made.num_batches_tracked += batches
    with torch.no_grad():
        made.weight.copy_(torch.tensor([1.0, -2.0, 0.5]))
        made.bias.copy_(torch.tensor([0.0, 1.0, 3.0]))
    return made


def test_as_published_it_is_batch_normalisation_to_the_bit():
    mine, published = layer(renormalized=False, batches=0), nn.BatchNorm3d(3)
    published.load_state_dict(mine.state_dict())
    for seed in range(3):
        assert torch.equal(mine(values(seed)), published(values(seed)))
    assert all(map(torch.equal, mine.state_dict().values(), published.state_dict().values()))
    assert torch.equal(mine.eval()(values(9)), published.eval()(values(9)))


def test_training_gives_what_evaluation_gives():
    made = layer()
    for seed in range(100):
        trained = made(values(seed))
    torch.testing.assert_close(trained, made.eval()(values(99)))
    assert not torch.allclose(trained.mean((0, 2, 3, 4)), made.bias, atol=1e-3)  # as it were of the batch's own


def test_gradients_go_through_the_statistics_of_the_batch():
    """Neither a constant nor a factor of all values is to be learnt from."""
    made, x = layer(), values(1).requires_grad_()
    made(values(0))
    loss = (made(x) * values(2)).sum()
    (gradient,) = torch.autograd.grad(loss, x)
    centred = x - x.mean((0, 2, 3, 4), keepdim=True)
    assert gradient.abs().max() > 0.01
    torch.testing.assert_close(gradient.sum((0, 2, 3, 4)), torch.zeros(3), atol=1e-3, rtol=0)
    torch.testing.assert_close((gradient * centred).sum((0, 2, 3, 4)), torch.zeros(3), atol=2e-3, rtol=0)


def test_the_first_batch_gives_the_first_statistics():
    made, x = layer(batches=0), values()
    plain = layer(renormalized=False)
    torch.testing.assert_close(made(x), plain(x))
    torch.testing.assert_close(made.running_mean, x.mean((0, 2, 3, 4)))
    made(values(1))
    torch.testing.assert_close(made.running_mean, torch.lerp(x.mean((0, 2, 3, 4)), values(1).mean((0, 2, 3, 4)), 0.1))


@pytest.mark.parametrize("batches", [1, FIRST - 1])
def test_it_begins_as_batch_normalisation(batches):
    made, plain = layer(batches=batches), layer(renormalized=False)
    torch.testing.assert_close(made(values()), plain(values()))
    assert made.num_batches_tracked == batches + 1


def test_the_bounds_open_slowly():
    apart = []
    for batches in (FIRST, (FIRST + LAST) // 2, LAST):
        made, plain = layer(batches=batches), layer(renormalized=False)
        made.running_mean += 100.0
        apart.append((made(values()) - plain(values())).abs().max().item())
    assert apart[0] < 0.01 < 1 < apart[1] < apart[2]


def test_what_is_far_from_the_running_statistics_is_brought_near():
    made = layer()
    for seed in range(100):
        made(values(seed))
    far = made(1000 * values(1))
    assert far.abs().max() < 100
    assert made(values(2) * 1e-6).isfinite().all()


@pytest.mark.parametrize("statistics", list(Normalization))
def test_the_recipe_says_which(recipe, data, statistics):
    trainer = Trainer(data, small_network(), replace(recipe, normalization=statistics, average=0.5))
    wanted = statistics is Normalization.RUNNING
    assert all(norm.is_renormalized is wanted for norm in trainer.gan.generator.norms)
    list(trainer)
    trainer.gan.begin_again({}, 1e-3)
    assert all(norm.is_renormalized is wanted for norm in trainer.gan.generator.norms)
    assert all(norm.num_batches_tracked == 0 for norm in trainer.gan.generator.norms)
