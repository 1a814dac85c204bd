"""Runs of a phase along lines: lineal paths and lengths of chords."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Box = tuple[slice, slice, slice]

_FEW = 2**22  # voxels at a time: bounds the memory


class RunSums(NamedTuple):
    """Runs of pixels of one phase along the lines of planes, which add up over boxes.

    Entry [p, 0, l] counts the runs of phase p that are l pixels long and end inside the plane,
    [p, 1, l] those that the border cuts. A line is L pixels long.

    Attributes
    ----------
    down : float array (P, 2, L + 1)
        Along the columns, that is down the rows.
    across : float array (P, 2, L' + 1)
        Along the rows, that is across the columns.
    voxels : float array (1,)
        Pixels looked at.
    """

    down: Floats
    across: Floats
    voxels: Floats


def run_sums(planes: Array, phases: int, box: Box) -> RunSums:
    """Count the runs of each phase by their lengths.

    Parameters
    ----------
    planes : uint8 array (N, H, W)
        Phases 0, 1, ...
    phases : int
        How many there are.
    box : (slice, slice, slice)
        Of (N, H, W): where the middle pixels of the runs lie (of an even run the first of the two).

    Returns
    -------
    RunSums
        Runs are followed beyond the box.
    """
    stack, rows, columns = box
    down = np.zeros((phases, 2, planes.shape[1] + 1))
    across = np.zeros((phases, 2, planes.shape[2] + 1))
    few = max(1, _FEW // (planes.shape[1] * planes.shape[2]))
    for top in range(stack.start, stack.stop, few):
        part = planes[top : min(top + few, stack.stop)]
        down += _runs(part[:, :, columns].swapaxes(1, 2), phases, rows)
        across += _runs(part[:, rows], phases, columns)
    return RunSums(down, across, np.array([planes[box].size], np.float64))


def lineal_path(runs: Floats, voxels: Floats, reach: int) -> Floats:
    """The chance that a whole segment of a line lies in a phase.

    Parameters
    ----------
    runs : float array (P, 2, L + 1)
        One direction of `RunSums`, added up over all boxes.
    voxels : float array (1,)
        Of the same `RunSums`.
    reach : int
        The longest segment, in steps; less than L.

    Returns
    -------
    float array (P, reach + 1)
        Entry r is the chance for a segment of r steps, that is of r + 1 pixels: the share of all
        its positions in the lines, exactly, whatever the border cuts.
    """
    length = runs.shape[-1] - 1
    if not 0 <= reach < length:
        raise ValueError(f"a segment of {reach} steps does not fit into {length} pixels")
    steps = np.arange(reach + 1)
    fits = np.maximum(np.arange(length + 1)[:, None] - steps, 0)  # (L + 1, reach + 1)
    positions = voxels / length * (length - steps)
    return np.asarray(runs.sum(axis=1) @ fits / positions)


def chord_density(runs: Floats) -> Floats:
    """How the lengths of the chords of each phase are distributed, whatever the border cuts.

    A chord and the two pixels at its ends fit into a line at the fewer positions the longer it is,
    so each chord seen whole counts by 1 / positions (as Miles's and Lantuejoul's correction of
    counts in a frame does). The number of all chords is told by their ends, which each position
    shows alike; so chords too long for the line are missing here, rather than the others being
    taken for all.

    Parameters
    ----------
    runs : float array (P, 2, L + 1)
        One direction of `RunSums`, added up over all boxes.

    Returns
    -------
    float array (P, L + 1)
        Share of the chords that are l pixels long. The sum is 1 on average if no chord is longer
        than L - 2; nan for phases without ends of chords.
    """
    length = runs.shape[-1] - 1
    positions = length - 1.0 - np.arange(length + 1)
    weighted = np.divide(runs[:, 0], positions, out=np.zeros_like(runs[:, 0]), where=positions > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(weighted / (_chords(runs) / (length - 1))[:, None])


def mean_chord(runs: Floats) -> Floats:
    """Mean length of the chords of each phase, whatever the border cuts.

    Parameters
    ----------
    runs : float array (P, 2, L + 1)
        One direction of `RunSums`, added up over all boxes.

    Returns
    -------
    float array (P,)
        In pixels: the length of the lines in the phase by the number of its chords there, both of
        which each position in a line shows alike; nan for phases that are absent, inf for phases
        without ends of chords.
    """
    length = runs.shape[-1] - 1
    inside = runs.sum(axis=1) @ np.arange(length + 1) / length
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(inside / (_chords(runs) / (length - 1)))


def _chords(runs: Floats) -> Floats:
    """Chords of each phase (P,): half of their ends inside the lines, so one that the border cuts counts half."""
    return np.asarray(runs[:, 0].sum(axis=-1) + runs[:, 1, :-1].sum(axis=-1) / 2)  # a run all along has no ends


def _runs(lines: Array, phases: int, middle: slice) -> Floats:
    """Runs (P, 2, L + 1) along the last axis of lines whose middle pixel lies in a part of it."""
    length = lines.shape[-1]
    first = np.empty(lines.shape, bool)  # of a run
    first[..., 0] = True
    np.not_equal(lines[..., 1:], lines[..., :-1], out=first[..., 1:])
    begins = np.flatnonzero(first)
    lengths = np.diff(begins, append=lines.size)
    begin = begins % length
    cut = (begin == 0) | (begin + lengths == length)
    phase = lines[first].astype(np.intp)
    centre = begin + (lengths - 1) // 2
    chosen = (centre >= middle.start) & (centre < middle.stop)
    code = (2 * phase + cut) * (length + 1) + lengths
    table = np.bincount(code[chosen], minlength=phases * 2 * (length + 1))
    return table.reshape(phases, 2, length + 1).astype(np.float64)
