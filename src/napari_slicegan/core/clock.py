"""Time spent training, and when something is due."""

from __future__ import annotations

import time


class Clock:
    """Counts the seconds inside its ``with`` blocks that end well.

    What the consumer of the events does, a pause and an abandoned update are not counted.

    Parameters
    ----------
    seconds : float
        What was counted before.
    iteration : int
        Iterations made before.
    """

    def __init__(self, seconds: float = 0.0, iteration: int = 0) -> None:
        self._start = 0.0
        self.go_on_from(seconds, iteration)

    def go_on_from(self, seconds: float, iteration: int) -> None:
        """Begin a session after what was counted before."""
        self.seconds = self._before = seconds
        self._last = (seconds, iteration)

    @property
    def session(self) -> float:
        """Seconds that were counted in this session."""
        return self.seconds - self._before

    def __enter__(self) -> None:
        self._start = time.monotonic()

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None:
            self.seconds += time.monotonic() - self._start

    def rate(self, iteration: int) -> float:
        """Iterations per second since the last call."""
        seconds, before = self._last
        self._last = (self.seconds, iteration)
        return (iteration - before) / max(self.seconds - seconds, 1e-9)

    def eta(self, fraction: float) -> float:
        """Seconds to the end when so much is done."""
        return self.seconds * (1 - fraction) / max(fraction, 1e-9)


class Due:
    """Says when so many seconds, or so many iterations (0: never), have passed since it last did.

    Parameters
    ----------
    clock : Clock
        Whose seconds count.
    seconds : float
        Between two times.
    iterations : int
        Between two times; 0 leaves it to the seconds.
    iteration : int
        Iterations made before.
    at_once : bool
        Whether it is time the first time that it is asked.
    """

    def __init__(
        self, clock: Clock, seconds: float, iterations: int = 0, iteration: int = 0, *, at_once: bool = False
    ) -> None:
        self._clock, self._seconds, self._iterations = clock, seconds, iterations
        self._last = (float("-inf") if at_once else clock.seconds, iteration)

    def is_due(self, iteration: int) -> bool:
        """Whether it is time again."""
        last_seconds, last_iteration = self._last
        by_count = 0 < self._iterations <= iteration - last_iteration
        due = by_count or self._clock.seconds - last_seconds >= self._seconds
        if due:
            self._last = (self._clock.seconds, iteration)
        return due
