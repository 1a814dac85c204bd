"""The generator and the discriminator, built from a `NetworkConfig`. Change the networks here."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from napari_slicegan.core.choices import OutputKind, Upsampling
from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.layers import FoldedConvolution, InterleavedTranspose, ReturningConvolution, stretched
from napari_slicegan.core.normalization import BatchNormalization
from napari_slicegan.core.parallel.peers import ALONE, Peers
from napari_slicegan.core.stretching import Stretch


class Generator(nn.Module):
    """Turns a latent field into a volume (Table 1 of the paper).

    Parameters
    ----------
    config : NetworkConfig
        The layers.
    rng : torch.Generator, optional
        Where the first weights are drawn from; without it they stay undefined, to be loaded.

    Attributes
    ----------
    offsets : Tensor (image_channels,)
        Added to the last layer's outputs in evaluation mode, see `balance`; all 0 as published.
    """

    offsets: Tensor

    def __init__(self, config: NetworkConfig, rng: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("offsets", torch.zeros(config.image_channels))
        widths = (config.latent_channels, *config.channels, config.image_channels)
        layers: list[nn.Module] = []
        for (before, after), (kernel, stride, padding) in zip(pairwise(widths), config.layers, strict=True):
            is_last = len(layers) == len(config.channels)
            kind = InterleavedTranspose if is_last else nn.ConvTranspose3d
            layers.append(kind(before, after, kernel, stride, padding, bias=False))
        if config.upsampling is Upsampling.RESIZE:
            layers[-1] = ResizeConvolution(widths[-2], widths[-1])
        elif config.upsampling is Upsampling.STRETCH:
            layers[-1] = StretchConvolution(widths[-2], widths[-1], config.geometry.stretch)
        self.layers = nn.ModuleList(layers)
        self.norms = nn.ModuleList(BatchNormalization(width) for width in config.channels)
        draw_weights(self, rng)

    def forward(self, latent: Tensor) -> Tensor:
        """Generate volumes.

        Parameters
        ----------
        latent : Tensor (B, latent_channels, z, y, x)
            Standard normal numbers, at least overlap + 1 cells along each axis.

        Returns
        -------
        Tensor (B, image_channels, Z, Y, X)
            `Geometry.voxels` along an axis, S (n - m) of n cells. Phases: probabilities that sum to 1 over the
            channels; grey and colour: intensities from 0 to 1.
        """
        x = self.outputs(latent)
        if not self.training:
            x = self.with_offsets(x)
        if self.config.output is OutputKind.PHASES:
            return torch.softmax(x, dim=1)
        return 0.5 * (torch.tanh(x) + 1)

    def set_up_training(self, is_renormalized: bool, peers: Peers = ALONE) -> None:
        """Say whether training normalises by running statistics, as evaluation does, and who shares a batch."""
        for norm in self.norms:
            assert isinstance(norm, BatchNormalization)
            norm.is_renormalized, norm.peers = is_renormalized, peers

    def with_offsets(self, outputs: Tensor) -> Tensor:
        """Add the offsets to what the last layer gave, (B, image_channels, Z, Y, X)."""
        return outputs + self.offsets.view(-1, 1, 1, 1)

    def outputs(self, latent: Tensor) -> Tensor:
        """What the last layer gives, (B, image_channels, Z, Y, X), before the offsets and the softmax or tanh."""
        x = latent
        for layer, norm in zip(self.layers[:-1], self.norms, strict=True):
            x = torch.relu_(norm(layer(x)))
        x = self.layers[-1](x)  # (B, image_channels, S n - c, ...)
        return self._crop(x, latent)  # (B, image_channels, S (n - m), ...)

    def _crop(self, x: Tensor, latent: Tensor) -> Tensor:
        """Drop the voxels at the far end that a neighbouring pass makes as well."""
        z, y, x_ = map(self.config.geometry.voxels, latent.shape[2:])
        return x[:, :, :z, :y, :x_]


class ResizeConvolution(nn.Module):
    """Doubles the grid by interpolation, then convolves: n cells give 2 n - 4, as the {4, 2, 3} transpose convolution.

    A `scale_factor`, never a size: the result at a place then depends on that place alone, so tiles stay exact.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.convolution = nn.Conv3d(before, after, 3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Double (B, C, n, n, n) to (B, C', 2 n - 4, 2 n - 4, 2 n - 4)."""
        x = nn.functional.interpolate(x, scale_factor=2, mode="trilinear", align_corners=False)  # 2 n
        x = self.convolution(x)  # 2 n - 2
        return x[:, :, 1:-1, 1:-1, 1:-1]  # the interpolation at the border knows no neighbour


class StretchConvolution(nn.Module):
    """Interpolates to a few less than twice as many points, then convolves, as published; see `stretching`.

    Parameters
    ----------
    before, after : int
        Channels.
    grid : Stretch
        Of the points.
    """

    def __init__(self, before: int, after: int, grid: Stretch) -> None:
        super().__init__()
        self.grid = grid
        self.convolution = nn.Conv3d(before, after, 3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Turn (B, C, n, n, n) into (B, C', p - 2, p - 2, p - 2), of p points that lie between n cells."""
        for axis in (2, 3, 4):
            x = stretched(x, self.grid, axis, range(self.grid.points_between(x.shape[axis])))
        made: Tensor = self.convolution(x)
        return made


class Discriminator(nn.Module):
    """Scores 2D images: high for the micrograph, low for slices of generated volumes (a WGAN critic).

    Parameters
    ----------
    config : NetworkConfig
        The layers.
    rng : torch.Generator, optional
        Where the first weights are drawn from; without it they stay undefined, to be loaded.
    has_bias : bool
        Whether its layers have biases; as published they have none.
    """

    def __init__(self, config: NetworkConfig, rng: torch.Generator | None = None, has_bias: bool = False) -> None:
        super().__init__()
        widths = (config.image_channels, *config.discriminator_channels, 1)
        kernels = config.discriminator_kernels
        kinds = (FoldedConvolution, *[ReturningConvolution] * (len(kernels) - 2))  # all of them have kernels of 4
        self.layers = nn.ModuleList(
            kind(before, after, kernel, stride=2, padding=1, bias=has_bias)
            for (before, after), kernel, kind in zip(pairwise(widths[:-1]), kernels[:-1], kinds, strict=True)
        )
        self.layers.append(nn.Conv2d(widths[-2], 1, kernels[-1], bias=False))  # of which only differences count
        draw_weights(self, rng)

    def forward(self, images: Tensor) -> Tensor:
        """Score images (N, C, edge, edge); returns (N,)."""
        scores: Tensor = self.layers[-1](self._hidden(images)[-1])  # (N, 1, 1, 1)
        return scores.flatten()  # (N,)

    def slopes(self, images: Tensor) -> Tensor:
        """Gradients (N, C, edge, edge) of the scores for the pixels of images (N, C, edge, edge).

        Back through the layers, which are linear but for the ReLUs, whose slopes are 0 or 1. To differentiate it for
        the weights takes two thirds of the work of differentiating a gradient that was asked of torch.
        """
        with torch.no_grad():
            hidden = self._hidden(images)
        slopes = self.layers[-1].get_parameter("weight").expand(len(images), -1, -1, -1)  # (N, C', h, w)
        for number in reversed(range(len(self.layers) - 1)):
            before, layer, after = hidden[number], self.layers[number], hidden[number + 1]
            assert isinstance(layer, ReturningConvolution)
            passed = torch.ops.aten.threshold_backward(slopes.to(after.dtype), after, 0)  # where the ReLU let through
            slopes = layer.returned(passed, before.shape[2:])
        return slopes

    def _hidden(self, images: Tensor) -> list[Tensor]:
        """The images, and what each hidden layer makes of them."""
        made = [images]
        for layer in self.layers[:-1]:
            made.append(torch.relu_(layer(made[-1])))
        return made


def draw_weights(network: nn.Module, rng: torch.Generator | None) -> None:
    """Draw all weights uniformly in +-1 / sqrt(fan in), as torch does, but from a generator of our own, on the CPU."""
    if rng is None:
        return
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d | nn.ConvTranspose3d):
            bound = 1 / math.sqrt(module.weight[0].numel())
            for weights in module.parameters():
                drawn = torch.empty(weights.shape).uniform_(-bound, bound, generator=rng)
                with torch.no_grad():
                    weights.copy_(drawn)
