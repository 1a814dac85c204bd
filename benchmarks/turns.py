"""Things take turns, so that a machine that is faster or slower at times is so for all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def in_turns(names: Iterable[str], rounds: int, measure: Callable[[str], T]) -> dict[str, list[T]]:
    """Measure everything once, then everything again, and so on; the list of each has so many results."""
    found: dict[str, list[T]] = {name: [] for name in names}
    for number in range(rounds):
        for name, results in found.items():
            results.append(measure(name))
            print(f"round {number + 1} of {rounds}: {name}: {results[-1]}", file=sys.stderr, flush=True)
    return found


def spread(values: Sequence[float]) -> str:
    """The median of some numbers, with the lowest and the highest in brackets."""
    return f"{np.median(values):.3g} ({min(values):.3g} - {max(values):.3g})"
