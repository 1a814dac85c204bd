"""The rows of the fidelity benchmark: what each block of a volume measures, and how far two sets of blocks are apart.

A number and a curve are treated alike: a number is a curve of one point. Blocks of both sets have the same size, so
that what a border hides is hidden in both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.data import AXES
from napari_slicegan.core.statistics.chords import lineal_path, mean_chord, run_sums
from napari_slicegan.core.statistics.connectivity import connectivity
from napari_slicegan.core.statistics.correlation import correlation_curves, pair_sums
from napari_slicegan.core.statistics.fractions import phase_fractions
from napari_slicegan.core.statistics.interfaces import InterfaceSums, crossings_per_length, interface_sums
from napari_slicegan.core.statistics.transport import effective_diffusivity

Labels = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float64]

GROUPS = (
    "volume fraction",
    "mean chord",
    "lineal path",
    "S2",
    "S2 at 45 degrees",
    "faces",
    "triple lines",
    "largest cluster",
    "diffusivity",
)
#: Blocks in which diffusion is computed: it takes seconds in each.
DIFFUSING = 16
#: Periods in voxels at which a generator may print its own lattice.
PERIODS = (2, 4, 8)
_BESIDE = (2, 3, 4)  # bins on either side; a peak that is not quite even spreads to the next ones
_SEEN = {0: (2, 1), 1: (0, 0), 2: (1, 1)}  # normal of planes: the axis whose lines are counted there, and which way
_DIAGONALS = 2  # of the readings of pairs of points


class Key(NamedTuple):
    """A row: the group that it belongs to, and its name."""

    group: str
    name: str


Measures = dict[Key, Floats]


@dataclass(frozen=True)
class Row:
    """A row of a comparison; of a curve the root mean square over its points stands for each number.

    `truth` is the mean of the truth's blocks, `spread` their standard deviation; `relative` is the difference of the
    means by the truth, `multiple` by the spread: 1 is as close as one more block of the material. `scatter` is the
    standard deviation of the generated blocks by that of the truth: 1 if they differ as pieces of the material do.
    """

    group: str
    name: str
    truth: float
    spread: float
    generated: float
    relative: float
    multiple: float
    scatter: float


def blocks_of(volume: Labels, edge: int) -> list[Labels]:
    """Cut a volume into as many cubes as fit into it."""
    starts = [range(0, size - edge + 1, edge) for size in volume.shape]
    return [volume[z : z + edge, y : y + edge, x : x + edge] for z, y, x in product(*starts)]


def measure_blocks(blocks: Sequence[Labels], names: Sequence[str], with_diffusivity: bool = False) -> Measures:
    """Measure many blocks.

    Parameters
    ----------
    blocks : sequence of integer array (Z, Y, X)
        Phases 0, 1, ...
    names : sequence of str
        Of the phases.
    with_diffusivity : bool
        Whether to compute diffusion as well, in some of the blocks.

    Returns
    -------
    dict of Key to float array (blocks, points)
        nan or inf where a block has nothing to measure.
    """
    each = [measure(block, names) for block in blocks]
    found = {key: np.array([one[key] for one in each]) for key in each[0]}
    if with_diffusivity:
        some = [dict(_diffusion(block, names)) for block in blocks[:: math.ceil(len(blocks) / DIFFUSING)]]
        found |= {key: np.array([one[key] for one in some]) for key in some[0]}
    return found


def measure(block: Labels, names: Sequence[str]) -> Measures:
    """Measure a cube of named phases 0, 1, ...: the points (points,) of each row but diffusivity."""
    fractions = np.array(phase_fractions(block, range(len(names))))
    found = {Key("volume fraction", name): fractions[[phase]] for phase, name in enumerate(names)}
    triple = np.zeros(math.comb(len(names), 3))
    for normal in range(3):
        planes = np.ascontiguousarray(np.moveaxis(block, normal, 0))
        sums = interface_sums(planes, len(names), _all_of(planes))
        found.update(_along(planes, sums, normal, names))
        found.update(_correlations(planes, fractions, normal, names))
        triple += sums.points / sums.vertices  # each edge of the lattice is a vertex of planes of one kind
    for number, three in enumerate(combinations(names, 3)):
        found[Key("triple lines", " | ".join(three))] = triple[[number]]
    for phase, name in enumerate(names):
        found[Key("largest cluster", name)] = np.array([connectivity(block == phase).largest])
    return found


def compare(truth: Measures, made: Measures) -> tuple[list[Row], list[str]]:
    """Tell how far generated blocks are from those of the truth.

    Parameters
    ----------
    truth, made : dict of Key to float array (blocks, points)
        As `measure_blocks` gives them.

    Returns
    -------
    list of Row, list of str
        The rows, and a note for each that was left out.
    """
    rows, notes = [], []
    for key, values in truth.items():
        there, generated = _finite(values), _finite(made[key])
        if len(there) < 2 or not np.ptp(there, axis=0).any():
            notes.append(f"{key.group}, {key.name}: the blocks of the truth do not tell it, or are all alike")
            continue
        mean, spread = there.mean(axis=0), _rms(there.std(axis=0, ddof=1))
        if not len(generated):  # a phase was lost: to leave the row out would praise that
            rows.append(Row(*key, _rms(mean), spread, math.nan, math.inf, math.inf, math.nan))
            continue
        apart = _rms(generated.mean(axis=0) - mean)
        relative = apart / _rms(mean) if mean.any() else math.inf
        scatter = _rms(generated.std(axis=0, ddof=1)) / spread if len(generated) > 1 else math.nan
        rows.append(Row(*key, _rms(mean), spread, _rms(generated.mean(axis=0)), relative, apart / spread, scatter))
    return rows, notes


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """The share of rows within 3 spreads, median and 90th percentile of the multiples, scatter, the worst rows."""
    multiples = np.array([row.multiple for row in rows])
    worst: dict[str, Row] = {}
    for row in rows:
        worst[row.group] = max(row, worst.get(row.group, row), key=lambda one: one.multiple)
    return {
        "within_3": float((multiples <= 3).mean()),
        "median": float(np.median(multiples)),
        "p90": float(np.quantile(multiples, 0.9, method="higher")),  # nothing is interpolated: some may be inf
        "scatter": float(np.nanmedian([row.scatter for row in rows])),
        "worst": {group: {"name": row.name, "multiple": row.multiple} for group, row in worst.items()},
    }


def lattice_artefacts(volumes: Sequence[Labels], phases: int) -> dict[str, float]:
    """How much power the periods of a lattice have beyond the frequencies beside them.

    Parameters
    ----------
    volumes : sequence of integer array (Z, Y, X)
        Phases 0, 1, ..., all of one shape of at least 64 voxels along each axis.
    phases : int
        How many there are.

    Returns
    -------
    dict of str to float
        For periods and axes, such as "2 along z", power by the mean of its neighbours less 1, not less than 0.
    """
    found = {}
    for axis, letter in enumerate(AXES):
        power = np.sum([_spectrum(volume, phases, axis) for volume in volumes], axis=0)
        last = len(power) - 1
        for period in PERIODS:
            here = 2 * last // period
            beside = [
                last - abs(last - here - side * far) for far in _BESIDE for side in (-1, 1)
            ]  # mirrored at the end
            found[f"{period} along {letter}"] = max(0.0, float(power[here] / power[beside].mean()) - 1)
    return found


def _along(planes: Labels, sums: InterfaceSums, normal: int, names: Sequence[str]) -> Iterator[tuple[Key, Floats]]:
    """What lines along an axis tell: chords, lineal paths, faces."""
    axis, direction = _SEEN[normal]
    both = run_sums(planes, len(names), _all_of(planes))
    runs = both.across if direction else both.down
    chords, paths = mean_chord(runs), lineal_path(runs, both.voxels, planes.shape[1] // 2)
    for phase, name in enumerate(names):
        yield Key("mean chord", f"{name} along {AXES[axis]}"), chords[[phase]]
        yield Key("lineal path", f"{name} along {AXES[axis]}"), paths[phase]
    faces = crossings_per_length(sums)[:, direction]
    for number, two in enumerate(combinations(names, 2)):
        yield Key("faces", f"{' | '.join(two)} along {AXES[axis]}"), faces[[number]]


def _correlations(planes: Labels, fractions: Floats, normal: int, names: Sequence[str]) -> Iterator[tuple[Key, Floats]]:
    """Normalised S2 along an axis, and at 45 degrees to both axes of the planes, to the same distance."""
    axis, direction = _SEEN[normal]
    reach = planes.shape[1] // 2
    channels = [planes == phase for phase in range(len(names))]
    curves = correlation_curves(pair_sums(channels, _all_of(planes), reach, cross=False))  # (P, 4, R + 1)
    square = fractions**2
    with np.errstate(invalid="ignore", divide="ignore"):
        normalised = (curves - square[:, None, None]) / (fractions - square)[:, None, None]
    for phase, name in enumerate(names):  # at distance 0 all are 1
        yield Key("S2", f"{name} along {AXES[axis]}"), normalised[phase, direction, 1:]
        diagonal = normalised[phase, _DIAGONALS, 1 : int(reach / math.sqrt(2)) + 1]
        yield Key("S2 at 45 degrees", f"{name} normal to {AXES[normal]}"), diagonal


def _diffusion(block: Labels, names: Sequence[str]) -> Iterator[tuple[Key, Floats]]:
    for (phase, name), (axis, letter) in product(enumerate(names), enumerate(AXES)):
        through = effective_diffusivity(block == phase, axis).diffusivity
        yield Key("diffusivity", f"{name} along {letter}"), np.array([through])


def _spectrum(volume: Labels, phases: int, axis: int) -> Floats:
    """Power along an axis, summed over phases and lines of as many whole periods as fit."""
    lines = np.moveaxis(volume, axis, -1)[..., : volume.shape[axis] // max(PERIODS) * max(PERIODS)]
    power = [np.square(np.abs(np.fft.rfft(lines == phase, axis=-1))).sum(axis=(0, 1)) for phase in range(phases)]
    return np.asarray(np.sum(power, axis=0), np.float64)


def _all_of(planes: Labels) -> tuple[slice, slice, slice]:
    count, height, width = planes.shape
    return slice(0, count), slice(0, height), slice(0, width)


def _finite(values: Floats) -> Floats:
    """The blocks (B, points) that have something to measure."""
    return values[np.isfinite(values).all(axis=1)]


def _rms(points: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(points))))
