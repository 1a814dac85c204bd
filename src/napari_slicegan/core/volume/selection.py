"""Which of several seeds gives the volume that is wanted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.output.tally import Tally
from napari_slicegan.core.volume.request import VolumeRequest

if TYPE_CHECKING:
    from napari_slicegan.core.model import SliceGAN
    from napari_slicegan.core.volume.generation import Generation


@dataclass(frozen=True)
class Candidate:
    """The volume of one seed.

    Attributes
    ----------
    seed : int
        Which.
    fractions : dict of int to float
        The share of each phase in it, by label.
    difference : float
        How far the share of the phase is from the one that is wanted.
    """

    seed: int
    fractions: dict[int, float]
    difference: float


def best_of(
    model: SliceGAN,
    request: VolumeRequest,
    seeds: Iterable[int],
    phase: int,
    fraction: float,
    progress: Callable[[float], None] | None = None,
) -> list[Candidate]:
    """Make the volume of each seed, and rank them by the share of one phase. Only counts are kept, so any size will do.

    Parameters
    ----------
    model : SliceGAN
        Makes the volumes.
    request : VolumeRequest
        The volume; its seed does not count.
    seeds : iterable of int
        Those to try.
    phase : int
        Label of the phase.
    fraction : float
        The share of it that is wanted, from 0 to 1.
    progress : callable, optional
        Is called with the finished fraction of the whole; what it raises ends the work.

    Returns
    -------
    list of Candidate
        The best first; of equals the smallest seed.

    Raises
    ------
    ModelError
        There is nothing to rank by, or a volume cannot be made.
    """
    labels = model.info.phases
    if not labels:
        raise ModelError("Only phases have volume fractions, and this model makes grey or colour volumes.")
    if phase not in labels:
        raise ModelError(f"The model has no phase {phase}: choose one of {', '.join(map(str, labels))}.")
    if not (math.isfinite(fraction) and 0 <= fraction <= 1):
        raise ModelError(f"The volume fraction {fraction} is impossible: give a number from 0 to 1.")
    generations = [model.generation(replace(request, seed=seed)) for seed in dict.fromkeys(seeds)]
    if not generations:
        raise ModelError("There are no seeds to choose from: give at least one.")
    candidates = []
    for done, generation in enumerate(generations):
        shares = dict(zip(labels, _count(generation, labels, _part(progress, done, len(generations))), strict=True))
        candidates.append(Candidate(generation.request.seed, shares, abs(shares[phase] - fraction)))
    return sorted(candidates, key=lambda candidate: (candidate.difference, candidate.seed))


def _count(
    generation: Generation, labels: tuple[int, ...], progress: Callable[[float], None] | None
) -> tuple[float, ...]:
    """The share of each phase in one volume, made tile by tile."""
    total = Tally()
    try:
        for done, tile in enumerate(generation.tiles):
            total += Tally.of(generation.make(tile, generation.part_of(progress, done)), labels)
            if progress:
                progress((done + 1) / len(generation.tiles))
    finally:
        generation.release()
    return total.fractions


def _part(progress: Callable[[float], None] | None, done: int, count: int) -> Callable[[float], None] | None:
    """Turn the progress of all volumes into that of one, after so many others."""
    return progress and (lambda fraction: progress((done + fraction) / count))
