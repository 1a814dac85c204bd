"""A number or a curve that planes tell, and where it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.comparison.result import Group
from napari_slicegan.core.comparison.sections import Layout
from napari_slicegan.core.comparison.sums import Readings

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """What the planes of one material say, and how they lie.

    Attributes
    ----------
    layout : Layout
        Which planes show which directions.
    readings : sequence of Readings
        One for each of the planes.
    """

    layout: Layout
    readings: Sequence[Readings]

    def along(self, axis: int, name: str) -> Floats:
        """What the lines along an axis say."""
        lines = self.layout.lines[axis]
        return np.asarray(np.mean([self.readings[line.planes][name][line.direction] for line in lines], axis=0))

    def normal_to(self, axis: int, name: str) -> Floats:
        """What the planes normal to an axis say."""
        return self.readings[self.layout.normals[axis]][name]

    def overall(self, name: str) -> Floats:
        """What all planes say together, each pixel counting as much as any other."""
        return np.asarray(np.average([each[name] for each in self.readings], axis=0, weights=self.layout.pixels))


class Way(StrEnum):
    """Where in a view a quantity is read."""

    ALONG = "along"
    NORMAL_TO = "normal to"
    OVERALL = "overall"


@dataclass(frozen=True)
class Place:
    """Where a quantity is read: which of the readings, for which axis, and which entry of it."""

    way: Way
    name: str
    axis: int = 0
    entry: tuple[int, ...] = ()

    def __call__(self, view: View) -> Floats:
        """Read a number () or a curve (R,)."""
        if self.way is Way.OVERALL:
            found = view.overall(self.name)
        else:
            found = (view.along if self.way is Way.ALONG else view.normal_to)(self.axis, self.name)
        return np.asarray(found[self.entry], np.float64)


@dataclass(frozen=True)
class Quantity:
    """A number or a curve that planes tell.

    Attributes
    ----------
    key, group, name, note : str
        As in `Row`.
    read : Place
        Where it is read; in voxels.
    power : int
        Of the length in its unit: 1 for a length, -1 for an area per volume, -2 for a length per volume.
    abscissa : str
        What a curve runs over; "distance" is converted to physical units.
    x : float array (R,)
        Abscissae, in voxels where they are distances.
    phases : tuple of int
        Those that it is about, both of a two-point correlation; or the channel.
    least : Place, optional
        What a single event would give: rare ones are not known better than that.
    """

    key: str
    group: Group
    name: str
    read: Place
    power: int = 0
    abscissa: str = ""
    x: Floats = field(default_factory=lambda: np.empty(0))
    note: str = ""
    phases: tuple[int, ...] = ()
    least: Place | None = None
