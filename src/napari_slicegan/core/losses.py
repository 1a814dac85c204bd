"""The losses of a Wasserstein GAN with gradient penalty (Gulrajani et al. 2017). Change the losses here."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]


def critic_distance(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """How far the critic tells real (N,) from fake (M,) scores: an estimate of the Wasserstein distance, scalar."""
    return real_scores.mean() - fake_scores.mean()


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
    """Mean squared departure from 1 of the norm of the critic's gradient, between real and fake images.

    Parameters
    ----------
    critic : callable
        Images (N, C, H, W) to scores (N,).
    real, fake : Tensor (N, C, H, W)
        As many of each; the pairs are mixed in proportions drawn for each pair.
    rng : torch.Generator
        Where the proportions are drawn from, on the CPU.

    Returns
    -------
    Tensor, scalar
        Not yet multiplied by lambda.
    """
    share = torch.rand(len(real), 1, 1, 1, generator=rng).to(real.device)  # (N, 1, 1, 1)
    mixed = (share * real + (1 - share) * fake).requires_grad_()  # (N, C, H, W)
    (gradient,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)  # (N, C, H, W)
    norms: Tensor = gradient.flatten(1).norm(dim=1)  # (N,)
    return (norms - 1).square().mean()


def generator_loss(fake_scores: Tensor) -> Tensor:
    """What the generator makes small: minus the mean score (M,) of its slices, scalar."""
    return -fake_scores.mean()
