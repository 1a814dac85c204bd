"""Surfaces of volumes and of micrographs: what changes from a pixel to the next."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_slicegan.core.choices import OutputKind


def steps(values: Tensor, axis: int, kind: OutputKind) -> Tensor:
    """What changes from a pixel to the next along an axis.

    Parameters
    ----------
    values : Tensor (B, C, Z, Y, X)
        1 where a phase is and 0 elsewhere, or intensities.
    axis : int
        2, 3 or 4.
    kind : OutputKind
        Which of them.

    Returns
    -------
    Tensor (K,)
        Shares of neighbours that are of the phases (0, 1), (0, 2), ..., (1, 2), ...; or the mean square step of each
        channel's intensity.
    """
    length = values.shape[axis] - 1
    here, there = (values.narrow(axis, start, length).movedim(1, 0).flatten(1) for start in (0, 1))  # (C, M)
    if kind is not OutputKind.PHASES:
        return (there - here).square().mean(dim=1)
    table = here @ there.T / here.shape[1]  # (C, C)
    rows, columns = torch.triu_indices(len(table), len(table), 1)
    return (table + table.T)[rows, columns]
