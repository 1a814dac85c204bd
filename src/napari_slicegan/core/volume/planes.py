"""Planes of an endless array, made and kept in square tiles. Needs no torch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

#: Edge of a tile in voxels.
TILE = 64
#: Most tiles along an edge of a patch, which is made in one go: larger ones are hardly faster, and are given up later.
_LONGEST = 10

Array = npt.NDArray[np.generic]
#: The axis that a plane is normal to, and where it cuts that axis.
Plane = tuple[int, int]
#: Row and column of a tile in its plane.
Place = tuple[int, int]
#: Rows and columns of tiles.
Patch = tuple[range, range]


@dataclass(frozen=True)
class PlaneView:
    """The part of a plane that is looked at, in voxels of the array.

    Attributes
    ----------
    plane : (int, int)
        The axis that it is normal to, and where it cuts that axis.
    rows, columns : range
        What is seen along the first and the second of the other axes.
    """

    plane: Plane
    rows: range
    columns: range

    @property
    def tiles(self) -> list[Place]:
        """The tiles that are seen, those in the middle first."""
        middle = [(seen.start + seen.stop) / 2 / TILE - 0.5 for seen in (self.rows, self.columns)]
        places = product(_tiles(self.rows), _tiles(self.columns))
        return sorted(places, key=lambda place: (place[0] - middle[0]) ** 2 + (place[1] - middle[1]) ** 2)


def _tiles(places: range) -> range:
    """The rows of tiles that places lie in."""
    return range(places[0] // TILE, places[-1] // TILE + 1) if places else range(0)


def patch_of(missing: Sequence[Place]) -> Patch:
    """Choose tiles to make in one go: a rectangle around the first of the missing ones that holds no others."""
    (row, column), wanted = missing[0], set(missing)
    patch = range(row, row + 1), range(column, column + 1)
    while True:
        for grown in sorted(_grown(*patch), key=lambda grown: max(map(len, grown))):
            if max(map(len, grown)) <= _LONGEST and wanted.issuperset(product(*grown)):
                patch = grown
                break
        else:
            return patch


def _grown(rows: range, columns: range) -> list[Patch]:
    """A patch and one more line of tiles, on each of its four sides."""
    return [
        *((each, columns) for each in (range(rows.start, rows.stop + 1), range(rows.start - 1, rows.stop))),
        *((rows, each) for each in (range(columns.start, columns.stop + 1), range(columns.start - 1, columns.stop))),
    ]


class PlaneCache:
    """Tiles of planes; those not looked at for longest make room for new ones.

    Parameters
    ----------
    limit : int
        Most bytes that are kept.
    """

    def __init__(self, limit: int) -> None:
        self.nbytes, self._limit = 0, limit
        self._tiles: OrderedDict[tuple[Plane, Place], Array] = OrderedDict()
        self._planes: dict[Plane, set[Place]] = {}

    def add(self, plane: Plane, patch: Patch, voxels: Array) -> None:
        """Keep a patch (rows, columns, ...) of a plane."""
        rows, columns = patch
        for place in product(rows, columns):
            top, left = (place[0] - rows[0]) * TILE, (place[1] - columns[0]) * TILE
            tile = voxels[top : top + TILE, left : left + TILE].copy()
            self._tiles[plane, place] = tile
            self._planes.setdefault(plane, set()).add(place)
            self.nbytes += tile.nbytes
        while self.nbytes > self._limit:
            (plane, place), tile = self._tiles.popitem(last=False)
            self._planes[plane].remove(place)
            self.nbytes -= tile.nbytes
            if not self._planes[plane]:
                del self._planes[plane]

    def missing(self, view: PlaneView) -> list[Place]:
        """The tiles of a view that are not here; the others are noted as looked at."""
        missing = []
        for place in view.tiles:
            if (view.plane, place) in self._tiles:
                self._tiles.move_to_end((view.plane, place))
            else:
                missing.append(place)
        return missing

    def paste(self, image: Array, plane: Plane, rows: range, columns: range) -> None:
        """Fill an image (rows, columns, ...) of some rows and columns of a plane with what is here of them."""
        here, seen = self._planes.get(plane, set()), (_tiles(rows), _tiles(columns))
        if len(seen[0]) * len(seen[1]) < len(here):
            here = here.intersection(product(*seen))
        for place in here:
            (top, inside_rows), (left, inside_columns) = (
                _overlap(seen, number) for seen, number in zip((rows, columns), place, strict=True)
            )
            image[top, left] = self._tiles[plane, place][inside_rows, inside_columns]

    def clear(self) -> None:
        """Forget all."""
        self._tiles.clear()
        self._planes.clear()
        self.nbytes = 0


def _overlap(places: range, tile: int) -> tuple[slice, slice]:
    """Which of some places lie in a row of tiles, and where in it."""
    start, stop = (
        min(max(-((places.start - edge * TILE) // places.step), 0), len(places)) for edge in (tile, tile + 1)
    )
    first = places.start + start * places.step - tile * TILE
    return slice(start, stop), slice(first, first + (stop - start) * places.step, places.step)
