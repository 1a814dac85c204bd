"""How discriminators see grey levels and colours: with a contrast like that of phases, and knowing how strong it is.

Without biases, as published, a discriminator is homogeneous of degree one: it gives an image that is twice as bright
twice the score, and so cannot prefer a brightness or a contrast in between. Phases do not suffer from that, since their
channels sum to 1. And where the contrast of a micrograph is small, so are the differences of scores whose gradients
have length 1.

Nor do they see what the last tanh of the generator gives, but what it is given: where volumes are black or white a tanh
has no slope, and a generator that overshoots would learn no more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from napari_slicegan.core.choices import Contrast, OutputKind
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.histograms import shares_of_levels

VARIANCE = 0.5
"""Of the pixels of phases, all channels together, when there are two in equal shares: that of standard images."""

_END = 0.98  # of a tanh: nearer to black and white than 1 % differences would be stretched beyond all others
_MOST = 20.0  # times: noise of a nearly flat image is not made to look like a structure


@dataclass(frozen=True)
class Lens:
    """What turns images into those that discriminators see.

    Attributes
    ----------
    middle : Tensor (C, 1, 1)
        Outputs of the generator's last layer, before the tanh, that become 0.
    gain : float
        What differences to them are multiplied by.
    """

    middle: Tensor
    gain: float

    def of_images(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) of intensities from 0 to 1 as discriminators see them."""
        return self.of_outputs(torch.atanh((2 * images - 1).clamp(-_END, _END)))

    def of_outputs(self, outputs: Tensor) -> Tensor:
        """Slices (N, C, H, W) of what the generator's last layer gives, likewise."""
        return self.gain * (outputs - self.middle)


def is_standard(data: TrainingData, contrast: Contrast) -> bool:
    """Whether a lens is used, and discriminators have biases: never for phases."""
    return contrast is Contrast.STANDARD and data.kind is not OutputKind.PHASES


def lens_for(data: TrainingData, device: torch.device) -> Lens:
    """The lens through which these micrographs have the mean 0 and the `VARIANCE`, all channels together.

    Parameters
    ----------
    data : TrainingData
        Grey or colour images.
    device : torch.device
        Of the images that it will be used on.
    """
    shares = shares_of_levels(data)  # (C, L)
    levels = np.arctanh(np.linspace(-1, 1, shares.shape[1]).clip(-_END, _END))
    means = shares @ levels  # (C,)
    variance = float((shares @ levels**2 - means**2).sum())
    gain = min(float(np.sqrt(VARIANCE / max(variance, 1e-12))), _MOST)
    return Lens(torch.from_numpy(means).float().view(-1, 1, 1).to(device), gain)
