"""A second look from twice as far: discriminators of wide slices at half the resolution.

A training cube is small so that much can be learnt in little time, but then no discriminator sees how voxels go
together that are farther apart than its edge. A slab of the endless volume, thin along one axis and twice as wide as a
training cube along the others, costs twice a cube; at half the resolution its slices are as large as those of the cube,
and so are the discriminators that judge them.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.networks import Discriminator, Generator
from napari_slicegan.core.parallel.peers import ALONE, Peers
from napari_slicegan.core.shown import Shown

_TIMES = 2  # as wide as a training cube, at a half of the resolution


class WideView:
    """Discriminators of wide slices, one for each source of real images.

    Parameters
    ----------
    data : TrainingData
        The micrographs.
    network, training : NetworkConfig, TrainingConfig
        The networks (their output follows the data) and the recipe.
    rng : torch.Generator
        Where the first weights are drawn from.
    device : torch.device
        Where to compute.
    peers : Peers
        The processes that make the slabs together.

    Attributes
    ----------
    discriminators : list of Discriminator
        One for each source.
    thickness : int
        Of a slab, in voxels.

    Raises
    ------
    DataError
        An image is smaller than a wide crop, see `fits`, or the symmetry does not fit the images.
    """

    def __init__(
        self,
        data: TrainingData,
        network: NetworkConfig,
        training: TrainingConfig,
        rng: torch.Generator,
        device: torch.device,
        peers: Peers = ALONE,
    ) -> None:
        self._network, self._training, self._views, self._device = network, training, data.views, device
        self._shown = Shown(data, _TIMES * network.edge, training, device, peers)
        has_bias = self._shown.lens is not None
        self.discriminators = [Discriminator(network, rng, has_bias).to(device) for _ in data.sources]
        self.thickness = network.geometry.scale

    @staticmethod
    def fits(data: TrainingData, network: NetworkConfig) -> bool:
        """Whether all images and regions are large enough."""
        pieces = (piece for source in range(len(data.sources)) for piece in data.pieces(source))
        smallest: int = min(min(piece.shape[1:3]) for piece in pieces)
        return smallest >= _TIMES * network.edge

    @property
    def volumes(self) -> float:
        """How many training cubes have as many voxels as a slab."""
        return self.thickness * _TIMES**2 / self._network.edge

    def is_due(self, rng: torch.Generator) -> bool:
        """Draw whether an update of the discriminators is one of these as well."""
        drawn: float = torch.rand((), generator=rng).item()
        return drawn < self._training.wide_share

    def images(self, generator: Generator, rng: torch.Generator) -> tuple[int, Tensor, Tensor]:
        """Which discriminator learns, and from what: as many real as generated images (M, C, edge, edge)."""
        with torch.no_grad():
            source, fake = self.slices(generator, rng)  # (M, C, edge, edge)
        return source, _halved(self._shown.real(source, len(fake), rng)), fake

    def shape(self, axis: int) -> tuple[int, int, int]:
        """Latent cells of a slab that is thin along an axis."""
        geometry = self._network.geometry
        cells = [geometry.cells(_TIMES * self._network.edge)] * 3
        cells[axis] = geometry.overlap + 1
        return cells[0], cells[1], cells[2]

    def slices(self, generator: Generator, rng: torch.Generator) -> tuple[int, Tensor]:
        """A source, and wide slices (M, C, edge, edge) of a new slab along an axis that is drawn, which are like it."""
        axis = int(torch.randint(3, (), generator=rng))
        latent = torch.randn((1, self._network.latent_channels, *self.shape(axis)), generator=rng).to(self._device)
        width = _TIMES * self._network.edge
        slab = self._shown.volumes(generator, latent)[..., :width, :width, :width]  # (1, C, Z, Y, X)
        slices = self._shown.across(slab, axis, rng)  # (M, C, 2 edge, 2 edge)
        return self._views[axis][0], _halved(slices)


def _halved(images: Tensor) -> Tensor:
    """Images (N, C, H, W) at half the resolution, (N, C, H / 2, W / 2): means over 2 x 2 pixels."""
    return avg_pool2d(images, _TIMES)
