"""A process that has loaded torch already, for the next one who needs it."""

from __future__ import annotations

import threading

from napari_slicegan.core.apart.process import Process

_PATIENCE = 2.0  # seconds in which whoever has borrowed it gives it back


class Spare:
    """At most one process that waits for orders; every method may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._process: Process | None = None
        self._is_lent = False
        self._is_closed = False

    @property
    def is_there(self) -> bool:
        """Whether a process waits, or will be given back."""
        with self._changed:
            return self._is_lent or (self._process is not None and self._process.is_alive)

    def prepare(self) -> None:
        """Start a process, unless there is one."""
        with self._changed:
            if not (self._is_lent or self._is_closed):
                self._process = self._living() or Process()

    def take(self) -> Process:
        """Take a process for good: the one that waits, else a new one.

        Raises
        ------
        TrainingError
            None can be started.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._is_lent, _PATIENCE)
            process, self._process = self._living(), None
        return process or Process()

    def borrow(self) -> Process:
        """Take a process that is then given back.

        Raises
        ------
        TrainingError
            None can be started.
        """
        process = self.take()
        with self._changed:
            self._is_lent = True
        return process

    def give_back(self, process: Process) -> None:
        """Let the next one have it, if it is sound and nobody has another one."""
        with self._changed:
            self._is_lent = False
            is_kept = process.is_alive and self._process is None and not self._is_closed
            if is_kept:
                self._process = process
            self._changed.notify_all()
        if not is_kept:
            process.end()

    def close(self) -> None:
        """End the process that waits; there is no use for one any more."""
        with self._changed:
            self._is_closed = True
            process, self._process = self._process, None
        if process is not None:
            process.end(0.0)  # it has nothing to lose

    def _living(self) -> Process | None:
        """The process that waits, as long as it does; one that has ended, since nobody needed it, is put away."""
        if self._process is not None and not self._process.is_alive:
            self._process.end()
            self._process = None
        return self._process
