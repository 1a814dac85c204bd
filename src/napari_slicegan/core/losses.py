"""The losses of a Wasserstein GAN with gradient penalty (Gulrajani et al. 2017). Change the losses here."""

from __future__ import annotations

import torch
from torch import Tensor


def critic_distance(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """How far the critic tells real (N,) from fake (M,) scores: an estimate of the Wasserstein distance, scalar."""
    return real_scores.mean() - fake_scores.mean()


def between(real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
    """Images (N, C, H, W) between real and fake ones, where the gradient penalty is taken.

    Parameters
    ----------
    real, fake : Tensor (N, C, H, W)
        As many of each; the pairs are mixed in proportions drawn for each pair.
    rng : torch.Generator
        Where the proportions are drawn from, on the CPU.
    """
    share = torch.rand(len(real), 1, 1, 1, generator=rng).to(real.device)  # (N, 1, 1, 1)
    return share * real + (1 - share) * fake


def gradient_penalty(slopes: Tensor) -> Tensor:
    """Mean squared departure from 1 of the norms of the critic's gradients (N, C, H, W) for images, scalar.

    Not yet multiplied by lambda.
    """
    norms: Tensor = slopes.flatten(1).norm(dim=1)  # (N,)
    return (norms - 1).square().mean()


def generator_loss(fake_scores: Tensor) -> Tensor:
    """What the generator makes small: minus the mean score (M,) of its slices, scalar."""
    return -fake_scores.mean()
