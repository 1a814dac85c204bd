"""Ending an update half-way, and turning torch's errors into sentences."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from napari_slicegan.core.errors import TrainingError
from napari_slicegan.core.memory import is_out_of_memory


class Interrupted(BaseException):
    """The training was asked to stop; never seen outside the trainer."""


def interrupt_when(stop: threading.Event, *networks: nn.Module) -> None:
    """Let networks raise `Interrupted` between two of their layers, forward and backward, once `stop` is set.

    One update of the published recipe takes minutes on a CPU; nobody waits that long after pressing Stop.
    """

    def check(*_: Any) -> None:
        if stop.is_set():
            raise Interrupted

    def check_both_ways(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        check()
        if output.requires_grad:
            output.register_hook(check)

    for network in networks:
        for layer in network.modules():
            if not list(layer.children()):
                layer.register_forward_hook(check_both_ways)


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn torch's errors into a `TrainingError`, one for memory with advice.

    Raises
    ------
    TrainingError
        Instead of a RuntimeError or MemoryError.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise TrainingError(
                "The training does not fit into memory: lower discriminator_volumes and generator_volumes, show "
                "fewer slices_per_axis, or choose the preset 'quick'."
            ) from error
        raise TrainingError(f"The training failed inside torch: {error}") from error
