"""The training as published, written down plainly: what `training.py` compares with.

Float32; transpose convolutions and convolutions as torch has them; every slice is shown, axis after axis, real and fake
images in passes of their own; the gradient penalty by differentiating a gradient; the gradients of the generator's
update reach the weights of the discriminator, too, which nobody needs. Its losses and steps are those of `GAN`, with
the random numbers in the same order, so that the two can be compared number by number.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.crops import CropSampler
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.gan import GAN


class PlainGenerator(nn.Module):
    """Table 1 of the paper, of phases."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        widths = (config.latent_channels, *config.channels, config.image_channels)
        self.layers = nn.ModuleList(
            nn.ConvTranspose3d(*pair, *layer, bias=False)
            for pair, layer in zip(pairwise(widths), config.layers, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm3d(width) for width in config.channels)

    def forward(self, x: Tensor) -> Tensor:
        """Turn a latent field into a volume."""
        for layer, norm in zip(self.layers[:-1], self.norms, strict=True):
            x = torch.relu(norm(layer(x)))
        return torch.softmax(self.layers[-1](x), 1)


class PlainDiscriminator(nn.Module):
    """That of the paper, without biases."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        widths = (config.image_channels, *config.discriminator_channels, 1)
        self.layers = nn.ModuleList(
            nn.Conv2d(*pair, kernel, 2, 1 if number < len(widths) - 2 else 0, bias=False)
            for number, (pair, kernel) in enumerate(zip(pairwise(widths), config.discriminator_kernels, strict=True))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Score images."""
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return self.layers[-1](x).flatten()


class PlainLoop:
    """Both updates, for one image of an isotropic material; begins with the weights and the seed of a GAN.

    Parameters
    ----------
    gan : GAN
        Of phases, with the published recipe; it stays as it is.
    data : TrainingData
        The image.
    """

    def __init__(self, gan: GAN, data: TrainingData) -> None:
        self.network: NetworkConfig = gan.network
        self.training: TrainingConfig = gan.training
        self.device = gan.device
        self.generator = PlainGenerator(gan.network).to(gan.device)
        self.critic = PlainDiscriminator(gan.network).to(gan.device)
        self.generator.load_state_dict({k: v for k, v in gan.generator.state_dict().items() if k != "offsets"})
        self.critic.load_state_dict(gan.discriminators[0].state_dict())
        rates = self.training.learning_rate, (self.training.beta1, self.training.beta2)
        self.optimizers = [torch.optim.Adam(player.parameters(), *rates) for player in (self.generator, self.critic)]
        self.crops = CropSampler(data, gan.network.edge, self.training.symmetry, self.training.crops)
        self.rng = torch.Generator()
        self.rng.set_state(gan.rng.get_state())

    def update_discriminators(self) -> dict[str, Tensor]:
        """One step of the discriminator."""
        count = self.training.real_crops
        volumes = self._volumes(self.training.discriminator_volumes).detach()  # (m_D, C, l, l, l)
        fakes = [self._slices(volumes, axis) for axis in range(3)]  # (m_D l, C, l, l) each
        reals = self.crops.draw(0, 3 * count, self.rng).to(self.device).split(count)  # (N, C, l, l) each
        some = torch.randint(3 * len(fakes[0]), (3 * count,), generator=self.rng).to(self.device)
        shares = torch.rand(3 * count, 1, 1, 1, generator=self.rng).to(self.device).split(count)
        pairs = torch.cat(fakes)[some].split(count)
        distance, penalty = torch.zeros((), device=self.device), torch.zeros((), device=self.device)
        for real, fake, pair, share in zip(reals, fakes, pairs, shares, strict=True):
            distance = distance + (self.critic(real).mean() - self.critic(fake).mean()) / 3
            mixed = (share * real + (1 - share) * pair).requires_grad_()
            (slope,) = torch.autograd.grad(self.critic(mixed).sum(), mixed, create_graph=True)
            penalty = penalty + (slope.flatten(1).norm(dim=1) - 1).square().mean() / 3
        loss = self.training.penalty_weight * penalty - distance
        self._step(1, loss)
        return {"critic_distance": distance.detach(), "penalty": penalty.detach(), "discriminator_loss": loss.detach()}

    def update_generator(self) -> dict[str, Tensor]:
        """One step of the generator."""
        volumes = self._volumes(self.training.generator_volumes)
        loss = torch.zeros((), device=self.device)
        for axis in range(3):
            loss = loss - self.critic(self._slices(volumes, axis)).mean() / 3
        self._step(0, loss)
        return {"generator_loss": loss.detach()}

    def _volumes(self, count: int) -> Tensor:
        shape = (count, self.network.latent_channels, *(self.network.geometry.latent_edge,) * 3)
        return self.generator(torch.randn(shape, generator=self.rng).to(self.device))

    @staticmethod
    def _slices(volumes: Tensor, axis: int) -> Tensor:
        return volumes.movedim(2 + axis, 1).flatten(0, 1)

    def _step(self, player: int, loss: Tensor) -> None:
        self.optimizers[player].zero_grad()
        loss.backward()
        self.optimizers[player].step()
