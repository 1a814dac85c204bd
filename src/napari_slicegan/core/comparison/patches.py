"""Rows that compare small patches of planes, also of planes at 45 degrees, which no training ever looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.comparison.known import Known
from napari_slicegan.core.comparison.matching import Shape
from napari_slicegan.core.data import AXES, TrainingData
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.statistics.diagonals import diagonal_planes, stretched
from napari_slicegan.core.statistics.patches import PatchConfig, PatchReference

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

CONFIG = PatchConfig()
"""How patches are compared."""

NO_DIAGONAL = "No micrograph shows planes at 45 degrees of this material."


@dataclass(frozen=True)
class PatchRow:
    """Planes of the truth against which the planes of volumes are held.

    Attributes
    ----------
    key, name : str
        Of its rows, without the scale.
    axis : int
        The axis that straight planes are normal to, and that diagonal ones contain.
    is_diagonal : bool
        Which of them.
    apart : int
        Planes of a volume from one that is looked at to the next.
    reference : PatchReference or None
        The truth; None where there is none.
    note : str
        Why not.
    """

    key: str
    name: str
    axis: int
    is_diagonal: bool
    apart: int
    reference: PatchReference | None
    note: str = ""

    def planes_of(self, volume: Bytes) -> Bytes:
        """The planes of a volume (Z, Y, X[, C]) that are to be compared, so far apart that they differ."""
        if self.reference is None:
            return volume[:0, :0, :0]
        planes = diagonal_planes(volume, self.axis) if self.is_diagonal else np.moveaxis(volume, self.axis, 0)
        return np.ascontiguousarray(planes[:: self.apart])

    def of_truth(self, volumes: Bytes, tell: Callable[[float], None]) -> dict[str, Known]:
        """How far halves of the truth are from each other, by scale, each with as many blocks as volumes have."""
        if self.reference is None:
            return {}
        return self._known(self.reference.self_distances(self.reference.blocks_in(volumes), tell))

    def of_volumes(self, volumes: Bytes, tell: Callable[[float], None]) -> dict[str, Known]:
        """How far planes (N, H, W[, C]) of all volumes are from halves of the truth, by scale."""
        return {} if self.reference is None else self._known(self.reference.distances(volumes, tell))

    def _known(self, draws: npt.NDArray[np.floating[Any]]) -> dict[str, Known]:
        """What draws (draws, scales) of distances tell: a single one scatters as the material makes it."""
        scatter = draws.std(axis=0, ddof=1)
        return {
            key: Known(np.asarray(float(draws[:, n].mean())), np.asarray(float(scatter[n])), float(scatter[n]))
            for n, key in enumerate(self.keys)
        }

    @property
    def keys(self) -> list[str]:
        """One for each scale."""
        return [f"{self.key}/{scale}" for scale in CONFIG.scales]

    @property
    def names(self) -> list[str]:
        """As `keys`, for people."""
        spans = [scale * CONFIG.edge for scale in CONFIG.scales]
        return [f"Patches of {span} voxels, {self.name}" for span in spans]


def patch_rows(
    data: TrainingData, truth: Bytes | None, shape: Shape, forgotten: int, tell: Callable[[float], None]
) -> list[PatchRow]:
    """Prepare the comparison of patches.

    Parameters
    ----------
    data : TrainingData
        The truth, as micrographs.
    truth : uint8 array (Z, Y, X) or (Z, Y, X, C), optional
        The truth itself, if it is a volume.
    shape : (int, int, int)
        Voxels of the volumes.
    forgotten : int
        Pixels after which the material has forgotten what it is.
    tell : callable
        Takes the finished fraction.

    Returns
    -------
    list of PatchRow
        For each axis the planes normal to it, then for each axis those at 45 degrees that contain it.
    """
    rows, phases = [], len(data.phases)
    for number in range(6):
        tell(number / 6)
        axis, is_diagonal = number % 3, number >= 3
        key = f"patches/{'diagonal' if is_diagonal else 'axis'}/{AXES[axis]}"
        name = f"planes at 45° along {AXES[axis]}" if is_diagonal else f"planes normal to {AXES[axis]}"
        room = _room(shape, axis, is_diagonal)
        block = max(CONFIG.span, min(forgotten, room))
        planes, reference, note = _planes(data, truth, axis, is_diagonal), None, NO_DIAGONAL
        if room < CONFIG.span:
            note = f"Such planes of the volumes are only {room} voxels wide, and patches take {CONFIG.span}."
        elif planes is not None:
            try:
                # Neighbouring planes of a volume are nearly the same: only some of them are dealt out to the halves.
                thinned = planes[::block] if truth is not None else planes
                reference, note = PatchReference(thinned, block, phases, CONFIG), ""
            except DataError as error:
                note = str(error)
        rows.append(PatchRow(key, name, axis, is_diagonal, block, reference, note))
    return rows


def _room(shape: Shape, axis: int, is_diagonal: bool) -> int:
    """The shorter edge of such planes of a volume."""
    others = [size for number, size in enumerate(shape) if number != axis]
    return min(shape[axis], min(others) // 2) if is_diagonal else min(others)


def _planes(data: TrainingData, volume: Bytes | None, axis: int, is_diagonal: bool) -> Bytes | None:
    """The planes of the truth for a row; None where no micrograph shows them."""
    if volume is not None:
        return diagonal_planes(volume, axis) if is_diagonal else np.moveaxis(volume, axis, 0)
    source, transposed = data.views[axis]
    if not is_diagonal:
        planes = data.sources[source]
        return planes.swapaxes(1, 2) if transposed else planes
    if len(data.sources) == 1:
        return stretched(data.sources[0])
    if len(data.sources) == 2 and AXES[axis] == data.axis:
        return stretched(data.sources[1])  # the special axis is down the rows of the side view
    return None
