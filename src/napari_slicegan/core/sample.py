"""A sample of what a generator makes: volumes of latent fields that are set aside, by which it is balanced and judged.

One sample serves both: balanced by one and judged by another, a generator would be judged by how far the two lie apart.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.networks import Generator

EDGE = 64
"""Shortest edge of the volumes, in voxels: in a short training cube long distances cannot be seen."""

SEED = 20_000
"""Neither the preview's nor likely a training's: what is judged is never shown or learnt."""

_MOST_VOLUMES = 128
_VOXELS_AT_A_TIME = 2 * 64**3
_LARGEST = 6e4  # that 16 bits hold; outputs grow in a long training


def in_pairs(latents: Tensor) -> Tensor:
    """Latent fields (N, ...) and their negatives, (2 N, ...), one after the other.

    Where one makes more of a phase than usual the other mostly makes less, so that means over pairs scatter less than
    those over as many independent volumes do.
    """
    return torch.stack([latents, -latents], dim=1).flatten(0, 1)


class Sample:
    """Latent fields that no training uses, in pairs.

    Parameters
    ----------
    network : NetworkConfig
        Of the generators.
    volumes : int
        About so many volumes of 64 x 64 x 64 voxels, or as many voxels in longer ones; at least a pair.
    seed : int
        Of the latent fields.

    Attributes
    ----------
    edge : int
        Of the volumes, in voxels.
    latents : Tensor (N, latent_channels, n, n, n)
        The fields.
    """

    def __init__(self, network: NetworkConfig, volumes: int, seed: int = SEED) -> None:
        geometry = network.geometry
        cells = max(geometry.latent_edge, geometry.cells(EDGE))
        self.edge = geometry.voxels(cells)
        count = min(max(1, volumes * 64**3 // self.edge**3), _MOST_VOLUMES)
        shape = (-(-count // 2), network.latent_channels, cells, cells, cells)
        self.latents = in_pairs(torch.randn(shape, generator=torch.Generator().manual_seed(seed)))

    def bytes_of_outputs(self, channels: int) -> int:
        """Memory in bytes that the outputs of a generator take, all of them at once."""
        return len(self.latents) * channels * self.edge**3 * torch.float16.itemsize

    @torch.no_grad()
    def outputs(self, generator: Generator) -> Iterator[Tensor]:
        """What the last layer of a generator in evaluation mode makes of them, in batches (B, C, Z, Y, X) of 16 bits.

        Without its offsets: these may be set afterwards.
        """
        for latents in self.latents.split(max(1, _VOXELS_AT_A_TIME // self.edge**3)):
            made = generator.outputs(latents.to(generator.offsets.device))
            yield made.clamp(-_LARGEST, _LARGEST).half()
