"""The rows of a comparison that only a volume can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.comparison.result import Group
from napari_slicegan.core.data import AXES
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.statistics.connectivity import connectivity
from napari_slicegan.core.statistics.interfaces import surface_3d

Bytes = npt.NDArray[np.uint8]
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Solid:
    """A number that only a volume can tell.

    Attributes
    ----------
    key, group, name : str
        As in `Row`.
    power : int
        Of the length in its unit.
    is_slow : bool
        Whether it is told of the middle of volumes only, since it takes long.
    """

    key: str
    group: Group
    name: str
    power: int = 0
    is_slow: bool = False


def solids(names: Sequence[str]) -> Iterator[Solid]:
    """All numbers that only a volume of phases can tell, in the order to show them."""
    for i, j in combinations(range(len(names)), 2):
        yield Solid(f"surface-3d/{i}-{j}", Group.SURFACES, f"Area of {names[i]} | {names[j]} in 3D", -1)
    for phase, name in enumerate(names):
        yield Solid(f"largest/{phase}", Group.CONNECTIVITY, f"Share of {name} in its largest cluster")
        for letter in AXES:
            title = f"Share of {name} that percolates along {letter}"
            yield Solid(f"percolating/{letter}/{phase}", Group.CONNECTIVITY, title)
    for phase, name in enumerate(names):
        yield Solid(f"thickness/{phase}", Group.THICKNESS, f"Mean local thickness of {name}", 1, True)
    for phase, name in enumerate(names):
        for letter in AXES:
            title = f"Relative diffusivity of {name} along {letter}"
            yield Solid(f"diffusivity/{letter}/{phase}", Group.TRANSPORT, title, 0, True)
        for letter in AXES:
            title = f"Tortuosity factor of {name} along {letter}"
            yield Solid(f"tortuosity/{letter}/{phase}", Group.TRANSPORT, title, 0, True)


def quick_numbers(voxels: Bytes, phases: int, progress: Progress) -> dict[str, float]:
    """What a volume tells within seconds.

    Parameters
    ----------
    voxels : uint8 array (Z, Y, X)
        Indices of phases.
    phases : int
        How many there are.
    progress : callable
        Is called with the finished fraction; what it raises ends the work.

    Returns
    -------
    dict of str to float
        By the keys of `solids`, lengths in voxels; nan where a phase is absent.
    """
    areas = surface_3d(voxels, phases)
    numbers = {f"surface-3d/{i}-{j}": float(areas[k]) for k, (i, j) in enumerate(combinations(range(phases), 2))}
    for phase in range(phases):
        progress((phase + 1) / (phases + 1))
        found = connectivity(voxels == phase)
        numbers[f"largest/{phase}"] = found.largest
        numbers |= {f"percolating/{axis}/{phase}": found.percolating[n] for n, axis in enumerate(AXES)}
    return numbers


def slow_numbers(voxels: Bytes, phases: int, progress: Progress) -> dict[str, float]:
    """What a volume tells within minutes: local thickness, and transport where taufactor is installed.

    Parameters
    ----------
    voxels : uint8 array (Z, Y, X)
        Indices of phases.
    phases : int
        How many there are.
    progress : callable
        Is called with the finished fraction; what it raises ends the work.

    Returns
    -------
    dict of str to float
        By the keys of `solids`, lengths in voxels; tortuosities of phases that do not percolate are inf.
    """
    from napari_slicegan.core.statistics.thickness import local_thickness, mean_thickness
    from napari_slicegan.core.statistics.transport import effective_diffusivity

    numbers = {}
    can_diffuse = not without_transport()
    each = (1 + len(AXES) * can_diffuse) * phases
    done = 0

    def part(fraction: float) -> None:
        progress((done + fraction) / each)

    for phase in range(phases):
        indicator = voxels == phase
        numbers[f"thickness/{phase}"] = mean_thickness(local_thickness(indicator, part))
        done += 1
        for axis, letter in enumerate(AXES if can_diffuse else ""):
            found = effective_diffusivity(indicator, axis, part)
            numbers[f"diffusivity/{letter}/{phase}"] = found.diffusivity
            numbers[f"tortuosity/{letter}/{phase}"] = found.tortuosity
            done += 1
    return numbers


def without_transport() -> str:
    """Why transport cannot be told; empty when it can."""
    from napari_slicegan.core.statistics.transport import check_transport

    try:
        check_transport()
    except DataError as error:
        return str(error)
    return ""
