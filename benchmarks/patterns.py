"""How different the shapes in two sets of planes are: what two points at a time cannot tell (`core.patterns`)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import numpy.typing as npt
import torch

from napari_slicegan.core.patterns import SPACINGS, divergence, pattern_counts, pattern_shares

Planes = Sequence[npt.NDArray[np.uint8]]


def pattern_difference(made: Planes, true: Planes, phases: int) -> float:
    """How different the patterns in two sets of planes are.

    Parameters
    ----------
    made, true : sequence of uint8 array (H, W)
        Phases 0, 1, ...; of at least 17 pixels along an edge.
    phases : int
        How many there are.

    Returns
    -------
    float
        The mean divergence over phases and spacings, in bits.
    """
    found = []
    for phase, spacing in product(range(1 if phases == 2 else 0, phases), SPACINGS):  # of two phases one says all
        first, second = (_shares(planes, phase, spacing) for planes in (made, true))
        found.append(divergence(first, second).item())
    return float(np.mean(found))


def _shares(planes: Planes, phase: int, spacing: int) -> torch.Tensor:
    counts = [pattern_counts(torch.from_numpy(np.asarray(plane == phase)), spacing) for plane in planes]
    return pattern_shares(torch.stack(counts).sum(dim=0))
