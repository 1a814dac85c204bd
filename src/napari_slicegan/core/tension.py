"""Surface tension: pulls at the surfaces of generated volumes until there are as many as in the micrographs.

Discriminators see probabilities, and one generator after the other; a finished volume is of the most likely phases of
an average generator, and may have a tenth more faces than the micrograph, or less, of which no discriminator learns. So
the generator is told: what it makes small has another term, the faces between each two phases, each with a weight. The
weights are Lagrange multipliers, relative to what the micrographs have: they grow while there are too many faces, and
fall while there are too few.

Of phases only: how often voxels change phase is bounded, while the steps of intensities are not. Pulled towards more of
them, a generator of grey levels makes nothing but steps.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.surfaces import steps

LARGEST = 2.0
"""Of the multipliers, where the published loss of the generator has slopes of about 1 in each slice."""
_LARGEST_EXCESS = 0.1  # that counts: a generator that has learnt little yet is not pulled too far
_ITERATIONS = 1000
_EDGE = 32  # of the part of each volume that is pulled at: as good as all of it, and quickly done

Floats = npt.NDArray[np.float64]


class SurfaceTension:
    """Weights of the faces between each two phases along each axis.

    Parameters
    ----------
    phases : int
        How many there are; 0 of grey levels and colours, which are left alone.
    gain : float
        By how much an excess of 1 would change a multiplier in 1000 iterations; one of more than 0.1 counts as 0.1.

    Attributes
    ----------
    weights : Tensor (3, K)
        For the K pairs of phases (see `steps`): the multipliers, divided by what the micrographs have; 0 at first.
    """

    def __init__(self, phases: int, gain: float) -> None:
        self._gain = gain
        self.weights = torch.zeros(3, phases * (phases - 1) // 2)

    def adjust(self, excess: Floats, wanted: Floats, iterations: int) -> None:
        """Change the weights.

        Parameters
        ----------
        excess : array (3, K)
            How much more there is in finished volumes than in the micrographs: 0.1 is a tenth more.
        wanted : array (3, K)
            What is in the micrographs, more than 0.
        iterations : int
            Since the last time.
        """
        if not self.weights.numel() or not np.isfinite(excess).all():  # others notice what is broken
            return
        change = self._gain * iterations / _ITERATIONS * excess.clip(-_LARGEST_EXCESS, _LARGEST_EXCESS) / wanted
        most = torch.from_numpy(LARGEST / wanted).float()
        self.weights = (self.weights + torch.from_numpy(change).float()).clamp(-most, most)

    def loss(self, volumes: Tensor) -> Tensor:
        """The term of the generator's loss, scalar, for probabilities of phases (B, C, Z, Y, X)."""
        part = hardened(volumes[..., :_EDGE, :_EDGE, :_EDGE])
        found = torch.stack([steps(part, 2 + axis, OutputKind.PHASES) for axis in range(3)])  # (3, K)
        return (self.weights.to(found) * found).sum() / 3

    def load(self, weights: Tensor) -> None:
        """Take over the weights of a checkpoint.

        Raises
        ------
        ValueError
            They are not those of such volumes.
        """
        if weights.shape != self.weights.shape or not weights.isfinite().all():
            raise ValueError("the weights of the surface tension do not fit")
        self.weights = weights.cpu()


def hardened(soft: Tensor) -> Tensor:
    """The most likely phases, with the gradients of the probabilities (straight-through: Bengio et al. 2013).

    Parameters
    ----------
    soft : Tensor (B, C, Z, Y, X)
        Probabilities that sum to 1 over the channels.

    Returns
    -------
    Tensor (B, C, Z, Y, X)
        1 for the most likely phase, 0 for the others.
    """
    hard = (soft == soft.amax(dim=1, keepdim=True)).to(soft)
    return (hard - soft).detach() + soft
