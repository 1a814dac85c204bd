"""Voxels from a trained generator and a seed: any tile, and any plane, of the endless volume."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from napari_slicegan.core.choices import OutputKind, Precision
from napari_slicegan.core.networks import Generator, ResizeConvolution, StretchConvolution
from napari_slicegan.core.values import label_dtype
from napari_slicegan.core.volume.latent import latent_field
from napari_slicegan.core.volume.request import REDUCED_LAYERS, VolumeRequest
from napari_slicegan.core.volume.stages import (
    InterleavedConvolution,
    Ranges,
    ResizedConvolution,
    Stage,
    StretchedConvolution,
    affine,
)


class Evaluation:
    """A trained generator that makes the voxels of boxes.

    Parameters
    ----------
    generator : Generator
        Trained; its weights are copied.
    phases : sequence of int
        The label of each channel; empty for grey and colour.
    levels : (float, float)
        Intensities that 0 and 1 stand for.
    precision : Precision
        EXACT or FAST.

    Attributes
    ----------
    geometry : Geometry
        The generator's.
    dtype : numpy.dtype
        Of voxels: the smallest integer type that holds all labels, uint8 for intensities.
    colours : tuple
        (3,) where a voxel is a colour, else ().
    numbers : tuple of torch.dtype
        How weights and activations of each layer are held.
    """

    def __init__(
        self,
        generator: Generator,
        phases: Sequence[int],
        levels: tuple[float, float],
        precision: Precision = Precision.EXACT,
    ) -> None:
        self._config, self.geometry = generator.config, generator.config.geometry
        self._levels = levels
        self.colours = (3,) if self._config.output is OutputKind.COLOUR else ()
        self.dtype: np.dtype[np.generic] = label_dtype(phases) if phases else np.dtype(np.uint8)
        plain = list(phases) == list(range(len(phases)))
        self._labels = None if plain else np.array(phases, self.dtype)
        self._device = next(generator.parameters()).device
        self.numbers = numbers(Precision(precision), self._device, len(generator.layers))
        self._stages = self._stages_of(generator)
        self._lock = threading.Lock()  # stages use their memory again

    def _stages_of(self, generator: Generator) -> list[Stage]:
        finish = _phase_indices if self._config.output is OutputKind.PHASES else self._intensities
        *first, number = self.numbers
        stages: list[Stage] = [
            InterleavedConvolution(layer, affine(norm), dtype, torch.relu_)  # type: ignore[arg-type]
            for layer, norm, dtype in zip(generator.layers[:-1], generator.norms, first, strict=True)
        ]
        last, offsets = generator.layers[-1], generator.offsets
        if isinstance(last, ResizeConvolution):
            return [*stages, ResizedConvolution(last, offsets, number, finish)]
        if isinstance(last, StretchConvolution):
            return [*stages, StretchedConvolution(last, offsets, number, finish)]
        assert isinstance(last, nn.ConvTranspose3d)
        return [*stages, InterleavedConvolution(last, (torch.ones_like(offsets), offsets), number, finish)]

    def box(
        self,
        request: VolumeRequest,
        wanted: Ranges,
        check: Callable[[float], None] | None = None,
        thin: int | None = None,
    ) -> npt.NDArray[np.generic]:
        """Make the voxels of a box.

        Parameters
        ----------
        request : VolumeRequest
            Gives the seed and the periods.
        wanted : three (int, int)
            First voxel, and the one behind the last, along z, y, x in the endless volume.
        check : callable, optional
            Is called between two layers with the part of the layers that is done; what it raises ends the work.
        thin : int, optional
            Axis along which the box is only a plane or a few; layers then make no more than these need.

        Returns
        -------
        array (Z, Y, X) or (Z, Y, X, 3)
            Labels or intensities.
        """
        ranges = [wanted]
        for stage in reversed(self._stages):
            z, y, x = (stage.inputs(each) for each in ranges[0])
            ranges.insert(0, (z, y, x))
        with self._lock, torch.inference_mode(), _exact_arithmetic():
            values = self._latent(request, ranges[0])  # (z, y, x, C)
            for done, (stage, number) in enumerate(zip(self._stages, self.numbers, strict=True)):
                if check:
                    check(done / len(self._stages))
                z, y, x = ranges[done]
                values = stage(values.to(number), (z[0], y[0], x[0]), ranges[done + 1], thin)
            return self._to_numpy(values)

    def release(self) -> None:
        """Give back the memory that calls use again."""
        with self._lock:
            for stage in self._stages:
                stage.release()

    def _latent(self, request: VolumeRequest, cells: Ranges) -> Tensor:
        (z, y, x), channels = cells, self._config.latent_channels
        counts = (z[1] - z[0], y[1] - y[0], x[1] - x[0])
        period = request.period_cells(self.geometry)
        field = latent_field(request.seed, (z[0], y[0], x[0]), counts, channels, period)
        return torch.from_numpy(field).movedim(0, -1).contiguous().to(self._device)

    def _to_numpy(self, values: Tensor) -> npt.NDArray[np.generic]:
        """A copy on the CPU: phases as their labels, grey without its one channel."""
        array: npt.NDArray[np.generic] = values.cpu().numpy()
        if self._config.output is OutputKind.PHASES:
            return array.copy() if self._labels is None else self._labels[array]
        return array.copy() if self.colours else array[..., 0].copy()

    def _intensities(self, y: Tensor) -> Tensor:
        """uint8 intensities of outputs (..., C): 0.5 (tanh + 1), between the levels."""
        low, high = self._levels
        return torch.tanh(y.float()).add_(1).mul_((high - low) / 2).add_(low).round_().to(torch.uint8)


def numbers(precision: Precision, device: torch.device, layers: int) -> tuple[torch.dtype, ...]:
    """How each layer holds its numbers.

    Half precision on graphics cards rounds little enough for all layers; bfloat16 on processors is for the last ones.
    """
    if precision is not Precision.FAST:
        return (torch.float32,) * layers
    if device.type != "cpu":
        return (torch.float16,) * layers
    reduced = min(REDUCED_LAYERS, layers)
    return (torch.float32,) * (layers - reduced) + (torch.bfloat16,) * reduced


def _phase_indices(y: Tensor) -> Tensor:
    """The channel of the largest of the outputs (..., C), the first of equals; softmax would not change it."""
    best, *others = y.unbind(-1)
    index = torch.zeros_like(best, dtype=torch.uint8)
    for number, other in enumerate(others, start=1):
        index.masked_fill_(other > best, number)
        best = torch.maximum(best, other)
    return index


def _exact_arithmetic() -> AbstractContextManager[None]:
    """On graphics cards: float32 as it is rather than shortened to 19 bits, and the same algorithm every time."""
    flags: AbstractContextManager[None] = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )
    return flags
