"""GANs that make their updates in another way than the product's: what some of the ideas of `ideas.py` need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, leaky_relu, pad, softplus

from napari_slicegan.core.alike import AlikeAxes, orders_of_axes
from napari_slicegan.core.contrast import VARIANCE, Lens
from napari_slicegan.core.gan import GAN, Losses
from napari_slicegan.core.histograms import LEVELS, shares_of_levels
from napari_slicegan.core.losses import between, critic_distance, generator_loss, gradient_penalty, shares_of
from napari_slicegan.core.networks import Discriminator
from napari_slicegan.core.presets import preset_named
from napari_slicegan.core.sample import in_pairs
from napari_slicegan.core.shown import Shown
from napari_slicegan.core.slicing import planes
from napari_slicegan.core.tension import hardened

Critic = Callable[[Tensor], Tensor]


def slopes_of(critic: Critic, images: Tensor) -> Tensor:
    """Gradients of the scores of any critic, as torch differentiates it, for images (N, C, H, W)."""
    images = images.detach().requires_grad_()
    (slopes,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    return slopes


def penalty_of(critic: Critic, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
    """The gradient penalty of any critic."""
    return gradient_penalty(slopes_of(critic, between(real, fake, rng)))


def distance_of(real: Tensor, fake: Tensor) -> Tensor:
    """The distance of all scores (N,) and (M,)."""
    return critic_distance(torch.cat([real, fake]), shares_of(real, fake))


def backward(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """The gradients of a loss for the weights of an optimizer alone."""
    optimizer.zero_grad()
    loss.backward(inputs=[weight for group in optimizer.param_groups for weight in group["params"]])


class OneUpdateForEachAxis(GAN):
    """As in the code of the paper: the slices of one axis after the other, an update for each."""

    def update_discriminators(self) -> Losses:
        """Three steps, each on slices along one axis."""
        with torch.no_grad():
            volumes = self.volumes(self.training.discriminator_volumes)
        critic, losses = self.discriminators[0], {}
        for axis in range(3):
            fake = planes(volumes, axis, self.training.slices_per_axis, rng=self.rng)
            real = self.shown.real(0, self.training.real_crops, self.rng)
            some = torch.randint(len(fake), (len(real),), generator=self.rng)
            distance = distance_of(critic(real), critic(fake))
            penalty = penalty_of(critic, real, fake[some], self.rng)
            backward(self.optimizers[1], self.training.penalty_weight * penalty - distance)
            self.optimizers[1].step()
            losses = {"critic_distance": distance.detach()}
        return losses


class _Tanh(Lens):
    """Shows discriminators intensities, moved and stretched."""

    def of_images(self, images: Tensor) -> Tensor:
        """As they are."""
        return self.gain * (images - self.middle)

    def of_outputs(self, outputs: Tensor) -> Tensor:
        """As they will be."""
        return self.of_images(0.5 * (torch.tanh(outputs) + 1))


class AfterTanh(GAN):
    """Discriminators of grey levels with biases and a standard contrast, but of volumes after the tanh."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        levels = np.linspace(0, 1, LEVELS)
        shares = shares_of_levels(self._data)  # (C, L)
        means = shares @ levels
        gain = (VARIANCE / float((shares @ levels**2 - means**2).sum())) ** 0.5
        self.shown.lens = _Tanh(torch.from_numpy(means).float().view(-1, 1, 1), gain)


