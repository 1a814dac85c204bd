"""Diffusion through a phase of a volume, by the taufactor package, an extra."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.errors import DataError
from napari_slicegan.core.statistics.connectivity import connectivity

Array = npt.NDArray[Any]

_PRECISION = 1e-2  # of the flux from layer to layer
_LONGEST = 10000  # iterations


@dataclass(frozen=True)
class Transport:
    """How well a phase conducts along an axis, with walls that nothing crosses.

    Attributes
    ----------
    diffusivity : float
        Effective diffusivity relative to that of the phase itself: 1 for a volume that is all
        phase, 0 for a phase that does not reach through.
    tortuosity : float
        Tortuosity factor: fraction of the phase by `diffusivity`; inf if that is 0.
    """

    diffusivity: float
    tortuosity: float


def check_transport() -> None:
    """Find out whether diffusion can be computed.

    Raises
    ------
    DataError
        The taufactor package is missing.
    """
    if find_spec("taufactor") is None:  # importing it takes seconds
        raise DataError('Diffusivity needs the taufactor package: pip install "napari-slicegan[tortuosity]".')


def effective_diffusivity(indicator: Array, axis: int, progress: Callable[[float], None] | None = None) -> Transport:
    """Let a substance diffuse through a phase from one end of a volume to the other.

    Parameters
    ----------
    indicator : bool array (Z, Y, X)
        True inside of the phase.
    axis : int
        Along which it diffuses; both ends are held at concentrations of their own.
    progress : callable, optional
        Called with about the share of the work done, from 0 to 1, every 100 iterations; what it
        raises ends the work.

    Returns
    -------
    Transport
        To about 1 %.

    Raises
    ------
    DataError
        The taufactor package is missing.
    """
    check_transport()
    inside = np.moveaxis(np.asarray(indicator, np.uint8), axis, 0)  # taufactor's first axis
    if not connectivity(inside).percolating[0] > 0:
        return Transport(0.0, np.inf)
    import taufactor

    solver = taufactor.Solver(inside, device="cpu")
    solver.check_convergence = partial(_converged, solver, progress or (lambda _: None))
    solver.solve(iter_limit=2 * _LONGEST, verbose=False)  # `_converged` ends it: else it prints a warning
    diffusivity = float(solver.D_rel[0])
    return Transport(diffusivity, float(inside.mean()) / diffusivity)


def _converged(solver: Any, progress: Callable[[float], None], *_: object) -> bool:
    """Whether the flux is steady: in place of taufactor's own test, which takes ages where little gets through."""
    before, (solver.tau, errors) = solver.tau, solver.compute_metrics()
    change = np.inf if before is None else abs(float(solver.tau[0] / before[0]) - 1)
    error = float(errors[0])
    progress(min(1.0, max(0.0, np.log(max(error, _PRECISION)) / np.log(_PRECISION))))
    return solver.iter >= _LONGEST or (error < _PRECISION and change < _PRECISION / 10)
