"""Ending an update half-way, waiting, and turning torch's errors into sentences."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from torch import Tensor, nn

from napari_slicegan.core.errors import TrainingError
from napari_slicegan.core.memory import SMALLER_TRAINING, memory_errors

_SECONDS_BETWEEN_LOOKS = 0.2


class Interrupted(BaseException):
    """The training was asked to stop or to pause; never seen outside the trainer."""


class Switch:
    """Lets other threads, and handlers of signals, hold up a work or end it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.is_off = False
        self.is_paused = False

    def stop(self) -> None:
        """End the work for good, also while it waits."""
        self.is_off = True
        self._tell()

    def pause(self) -> None:
        """Let the work wait."""
        self.is_paused = True

    def proceed(self) -> None:
        """Let the work go on."""
        self.is_paused = False
        self._tell()

    def is_set(self) -> bool:
        """Whether the work must not go on now."""
        return self.is_off or self.is_paused

    def wait(self) -> None:
        """Wait until the work is to go on, or to end."""
        while self.is_paused and not self.is_off:
            with self._changed:  # by and by: a signal that comes before this line is answered without it
                self._changed.wait(_SECONDS_BETWEEN_LOOKS)

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()


class Flag(Protocol):
    """What says that a work is to be interrupted: a `Switch`, or an event of `threading`."""

    def is_set(self) -> bool:
        """Whether to interrupt."""


@contextmanager
def interrupted_by(flag: Flag, *networks: nn.Module) -> Iterator[None]:
    """Let networks raise `Interrupted` between two of their layers, forward and backward, once a flag is set.

    One update of the published recipe takes minutes on a CPU; nobody waits that long after pressing Stop.
    """

    def check(*_: Any) -> None:
        if flag.is_set():
            raise Interrupted

    def check_both_ways(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        check()
        if output.requires_grad:
            output.register_hook(check)

    layers = (layer for network in networks for layer in network.modules() if not list(layer.children()))
    hooks = [layer.register_forward_hook(check_both_ways) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn torch's errors into a `TrainingError`, one for memory with advice.

    Raises
    ------
    TrainingError
        Instead of a RuntimeError or MemoryError.
    """
    try:
        with memory_errors(lambda: TrainingError(f"The training does not fit into memory: {SMALLER_TRAINING}.")):
            yield
    except RuntimeError as error:
        raise TrainingError(f"The training failed inside torch: {error}") from error
