"""Random points, waves and noise in endless space: the same wherever a box is cut from it.

Space is divided into cells, each with a `numpy.random.default_rng` of its own that is seeded by
the piece's seed and the cell's position. numpy may change its streams with a major version, and
the pieces then change as well.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

_CELL = 32  # edge of a cell in voxels
_OFFSET = 2**20  # seeds are not negative, cells may be
_CHAIN = 8  # distances after which one acceptance no longer matters to another


@dataclass(frozen=True)
class Box:
    """A part of space, or of a plane.

    Attributes
    ----------
    origin : tuple of int
        First voxel along each axis (z, y, x).
    shape : tuple of int
        Voxels along each axis.
    """

    origin: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def end(self) -> tuple[int, ...]:
        """The voxel behind the last along each axis."""
        return tuple(start + size for start, size in zip(self.origin, self.shape, strict=True))

    def grown(self, margin: int) -> Box:
        """Give the box with a margin on all sides."""
        return Box(
            tuple(start - margin for start in self.origin),
            tuple(size + 2 * margin for size in self.shape),
        )


class _Stream(IntEnum):
    POINTS = 0
    NOISE = 1
    WAVES = 2


def poisson_points(box: Box, seed: int, density: float, marks: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw points that do not know of each other.

    Parameters
    ----------
    box : Box
        Where; n axes.
    seed : int
        Which piece of the material.
    density : float
        Mean number of points in a voxel.
    marks : int
        Random numbers that each point carries.

    Returns
    -------
    tuple of ndarray and ndarray
        (N, n) coordinates in voxels, and (N, marks) numbers from 0 to 1.
    """
    axes = len(box.shape)
    found = []
    for cell, rng in _cells(box, seed, _Stream.POINTS):
        drawn = rng.random((rng.poisson(density * _CELL**axes), axes + marks))
        drawn[:, :axes] = (drawn[:, :axes] + cell) * _CELL
        found.append(drawn)
    points = np.concatenate(found)
    inside = np.all((points[:, :axes] >= box.origin) & (points[:, :axes] < box.end), axis=1)
    return points[inside, :axes], points[inside, axes:]


def spaced_points(box: Box, seed: int, distance: float, crowding: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw points that keep a distance: candidates come one after another and stay if there is room.

    Parameters
    ----------
    box : Box
        Where; n axes.
    seed : int
        Which piece of the material.
    distance : float
        Smallest distance between two points, in voxels.
    crowding : float
        Candidates for each distance**n of space.

    Returns
    -------
    tuple of ndarray and ndarray
        (N, n) coordinates in voxels, and (N,) one number from 0 to 1 for each point.
    """
    from scipy.spatial import cKDTree

    wide = box.grown(int(_CHAIN * distance))
    density = crowding / distance ** len(box.shape)
    points, marks = poisson_points(wide, seed, density, marks=2)
    in_turn = np.argsort(marks[:, 0])
    points, marks = points[in_turn], marks[in_turn]
    pairs = cKDTree(points).query_pairs(distance, output_type="ndarray")  # earlier, later
    stays = _first_come(len(points), pairs)
    stays &= np.all((points >= box.origin) & (points < box.end), axis=1)
    return points[stays], marks[stays, 1]


def _first_come(number: int, pairs: np.ndarray) -> np.ndarray:
    """Find who stays when of each pair (earlier, later) the later must go if the earlier stays."""
    stays = np.zeros(number, bool)
    undecided = np.ones(number, bool)
    while undecided.any():
        waits = np.zeros(number, bool)
        waits[pairs[:, 1]] = True
        certain = undecided & ~waits
        stays |= certain
        undecided &= ~certain
        undecided[pairs[certain[pairs[:, 0]], 1]] = False
        pairs = pairs[undecided[pairs].all(axis=1)]
    return stays


def noise(box: Box, seed: int) -> np.ndarray:
    """Draw independent numbers of a normal distribution.

    Parameters
    ----------
    box : Box
        Where; three axes.
    seed : int
        Which piece of the material.

    Returns
    -------
    ndarray
        (Z, Y, X) of mean 0 and standard deviation 1.
    """
    values = np.empty(box.shape)
    for cell, rng in _cells(box, seed, _Stream.NOISE):
        drawn = rng.standard_normal((_CELL,) * 3)
        first = np.maximum(cell * _CELL, box.origin)
        last = np.minimum((cell + 1) * _CELL, box.end)
        there = tuple(map(slice, first - box.origin, last - box.origin))
        values[there] = drawn[tuple(map(slice, first - cell * _CELL, last - cell * _CELL))]
    return values


def waves(
    heights: np.ndarray,
    points: np.ndarray,
    seed: int,
    lengths: tuple[float, float],
    widths: tuple[float, float],
    slope: float,
    number: int = 32,
) -> np.ndarray:
    """Shift points in a plane by a sum of random waves that run through space.

    Parameters
    ----------
    heights : ndarray
        (Z,) heights of the plane.
    points : ndarray
        (N, 2) points in the plane.
    seed : int
        Which piece of the material.
    lengths : tuple of float
        Shortest and longest wave length along z.
    widths : tuple of float
        Shortest and longest wave length in the plane.
    slope : float
        Root mean square of the change of either coordinate over one voxel of height.
    number : int
        Waves in the sum.

    Returns
    -------
    ndarray
        (Z, N, 2) shifts.
    """
    rng = np.random.default_rng([seed, _Stream.WAVES])
    along = 2 * np.pi / rng.uniform(*lengths, number) * rng.choice([-1, 1], number)
    across = 2 * np.pi / rng.uniform(*widths, number)
    heading, phase = rng.uniform(0, 2 * np.pi, (2, number))
    run = across * np.stack([np.cos(heading), np.sin(heading)])  # (2, number)
    # Across their own heading, so that the points come no nearer to each other on the whole.
    amplitude = 2 * slope / np.sqrt(number) / along * np.stack([-np.sin(heading), np.cos(heading)])
    angles = heights[:, None, None] * along + points @ run + phase  # (Z, N, number)
    shifts: np.ndarray = np.sin(angles) @ amplitude.T
    return shifts


def _cells(box: Box, seed: int, stream: _Stream) -> Iterator[tuple[np.ndarray, np.random.Generator]]:
    """Go through the cells that a box touches, each with its generator."""
    touched = (range(first // _CELL, -(-last // _CELL)) for first, last in zip(box.origin, box.end, strict=True))
    for cell in itertools.product(*touched):
        place = [index + _OFFSET for index in cell]
        yield np.array(cell), np.random.default_rng([seed, stream, *place])
