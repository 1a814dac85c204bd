"""The rows of a comparison that planes can tell: what each is called, and where it is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.comparison.result import Group
from napari_slicegan.core.comparison.sections import Layout
from napari_slicegan.core.comparison.sums import Readings
from napari_slicegan.core.data import AXES
from napari_slicegan.core.statistics.correlation import phase_pairs
from napari_slicegan.core.statistics.intensities import GRADIENT_EDGES

Floats = npt.NDArray[np.float64]

_DIAGONALS, _RADIAL = 2, 3
_ISOTROPY = "Isotropy is assumed to tell areas and lengths in 3D from a plane."


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


def of_phases(names: Sequence[str], reach: int) -> Iterator[Quantity]:
    """All rows of a material of phases.

    Parameters
    ----------
    names : sequence of str
        Of the phases.
    reach : int
        Longest distance of the curves, in voxels.

    Yields
    ------
    Quantity
        In the order to show them.
    """
    for phase, name in enumerate(names):
        yield _fraction(phase, name)
    pairs = [(f"{i}-{j}", names[i] if i == j else f"{names[i]} to {names[j]}") for i, j in phase_pairs(len(names))]
    yield from _correlations(Group.CORRELATIONS, "correlation", "S2 of", pairs, reach)
    for axis in range(3):
        for phase, name in enumerate(names):
            yield from _lines(axis, phase, name, reach)
    for number, (i, j) in enumerate(combinations(range(len(names)), 2)):
        yield from _interfaces(number, (i, j), f"{names[i]} | {names[j]}")
    for number, triple in enumerate(combinations(range(len(names)), 3)):
        title = "Triple line " + " | ".join(names[phase] for phase in triple)
        for axis in range(3):
            yield Quantity(
                f"triple-lines/{AXES[axis]}/{'-'.join(map(str, triple))}",
                Group.TRIPLE_LINES,
                f"{title}, planes normal to {AXES[axis]}",
                Place(Way.NORMAL_TO, "triple lines", axis, (number,)),
                power=-2,
                note=_ISOTROPY,
                phases=triple,
                least=Place(Way.NORMAL_TO, "one point", axis),
            )


def of_intensities(channels: Sequence[str], reach: int) -> Iterator[Quantity]:
    """All rows of a grey or coloured material.

    Parameters
    ----------
    channels : sequence of str
        Their names: "grey", or "red", "green", "blue".
    reach : int
        Longest distance of the curves, in voxels.

    Yields
    ------
    Quantity
        In the order to show them.
    """
    levels = np.arange(256.0)
    for number, name in enumerate(channels):
        yield Quantity(
            f"mean/{name}",
            Group.HISTOGRAMS,
            f"Mean of {name}",
            Place(Way.OVERALL, "mean", entry=(number,)),
            phases=(number,),
        )
        yield Quantity(
            f"histogram/{name}",
            Group.HISTOGRAMS,
            f"Cumulative histogram of {name}",
            Place(Way.OVERALL, "histogram", entry=(number,)),
            abscissa="level",
            x=levels,
            phases=(number,),
        )
    pairs = [(name, name) for name in channels]
    yield from _correlations(Group.CORRELATIONS, "autocorrelation", "Autocorrelation of", pairs, reach)
    steps = (GRADIENT_EDGES[1:], np.arange(10.0))
    kinds = (
        (Group.GRADIENTS, "gradient", "Cumulative histogram of the gradient", "levels per pixel"),
        (Group.TEXTURE, "texture", "Cumulative local binary patterns", "pattern"),
    )
    for (group, key, title, abscissa), x in zip(kinds, steps, strict=True):
        for axis in range(3):
            yield Quantity(
                f"{key}/{AXES[axis]}",
                group,
                f"{title}, planes normal to {AXES[axis]}",
                Place(Way.NORMAL_TO, key, axis),
                abscissa=abscissa,
                x=x,
            )


def _fraction(phase: int, name: str) -> Quantity:
    return Quantity(
        f"fraction/{phase}",
        Group.FRACTIONS,
        f"Fraction of {name}",
        Place(Way.OVERALL, "fraction", entry=(phase,)),
        phases=(phase,),
    )


def _correlations(
    group: Group, key: str, title: str, pairs: Sequence[tuple[str, str]], reach: int
) -> Iterator[Quantity]:
    """Along the axes, along the diagonals of the planes, and in all directions of the planes."""
    steps = np.arange(reach + 1.0)
    for number, (pair, name) in enumerate(pairs):
        phases = tuple(map(int, pair.split("-"))) if "-" in pair else (number,)
        for axis in range(3):
            yield Quantity(
                f"{key}/axis/{AXES[axis]}/{pair}",
                group,
                f"{title} {name} along {AXES[axis]}",
                Place(Way.ALONG, "correlation", axis, (number,)),
                abscissa="distance",
                x=steps,
                phases=phases,
            )
        ways = (
            ("diagonal", "at 45° in planes", _DIAGONALS, steps * np.sqrt(2)),
            ("radial", "in all directions of planes", _RADIAL, steps),
        )
        for way, words, direction, x in ways:
            for axis in range(3):
                yield Quantity(
                    f"{key}/{way}/{AXES[axis]}/{pair}",
                    group,
                    f"{title} {name} {words} normal to {AXES[axis]}",
                    Place(Way.NORMAL_TO, "correlation", axis, (direction, number)),
                    abscissa="distance",
                    x=x,
                    phases=phases,
                )


def _lines(axis: int, phase: int, name: str, reach: int) -> Iterator[Quantity]:
    """What runs of a phase along an axis tell."""
    steps, letter = np.arange(reach + 1.0), AXES[axis]
    yield Quantity(
        f"lineal-path/{letter}/{phase}",
        Group.LINEAL_PATHS,
        f"Lineal path of {name} along {letter}",
        Place(Way.ALONG, "lineal path", axis, (phase,)),
        abscissa="distance",
        x=steps,
        phases=(phase,),
        least=Place(Way.ALONG, "one run", axis, (phase,)),
    )
    yield Quantity(
        f"mean-chord/{letter}/{phase}",
        Group.CHORDS,
        f"Mean chord of {name} along {letter}",
        Place(Way.ALONG, "mean chord", axis, (phase,)),
        power=1,
        phases=(phase,),
    )
    yield Quantity(
        f"chords/{letter}/{phase}",
        Group.CHORDS,
        f"Chord lengths of {name} along {letter}",
        Place(Way.ALONG, "chord density", axis, (phase,)),
        power=-1,
        abscissa="distance",
        x=steps,
        phases=(phase,),
        least=Place(Way.ALONG, "one chord", axis, (phase,)),
    )


def _interfaces(number: int, pair: tuple[int, int], name: str) -> Iterator[Quantity]:
    """How often lines cross an interface, and how large it therefore is."""
    for axis in range(3):
        yield Quantity(
            f"crossings/{AXES[axis]}/{pair[0]}-{pair[1]}",
            Group.SURFACES,
            f"Crossings of {name} along {AXES[axis]}",
            Place(Way.ALONG, "crossings", axis, (number,)),
            power=-1,
            phases=pair,
            least=Place(Way.ALONG, "one crossing", axis),
        )
    for axis in range(3):
        yield Quantity(
            f"surface/{AXES[axis]}/{pair[0]}-{pair[1]}",
            Group.SURFACES,
            f"Area of {name}, planes normal to {AXES[axis]}",
            Place(Way.NORMAL_TO, "surface", axis, (number,)),
            power=-1,
            note=_ISOTROPY,
            phases=pair,
            least=Place(Way.NORMAL_TO, "one area", axis),
        )
