"""Rows that compare small patches of planes, also of planes at 45 degrees, which no training ever looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.comparison.known import ENOUGH, Known, between
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
    reference : PatchReference or None
        The truth; None where there is none.
    note : str
        Why not.
    """

    key: str
    name: str
    axis: int
    is_diagonal: bool
    reference: PatchReference | None
    note: str = ""

    def planes_of(self, volume: Bytes) -> Bytes:
        """The planes of a volume (Z, Y, X[, C]) that are to be compared."""
        return diagonal_planes(volume, self.axis) if self.is_diagonal else np.moveaxis(volume, self.axis, 0)

    def of_truth(self) -> dict[str, Known]:
        """How far halves of the truth are from each other, by scale."""
        if self.reference is None:
            return {}
        draws = self.reference.self_distances()  # (draws, scales)
        spread = draws.std(axis=0, ddof=1)
        return {
            key: Known(np.asarray(draws[:, n].mean()), np.asarray(spread[n]), float(spread[n]))
            for n, key in enumerate(self.keys)
        }

    def of_volume(self, volume: Bytes) -> dict[str, Floats]:
        """How far a volume is from halves of the truth, (draws,) by scale; one that is too small tells nothing."""
        if self.reference is None:
            return {}
        try:
            draws = self.reference.distances(self.planes_of(volume))  # (draws, scales)
        except DataError:
            return {}
        return {key: np.asarray(draws[:, n], np.float64) for n, key in enumerate(self.keys)}

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
    data: TrainingData, volume: Bytes | None, forgotten: int, tell: Callable[[float], None]
) -> list[PatchRow]:
    """Prepare the comparison of patches.

    Parameters
    ----------
    data : TrainingData
        The truth, as micrographs.
    volume : uint8 array (Z, Y, X) or (Z, Y, X, C), optional
        The truth itself, if it is a volume.
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
        planes = _planes(data, volume, axis, is_diagonal)
        key = f"patches/{'diagonal' if is_diagonal else 'axis'}/{AXES[axis]}"
        name = f"planes at 45° along {AXES[axis]}" if is_diagonal else f"planes normal to {AXES[axis]}"
        reference, note = None, NO_DIAGONAL
        if planes is not None:
            try:
                # Neighbouring planes of a volume are nearly the same: only some of them are dealt out to the halves.
                thinned = planes[:: max(1, forgotten)] if volume is not None else planes
                reference, note = PatchReference(thinned, max(forgotten, CONFIG.span), phases, CONFIG), ""
            except DataError as error:
                note = str(error)
        rows.append(PatchRow(key, name, axis, is_diagonal, reference, note))
    return rows


def joined(pieces: Sequence[dict[str, Floats]]) -> dict[str, Known]:
    """What volumes tell together: of too few to tell a spread, the draws tell how sure they are."""
    known = {}
    for key in pieces[0]:
        draws = np.array([piece[key] for piece in pieces if key in piece])  # (volumes, draws)
        if len(draws) >= ENOUGH:
            known[key] = between(list(draws.mean(axis=1)))
        else:
            error = draws.std(ddof=1)
            known[key] = Known(np.asarray(draws.mean()), np.asarray(error), float(error))
    return known


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
