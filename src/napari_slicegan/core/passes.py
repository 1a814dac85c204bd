"""Images on their way through discriminators: in parts, since memory is bounded, and in 16 bits where that is wanted.

A loss is a mean over images, so its gradients are sums that can be collected part by part.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from napari_slicegan.core.choices import Precision
from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.device import free_bytes
from napari_slicegan.core.losses import critic_distance, generator_loss, gradient_penalty, shares_of
from napari_slicegan.core.networks import Discriminator
from napari_slicegan.core.parallel.peers import ALONE, Peers
from napari_slicegan.core.precision import shortened

Losses = dict[str, Tensor]

_IN_THE_CACHE = 64  # images; what processors make of more does not stay in their cache until it is needed again
_PART_OF_MEMORY = 0.25  # that one pass on a graphics card may take of what is free


class Passes:
    """Takes images through discriminators.

    Parameters
    ----------
    network : NetworkConfig
        Of the discriminators.
    device : torch.device
        Where they are.
    precision : Precision
        How numbers are held.
    peers : Peers
        The processes that share the images.

    Attributes
    ----------
    most : int
        Images in one pass.
    """

    def __init__(
        self, network: NetworkConfig, device: torch.device, precision: Precision, peers: Peers = ALONE
    ) -> None:
        self._precision, self._device, self._peers = precision, device, peers
        self.most = _IN_THE_CACHE
        if device.type == "cuda":  # the more the faster
            room = int(_PART_OF_MEMORY * free_bytes(device)) // bytes_of_an_image(network)
            self.most = max(self.most, room)

    def learn(self, critic: Discriminator, real: Tensor, fake: Tensor, mixed: Tensor, weight: float) -> Losses:
        """Add the gradients of a critic's loss to those of its weights.

        Parameters
        ----------
        critic : Discriminator
            Who learns.
        real, fake : Tensor (N, C, H, W), (M, C, H, W)
            Images that are told apart.
        mixed : Tensor (P, C, H, W)
            Images where the gradient penalty is taken.
        weight : float
            Of the penalty (lambda).

        Returns
        -------
        dict of Tensor, scalar
            The critic's distance, the penalty and the loss, without gradients.
        """
        distance, penalty = self.learn_distance(critic, real, fake), self.learn_penalty(critic, mixed, weight)
        self._peers.add(distance, penalty, *gradients_of(critic))
        return {"critic_distance": distance, "penalty": penalty, "discriminator_loss": weight * penalty - distance}

    def learn_distance(self, critic: Discriminator, real: Tensor, fake: Tensor) -> Tensor:
        """The part of `learn` that tells real from fake images; returns the distance."""
        distance = torch.zeros((), device=real.device)
        for images, shares in self._parts(torch.cat([real, fake]), shares_of(real, fake)):
            part = critic_distance(self._scores(critic, images), shares)
            (-part).backward()
            distance += part.detach()
        return distance

    def learn_penalty(self, critic: Discriminator, mixed: Tensor, weight: float) -> Tensor:
        """The part of `learn` that keeps gradients at a length of 1; returns the penalty, not yet multiplied."""
        penalty = torch.zeros((), device=mixed.device)
        for (images,) in self._parts(mixed):
            with shortened(self._precision, self._device):
                slopes = critic.slopes(images)
            part = gradient_penalty(slopes.to(images.dtype)) * (len(images) / len(mixed))
            (weight * part).backward()
            penalty += part.detach()
        return penalty

    def judge(self, critic: Discriminator, slices: Tensor, share: float) -> tuple[Tensor, Tensor]:
        """The generator's loss, and its gradient for what the generator has made.

        Parameters
        ----------
        critic : Discriminator
            Who judges; its weights get no gradients.
        slices : Tensor (M, C, H, W)
            What is judged.
        share : float
            By which the loss is multiplied.

        Returns
        -------
        Tensor, scalar, and Tensor (M, C, H, W)
            Minus the mean score, and its gradient: this process's part, and zero for the other slices.
        """
        loss = torch.zeros((), device=slices.device)
        gradients: list[Tensor] = []
        for (images,) in self._parts(slices.detach()):
            images = images.requires_grad_()
            part = share * generator_loss(self._scores(critic, images), len(slices))
            gradients += torch.autograd.grad(part, images)
            loss += part.detach()
        whole = torch.zeros_like(slices)
        if gradients:
            whole[self._peers.own(len(slices))] = torch.cat(gradients)
        return loss, whole

    def _scores(self, critic: Discriminator, images: Tensor) -> Tensor:
        with shortened(self._precision, self._device):
            scores: Tensor = critic(images)
        return scores.to(images.dtype)

    def _parts(self, *images: Tensor) -> Iterator[tuple[Tensor, ...]]:
        """The images of this process, in as many passes as in all others: between two they may all stop together."""
        own, passes = self._peers.own(len(images[0])), -(-self._peers.most(len(images[0])) // self.most)
        for number, parts in enumerate(zip(*(each[own].tensor_split(passes) for each in images), strict=True)):
            if number:
                self._peers.check()
            if len(parts[0]):
                yield parts


def gradients_of(network: nn.Module) -> list[Tensor]:
    """The gradients of all weights; zeros where there are none."""
    weights = list(network.parameters())
    for weight in weights:
        if weight.grad is None:
            weight.grad = torch.zeros_like(weight)
    return [weight.grad for weight in weights if weight.grad is not None]


def bytes_of_an_image(network: NetworkConfig) -> int:
    """Memory that a discriminator takes for one image on its way forth and back, in float32."""
    values, edge = 2 * network.image_channels * network.edge**2, network.edge
    for channels in network.discriminator_channels:
        edge //= 2
        values += 3 * channels * edge**2  # what it gives, its gradient, and that before the ReLU
    return 4 * values
