"""The rows of a comparison that planes can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from napari_slicegan.core.comparison.quantity import Place, Quantity, Way
from napari_slicegan.core.comparison.result import Group
from napari_slicegan.core.data import AXES
from napari_slicegan.core.statistics.correlation import phase_pairs
from napari_slicegan.core.statistics.intensities import GRADIENT_EDGES

_DIAGONALS, _RADIAL = 2, 3
_ISOTROPY = "Isotropy is assumed to tell areas and lengths in 3D from a plane."


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
    lines = [_lines(axis, phase, name, reach) for axis in range(3) for phase, name in enumerate(names)]
    for kind in zip(*lines, strict=True):
        yield from kind
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
                phases=tuple(range(len(channels))),
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
            ("diagonal", "at 45°", _DIAGONALS, steps * np.sqrt(2)),
            ("radial", "radially averaged", _RADIAL, steps),
        )
        for way, words, direction, x in ways:
            for axis in range(3):
                yield Quantity(
                    f"{key}/{way}/{AXES[axis]}/{pair}",
                    group,
                    f"{title} {name} {words}, planes normal to {AXES[axis]}",
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
