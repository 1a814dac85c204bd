"""Cutting a generated volume into the planes that a discriminator sees."""

from __future__ import annotations

import torch
from torch import Tensor

#: The other two axes in array order: rows first, then columns.
AXES = "zyx"


def planes(
    volume: Tensor,
    axis: int,
    count: int = 0,
    *,
    rng: torch.Generator | None = None,
    transpose: bool = False,
) -> Tensor:
    """Cut volumes into planes normal to an axis.

    Parameters
    ----------
    volume : Tensor (B, C, Z, Y, X)
        The volumes.
    axis : int
        0, 1 or 2 for z, y or x.
    count : int
        Planes of each volume, at positions drawn uniformly without replacement and for each volume anew;
        0 gives every plane. A fixed subset would be biased: with strides of 2 the positions modulo 32 run through
        different elements of the kernels.
    rng : torch.Generator, optional
        Where the positions are drawn from, on the CPU.
    transpose : bool
        Exchange rows and columns.

    Returns
    -------
    Tensor (B * planes, C, H, W)
        Rows and columns are the two other axes in array order: (y, x) for z, (z, x) for y, (z, y) for x.
    """
    stacks = volume.movedim(2 + axis, 1)  # (B, planes, C, H, W)
    if 0 < count < stacks.shape[1]:
        scores = torch.rand(stacks.shape[:2], generator=rng)  # (B, planes)
        chosen = scores.argsort(dim=1)[:, :count].to(volume.device)  # (B, count)
        rows = torch.arange(len(stacks), device=volume.device)[:, None]  # (B, 1)
        stacks = stacks[rows, chosen]  # (B, count, C, H, W)
    images = stacks.flatten(0, 1)  # (B * planes, C, H, W)
    return images.transpose(2, 3) if transpose else images
