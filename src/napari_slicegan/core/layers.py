"""Layers of the networks in the forms that processors are fast at; what they compute stays the same.

Letters in shapes: B and N volumes and images, C and C' channels before and after, n inputs along an axis, s the stride,
r = k / s kernel elements of each of the s residues.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv3d, conv_transpose2d, interpolate

from napari_slicegan.core.stretching import Stretch

_FEW = 20480  # inputs in planes of a single volume, up to which torch convolves with small kernels in a slow way


def residue_kernels(weight: Tensor, stride: int) -> Tensor:
    """The kernel of a transpose convolution as one of an ordinary convolution for each residue of the outputs.

    A transpose convolution with kernel k and stride s writes the voxel ``o = s t + rho - p`` from the inputs
    ``t, t - 1, ... t - r + 1`` with the kernel's elements ``rho, rho + s, ...``. So all s^3 residues rho together are
    ONE ordinary convolution, whose outputs are then interleaved: no sums that overlap, and less memory traffic.

    Parameters
    ----------
    weight : Tensor (C, C', k, k, k)
        Of the transpose convolution.
    stride : int
        A divisor of k.

    Returns
    -------
    Tensor (s, s, s, C', C, r, r, r)
        The kernels of the residues along z, y and x.
    """
    for axis in (4, 3, 2):
        weight = weight.unflatten(axis, (weight.shape[axis] // stride, stride))  # ends as (C, C', r, s, r, s, r, s)
    # Element rho + s j meets the input t - j: inputs run against the kernel.
    return weight.permute(3, 5, 7, 1, 0, 2, 4, 6).flip(5, 6, 7)


def stretched(x: Tensor, grid: Stretch, axis: int, points: range, start: int = 0) -> Tensor:
    """Interpolate along an axis.

    Parameters
    ----------
    x : Tensor
        Cells, along the axis from `start` on.
    grid : Stretch
        Which points lie between which cells.
    axis : int
        The axis.
    points : range
        Those that are wanted.
    start : int
        First cell of `x`.

    Returns
    -------
    Tensor
        The points, along the axis.
    """
    # By torch's own weights, in one block after the other: (cells, points) of single cells.
    cells = torch.eye(grid.cells, dtype=torch.promote_types(x.dtype, torch.float32))
    spread = interpolate(cells[None], size=grid.points, mode="linear", align_corners=False)[0]
    weights = torch.stack([spread[grid.cell(p % grid.points) + 1, p % grid.points] for p in points])
    places = torch.tensor([grid.cell(point) - start for point in points], device=x.device)
    weights = weights.to(x).view(-1, *[1] * (x.ndim - axis - 1))
    return x.index_select(axis, places).lerp_(x.index_select(axis, places + 1), weights)


class InterleavedTranspose(nn.ConvTranspose3d):
    """A transpose convolution as one ordinary convolution: several times as fast where it has few outputs.

    Its padding crops at least what the border receives too little of, as uniform information density demands.
    """

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Turn (B, C, n, n, n), or axes of different lengths, into (B, C', s (n - 1) + k - 2 p, ...)."""
        if len(x) == 1 and x[0, ..., 0].numel() <= _FEW:
            return super().forward(x, output_size)
        stride, padding = self.stride[0], int(self.padding[0])
        kernels = residue_kernels(self.weight, stride)  # (s, s, s, C', C, r, r, r)
        y = conv3d(x, kernels.flatten(0, 3))  # (B, s s s C', t, t, t)
        y = y.unflatten(1, (stride, stride, stride, -1)).permute(0, 4, 5, 1, 6, 2, 7, 3)  # (B, C', t, s, t, s, t, s)
        y = y.flatten(6, 7).flatten(4, 5).flatten(2, 3)  # (B, C', s t, s t, s t)
        more = padding - stride * (kernels.shape[-1] - 1)
        z, y_, x_ = (slice(more, size - more) for size in y.shape[2:])
        made: Tensor = y[:, :, z, y_, x_]
        return made


class ReturningConvolution(nn.Conv2d):
    """A convolution that can be gone through the other way: from gradients of its outputs to those of its inputs."""

    def returned(self, slopes: Tensor, size: torch.Size) -> Tensor:
        """Turn gradients of outputs (N, C', h, w) into those of inputs (N, C, H, W) of a size (H, W)."""
        stride, padding = self.stride[0], int(self.padding[0])
        rest = [(each + 2 * padding - self.kernel_size[0]) % stride for each in size]  # that no kernel reaches
        inputs: Tensor = conv_transpose2d(slopes, self.weight, None, stride, padding, rest)
        return inputs


class FoldedConvolution(ReturningConvolution):
    """A convolution of few channels with kernel 4, stride 2, padding 1, of images whose 2 x 2 pixels become channels.

    The gradient of an image with three channels takes a third of the time. Outputs are channels-last in memory.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Turn images (N, C, H, W) into (N, C', H / 2, W / 2), rounded down."""
        if not images.requires_grad:
            return super().forward(images.contiguous(memory_format=torch.channels_last))
        folded: Tensor = _Folded.apply(images)  # type: ignore[no-untyped-call]  # (N, s s C, H / 2 + 1, W / 2 + 1)
        outputs: Tensor = conv2d(folded, self._kernel(), self.bias)
        return outputs

    def returned(self, slopes: Tensor, size: torch.Size) -> Tensor:
        """Turn gradients of outputs (N, C', H / 2, W / 2) into those of images (N, C, H, W) of a size (H, W)."""
        folded = conv_transpose2d(slopes, self._kernel())  # (N, s s C, H / 2 + 1, W / 2 + 1)
        images: Tensor = _Unfolded.apply(folded, size)  # type: ignore[no-untyped-call]
        return images

    def _kernel(self) -> Tensor:
        """For folded images, (C', s s C, 2, 2)."""
        kernel: Tensor = self.weight.unflatten(3, (2, 2)).unflatten(2, (2, 2))  # (C', C, 2, s, 2, s)
        return kernel.permute(0, 3, 5, 1, 2, 4).flatten(1, 3)


class _Folded(torch.autograd.Function):
    """Images (N, C, H, W) with a border of 1, as (N, s s C, h, w) with s = 2, channels last in memory."""

    @staticmethod
    def forward(ctx: Any, images: Tensor) -> Tensor:
        ctx.size = images.shape[2:]
        return _folded(images)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _unfolded(gradients[0], ctx.size)


class _Unfolded(torch.autograd.Function):
    """The adjoint."""

    @staticmethod
    def forward(_ctx: Any, folded: Tensor, size: torch.Size) -> Tensor:
        return _unfolded(folded, size)

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _folded(gradients[0]), None


def _folded(images: Tensor) -> Tensor:
    count, channels, height, width = images.shape
    folded = images.new_zeros(count, height // 2 + 1, width // 2 + 1, 4 * channels).permute(0, 3, 1, 2)
    for part, pixels in _pairs(folded, images):
        part.copy_(pixels)
    return folded


def _unfolded(folded: Tensor, size: torch.Size) -> Tensor:
    images = folded.new_zeros(len(folded), folded.shape[1] // 4, *size)
    for part, pixels in _pairs(folded, images):
        pixels.copy_(part)
    return images


def _pairs(folded: Tensor, images: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Channels (N, C, ...) of folded images, and the pixels that they are: faster by hand than by a permutation."""
    for number, part in enumerate(folded.unflatten(1, (4, -1)).unbind(1)):
        top, left = 1 - number // 2, 1 - number % 2  # of even pixels 0; odd ones have the border before them
        pixels = images[:, :, top::2, left::2]
        height, width = pixels.shape[2:]
        yield part[:, :, top : top + height, left : left + width], pixels
