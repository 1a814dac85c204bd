"""Coarser and coarser copies of a volume, for whoever looks at it from afar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.volume.request import Triple
from napari_slicegan.core.volume.tiles import Slices

Array = npt.NDArray[np.generic]

#: The coarsest level is no longer than this along any axis, in voxels.
COARSEST = 128
#: What holds the sum of eight whole numbers of so many bytes.
_SUMS = {1: np.int16, 2: np.int32}


@dataclass(frozen=True)
class Level:
    """One resolution of a volume.

    Attributes
    ----------
    shape : (int, int, int)
        Its voxels along z, y, x.
    step : (int, int, int)
        Voxels of the finest level that one of its voxels stands for, along z, y, x.
    """

    shape: Triple
    step: Triple = (1, 1, 1)

    @property
    def factors(self) -> Triple:
        """Voxels along z, y, x that become one of the next level: 2, but 1 along an axis that is a single voxel."""
        z, y, x = (2 if size > 1 else 1 for size in self.shape)
        return z, y, x

    @property
    def coarser(self) -> Level:
        """The next level."""
        sizes = (-(-size // factor) for size, factor in zip(self.shape, self.factors, strict=True))
        steps = (step * factor for step, factor in zip(self.step, self.factors, strict=True))
        (z, y, x), (step_z, step_y, step_x) = sizes, steps
        return Level((z, y, x), (step_z, step_y, step_x))

    @property
    def shift(self) -> tuple[float, float, float]:
        """From the centre of the finest level's first voxel to that of this one's, in voxels of the finest."""
        z, y, x = ((step - 1) / 2 for step in self.step)
        return z, y, x


def levels_of(shape: Triple) -> list[Level]:
    """All levels of a volume, the finest first."""
    levels = [Level(shape)]
    while max(levels[-1].shape) > COARSEST:
        levels.append(levels[-1].coarser)
    return levels


def blocks_of(shape: Triple, edge: int) -> Iterator[Slices]:
    """Cut a level into blocks, z slowest and x fastest."""
    z, y, x = ([slice(low, min(low + edge, size)) for low in range(0, size, edge)] for size in shape)
    yield from product(z, y, x)


def source_of(block: Slices, finer: Level) -> Slices:
    """The voxels of the next finer level that a block is made from."""
    cut = zip(block, finer.factors, finer.shape, strict=True)
    z, y, x = (slice(part.start * factor, min(part.stop * factor, size)) for part, factor, size in cut)
    return z, y, x


def majority(voxels: Array, factors: Triple, phases: Sequence[int]) -> Array:
    """Make labels coarser: the label that most of the voxels have, of equals the smallest.

    Parameters
    ----------
    voxels : array (..., Z, Y, X)
        Labels.
    factors : (int, int, int)
        Voxels along z, y, x that become one.
    phases : sequence of int
        All labels that there are; none when nobody knows them.

    Returns
    -------
    array (..., Z', Y', X')
        Labels of the same type; at an odd end, of the voxels that are there.
    """
    corners = _corners(voxels, factors)
    if not 0 < len(phases) <= len(corners):
        return _majority_of_any(corners)
    result = np.full_like(corners[0], phases[0])
    most = np.zeros(result.shape, np.uint8)
    for phase in sorted(phases):
        count = np.zeros(result.shape, np.uint8)
        for corner in corners:
            count += corner == phase
        more = count > most
        result[more], most[more] = phase, count[more]
    return result


def _majority_of_any(corners: Sequence[Array]) -> Array:
    """The same, whatever labels there are: each corner is compared with all others."""
    result = corners[0].copy()
    most = np.zeros(result.shape, np.uint8)
    for one in corners:
        count = np.zeros(result.shape, np.uint8)
        for other in corners:
            count += one == other
        better = (count > most) | ((count == most) & np.less(one, result))
        result[better], most[better] = one[better], count[better]
    return result


def mean(voxels: Array, factors: Triple) -> Array:
    """Make intensities coarser: their mean; of whole numbers rounded, half a level up.

    Parameters
    ----------
    voxels : array (..., Z, Y, X)
        Intensities.
    factors : (int, int, int)
        Voxels along z, y, x that become one.

    Returns
    -------
    array (..., Z', Y', X')
        Intensities of the same type; at an odd end, of the voxels that are there.
    """
    corners = _corners(voxels, factors)
    is_whole = voxels.dtype.kind in "iu"
    sums = _SUMS.get(voxels.dtype.itemsize, np.int64) if is_whole else np.promote_types(voxels.dtype, np.float32)
    total = np.full(corners[0].shape, len(corners) // 2 if is_whole else 0, sums)
    for corner in corners:
        np.add(total, corner, out=total, casting="unsafe")
    return (total // len(corners) if is_whole else total / len(corners)).astype(voxels.dtype)


def _corners(voxels: Array, factors: Triple) -> list[Array]:
    """The voxels that become one, each in an array of its own; the last ones stand for those behind an odd end."""
    behind = [(0, -size % factor) for size, factor in zip(voxels.shape[-3:], factors, strict=True)]
    if any(end for _, end in behind):
        voxels = np.pad(voxels, [(0, 0)] * (voxels.ndim - 3) + behind, mode="edge")
    offsets = product(*map(range, factors))
    z, y, x = factors
    return [np.ascontiguousarray(voxels[..., k::z, j::y, i::x]) for k, j, i in offsets]
