"""What every file format offers to whoever writes a volume into it, and what it is told of the volume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.config import OutputKind
from napari_slicegan.core.volume.tiles import Slices

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class VolumeDescription:
    """A volume that is to be written.

    Attributes
    ----------
    shape : tuple of int
        (Z, Y, X) or (Z, Y, X, 3).
    dtype : numpy.dtype
        Of its voxels.
    kind : OutputKind
        What a voxel is.
    phases : tuple of int
        Labels of the phases; empty for grey and colour.
    voxel_size : float
        Edge of a voxel in `unit`.
    unit : str
        For example "um"; "pixel" when the size is not known.
    tile : int
        Edge of the pieces in which it is written, in voxels.
    provenance : dict
        Where it comes from, as plain values: the request, the model, the versions.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    kind: OutputKind
    phases: tuple[int, ...]
    voxel_size: float
    unit: str
    tile: int
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes of the voxels."""
        return prod(self.shape) * self.dtype.itemsize


class Sink(Protocol):
    """A file or store that a volume is written into, piece by piece and in any order.

    Errors of the system leave as OSError; `streaming` turns them into sentences.
    """

    def write(self, place: Slices, values: Array) -> None:
        """Write one piece where it belongs: `values` has the shape of `place` (and 3 for colour)."""

    def flush(self) -> None:
        """Bring all that was written to the disk, so that a crash cannot take it."""

    def finish(self, progress: Callable[[float], None]) -> None:
        """Add what needs the whole volume, such as a pyramid; `progress` gets the finished fraction of that.

        What `progress` raises ends the work; calling `finish` again starts it over.
        """

    def close(self) -> None:
        """Let go of the file; nothing is written after that."""
