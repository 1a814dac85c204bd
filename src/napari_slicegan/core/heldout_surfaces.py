"""Surfaces in generated volumes, compared with those in the micrographs, along each axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_slicegan.core.config import OutputKind
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.directions import of_planes, of_views
from napari_slicegan.core.interruption import Flag, Interrupted
from napari_slicegan.core.representative import image_channels
from napari_slicegan.core.thinning import thinned

RARE = 0.02
"""Of all faces: a share of a pair of phases below it counts as if it were so large, as chance rules it."""

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


class HeldOutSurfaces:
    """The faces between each two phases, or the mean square step of each channel's intensity.

    Parameters
    ----------
    data : TrainingData
        The micrographs.
    flag : Flag, optional
        Interrupts the work.

    Raises
    ------
    Interrupted
        The flag was set meanwhile.
    """

    def __init__(self, data: TrainingData, flag: Flag | None) -> None:
        self._data = data
        self._phases = data.channels if data.kind is OutputKind.PHASES else 0
        each = [self._of_source(source, flag) for source in range(len(data.sources))]
        self._wanted = of_views(each, data.views)  # (3, 2, K)

    def of_volumes(self, volumes: Tensor) -> Floats:
        """Means (3, K) along each axis of phases (B, 1, Z, Y, X) or intensities (B, C, Z, Y, X)."""
        return np.stack([steps(volumes, 2 + axis, self._phases) for axis in range(3)])

    def error(self, along: Floats) -> float:
        """The largest relative difference of means (3, K): of each their mean over planes and directions."""
        wanted, made = self._wanted, of_planes(along)  # (3, 2, K)
        least = RARE * wanted.sum(axis=2, keepdims=True) if self._phases else 0.0
        there = (np.maximum(wanted, least) > 0).all(axis=(0, 1))  # (K,)
        if not there.any():
            return 0.0
        relative = (made - wanted)[..., there] / np.maximum(wanted, least)[..., there]
        return float(np.abs(relative).mean(axis=(0, 1)).max())

    def _of_source(self, source: int, flag: Flag | None) -> Floats:
        """Means (2, K) of the images of a source, down and across."""
        found, weights = [], []
        for piece in self._data.pieces(source):
            if flag and flag.is_set():
                raise Interrupted
            stack, lines = thinned(piece)
            down, across = stack[:, :, ::lines], stack[:, ::lines]
            found.append([steps(self._values(down), 3, self._phases), steps(self._values(across), 4, self._phases)])
            weights.append(piece.shape[1] * piece.shape[2])
        return np.asarray(np.average(found, 0, weights))

    def _values(self, stack: Array) -> Tensor:
        """Phases (1, 1, N, H, W) or intensities (1, C, N, H, W) of a stack of images."""
        channels = [stack] if self._phases else image_channels(self._data, stack)
        return torch.from_numpy(np.stack(channels))[None]


def steps(values: Tensor, axis: int, phases: int) -> Floats:
    """What changes from a pixel to the next along an axis.

    Parameters
    ----------
    values : Tensor (B, C, Z, Y, X)
        Phases as uint8 in one channel, or intensities.
    axis : int
        2, 3 or 4.
    phases : int
        How many there are; 0 of intensities.

    Returns
    -------
    array (K,)
        Shares of neighbours of the phases (0, 1), (0, 2), ..., (1, 2), ...; or the mean square step of each channel.
    """
    length = values.shape[axis] - 1
    here, there = values.narrow(axis, 0, length), values.narrow(axis, 1, length)
    if not phases:
        return (there - here).square().mean((0, 2, 3, 4), dtype=torch.float64).cpu().numpy()
    table = torch.bincount((phases * here + there).flatten(), minlength=phases**2).view(phases, phases).cpu().numpy()
    return np.asarray((table + table.T)[np.triu_indices(phases, 1)] / here.numel())
