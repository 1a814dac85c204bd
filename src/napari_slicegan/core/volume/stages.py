"""The layers of a trained generator as they are evaluated: the same function, several times as fast.

A transpose convolution is ONE ordinary convolution for all residues of its outputs together (see `residue_kernels`).
The normalisation of a trained network is an affine map and goes into the kernel and a bias. Arrays are channels-last
throughout.

Letters in shapes: C and C' channels before and after, n inputs along an axis, t convolved places, r = k/s, s residues.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from math import prod
from typing import Protocol

import torch
from torch import Tensor, nn

from napari_slicegan.core.layers import residue_kernels, stretched
from napari_slicegan.core.networks import ResizeConvolution, StretchConvolution
from napari_slicegan.core.volume.request import Triple

Range = tuple[int, int]
Ranges = tuple[Range, Range, Range]
Finish = Callable[[Tensor], Tensor]
#: Which residue of each axis is made; None for all of them.
Residues = tuple[int | None, int | None, int | None]

#: Bytes that a convolution gives at once: on a processor more leaves the cache, and comes fresh from the system.
_SLAB_BYTES = {"cpu": 24 * 2**20}
_LARGE_SLAB_BYTES = 2**30


class Stage(Protocol):
    """One layer, which can make any range of its outputs."""

    def inputs(self, wanted: Range) -> Range:
        """The range of inputs that a range of outputs depends on."""

    def __call__(self, x: Tensor, start: Triple, wanted: Ranges, thin: int | None = None) -> Tensor:
        """Give wanted outputs (Z, Y, X, ...) from inputs (z, y, x, C) that begin at `start`; valid until the next call.

        `thin` names an axis along which few planes are wanted.
        """

    def release(self) -> None:
        """Give back the memory that calls use again."""


class InterleavedConvolution:
    """A transpose convolution, and what follows it, as one ordinary convolution.

    Parameters
    ----------
    layer : ConvTranspose3d
        Without bias.
    affine : (Tensor (C',), Tensor (C',))
        What its outputs are multiplied by, and what is then added.
    dtype : torch.dtype
        Of weights and activations.
    finish : callable
        What becomes of the outputs (..., C'): a ReLU, or the values of voxels.
    """

    def __init__(
        self, layer: nn.ConvTranspose3d, affine: tuple[Tensor, Tensor], dtype: torch.dtype, finish: Finish
    ) -> None:
        self._stride, self._padding, self._finish = layer.stride[0], int(layer.padding[0]), finish
        self._reach = layer.kernel_size[0] // self._stride
        weight = layer.weight.detach().float()  # (C, C', k, k, k)
        factor, bias = affine
        weight = weight * factor[:, None, None, None]
        self._bias = bias.to(dtype)  # (C',)
        self._kernel = _kernel(residue_kernels(weight, self._stride).to(dtype))
        self._thin_kernels: dict[tuple[int, int], Tensor] = {}
        self._room: Tensor | None = None

    def inputs(self, wanted: Range) -> Range:
        """The range of inputs that a range of outputs depends on."""
        low, high = (place + self._padding for place in wanted)
        return low // self._stride - self._reach + 1, (high - 1) // self._stride + 1

    def release(self) -> None:
        """Give back the memory that calls use again."""
        self._room = None

    def __call__(self, x: Tensor, start: Triple, wanted: Ranges, thin: int | None = None) -> Tensor:
        """Give wanted outputs, see `Stage`; of a thin axis each plane is made with its own residue of the kernel."""
        if thin is None:
            return self._make(x, start, wanted, (None, None, None), self._kernel)
        planes = []
        for place in range(*wanted[thin]):
            low, high = self.inputs((place, place + 1))
            part = x.narrow(thin, low - start[thin], high - low)
            residue = (place + self._padding) % self._stride
            # The thin axis goes first: convolutions that are one voxel long along the last are slow.
            first = _exchanged(_replaced(start, thin, low), thin)
            one = _exchanged(_replaced(wanted, thin, (place, place + 1)), thin)
            part = part.transpose(0, thin).contiguous()
            plane = self._make(part, first, one, (residue, None, None), self._thin_kernel(thin, residue))
            planes.append(plane.transpose(0, thin).clone())
        return torch.cat(planes, thin)

    def _make(self, x: Tensor, start: Triple, wanted: Ranges, residues: Residues, kernel: Tensor) -> Tensor:
        """Convolve slab by slab with (s s s C', C, r, r, r), small enough for the cache, and interleave the outputs."""
        counts = [self._stride if residue is None else 1 for residue in residues]
        bias = self._bias.repeat(prod(counts))
        places = [n - self._reach + 1 for n in x.shape[:3]]
        x = x[None].movedim(-1, 1)  # (1, C, z, y, x); in this order torch sees that channels are last in memory
        most = _SLAB_BYTES.get(x.device.type, _LARGE_SLAB_BYTES)
        slab = max(1, most // (places[1] * places[2] * len(kernel) * x.element_size()))
        out = None
        for first in range(0, places[0], slab):
            part = x.narrow(2, first, min(slab, places[0] - first) + self._reach - 1)
            y = nn.functional.conv3d(part, kernel, bias)[0].movedim(0, -1)  # (tz, ty, tx, s s s C')
            y = self._finish(y.unflatten(-1, (*counts, -1)))  # (tz, ty, tx, s, s, s, ...)
            y = y.permute(0, 3, 1, 4, 2, 5, *range(6, y.ndim))  # (tz, s, ty, s, tx, s, ...)
            out = self._room_for((places[0], *y.shape[1:]), y) if out is None else out
            out[first : first + len(y)].copy_(y)
        assert out is not None
        out = out.flatten(4, 5).flatten(2, 3).flatten(0, 1)  # (s tz, s ty, s tx, ...)
        return out[self._crop(start, wanted, residues)]

    def _thin_kernel(self, thin: int, residue: int) -> Tensor:
        """The kernel that makes one residue of an axis, which goes first; kept for the next plane."""
        if (thin, residue) not in self._thin_kernels:
            weight = self._kernel.unflatten(0, (self._stride,) * 3 + (-1,)).narrow(thin, residue, 1)
            self._thin_kernels[thin, residue] = _kernel(weight.transpose(0, thin).transpose(5, 5 + thin))
        return self._thin_kernels[thin, residue]

    def _room_for(self, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """Memory for outputs that is used again: fresh pages cost more than a convolution."""
        if self._room is None or self._room.shape != shape:
            self._room = like.new_empty(shape)
        return self._room

    def _crop(self, start: Triple, wanted: Ranges, residues: Residues) -> tuple[slice, ...]:
        """Where the wanted outputs lie in those that were made."""
        slices = []
        for first, (low, high), residue in zip(start, wanted, residues, strict=True):
            made = self._stride * (first + self._reach - 1) + (residue or 0) - self._padding
            slices.append(slice(low - made, high - made))
        return tuple(slices)


class _OnePiece:
    """A last layer that interpolates and convolves, for any range of its outputs.

    Parameters
    ----------
    layer : ResizeConvolution or StretchConvolution
        The layer.
    offsets : Tensor (C',)
        Added to its outputs.
    dtype : torch.dtype
        Of weights and activations.
    finish : callable
        What becomes of the outputs (..., C').
    """

    def __init__(
        self, layer: ResizeConvolution | StretchConvolution, offsets: Tensor, dtype: torch.dtype, finish: Finish
    ) -> None:
        self._layer, self._finish = deepcopy(layer), finish
        self._layer.convolution.bias = nn.Parameter(offsets.detach().clone())
        self._layer.to(dtype)

    def release(self) -> None:
        """Nothing is kept."""


class ResizedConvolution(_OnePiece):
    """`ResizeConvolution`, for any range of its outputs."""

    def inputs(self, wanted: Range) -> Range:
        """The range of inputs that a range of outputs depends on."""
        low, high = wanted
        return low // 2, (high + 3) // 2 + 1

    def __call__(self, x: Tensor, start: Triple, wanted: Ranges, thin: int | None = None) -> Tensor:  # noqa: ARG002
        """Give wanted outputs, see `Stage`."""
        y = self._finish(self._layer(x[None].movedim(-1, 1))[0].movedim(0, -1))  # (2 n - 4, ..., ...)
        (z, y_, x_) = (
            slice(low - 2 * first, high - 2 * first) for first, (low, high) in zip(start, wanted, strict=True)
        )
        return y[z, y_, x_]


class StretchedConvolution(_OnePiece):
    """`StretchConvolution`, for any range of its outputs."""

    _layer: StretchConvolution

    def inputs(self, wanted: Range) -> Range:
        """The range of inputs that a range of outputs depends on: each on three points, a point on two inputs."""
        low, high = wanted
        return self._layer.grid.cell(low), self._layer.grid.cell(high + 1) + 2

    def __call__(self, x: Tensor, start: Triple, wanted: Ranges, thin: int | None = None) -> Tensor:  # noqa: ARG002
        """Give wanted outputs, see `Stage`."""
        for axis, (first, (low, high)) in enumerate(zip(start, wanted, strict=True)):
            x = stretched(x, self._layer.grid, axis, range(low, high + 2), first)
        return self._finish(self._layer.convolution(x[None].movedim(-1, 1))[0].movedim(0, -1))


def affine(norm: nn.BatchNorm3d) -> tuple[Tensor, Tensor]:
    """The factor and the bias (C',) that a normalisation applies in evaluation mode."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    factor = norm.weight.detach() * torch.rsqrt(norm.running_var + norm.eps)
    return factor.float(), (norm.bias.detach() - norm.running_mean * factor).float()


def _kernel(weight: Tensor) -> Tensor:
    """(s, s, s, C', C, r, r, r) as the kernel (s s s C', C, r, r, r) of one convolution, channels last in memory."""
    return weight.flatten(0, 3).contiguous(memory_format=torch.channels_last_3d)


def _replaced(values: tuple, axis: int, value: object) -> tuple:  # type: ignore[type-arg]
    return (*values[:axis], value, *values[axis + 1 :])


def _exchanged(values: tuple, axis: int) -> tuple:  # type: ignore[type-arg]
    """Three values in the order that has an axis first, the first in its place."""
    return _replaced(_replaced(values, axis, values[0]), 0, values[axis])
