"""How many threads of the processor torch takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


@cache
def _own_threads() -> int:
    """The threads that torch takes by itself; first asked before any other number is set."""
    import torch

    return int(torch.get_num_threads())


def use_threads(number: int) -> None:
    """Let torch compute with so many threads of the processor; 0 gives the choice back to torch."""
    import torch

    torch.set_num_threads(used_threads(number))


def used_threads(number: int) -> int:
    """With how many threads torch computes after `use_threads`, in whatever thread that was called."""
    return number or _own_threads()


@contextmanager
def using_threads(number: int) -> Iterator[None]:
    """While its ``with`` block lasts, torch computes with so many threads; 0 leaves them as they are."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
