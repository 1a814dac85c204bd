"""The planes in which a material is seen: of one, two or three micrographs, or of a volume cut along its axes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.comparison.sums import Box
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.statistics.correlation import correlations

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

_TILES = 6  # along each edge of an image
_SLABS = 8  # of a volume
_SMALLEST = 16  # pixels: edge of a tile


@dataclass(frozen=True)
class Line:
    """One place in which lines along an axis are seen: which planes, and whether they run down or across."""

    planes: int
    direction: int


@dataclass(frozen=True)
class Layout:
    """Which planes show what.

    Attributes
    ----------
    normals : (int, int, int)
        For each axis z, y, x which planes are normal to it.
    lines : tuple of tuple of Line
        For each axis z, y, x where lines along it are seen.
    pixels : tuple of int
        In each of the planes; those of a volume count once.
    """

    normals: tuple[int, int, int]
    lines: tuple[tuple[Line, ...], ...]
    pixels: tuple[int, ...]


@dataclass(frozen=True)
class Sections:
    """Planes of a material.

    Attributes
    ----------
    planes : tuple of uint8 array (N, H, W) or (N, H, W, C)
        Indices of phases or intensities; all images of one micrograph, or all slices of a volume along an axis.
    layout : Layout
        Which of them show what.
    is_volume : bool
        Whether the planes are the same voxels, cut three times.
    """

    planes: tuple[Bytes, ...]
    layout: Layout
    is_volume: bool

    @classmethod
    def of_volume(cls, volume: Bytes) -> Sections:
        """Cut a volume (Z, Y, X) or (Z, Y, X, C) along each axis."""
        planes = tuple(np.moveaxis(volume, axis, 0) for axis in range(3))
        # A line lies in planes of two kinds, and counts in one: z down those normal to y, y across those normal to x.
        lines = ((Line(1, 0),), (Line(2, 1),), (Line(0, 1),))
        counted = (prod(volume.shape[:3]), 0, 0)  # all planes are the same voxels
        return cls(planes, Layout((0, 1, 2), lines, counted), True)

    @classmethod
    def of_images(cls, data: TrainingData) -> Sections:
        """Arrange micrographs as the training does; a single one speaks for all directions."""
        (first, _), (second, _), (third, _) = data.views
        lines: list[list[Line]] = [[], [], []]
        if len(data.sources) == 1:
            lines = [[Line(0, 0), Line(0, 1)]] * 3
        else:
            for normal, (source, transposed) in enumerate(data.views):
                down, across = (axis for axis in range(3) if axis != normal)
                lines[down].append(Line(source, int(transposed)))
                lines[across].append(Line(source, 1 - int(transposed)))
        layout = Layout((first, second, third), tuple(map(tuple, lines)), _pixels(data.sources))
        return cls(data.sources, layout, False)

    def boxes(self, number: int) -> list[Box]:
        """Boxes that tile some of the planes: slabs of a volume, tiles of images."""
        count, height, width = self.planes[number].shape[:3]
        if self.is_volume:
            edges = np.linspace(0, count, min(_SLABS, count) + 1).astype(int)
            return [(slab, slice(0, height), slice(0, width)) for slab in _between(edges)]
        rows, columns = (_tiles(size) for size in (height, width))
        images = _between(np.arange(count + 1))
        return list(product(images, rows, columns))


def micrograph_correlations(data: TrainingData, reach: int) -> Floats:
    """Two-point correlations that the training images ask of a volume.

    Parameters
    ----------
    data : TrainingData
        Images of phases.
    reach : int
        The longest distance, in pixels.

    Returns
    -------
    float array (3, phases, reach + 1)
        For the axes z, y, x the mean over all rows and columns of images that lie along it; of a
        single image, which speaks for all directions, the mean over both of its own.
    """
    curves = [
        correlations(source, range(data.channels), reach, axes=(1, 2)) for source in data.sources
    ]  # (2, P, R + 1)
    lines = Sections.of_images(data).layout.lines
    return np.array([np.mean([curves[line.planes][line.direction] for line in some], axis=0) for some in lines])


def _pixels(planes: tuple[Bytes, ...]) -> tuple[int, ...]:
    return tuple(prod(stack.shape[:3]) for stack in planes)


def _tiles(size: int) -> list[slice]:
    return _between(np.linspace(0, size, max(2, min(_TILES, size // _SMALLEST)) + 1).astype(int))


def _between(edges: npt.NDArray[Any]) -> list[slice]:
    return [slice(int(low), int(high)) for low, high in pairwise(edges)]
