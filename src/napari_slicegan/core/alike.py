"""Axes along which volumes are the same by construction: kernels that do not change when these axes change places.

Of an isotropic material the slices along all axes are compared with one image, but a generator of free kernels comes
out a little different along each. Where its kernels are the same under every order of the axes, so is the distribution
of its volumes, whatever it has learnt. Kernels begin so; Adam treats each weight by itself, so they stay so under
gradients that are so.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from napari_slicegan.core.choices import Symmetry
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.networks import Generator

Order = tuple[int, int, int]
_EQUAL = 1e-2  # of the spread of the weights: rounding adds up in a long training


def orders_of_axes(data: TrainingData, symmetry: Symmetry) -> list[Order]:
    """The orders of the axes z, y, x in which the same images are seen.

    Parameters
    ----------
    data : TrainingData
        The micrographs: of one image all axes are alike, of two the two axes that share one, of three none.
    symmetry : Symmetry
        Of the crops. One image that is not turned has a direction, which is another one in each plane.

    Returns
    -------
    list of tuple
        With the order as it is, (0, 1, 2), as the first.
    """
    sources = [source for source, _ in data.views]
    directed = len(data.sources) == 1 and symmetry is not Symmetry.ROTATE
    orders: list[Order] = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    return [order for order in orders[: 1 if directed else 6] if [sources[axis] for axis in order] == sources]


class AlikeAxes:
    """Keeps the kernels of a generator the same under some orders of the axes.

    Parameters
    ----------
    orders : list of tuple
        As of `orders_of_axes`.
    """

    def __init__(self, orders: list[Order]) -> None:
        self._orders = orders

    @torch.no_grad()
    def begin(self, generator: Generator) -> None:
        """Make first weights the same under all orders; their spread stays."""
        for kernels in _kernels(generator):
            spread = kernels.std()
            kernels.copy_(self._mean(kernels))
            kernels.mul_(spread / kernels.std())

    def share(self, generator: Generator) -> None:
        """Make gradients the same under all orders."""
        for kernels in _kernels(generator):
            assert kernels.grad is not None
            kernels.grad.copy_(self._mean(kernels.grad))

    @torch.no_grad()
    def hold_for(self, generator: Generator) -> bool:
        """Whether the kernels are the same under all orders."""
        return all(
            bool((self._mean(kernels) - kernels).abs().max() <= _EQUAL * kernels.std())
            for kernels in _kernels(generator)
        )

    def _mean(self, kernels: Tensor) -> Tensor:
        """The mean over all orders of the axes of kernels (I, O, k, k, k)."""
        places = torch.arange(kernels[0, 0].numel(), device=kernels.device)  # (k^3,)
        means = torch.zeros(len(places), len(places), device=kernels.device)
        for order in self._orders:
            means[places, places.view(kernels.shape[2:]).permute(order).flatten()] += 1 / len(self._orders)
        return (kernels.flatten(2) @ means).view_as(kernels)


def _kernels(generator: Generator) -> Iterator[nn.Parameter]:
    return (weights for weights in generator.parameters() if weights.ndim == 5)
