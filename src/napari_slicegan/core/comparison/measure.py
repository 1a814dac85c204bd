"""Measuring volumes, one after the other, so that no more than one is in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.comparison.known import ENOUGH, Known, between, corrected, from_boxes, from_volumes, level
from napari_slicegan.core.comparison.material import Material
from napari_slicegan.core.comparison.sections import Layout, Sections
from napari_slicegan.core.comparison.solids import quick_numbers, slow_numbers
from napari_slicegan.core.comparison.steps import Steps
from napari_slicegan.core.comparison.sums import Sums, add
from napari_slicegan.core.statistics.representativity import Representativity, representativity

Bytes = npt.NDArray[np.uint8]

_ENOUGH_TO_FORGET = 128  # voxels along each axis

COUNTING, SLOW = 1.0, 4.0
"""Weights of the work on a volume: how long each takes, about."""


@dataclass(frozen=True)
class Measured:
    """What was counted in a volume.

    Attributes
    ----------
    layout : Layout
        How its planes lie.
    boxes : list of list of Sums
        The counts of the slabs of each of the planes, or of all of them as one.
    numbers : dict of str to float
        What only a volume can tell.
    patches : dict of str to float array (draws,)
        How far its patches are from those of the truth.
    middle : uint8 array (Z, Y, X) or (Z, Y, X, C)
        The part for what takes long.
    levels : list of Representativity
        What it knows of each phase or channel; empty where several volumes tell it by their spread.
    """

    layout: Layout
    boxes: list[list[Sums]]
    numbers: dict[str, float]
    middle: Bytes
    levels: list[Representativity]


def measure(
    voxels: Bytes,
    material: Material,
    slow_edge: int,
    in_slabs: bool,
    tell: Callable[[float], None],
) -> Measured:
    """Measure a volume, but for what takes long.

    Parameters
    ----------
    voxels : uint8 array (Z, Y, X) or (Z, Y, X, C)
        Indices of phases, or intensities.
    material : Material
        What is told.
    slow_edge : int
        Longest edge of the part that is kept for what takes long.
    in_slabs : bool
        Whether there are too few volumes to tell a spread, so that slabs have to.
    tell : callable
        Takes the finished fraction; what it raises ends the work.

    Returns
    -------
    Measured
        It holds only the middle of the volume.
    """
    sections = Sections.of_volume(voxels)

    def counting(fraction: float) -> None:
        tell(0.6 * fraction)

    boxes = material.count_boxes(sections, counting)
    levels = _levels(voxels, material, lambda fraction: tell(0.6 + 0.1 * fraction)) if in_slabs else []
    if not in_slabs:
        boxes = [[add(sums)] for sums in boxes]
    numbers: dict[str, float] = {}
    if material.kind is OutputKind.PHASES:
        numbers = quick_numbers(voxels, material.phases, lambda fraction: tell(0.7 + 0.3 * fraction))
    middle = voxels[_middle(voxels.shape, slow_edge)].copy()
    return Measured(sections.layout, boxes, numbers, middle, levels)


def measure_slowly(volumes: Sequence[Measured], phases: int, steps: Steps, whose: str) -> list[dict[str, float]]:
    """Tell local thickness and transport in the middle of volumes, one result for each."""
    found = []
    for number, volume in enumerate(volumes):
        tell = steps.part(SLOW, f"local thickness and diffusivity of {whose} {number + 1} of {len(volumes)}")
        found.append(slow_numbers(volume.middle, phases, tell))
    return found


def _levels(voxels: Bytes, material: Material, tell: Callable[[float], None]) -> list[Representativity]:
    """What a volume knows of the fraction of each phase, or of the mean of each channel."""
    count, found = len(material.levels), []
    for number in range(count):
        tell(number / count)
        values = voxels == number if material.kind is OutputKind.PHASES else voxels[..., number]
        # How fast the material forgets itself, its middle tells as well as the whole, which would take seconds and GB.
        middle = values[_middle(values.shape, _ENOUGH_TO_FORGET)]
        known = representativity(middle, is_volume=True)
        error = known.uncertainty * math.sqrt(middle.size / values.size)
        found.append(replace(known, fraction=float(values.mean()), uncertainty=error, interval=(math.nan, math.nan)))
    return found


def _middle(shape: Sequence[int], most: int) -> tuple[slice, ...]:
    """The middle of a volume, of at most so many voxels along z, y, x."""
    starts = [(size - min(size, most)) // 2 for size in shape[:3]]
    return tuple(slice(start, start + min(size, most)) for start, size in zip(starts, shape, strict=False))


def together(
    volumes: Sequence[Measured],
    material: Material,
    slow: Sequence[dict[str, float]],
    tell: Callable[[float], None],
) -> dict[str, Known]:
    """What volumes of equal shape know together.

    Parameters
    ----------
    volumes : sequence of Measured
        At least one.
    material : Material
        What is told.
    slow : sequence of dict of str to float
        What took long, of all or some of them.
    tell : callable
        Takes the finished fraction; what it raises ends the work.

    Returns
    -------
    dict of str to Known
        By the keys of the rows; what none of them tells is left out.
    """
    if len(volumes) < ENOUGH:
        boxes = [[sums for volume in volumes for sums in volume.boxes[number]] for number in range(3)]
        known = from_boxes(material, volumes[0].layout, boxes, tell)
        # Neighbouring slabs resemble each other, as neighbouring boxes of an image do.
        each = zip(*(volume.levels for volume in volumes), strict=True)
        levels = {key: level(some, [1] * len(some)) for key, some in zip(material.levels, each, strict=True)}
        known = corrected(known, levels, material.quantities)
    else:
        counted = [(volume.layout, [add(sums) for sums in volume.boxes]) for volume in volumes]
        known = from_volumes(material, counted)
    for numbers in ([volume.numbers for volume in volumes], list(slow)):
        for key in numbers[0] if numbers else ():
            values = [np.asarray(each[key]) for each in numbers if np.isfinite(each[key])]
            if values:
                known[key] = between(values)
    return known
