"""Progress of work that consists of many parts of known weights."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, str], None]


class Steps:
    """Tells the finished fraction of all parts, and what is done at the moment.

    Parameters
    ----------
    total : float
        Sum of the weights of all parts.
    progress : callable, optional
        Takes the finished fraction and a few words; what it raises ends the work.
    """

    def __init__(self, total: float, progress: Progress | None) -> None:
        self._total, self._progress = max(total, 1e-9), progress
        self._done = 0.0

    def part(self, weight: float, doing: str) -> Callable[[float], None]:
        """Begin a part; gives what to tell its own finished fraction to."""
        start = self._done
        self._done += weight

        def tell(fraction: float) -> None:
            if self._progress is not None:
                self._progress(min(1.0, (start + weight * fraction) / self._total), doing)

        tell(0.0)
        return tell
