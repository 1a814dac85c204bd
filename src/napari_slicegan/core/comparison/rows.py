"""From what is known of both sides to the rows of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from napari_slicegan.core.comparison.judge import estimate, judge
from napari_slicegan.core.comparison.known import Known
from napari_slicegan.core.comparison.patches import PatchRow
from napari_slicegan.core.comparison.quantity import Floats, Quantity
from napari_slicegan.core.comparison.result import Estimate, Group, Judgement, Row, Verdict
from napari_slicegan.core.comparison.solids import Solid

_ONLY_3D = "Only a volume shows this: give a volume as the truth to judge it."
_NO_VALUE = "{} cannot tell it: a phase is absent, never ends, or does not reach from end to end."


@dataclass(frozen=True)
class Heading:
    """All that a row says of itself.

    Attributes
    ----------
    key, group, name, note, abscissa, x
        As in `Row`.
    power : int
        Of the length in its unit.
    is_positive : bool
        Whether it cannot be negative.
    scale : float, optional
        What is much, as for `judge`.
    phases : tuple of int
        That it is about.
    is_left_out : bool
        Whether nobody tried to tell it; the note says why.
    """

    key: str
    group: Group
    name: str
    note: str = ""
    power: int = 0
    is_positive: bool = True
    scale: float | None = None
    abscissa: str = ""
    x: Floats | None = None
    phases: tuple[int, ...] = ()
    is_left_out: bool = False

    @classmethod
    def of_quantity(cls, it: Quantity, is_positive: bool) -> Heading:
        """Of what planes tell."""
        x = it.x if it.x.size else None
        return cls(it.key, it.group, it.name, it.note, it.power, is_positive, None, it.abscissa, x, it.phases)

    @classmethod
    def of_solid(cls, it: Solid, note: str, is_left_out: bool) -> Heading:
        """Of what only volumes tell."""
        return cls(it.key, it.group, it.name, note, it.power, is_left_out=is_left_out)

    @classmethod
    def of_patches(cls, it: PatchRow) -> list[Heading]:
        """Of patches at each scale: distances are in standard deviations of the patches of the truth."""
        rows = zip(it.keys, it.names, strict=True)
        left_out = it.reference is None
        return [cls(key, Group.PATCHES, name, it.note, scale=1.0, is_left_out=left_out) for key, name in rows]


@dataclass(frozen=True)
class Sides:
    """What is known of each side, in voxels, by the keys of the rows.

    Attributes
    ----------
    truth, volumes, random : mapping of str to Known
        What cannot be told is left out.
    truth_is_volume : bool
        Whether a missing truth is that of a 2D image.
    unreliable : set of int
        Phases that the truth is too small for.
    """

    truth: Mapping[str, Known]
    volumes: Mapping[str, Known]
    random: Mapping[str, Known]
    truth_is_volume: bool
    unreliable: frozenset[int] = frozenset()


def assemble(headings: Sequence[Heading], sides: Sides, voxel_size: float, unit: str) -> tuple[Row, ...]:
    """Judge every row.

    Parameters
    ----------
    headings : sequence of Heading
        Of all rows, also of those that nobody can tell.
    sides : Sides
        What is known.
    voxel_size, unit : float and str
        To express lengths.

    Returns
    -------
    tuple of Row
        Ordered by groups, and within them as they come.
    """
    order = list(Group)
    ordered = sorted(headings, key=lambda heading: order.index(heading.group))
    return tuple(_row(heading, sides, voxel_size, unit) for heading in ordered)


def _row(it: Heading, sides: Sides, voxel_size: float, unit: str) -> Row:
    factor = voxel_size**it.power
    truth, volumes, random = (_finite(side.get(it.key)) for side in (sides.truth, sides.volumes, sides.random))

    def shown(known: Known | None) -> Estimate | None:
        return None if known is None else estimate(known, it.is_positive, factor)

    note, found = it.note, _judged(it, truth, volumes, sides, factor)
    if found.verdict is Verdict.MISSING and not it.is_left_out:
        why = _NO_VALUE.format("The truth" if truth is None else "The volumes")
        note = f"{note} {why}".strip()
    if found.verdict is Verdict.ONLY_3D:
        note = note or _ONLY_3D
    x = np.empty(0) if it.x is None else it.x * (voxel_size if it.abscissa == "distance" else 1.0)
    return Row(
        it.key,
        it.group,
        it.name,
        _unit(unit, it.power),
        shown(truth),
        shown(volumes),
        shown(random),
        found,
        _judged(it, truth, random, sides, factor),
        it.abscissa,
        unit if it.abscissa == "distance" else "",
        x,
        note,
    )


def _judged(it: Heading, truth: Known | None, other: Known | None, sides: Sides, factor: float) -> Judgement:
    if truth is None and not sides.truth_is_volume and _is_solid(it.group, it.key) and other is not None:
        return Judgement(Verdict.ONLY_3D)
    if truth is None or other is None:
        return Judgement(Verdict.MISSING)
    is_reliable = not sides.unreliable & set(it.phases)
    found = judge(truth, other, it.is_positive, is_reliable, it.scale)
    if it.group is Group.PATCHES and found.verdict is Verdict.DIFFERS and found.difference < 0:
        found = Judgement(Verdict.AGREES, found.difference, found.multiple, found.natural)  # nearer than the truth
    return Judgement(found.verdict, found.difference * factor, found.multiple, found.natural)


def _is_solid(group: Group, key: str) -> bool:
    return group in (Group.CONNECTIVITY, Group.THICKNESS, Group.TRANSPORT) or key.startswith("surface-3d/")


def _finite(known: Known | None) -> Known | None:
    """What can be compared: all of a curve, a number that is one."""
    return known if known is not None and np.isfinite(known.value).all() else None


def _unit(unit: str, power: int) -> str:
    if not power:
        return ""
    return unit if power == 1 else f"1/{unit}" + (f"^{-power}" if power < -1 else "")
