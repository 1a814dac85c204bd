"""What a long job shows on standard error: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO

from napari_slicegan.core.config import TrainingConfig
from napari_slicegan.core.events import Evaluation, Progress
from napari_slicegan.core.words import duration

_BAR = 24
_SECONDS_BETWEEN_LINES = 10.0
_SURE = 2.0  # seconds after which the time that is left can be told


class Bar:
    """A progress bar that is redrawn in place, or plain lines where nothing can be redrawn.

    Parameters
    ----------
    file : text file, optional
        Where to write; standard error when left out.
    seconds : float
        Time between two plain lines.
    """

    def __init__(self, file: TextIO | None = None, seconds: float = _SECONDS_BETWEEN_LINES) -> None:
        self._file = sys.stderr if file is None else file
        self._in_place = self._file.isatty()
        self._seconds = 0.0 if self._in_place else seconds
        self._shown = -float("inf")
        self._open = False

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *error: object) -> None:
        if self._open:
            print(file=self._file, flush=True)

    def show(self, fraction: float, text: str = "", at_once: bool = False) -> None:
        """Show that so much is done, if it is time for it; the end is always shown."""
        now = time.monotonic()
        if fraction < 1 and not at_once and now - self._shown < self._seconds:
            return
        self._shown = now
        text = f"{fraction:4.0%} {text}".rstrip()
        if self._in_place:
            width = shutil.get_terminal_size().columns - 1
            line = f"{_drawn(fraction, width - len(text))}{text}"
            print(f"\r{line[:width]}\033[K", end="", file=self._file, flush=True)
            self._open = True
        else:
            print(f"{_drawn(fraction)}{text}", file=self._file, flush=True)

    def say(self, sentence: str) -> None:
        """Print a line that stays."""
        print(f"\r{sentence}\033[K" if self._in_place else sentence, file=self._file, flush=True)
        self._open = False


class Meter:
    """Shows how far a volume is: voxels a second, counted from now on, and the time that is left.

    Parameters
    ----------
    bar : Bar
        Where it is shown.
    voxels : int
        Of the whole volume.
    """

    def __init__(self, bar: Bar, voxels: int) -> None:
        self._bar, self._voxels = bar, voxels
        self._begin: tuple[float, float] | None = None
        self._done = False

    def __call__(self, fraction: float) -> None:
        """Take the finished fraction; the first may be that of earlier work."""
        now = time.monotonic()
        first, since = self._begin = self._begin or (fraction, now)
        made, seconds = fraction - first, now - since
        if self._done:
            return
        self._done = fraction >= 1
        text = "generating"
        if made > 0 and seconds > 0:
            left = (1 - fraction) * seconds / made
            text += f", {made * self._voxels / seconds:.3g} voxels/s, ETA {duration(left)}"
        self._bar.show(fraction, text)


class Timed:
    """Shows what is done and the time that is left, as far as the past can tell it.

    Parameters
    ----------
    bar : Bar
        Where it is shown.
    doing : str
        What is done, where calls do not say.
    """

    def __init__(self, bar: Bar, doing: str = "") -> None:
        self._bar, self._doing, self._begin, self._done = bar, doing, time.monotonic(), False

    def __call__(self, fraction: float, doing: str = "") -> None:
        """Take the finished fraction, and what is done now."""
        if self._done:
            return
        self._done, doing = fraction >= 1, doing or self._doing
        seconds = time.monotonic() - self._begin
        if 0 < fraction < 1 and seconds > _SURE:
            doing += f", ETA {duration(seconds * (1 - fraction) / fraction)}"
        self._bar.show(fraction, doing)


def training_line(event: Progress, training: TrainingConfig, evaluation: Evaluation | None = None) -> str:
    """What the bar of a training says: speed, time passed and time left, the newest held-out error, losses."""
    of = f"/{training.iterations}" if training.iterations else ""
    error = f"S2 error {evaluation.correlation_error:.2g}  " if evaluation else ""
    return (
        f"it {event.iteration}{of}  {event.iterations_per_second:.3g} it/s  "
        f"{duration(event.seconds)}, ETA {duration(event.eta_seconds)}  "
        f"{error}distance {event.critic_distance:.3g}  penalty {event.penalty:.3g}"
    )


def _drawn(fraction: float, room: int = 99) -> str:
    """The bar itself, as wide as there is room beside the numbers, which matter more."""
    width = min(_BAR, room - 3)
    done = int(fraction * width)
    return f"[{'#' * done}{'-' * (width - done)}] " if width > 0 else ""
