"""All that is counted in planes, and what can be read from the counts.

Every count adds up over boxes: the whole is the sum of its boxes, and the uncertainty of whatever is read from the
whole comes from summing the boxes in other proportions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.statistics.chords import RunSums, chord_density, lineal_path, mean_chord, run_sums
from napari_slicegan.core.statistics.correlation import PairSums, correlation_curves, pair_sums, phase_pair_sums
from napari_slicegan.core.statistics.fractions import count_sums
from napari_slicegan.core.statistics.intensities import IntensitySums, cumulative, intensity_sums
from napari_slicegan.core.statistics.interfaces import (
    InterfaceSums,
    crossings_per_length,
    interface_sums,
    specific_surface,
    triple_line_density,
)

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Box = tuple[slice, slice, slice]
Sums = dict[str, Floats]
"""Arrays that add up over boxes, by name."""

Readings = dict[str, Floats]
"""What planes say, by name; the first axis of what has a direction is that of `PairSums`: rows, columns, diagonals."""


def whole(planes: Bytes) -> Box:
    """The box that is all of the planes."""
    count, height, width = planes.shape[:3]
    return slice(0, count), slice(0, height), slice(0, width)


def count(planes: Bytes, kind: OutputKind, phases: int, box: Box, reach: int) -> Sums:
    """Count all that is counted in a box of planes.

    Parameters
    ----------
    planes : uint8 array (N, H, W) or (N, H, W, C)
        Indices of phases, or intensities.
    kind : OutputKind
        Which of them.
    phases : int
        How many phases there are.
    box : (slice, slice, slice)
        Where.
    reach : int
        Longest distance of two points, in pixels.

    Returns
    -------
    dict of str to float array
        To be added to those of other boxes of the same planes.
    """
    counted: list[PairSums | RunSums | InterfaceSums | IntensitySums]
    sums: Sums = {}
    if kind is OutputKind.PHASES:
        sums["fractions"] = count_sums(planes, phases, box)
        counted = [
            phase_pair_sums(planes, phases, box, reach),
            run_sums(planes, phases, box),
            interface_sums(planes, phases, box),
        ]
    else:
        part, inner = _around(box, planes.shape, reach)
        means = planes.mean(axis=(0, 1, 2), dtype=np.float64)  # the same for all boxes, so that these add up
        channels = [(planes[(*part, n)] - mean) / 255 for n, mean in enumerate(means)]
        counted = [pair_sums(channels, inner, reach, cross=False), intensity_sums(planes, box)]
    return sums | {name: part for parts in counted for name, part in parts._asdict().items()}


def add(sums: Sequence[Sums]) -> Sums:
    """Add the counts of boxes, or of equal planes of several volumes."""
    return {name: np.sum([each[name] for each in sums], axis=0) for name in sums[0]}


def read(sums: Sums, kind: OutputKind, reach: int) -> Readings:
    """Read fractions and curves from counts.

    Parameters
    ----------
    sums : dict of str to float array
        Of `count`, added up.
    kind : OutputKind
        Phases, grey or colour.
    reach : int
        Longest distance of the curves, in pixels.

    Returns
    -------
    dict of str to float array
        For phases "fraction" (P,), "correlation" (4, Q, R + 1), "lineal path" (2, P, R + 1), "chord density"
        (2, P, R + 1), "mean chord" (2, P), "crossings" (4, I) per pixel, "surface" (I,) and "triple lines" (T,),
        and what a single event would give: a chord among the chords (2, P), a run of mean length in the lineal
        path (2, P), a crossing (4,), a crossing as area () and a triple point ();
        for intensities "histogram" (C, 256), "gradient" (G,), "texture" (10,), all cumulative, "correlation"
        (4, C, R + 1), normalised to 1 at distance 0, and "mean" (C,) from 0 to 255.
    """
    pairs = np.moveaxis(correlation_curves(PairSums(sums["pairs"], sums["counts"])), 1, 0)  # (4, Q, R + 1)
    if kind is not OutputKind.PHASES:
        histogram = IntensitySums(sums["levels"], sums["gradients"], sums["textures"])
        return {
            "correlation": pairs / np.maximum(pairs[..., :1], 1e-12),
            "mean": histogram.levels @ np.arange(256) / histogram.levels.sum(axis=1),
            "histogram": cumulative(histogram.levels),
            "gradient": cumulative(histogram.gradients),
            "texture": cumulative(histogram.textures),
        }
    runs = RunSums(sums["down"], sums["across"], sums["voxels"])
    interfaces = InterfaceSums(*(sums[name] for name in InterfaceSums._fields))
    lines = (runs.down, runs.across)
    return {
        "fraction": sums["fractions"] / sums["fractions"].sum(),
        "correlation": pairs,
        "lineal path": np.array([lineal_path(line, runs.voxels, reach) for line in lines]),
        "chord density": np.array([chord_density(line)[:, : reach + 1] for line in lines]),
        "mean chord": np.array([mean_chord(line) for line in lines]),
        "crossings": crossings_per_length(interfaces).T,
        "surface": specific_surface(interfaces),
        "triple lines": triple_line_density(interfaces),
        "one chord": np.array([1 / np.maximum(line.sum(axis=(1, 2)), 1) for line in lines]),
        "one run": np.array([_mean_run(line) / runs.voxels for line in lines]),
        "one crossing": 1 / interfaces.steps,
        "one area": np.asarray(2 / interfaces.steps.sum()),
        "one point": np.asarray(2 / interfaces.vertices[0]),
    }


def _mean_run(runs: Floats) -> Floats:
    """Mean length (P,) of runs (P, 2, L + 1)."""
    number = runs.sum(axis=1)  # (P, L + 1)
    return np.asarray(number @ np.arange(number.shape[1]) / np.maximum(number.sum(axis=1), 1))


def _around(box: Box, shape: tuple[int, ...], reach: int) -> tuple[Box, Box]:
    """The part of planes that pairs from a box reach into, and the box in that part."""
    stack, *edges = box
    wide = [
        slice(max(0, each.start - reach), min(size, each.stop + reach))
        for each, size in zip(edges, shape[1:], strict=False)
    ]
    inner = [slice(each.start - part.start, each.stop - part.start) for each, part in zip(edges, wide, strict=True)]
    return (stack, wide[0], wide[1]), (slice(0, stack.stop - stack.start), inner[0], inner[1])
