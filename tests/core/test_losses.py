"""The losses against critics whose answers are known."""

import pytest
import torch

from napari_slicegan.core.losses import critic_distance, generator_loss, gradient_penalty


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.5])
def test_penalty_of_a_linear_critic(slope):
    direction = torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(0))
    direction *= slope / direction.norm()
    real, fake = torch.rand(2, 5, 3, 8, 8)
    penalty = gradient_penalty(lambda x: (x * direction).sum(dim=(1, 2, 3)), real, fake, torch.Generator())
    assert penalty.item() == pytest.approx((slope - 1) ** 2, abs=1e-5)


def test_penalty_is_taken_between_real_and_fake():
    seen = []

    def critic(x):
        seen.append(x.detach())
        return x.sum(dim=(1, 2, 3))

    gradient_penalty(critic, torch.ones(64, 1, 2, 2), torch.zeros(64, 1, 2, 2), torch.Generator().manual_seed(0))
    share = seen[0].flatten(1)
    assert (share == share[:, :1]).all()  # one proportion for each pair
    assert share.min() < 0.1
    assert share.max() > 0.9


def test_penalty_has_gradients_for_the_critics_weights():
    weight = torch.full((4,), 2.0, requires_grad=True)
    real, fake = torch.rand(2, 3, 1, 2, 2)
    penalty = gradient_penalty(lambda x: x.flatten(1) @ weight, real, fake, torch.Generator())
    penalty.backward()
    assert penalty.item() == pytest.approx(9.0)  # |(2, 2, 2, 2)| = 4
    assert torch.allclose(weight.grad, torch.full((4,), 3.0))  # 2 (4 - 1) * 2 / 4


def test_distances_are_differences_of_means():
    real, fake = torch.tensor([3.0, 5.0]), torch.tensor([1.0, 1.0, 4.0])
    assert critic_distance(real, fake) == 2
    assert generator_loss(fake) == -2
