"""Batch normalisation of the generator, in training by the statistics of the batch or by those of evaluation."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

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
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    is_renormalized = False

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (B, C, Z, Y, X) in each channel."""
        if not (self.training and self.is_renormalized):
            return super().forward(x)
        with torch.no_grad():
            mean, var = _moments(x.float())  # (C,)
            self._remember(mean, var)
            spread, running = (var + self.eps).sqrt(), (self.running_var + self.eps).sqrt()
            ratio, shift = self._bounded(spread / running, (mean - self.running_mean) / running)
        return batch_norm(x, None, None, self.weight * ratio, self.bias + self.weight * shift, True, eps=self.eps)

    def _bounded(self, ratio: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
        """Ratios of spreads and distances of means (C,) within bounds that open slowly, from 1 and from 0."""
        open_ = ((self.num_batches_tracked - FIRST) / (LAST - FIRST)).clamp(0, 1)
        most, farthest = 1 + (MOST - 1) * open_, FARTHEST * open_
        return torch.clamp(ratio, 1 / most, most), torch.clamp(shift, -farthest, farthest)

    def _remember(self, mean: Tensor, var: Tensor) -> None:
        """Move the running statistics; the first ones are those of the first batch."""
        assert self.momentum is not None
        share = torch.where(self.num_batches_tracked > 0, self.momentum, 1.0).to(mean)  # no number leaves the device
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(var, share)
        self.num_batches_tracked += 1


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance (C,) of the channels of (B, C, Z, Y, X): torch's own `var_mean` takes many times as long."""
    mean = x.mean(_ALL)
    return mean, x.square().mean(_ALL) - mean.square()
