"""Interfaces between phases and the lines where three phases meet, of planes by stereology and of volumes."""

from __future__ import annotations

from functools import cache
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Box = tuple[slice, slice, slice]

_FEW = 2**22  # voxels at a time: bounds the memory
_STEPS = ((1, 0), (0, 1), (1, 1), (1, -1))  # of the directions in a plane
_SQUARE = ((0, 0), (0, 1), (1, 0), (1, 1))


class InterfaceSums(NamedTuple):
    """Neighbours of different phases in planes, which add up over boxes.

    The directions are 0 down the rows, 1 across the columns, 2 down-right, 3 down-left.

    Attributes
    ----------
    crossings : float array (I, 4)
        Neighbouring pixels of two phases, in any order, for the I pairs (0, 1), (0, 2), ..., (1, 2), ...
    steps : float array (4,)
        Neighbouring pixels looked at.
    points : float array (T,)
        Squares of 2 x 2 pixels that hold three phases, for the T triples of phases in lexical
        order; a square of four phases, two triple points close to each other, counts one half for
        each of its four triples.
    vertices : float array (1,)
        Squares looked at.
    """

    crossings: Floats
    steps: Floats
    points: Floats
    vertices: Floats


def interface_sums(planes: Array, phases: int, box: Box) -> InterfaceSums:
    """Count the neighbours of different phases.

    Parameters
    ----------
    planes : uint8 array (N, H, W)
        Phases 0, 1, ..., at most 8.
    phases : int
        How many there are.
    box : (slice, slice, slice)
        Of (N, H, W): where the upper pixel of two neighbours lies, or the left one of a row, and
        the upper left one of a square. The others may lie anywhere in the plane.

    Returns
    -------
    InterfaceSums
        Of the box.
    """
    triples = list(combinations(range(phases), 3))
    sums = InterfaceSums(np.zeros((phases * (phases - 1) // 2, 4)), np.zeros(4), np.zeros(len(triples)), np.zeros(1))
    few = max(1, _FEW // (planes.shape[1] * planes.shape[2]))
    for top in range(box[0].start, box[0].stop, few):
        part = planes[top : min(top + few, box[0].stop)]
        for direction, step in enumerate(_STEPS):
            here, there = _at(part, box, ((0, 0), step))
            sums.crossings[:, direction] += _crossings(here, there, phases)
            sums.steps[direction] += here.size
        square = _at(part, box, _SQUARE)
        sums.points[:] += _points(square, triples)
        sums.vertices[:] += square[0].size
    return sums


def crossings_per_length(sums: InterfaceSums) -> Floats:
    """How often a line crosses each interface.

    Parameters
    ----------
    sums : InterfaceSums
        Added up over all boxes.

    Returns
    -------
    float array (I, 4)
        Crossings per pixel of length along each direction; nan where no plane holds neighbours.
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(sums.crossings / (sums.steps * [np.hypot(*step) for step in _STEPS]))


def specific_surface(sums: InterfaceSums) -> Floats:
    """Area of each interface per volume, from planes, if the material is isotropic.

    By Crofton's formula the length of a boundary per area is pi / 2 times the crossings per
    length of lines of all directions in the plane, here of four that are 45 degrees apart; the
    area per volume is 4 / pi times the length per area of planes of all directions.

    Parameters
    ----------
    sums : InterfaceSums
        Added up over all boxes.

    Returns
    -------
    float array (I,)
        Per pixel, for the pairs as in `InterfaceSums`.
    """
    return np.asarray(2 * crossings_per_length(sums).mean(axis=1))


def triple_line_density(sums: InterfaceSums) -> Floats:
    """Length of the lines where three phases meet per volume, from planes, if the material is isotropic.

    Parameters
    ----------
    sums : InterfaceSums
        Added up over all boxes.

    Returns
    -------
    float array (T,)
        Per pixel squared, for the triples as in `InterfaceSums`: 2 times the points per area. About
        1 % too large for grains that meet at 120 degrees; up to 18 % where phases end on each other
        at any angle, as the tips of narrow wedges break up into pixels.
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(2 * sums.points / sums.vertices)


def surface_3d(labels: Array, phases: int) -> Floats:
    """Area of each interface per volume, from all directions of a volume's lattice.

    Twice the crossings per length, averaged over the 13 directions between neighbouring voxels
    with the share of the sphere that is nearest to each as its weight (G. Lehmann & D. Legland,
    "Efficient N-Dimensional surface estimation using Crofton formula and run-length encoding",
    Insight Journal 2012). No mesh: one would have a surface for each phase instead of each
    interface, and around binary voxels it is about 9 % too large.

    The bias on digitised spheres anywhere on the lattice: -1.1 % for a radius of 4 voxels, -0.6 % for 6, -0.2 % for 10
    and below 0.1 % from 12 to 30. Interfaces less than a voxel apart are not seen: of overlapping
    spheres with mean chords of 12 voxels, all between, 6 % are missing.

    Parameters
    ----------
    labels : uint8 array (Z, Y, X)
        Phases 0, 1, ..., at most 8.
    phases : int
        How many there are.

    Returns
    -------
    float array (I,)
        Per voxel, for the pairs (0, 1), (0, 2), ..., (1, 2), ...
    """
    surface = np.zeros(phases * (phases - 1) // 2)
    for step, weight in _sphere():
        here, there = _moved(labels, tuple(-shift for shift in step)), _moved(labels, step)
        surface += 2 * weight * _crossings(here, there, phases) / (here.size * np.linalg.norm(step))
    return surface


@cache
def _sphere() -> list[tuple[tuple[int, ...], float]]:
    """The 13 directions between neighbouring voxels, and the share of all directions nearest to each."""
    from scipy.spatial import SphericalVoronoi

    steps = [step for step in product((-1, 0, 1), repeat=3) if any(step)]
    areas = SphericalVoronoi([np.array(step) / np.linalg.norm(step) for step in steps]).calculate_areas()
    return [(step, area / (2 * np.pi)) for step, area in zip(steps, areas, strict=True) if step > (0, 0, 0)]


def _moved(labels: Array, step: tuple[int, ...]) -> Array:
    """View of the voxels that are a step away from others."""
    return labels[
        tuple(slice(max(0, shift), size + min(0, shift)) for shift, size in zip(step, labels.shape, strict=True))
    ]


def _at(planes: Array, box: Box, offsets: tuple[tuple[int, int], ...]) -> list[Array]:
    """Views of planes at offsets from the pixels of a box; of those from which all lie in the plane."""
    parts = []
    for part, size, steps in zip(box[1:], planes.shape[1:], zip(*offsets, strict=True), strict=True):
        start, stop = max(part.start, -min(steps)), min(part.stop, size - max(steps))
        parts.append([slice(start + step, stop + step) for step in steps])
    return [planes[:, rows, columns] for rows, columns in zip(*parts, strict=True)]


def _crossings(here: Array, there: Array, phases: int) -> Floats:
    """Neighbours of two different phases, (I,)."""
    differ = here != there
    codes = here[differ].astype(np.intp) * phases + there[differ]
    table = np.bincount(codes, minlength=phases**2).reshape(phases, phases)
    return np.asarray((table + table.T)[np.triu_indices(phases, 1)], np.float64)


def _points(square: list[Array], triples: list[tuple[int, int, int]]) -> list[float]:
    """Squares of the pixels upper left, upper right, lower left and lower right that hold each triple."""
    if not triples:
        return []
    # Two phases at most where both diagonals are of one each.
    candidates = (square[0] != square[3]) | (square[1] != square[2])
    held = np.bitwise_or.reduce([np.uint8(1) << pixels[candidates] for pixels in square])  # a bit for each phase
    count = np.bincount(held, minlength=256)
    four = [sets for sets in range(256) if sets.bit_count() == 4]
    bits = [sum(1 << phase for phase in triple) for triple in triples]
    return [count[bit] + sum(count[sets] for sets in four if sets & bit == bit) / 2 for bit in bits]
