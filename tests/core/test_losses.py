"""The losses against critics whose answers are known."""

import pytest
import torch

from napari_slicegan.core.losses import between, critic_distance, generator_loss, gradient_penalty, shares_of


@pytest.mark.parametrize("norm", [0.0, 1.0, 2.5])
def test_the_penalty_is_for_gradients_that_are_not_of_length_1(norm):
    slopes = torch.randn(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    slopes *= norm / slopes.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    assert gradient_penalty(slopes).item() == pytest.approx((norm - 1) ** 2, abs=1e-5)


def test_the_penalty_is_a_mean_over_images():
    slopes = torch.tensor([0.0, 1.0, 3.0]).view(3, 1, 1, 1)
    assert gradient_penalty(slopes).item() == pytest.approx(5 / 3)


def test_the_penalty_is_taken_between_real_and_fake():
    mixed = between(torch.ones(64, 1, 2, 2), torch.zeros(64, 1, 2, 2), torch.Generator().manual_seed(0))
    share = mixed.flatten(1)
    assert (share == share[:, :1]).all()  # one proportion for each pair
    assert share.min() < 0.1
    assert share.max() > 0.9


def test_distances_are_differences_of_means():
    real, fake = torch.tensor([3.0, 5.0]), torch.tensor([1.0, 1.0, 4.0])
    scores, shares = torch.cat([real, fake]), shares_of(real, fake)
    assert critic_distance(scores, shares).item() == pytest.approx(2)
    parts = [critic_distance(*part) for part in zip(scores.split(2), shares.split(2), strict=True)]
    assert sum(parts).item() == pytest.approx(2)
    assert generator_loss(fake, 3) == -2
    assert sum(generator_loss(part, 3) for part in fake.split(2)).item() == pytest.approx(-2)
