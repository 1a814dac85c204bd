"""The canonical grid of tiles: a voxel is always made in the same tile, so it always rounds in the same way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from napari_slicegan.core.geometry import Geometry
from napari_slicegan.core.volume.request import Triple, VolumeRequest

#: About the edge of a tile in voxels; a balance of memory, of overlap, and of what a small volume costs.
TILE = 128

Slices = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Tile:
    """One tile of a volume.

    Attributes
    ----------
    start : (int, int, int)
        Its first voxel in the endless volume, along z, y, x: a multiple of its edge.
    inside : (slice, slice, slice)
        The part of it that belongs to the volume.
    place : (slice, slice, slice)
        Where that part goes in the volume.
    """

    start: Triple
    inside: Slices
    place: Slices


def tile_edge(geometry: Geometry) -> int:
    """Edge of a tile in voxels: the multiple of the scale nearest to `TILE`."""
    return geometry.scale * max(1, round(TILE / geometry.scale))


class Tiles(Sequence[Tile]):
    """All tiles of a volume, z slowest and x fastest.

    Parameters
    ----------
    request : VolumeRequest
        The volume.
    geometry : Geometry
        The generator's.
    """

    def __init__(self, request: VolumeRequest, geometry: Geometry) -> None:
        self.edge = tile_edge(geometry)
        self._origin, self._shape = request.origin, request.shape
        self._first = [start // self.edge for start in request.origin]
        ends = [-(-(start + size) // self.edge) for start, size in zip(self._origin, self._shape, strict=True)]
        self.counts = tuple(end - first for end, first in zip(ends, self._first, strict=True))

    def __len__(self) -> int:
        return prod(self.counts)

    def __getitem__(self, index: int) -> Tile:  # type: ignore[override]
        if not 0 <= index < len(self):
            raise IndexError(index)
        _, rows, columns = self.counts
        place = (index // (rows * columns), index // columns % rows, index % columns)
        z, y, x = ((first + step) * self.edge for first, step in zip(self._first, place, strict=True))
        pairs = [self._cut(axis, start) for axis, start in enumerate((z, y, x))]
        inside, outside = zip(*pairs, strict=True)
        return Tile((z, y, x), inside, outside)

    def __iter__(self) -> Iterator[Tile]:
        return (self[index] for index in range(len(self)))

    def _cut(self, axis: int, start: int) -> tuple[slice, slice]:
        """The part of a tile that lies in the volume, counted from the tile's start and from the volume's."""
        origin = self._origin[axis]
        low, high = max(start, origin), min(start + self.edge, origin + self._shape[axis])
        return slice(low - start, high - start), slice(low - origin, high - origin)
