"""The losses of a Wasserstein GAN with gradient penalty (Gulrajani et al. 2017). Change the losses here."""

from __future__ import annotations

import torch
from torch import Tensor


def shares_of(real: Tensor, fake: Tensor) -> Tensor:
    """By how much the score of each image counts in the critic's distance, (N + M,).

    Parameters
    ----------
    real, fake : Tensor (N, C, H, W), (M, C, H, W)
        Images: of real ones the mean counts, of fake ones minus the mean.
    """
    return torch.cat([real.new_full((len(real),), 1 / len(real)), fake.new_full((len(fake),), -1 / len(fake))])


def critic_distance(scores: Tensor, shares: Tensor) -> Tensor:
    """How far the critic tells real from fake images: an estimate of the Wasserstein distance, scalar.

    Parameters
    ----------
    scores, shares : Tensor (N,)
        Of all images, or of some of them: the distances of parts add up.
    """
    return scores @ shares


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


def generator_loss(scores: Tensor, count: int) -> Tensor:
    """What the generator makes small: minus the mean score of its slices, scalar.

    Parameters
    ----------
    scores : Tensor (M,)
        Of all slices, or of some of them: the losses of parts add up.
    count : int
        Of all slices.
    """
    return -scores.sum() / count
