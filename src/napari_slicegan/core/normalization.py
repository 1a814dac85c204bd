"""Batch normalisation of the generator, in training by the statistics of the batch or by those of evaluation."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from napari_slicegan.core.parallel.peers import ALONE, Peers

MOST, FARTHEST = 3.0, 5.0
"""Bounds of the ratio of two spreads, and of the distance of two means in spreads, in the end."""
FIRST, LAST = 3000, 9000
"""Batches after which the bounds begin to open, and after which they are open."""


_ALL = (0, 2, 3, 4)  # axes but the channels


class BatchNormalization(nn.BatchNorm3d):
    """Batch normalisation (Ioffe and Szegedy 2015), renormalised if asked (Ioffe 2017, arXiv 1702.03275).

    A finished generator normalises by statistics of many volumes. Of a batch of one or two the statistics are those of
    these volumes: what such a volume has more of than others is taken away from it in training, and is there in
    evaluation, so that finished volumes differ from each other more than those that were compared with the micrograph.
    Renormalised values are those of evaluation in training, too; gradients go through the statistics of the batch. It
    begins as batch normalisation, with which a generator learns faster at first.

    Attributes
    ----------
    is_renormalized : bool
        Whether training uses the running statistics.
    peers : Peers
        The processes that have a part of each batch.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    is_renormalized = False
    peers = ALONE

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (B, C, Z, Y, X) in each channel."""
        is_shared = self.peers.size > 1
        if not (self.training and (self.is_renormalized or is_shared)):
            return super().forward(x)
        with torch.no_grad():
            mean, var, count = _moments(x.float(), self.peers)  # (C,), (C,), scalar
            ratio, shift = self._renormalized(mean, var) if self.is_renormalized else self._published(mean, var, count)
        weight, bias = self.weight * ratio, self.bias + self.weight * shift
        if is_shared:
            statistics = mean, (var + self.eps).rsqrt(), count
            made: Tensor = SharedNormalization.apply(x, weight, bias, *statistics, self.peers)  # type: ignore[no-untyped-call]
            return made
        return batch_norm(x, None, None, weight, bias, True, eps=self.eps)

    def _renormalized(self, mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
        """Ratio and shift (C,) by which values become those of evaluation; remembers the statistics (C,)."""
        share = torch.where(self.num_batches_tracked > 0, self._share, 1.0).to(mean)  # the first ones count in full
        self._remember(mean, var, share)  # and no number leaves the device
        spread, running = (var + self.eps).sqrt(), (self.running_var + self.eps).sqrt()
        return self._bounded(spread / running, (mean - self.running_mean) / running)

    def _published(self, mean: Tensor, var: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
        """Ratio and shift (C,) that change nothing; remembers the statistics (C,) as torch does."""
        self._remember(mean, var * (count / (count - 1)), torch.as_tensor(self._share).to(mean))
        return torch.ones_like(mean), torch.zeros_like(mean)

    @property
    def _share(self) -> float:
        assert self.momentum is not None
        return self.momentum

    def _remember(self, mean: Tensor, var: Tensor, share: Tensor) -> None:
        """Move the running statistics."""
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(var, share)
        self.num_batches_tracked += 1

    def _bounded(self, ratio: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
        """Ratios of spreads and distances of means (C,) within bounds that open slowly, from 1 and from 0."""
        open_ = ((self.num_batches_tracked - FIRST) / (LAST - FIRST)).clamp(0, 1)
        most, farthest = 1 + (MOST - 1) * open_, FARTHEST * open_
        return torch.clamp(ratio, 1 / most, most), torch.clamp(shift, -farthest, farthest)


class SharedNormalization(torch.autograd.Function):
    """Normalises a part of a batch by the statistics of all of it; gradients go through those, too.

    torch has the same for graphics cards alone.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, scale: Tensor, count: Tensor, peers: Peers
    ) -> Tensor:
        """Normalise (B, C, Z, Y, X) with a mean, one over a spread, weight and bias (C,), of so many values in all."""
        ctx.save_for_backward(x, weight, mean, scale, count)
        ctx.peers = peers
        factor = weight * scale
        return torch.addcmul(_of_channels(bias - mean * factor, x), x, _of_channels(factor, x))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of x, of this process's part of weight and bias, and of nothing else."""
        x, weight, mean, scale, count = ctx.saved_tensors
        gradient = gradients[0]
        bias = gradient.float().sum(_ALL)  # (C,)
        slope = ((gradient.float() * x.float()).sum(_ALL) - mean * bias) * scale  # (C,): of the weight
        everywhere = torch.stack([bias, slope])
        ctx.peers.add(everywhere)
        bias_of_all, slope_of_all = everywhere / count
        factor = weight * scale
        of_x = -factor * scale * slope_of_all
        rest = -factor * bias_of_all - of_x * mean
        back = torch.addcmul(_of_channels(rest, x), x, _of_channels(of_x, x)).addcmul_(
            gradient, _of_channels(factor, x)
        )
        return back, slope, bias, None, None, None, None


def _of_channels(values: Tensor, x: Tensor) -> Tensor:
    return values.to(x.dtype).view(-1, 1, 1, 1)


def _moments(x: Tensor, peers: Peers) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and variance (C,) of the channels of all processes' (B, C, Z, Y, X), and over how many values.

    torch's own `var_mean` takes many times as long.
    """
    own = x.numel() / x.shape[1]
    if not own:  # there are fewer volumes than processes
        sums = x.new_zeros(2 * x.shape[1] + 1)
    else:
        sums = torch.cat([x.mean(_ALL), x.square().mean(_ALL), x.new_ones(1)]) * own
    peers.add(sums)
    mean, square = (sums[:-1] / sums[-1]).chunk(2)
    return mean, square - mean.square(), sums[-1]