class LazyPenalty(GAN):
    """The gradient penalty in every fourth discriminator update only, four times as strong."""

    every, _count = 4, 0

    def update_discriminators(self) -> Losses:
        """A step with or without the penalty."""
        critic = self.discriminators[0]
        fake, real, some = self._images()
        distance = distance_of(critic(real), critic(fake))
        loss = -distance
        if self._count % self.every == 0:
            weight = self.every * self.training.penalty_weight
            loss = loss + weight * penalty_of(critic, real, fake[some], self.rng)
        self._count += 1
        backward(self.optimizers[1], loss)
        self.optimizers[1].step()
        return {"critic_distance": distance.detach()}

    def _images(self) -> tuple[Tensor, Tensor, Tensor]:
        """Fake and real images, and which fakes are paired with the real ones."""
        with torch.no_grad():
            volumes = self.volumes(self.training.discriminator_volumes)
        fake, real = self.shown.slices(volumes, 0, self.rng), self.shown.real(0, 3 * self.training.real_crops, self.rng)
        return fake, real, torch.randint(len(fake), (len(real),), generator=self.rng)


class Relativistic(LazyPenalty):
    """Relativistic pairs with penalties on the gradients at real and at fake images (R1 and R2)."""

    weight = 1.0

    def update_discriminators(self) -> Losses:
        """One step."""
        fake, real, some = self._images()
        real, fake = real.requires_grad_(), fake[some].requires_grad_()
        of_real, of_fake = self.discriminators[0](real), self.discriminators[0](fake)
        loss = softplus(of_fake - of_real).mean()
        for scores, images in ((of_real, real), (of_fake, fake)):
            (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
            loss = loss + self.weight / 2 * gradient.square().sum((1, 2, 3)).mean()
        backward(self.optimizers[1], loss)
        self.optimizers[1].step()
        return {"critic_distance": distance_of(of_real, of_fake).detach()}

    def update_generator(self) -> Losses:
        """One step."""
        volumes = self.volumes(self.training.generator_volumes)
        fake = self.shown.slices(volumes, 0, self.rng)
        critic, real = self.discriminators[0], self.shown.real(0, len(fake), self.rng)
        loss = softplus(critic(real) - critic(fake)).mean()
        backward(self.optimizers[0], loss)
        self._step_generator()
        return {"generator_loss": loss.detach()}


class Leaky(GAN):
    """Discriminators with leaky ReLUs."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        for critic in self.discriminators:
            _replace(critic, _leaky_forward(critic))


def _replace(critic: Discriminator, forward: Critic) -> None:
    """Let a discriminator score in another way."""
    critic.forward = forward  # type: ignore[method-assign]
    critic.slopes = lambda images: slopes_of(forward, images)  # type: ignore[method-assign]


def _leaky_forward(critic: Any) -> Critic:
    def forward(images: Tensor) -> Tensor:
        for layer in critic.layers[:-1]:
            images = leaky_relu(layer(images), 0.2)
        scores: Tensor = critic.layers[-1](images)
        return scores.flatten()

    return forward


class Shifted(Leaky):
    """Differentiable augmentation: every image, real or fake, is shifted at random before it is judged."""

    def __init__(self, *arguments: Any) -> None:
        GAN.__init__(self, *arguments)
        critic = self.discriminators[0]
        plain, most = critic.forward, self.network.edge // 8

        def forward(images: Tensor) -> Tensor:
            places = torch.randint(2 * most + 1, (len(images), 2), generator=self.rng).tolist()
            wide, edge = pad(images, (most,) * 4), images.shape[-1]
            moved = [one[:, y : y + edge, x : x + edge] for one, (y, x) in zip(wide, places, strict=True)]
            return plain(torch.stack(moved))

        _replace(critic, forward)


class _WithOblique(Shown):
    """Shows slices at 45 degrees as well."""

    def slices(self, volumes: Tensor, source: int, rng: torch.Generator) -> Tensor:
        """Those along the axes, and the others."""
        straight = super().slices(volumes, source, rng)
        edge = volumes.shape[-1]
        steps = torch.arange(edge)
        oblique = []
        for axis in range(3):  # rows stay rows; columns run along a diagonal of the two other axes, edge / sqrt(2) long
            turned = volumes.movedim(2 + axis, 2)  # (B, C, rows, u, v)
            run = (steps / 2**0.5).round().long()
            start = int(torch.randint(edge - int(run[-1]), (), generator=rng))
            oblique.append(turned[:, :, :, start + run, run])  # (B, C, edge, edge)
        return torch.cat([straight, *oblique])


class Oblique(GAN):
    """A ninth of the slices of an isotropic material are cut at 45 degrees; nearest voxels, some of them twice."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.shown = _WithOblique(self._data, self.network.edge, self.training, self.device)


class Pairs(GAN):
    """Latent fields come with their negatives: the mean fraction of a batch scatters less."""

    def _latent(self, count: int, rng: torch.Generator) -> Tensor:
        return in_pairs(super()._latent(-(-count // 2), rng))


class Sharp(GAN):
    """The last layer of the generator begins ten times stronger, so that voxels are of one phase from the start."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        with torch.no_grad():
            self.generator.layers[-1].weight.mul_(10)  # type: ignore[operator, union-attr]


class Hard(GAN):
    """Discriminators see the phases of finished volumes, with the gradients of their probabilities."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.generator.register_forward_hook(lambda module, _, made: hardened(made) if module.training else made)


class SymmetricKernels(GAN):
    """Kernels of the generator that neither turning nor mirroring the cube changes."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.alike = AlikeAndMirrored(orders_of_axes(self._data, self.shown.crops.symmetry))
        self.alike.begin(self.generator)


class AlikeAndMirrored(AlikeAxes):
    """Kernels with all 48 symmetries of the cube."""

    def _mean(self, kernels: Tensor) -> Tensor:
        for axis in (2, 3, 4):
            kernels = (kernels + kernels.flip(axis)) / 2
        return super()._mean(kernels)


class Slowing(GAN):
    """The rates fall as one over the number of updates: half after 400, a quarter after 1200."""

    half, _count = 400, 0

    def update_generator(self) -> Losses:
        """One step, and rates for the next."""
        losses = super().update_generator()
        self._count += 1
        for group in (group for optimizer in self.optimizers for group in optimizer.param_groups):
            group["lr"] = self.training.learning_rate / (1 + self._count / self.half)
        return losses


class TwoScales(GAN):
    """One discriminator sees a part of every slice, another the whole slice at half the resolution."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        config = replace(preset_named("quick").network, image_channels=self.network.image_channels)
        self.discriminators = [Discriminator(config, self.rng) for _ in range(2)]
        self.optimizers = self._adams()

    def update_discriminators(self) -> Losses:
        """One step of both on the same slices."""
        with torch.no_grad():
            volumes = self.volumes(self.training.discriminator_volumes)
        fake, real = self.shown.slices(volumes, 0, self.rng), self.shown.real(0, 3 * self.training.real_crops, self.rng)
        fake = fake[torch.randint(len(fake), (len(real),), generator=self.rng)]
        losses = {}
        for critic, optimizer, of_real, of_fake in zip(
            self.discriminators, self.optimizers[1:], self._views(real), self._views(fake), strict=True
        ):
            distance = distance_of(critic(of_real), critic(of_fake))
            penalty = penalty_of(critic, of_real, of_fake, self.rng)
            backward(optimizer, self.training.penalty_weight * penalty - distance)
            optimizer.step()
            losses = {"critic_distance": distance.detach()}
        return losses

    def update_generator(self) -> Losses:
        """One step against both."""
        volumes = self.volumes(self.training.generator_volumes)
        views = self._views(self.shown.slices(volumes, 0, self.rng))
        both = [
            generator_loss(critic(view), len(view)) for critic, view in zip(self.discriminators, views, strict=True)
        ]
        loss = both[0] + both[1]
        backward(self.optimizers[0], loss)
        self._step_generator()
        return {"generator_loss": loss.detach()}

    def _views(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """A part (N, C, 32, 32) of images (N, C, 64, 64), and the whole at half the resolution."""
        y, x = (int(torch.randint(33, (), generator=self.rng)) for _ in range(2))
        return images[:, :, y : y + 32, x : x + 32], avg_pool2d(images, 2)
