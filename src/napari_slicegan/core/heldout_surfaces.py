"""Surfaces in generated volumes, compared with those in the micrographs, along each axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.directions import along_axes, of_planes, of_views
from napari_slicegan.core.interruption import Flag, Interrupted
from napari_slicegan.core.representative import image_channels
from napari_slicegan.core.surfaces import steps
from napari_slicegan.core.thinning import thinned

RARE = 0.02
"""Of all faces, or of the largest mean square step: what is rarer counts as if it were not, as chance rules it."""

_LEAST = 1e-6  # so that nothing is divided by 0 where nothing changes

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
        each = [self._of_source(source, flag) for source in range(len(data.sources))]
        self._wanted = of_views(each, data.views)  # (3, 2, K)
        most = self._wanted.sum(axis=2) if data.kind is OutputKind.PHASES else self._wanted
        self._scale = np.maximum(self._wanted, max(RARE * most.max(), _LEAST))

    def of_volumes(self, volumes: Tensor) -> Floats:
        """What changes along each axis, (3, K), of volumes (B, C, Z, Y, X), see `steps`."""
        return _on_host([steps(volumes, 2 + axis, self._data.kind) for axis in range(3)])

    def error(self, made: Floats) -> float:
        """The largest relative difference of what changes, (3, K): of each kind the mean over planes and directions."""
        return float(np.abs(self._relative(made)).mean(axis=(0, 1)).max())

    def excess(self, made: Floats) -> Floats:
        """How much more there is along each axis than in the micrographs, (3, K), relative to `scale`."""
        return along_axes(self._relative(made), self._data.views)

    @property
    def scale(self) -> Floats:
        """What there is in the micrographs along each axis, (3, K), or so much that its chance errors count little."""
        return along_axes(self._scale, self._data.views)

    def _relative(self, made: Floats) -> Floats:
        return np.asarray((of_planes(made) - self._wanted) / self._scale)  # (3, 2, K)

    def _of_source(self, source: int, flag: Flag | None) -> Floats:
        """Means (2, K) of the images of a source, down and across."""
        found, weights = [], []
        for piece in self._data.pieces(source):
            if flag and flag.is_set():
                raise Interrupted
            stack, lines = thinned(piece)
            parts = (stack[:, :, ::lines], 3), (stack[:, ::lines], 4)
            found.append(_on_host([steps(self._channels(part), axis, self._data.kind) for part, axis in parts]))
            weights.append(piece.shape[1] * piece.shape[2])
        return np.asarray(np.average(found, 0, weights))

    def _channels(self, stack: Array) -> Tensor:
        """Channels (1, C, N, H, W) of a stack of images."""
        return torch.from_numpy(np.stack(image_channels(self._data, stack))).float()[None]


def _on_host(each: list[Tensor]) -> Floats:
    return torch.stack(each).cpu().numpy().astype(np.float64)
