"""Seconds for each statistic of a three-phase volume, and the most memory that the process had.

    python benchmarks/statistics_speed.py [--edge 256] [--reach 128] [--slow-edge 96]

The volume is the synthetic cathode. What is told of planes is computed for all slices along z, y and x as one box;
local thickness and diffusivity for each phase of a cube of `--slow-edge` in the middle, diffusivity along z only.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from napari_slicegan.core.statistics import chords, connectivity, correlation, fractions, interfaces, thickness
from napari_slicegan.core.synthetic import volume

PHASES = 3


def peak() -> float:
    """The most memory that this process has had, in MB, as Linux counts it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Print a line of the table."""
    start = time.perf_counter()
    yield
    print(f"| {name} | {time.perf_counter() - start:.2f} s | {peak():.0f} MB |", flush=True)


def planes(labels: np.ndarray, reach: int) -> None:
    """What is told of slices along each axis."""
    parts: dict[str, Callable[..., object]] = {
        "fractions": fractions.count_sums,
        "pairs of points": lambda *given: correlation.correlation_curves(correlation.phase_pair_sums(*given, reach)),
        "runs": chords.run_sums,
        "interfaces": interfaces.interface_sums,
    }
    for name, part in parts.items():
        with timed(f"{name}, 3 axes"):
            for axis in range(3):
                stack = np.ascontiguousarray(np.moveaxis(labels, axis, 0))
                part(stack, PHASES, tuple(slice(0, size) for size in stack.shape))


def main(args: argparse.Namespace) -> None:
    """Measure one after the other."""
    labels = volume("cathode", (args.edge,) * 3, seed=1000)
    print(f"{args.edge}^3, reach {args.reach}\n| statistic | time | peak memory so far |\n|---|---|---|")
    with timed("all that is told of a volume in full"):
        with timed("all that is told of planes"):
            planes(labels, args.reach)
        with timed("surface of a volume"):
            interfaces.surface_3d(labels, PHASES)
        with timed("connectivity"):
            for phase in range(PHASES):
                connectivity.connectivity(labels == phase)
    if args.slow_edge:
        slow(labels, args.slow_edge)


def slow(labels: np.ndarray, edge: int) -> None:
    """What is told of a part of a volume only."""
    from napari_slicegan.core.statistics.transport import effective_diffusivity

    middle = tuple(slice((size - edge) // 2, (size + edge) // 2) for size in labels.shape)
    for phase in range(PHASES):
        with timed(f"local thickness of phase {phase} of {edge}^3"):
            thickness.local_thickness(labels[middle] == phase)
        with timed(f"diffusivity of phase {phase} of {edge}^3 along z"):
            effective_diffusivity(labels[middle] == phase, 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edge", type=int, default=256)
    parser.add_argument("--reach", type=int, default=128)
    parser.add_argument("--slow-edge", type=int, default=96, help="0 leaves these out")
    main(parser.parse_args())
