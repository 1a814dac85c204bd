"""The moving average of the generator's weights, and the running statistics that belong to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from napari_slicegan.core.networks import Generator


def moving_average(generator: Generator, decay: float, part: float) -> AveragedModel:
    """An exponential moving average that begins with the first update.

    Parameters
    ----------
    generator : Generator
        Whose weights are averaged.
    decay : float
        Share of the average that an update leaves: the average looks back over 1 / (1 - decay) updates.
    part : float
        It looks back over this part, from 0 to 1, of all updates so far, once that is longer.

    Returns
    -------
    AveragedModel
        Its `module` is a generator with the average weights; `update_parameters` takes the next ones.
    """

    def update(average: Tensor, weights: Tensor, updates: Tensor | int) -> Tensor:
        share = 1 / (1 + part * torch.as_tensor(updates))  # read on the device: a graphics card does not wait
        return torch.lerp(average, weights, share.to(average).clamp(max=1 - decay))

    return AveragedModel(generator, avg_fn=update)


@torch.no_grad()
def measure_statistics(generator: Generator, latents: Iterable[Tensor]) -> None:
    """Give averaged weights the running statistics that belong to them; those of the last weights differ widely.

    Layer by layer, each with those of the layers before it, as in evaluation.

    Parameters
    ----------
    generator : Generator
        Whose statistics are set.
    latents : iterable of Tensor (B, latent_channels, z, y, x)
        Of the volumes that are measured, all of one shape.
    """
    batches = list(latents)
    for layer, norm in zip(generator.layers[:-1], generator.norms, strict=True):
        assert isinstance(norm, nn.BatchNorm3d)
        _each(batches, layer)  # (B, C, ...)
        norm.running_mean = torch.stack([batch.mean((0, 2, 3, 4)) for batch in batches]).mean(0)  # (C,)
        squares = [(batch - norm.running_mean.view(-1, 1, 1, 1)).square().mean((0, 2, 3, 4)) for batch in batches]
        norm.running_var = torch.stack(squares).mean(0)
        norm.eval()
        _each(batches, norm)
        _each(batches, torch.relu_)


def _each(batches: list[Tensor], work: Callable[[Tensor], Tensor]) -> None:
    """Put what a work makes of each batch in its place: two of all together would take twice the memory."""
    for number, batch in enumerate(batches):
        batches[number] = work(batch)
