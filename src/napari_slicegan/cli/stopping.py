"""Ctrl-C and SIGTERM: stop and save at the first, end at once at the second."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM


class Stopper:
    """While its ``with`` block lasts, the first signal calls a function and the next one kills.

    Parameters
    ----------
    stop : callable
        Asks the work to come to an end.

    Attributes
    ----------
    code : int
        Exit code that says which signal came; 0 when none did.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._before: dict[int, Any] = {}
        self.code = 0

    def __enter__(self) -> Stopper:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: object) -> None:
        for each in self._before:
            signal.signal(each, signal.SIG_DFL)
        self.code = 128 + number
        # Not print: the signal may have come in the middle of one.
        os.write(2, b"\nstopping: saving what is done; again to end at once\n")
        self._stop()


@contextmanager
def exit_on_terminate() -> Iterator[None]:
    """Turn SIGTERM into an ordinary exit, so that half-written files are removed on the way out."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
