"""What a process of a training does of the work, and what it asks of the others; here of a process on its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

from torch import Tensor

from napari_slicegan.core.interruption import Flag


class Call(IntEnum):
    """What the first process tells the others to do next."""

    END = 0
    STATE = 1
    DISCRIMINATORS = 2
    GENERATOR = 3


class Peers:
    """The processes that train together: of this class, a single one, which does all and asks nobody.

    The first process decides, saves and reports. The others hear from it what to do next, and all make the same
    updates: each draws all random numbers, and computes its own part of the volumes and of the images. So the training
    is the same for any number of processes, but for rounding.

    Attributes
    ----------
    rank : int
        Which of the processes this one is.
    size : int
        How many there are.
    """

    rank, size = 0, 1

    def own(self, count: int) -> slice:
        """Which of so many things this process does."""
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def most(self, count: int) -> int:
        """How many of so many things any process does at the most."""
        return -(-count // self.size)

    def made(self, make: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
        """What is made of inputs (B, ...), each by one of the processes, (B, ...): all of it for all of them."""
        return make(inputs)

    def add(self, *tensors: Tensor) -> None:
        """Put the sum over all processes in the place of each tensor."""

    def check(self) -> None:
        """Let all processes abandon an update together, if the first one wants it.

        Raises
        ------
        Interrupted
            It does.
        """

    @contextmanager
    def interruptible(self, _flag: Flag) -> Iterator[None]:
        """While the block lasts, `check` looks at a flag."""
        yield

    def call(self, _call: Call, _state: Callable[[], dict[str, Any]] | None = None) -> None:
        """Tell the others what to do next; before, if a state is given, to take it over."""


ALONE = Peers()
