"""What discriminators are shown: crops of micrographs beside planes of volumes, both in the same way."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_slicegan.core.config import TrainingConfig
from napari_slicegan.core.contrast import is_standard, lens_for
from napari_slicegan.core.crops import CropSampler
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.parallel.peers import ALONE, Peers
from napari_slicegan.core.precision import shortened
from napari_slicegan.core.slicing import planes


class Shown:
    """Real and generated images for the discriminator of each source.

    Parameters
    ----------
    data : TrainingData
        The micrographs.
    edge : int
        Of a training cube and of a crop, in pixels.
    training : TrainingConfig
        The recipe.
    device : torch.device
        Where the images are wanted.
    peers : Peers
        The processes that make the volumes together.

    Attributes
    ----------
    crops : CropSampler
        Draws crops as they are.
    lens : Lens or None
        Through which grey levels and colours are seen, by discriminators with biases; None as published.

    Raises
    ------
    DataError
        An image is smaller than a training crop, or the symmetry does not fit the images.
    """

    def __init__(
        self, data: TrainingData, edge: int, training: TrainingConfig, device: torch.device, peers: Peers = ALONE
    ) -> None:
        self.crops = CropSampler(data, edge, training.symmetry, training.crops)
        self.lens = lens_for(data, device) if is_standard(data, training.contrast) else None
        self._views, self._count, self._device = data.views, training.slices_per_axis, device
        self._precision, self._peers = training.precision, peers

    def axes(self, source: int) -> int:
        """How many of the three axes are compared with a source."""
        return sum(view == source for view, _ in self._views)

    def real(self, source: int, count: int, rng: torch.Generator) -> Tensor:
        """Crops (count, C, H, W) of a source."""
        crops = self.crops.draw(source, count, rng).to(self._device)
        return self.lens.of_images(crops) if self.lens else crops

    def volumes(self, generator: Generator, latent: Tensor) -> Tensor:
        """Training cubes (B, C, Z, Y, X) of latent cells, of which `slices` takes planes."""
        with shortened(self._precision, self._device):
            return self._peers.made(generator.outputs if self.lens else generator, latent).to(latent.dtype)

    def slices(self, volumes: Tensor, source: int, rng: torch.Generator) -> Tensor:
        """The planes (M, C, H, W) of such volumes that are compared with a source."""
        return torch.cat(
            [self.across(volumes, axis, rng) for axis, (view, _) in enumerate(self._views) if view == source]
        )

    def across(self, volumes: Tensor, axis: int, rng: torch.Generator) -> Tensor:
        """The planes (M, C, H, W) of such volumes, cubes or slabs, across one axis."""
        slices = planes(volumes, axis, self._count, rng=rng, transpose=self._views[axis][1])
        return self.lens.of_outputs(slices) if self.lens else slices
