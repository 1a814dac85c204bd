"""Bringing the mean of each phase of generated volumes to that of the micrograph, by one number for each.

The fractions of a generator swing about those of the micrograph while it learns, since one crop says little of them;
the whole micrograph says more. What is added to the last layer before the softmax moves the interfaces of a phase a
little outwards or inwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.values import blocks

LARGEST, PART = 4.0, 0.5
"""Largest number that is added, and the part of the standard deviation of what it is added to, which grows in a long
training, that it may be instead: what would need more has not been learnt and must not be made to look as if it was."""

_MOST_PIXELS = 2**26  # of a piece of a micrograph that are looked at
_STRIDE = 29  # of the voxels that are looked at; no divisor of what a lattice repeats by
_SWEEPS = 6
_HALVINGS = 24


def channel_means(data: TrainingData) -> npt.NDArray[np.float64]:
    """Mean (C,) of each channel over all images and directions: volume fractions, or intensities from 0 to 1.

    Parameters
    ----------
    data : TrainingData
        The micrographs; within their regions only.
    """
    found = []
    for source in range(len(data.sources)):
        means, weights = [], []
        for piece in data.pieces(source):
            means.append(_means(piece, data))
            weights.append(math.prod(piece.shape[:3]))
        found.append(np.average(means, 0, weights))
    return np.asarray(np.mean([found[source] for source, _ in data.views], axis=0))


def _means(piece: npt.NDArray[np.uint8], data: TrainingData) -> npt.NDArray[np.float64]:
    """Of a stack (N, H, W) or (N, H, W, C); of a very large one of some of its images and rows."""
    few = piece[:: _thinning(piece)]
    rows = few[:, :: _thinning(few)]
    count = math.prod(rows.shape[:3])
    parts = (part for image in rows for part in blocks(image))  # (h, W) or (h, W, C): copies stay small
    if data.kind is OutputKind.PHASES:
        return np.asarray(sum(np.bincount(part.ravel(), minlength=data.channels) for part in parts) / count)
    low, high = data.levels
    shares = (((part.astype(np.float32) - low) / (high - low)).clip(0, 1) for part in parts)
    return np.asarray(sum(share.sum((0, 1), dtype=np.float64) for share in shares) / count)


def _thinning(stack: npt.NDArray[np.uint8]) -> int:
    """From one image or row that is looked at to the next; odd, since layers mostly repeat by even numbers."""
    return -(-math.prod(stack.shape[:3]) // _MOST_PIXELS) | 1


@torch.no_grad()
def balance(generator: Generator, outputs: Iterable[Tensor], means: npt.NDArray[np.float64]) -> None:
    """Set the offsets of a generator.

    Parameters
    ----------
    generator : Generator
        Whose offsets are set.
    outputs : iterable of Tensor (B, C, Z, Y, X)
        What its last layer gives, as of `Sample.outputs`.
    means : array (C,)
        What the channels of volumes are to be in the mean.
    """
    some = torch.cat([batch.flatten(2)[..., ::_STRIDE].movedim(1, 0).flatten(1) for batch in outputs], dim=1).float()
    most = max(LARGEST, PART * some.std(dim=1).mean().item())  # of outputs (C, M)
    wanted = torch.from_numpy(means).float().to(some.device)  # not every device knows 64 bits
    is_phases = generator.config.output is OutputKind.PHASES
    offsets = _of_phases(some, wanted) if is_phases else _of_intensities(some, wanted, most)
    generator.offsets.copy_(offsets.clamp(-most, most))


def _of_phases(outputs: Tensor, means: Tensor) -> Tensor:
    """Offsets (C,) by which so many of outputs (C, M) are the largest; each phase is set in turn, several times."""
    offsets = torch.zeros(len(outputs), device=outputs.device)
    for _ in range(_SWEEPS):
        for phase in range(len(outputs)):
            shifted = outputs + offsets[:, None]  # (C, M)
            others = torch.cat([shifted[:phase], shifted[phase + 1 :]]).amax(dim=0)  # (M,)
            missing = others - shifted[phase]  # what makes a voxel this phase
            rank = min(max(1, round(float(means[phase]) * len(missing))), len(missing))
            offsets[phase] += missing.kthvalue(rank).values
        offsets -= offsets.mean()
    return offsets


def _of_intensities(outputs: Tensor, means: Tensor, most: float) -> Tensor:
    """Offsets (C,) up to `most` by which intensities of outputs (C, M) have these means, by halving an interval."""
    low, high = torch.full_like(outputs[:, 0], -most), torch.full_like(outputs[:, 0], most)  # (C,)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        found = (0.5 * (torch.tanh(outputs + middle[:, None]) + 1)).mean(dim=1)
        is_low = found < means
        low, high = torch.where(is_low, middle, low), torch.where(is_low, high, middle)
    return (low + high) / 2
