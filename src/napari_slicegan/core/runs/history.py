"""What a run has told so far, and what it tells while it goes on, from its directory alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

from napari_slicegan.core.errors import DataError
from napari_slicegan.core.events import (
    CheckpointSaved,
    Evaluation,
    Event,
    Hindered,
    Paused,
    Preview,
    Proceeded,
    Progress,
    Recovered,
)
from napari_slicegan.core.files import CHECKPOINT, LOG, PREVIEWS, is_own_file
from napari_slicegan.core.runs.log import entry_of
from napari_slicegan.core.runs.status import evaluation_of, number, words

_MOST_POINTS = 2000
_LONGEST_LINE = 2**16
_MOST_AT_ONCE = 2**22  # bytes
_LARGEST_PREVIEW = 2**28  # bytes

T = TypeVar("T", Progress, Evaluation)


@dataclass(frozen=True)
class History:
    """The course of a run.

    Attributes
    ----------
    progress : tuple of Progress
        Its reports; of very many only some, evenly chosen.
    evaluations : tuple of Evaluation
        Its held-out errors; likewise.
    """

    progress: tuple[Progress, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()


def read_history(path: str | Path) -> History:
    """Read the course of a run from its log, in bounded memory; empty where there is none.

    What a run has repeated, since it went on from an older checkpoint, is told once.
    """
    progress, evaluations = _Points(_progress), _Points(evaluation_of)
    file = Path(path) / LOG
    if not is_own_file(file):
        return History()
    try:
        with file.open("rb") as log:
            for line in iter(lambda: log.readline(_LONGEST_LINE), b""):
                if b'"event": "progress"' in line:
                    progress.add(line)
                elif b'"event": "evaluation"' in line:
                    evaluations.add(line)
    except OSError:
        return History()
    return History(progress.points(), evaluations.points())


def previews(path: str | Path) -> list[Path]:
    """The preview volumes of a run, the oldest first."""
    folder = Path(path) / PREVIEWS
    try:
        found = [] if folder.is_symlink() else list(folder.glob("*.tif"))
        files = [file for file in found if file.stem.isdecimal() and is_own_file(file)]
    except OSError:
        return []
    return sorted(files, key=lambda file: int(file.stem))


def newest_preview(path: str | Path) -> Path | None:
    """The last preview volume of a run; None before there is one."""
    return max(previews(path), key=lambda file: int(file.stem), default=None)


def read_preview(file: Path) -> Preview:
    """Read a preview volume from its file.

    Raises
    ------
    DataError
        It is damaged, or no preview.
    """
    from napari_slicegan.core.io import read_image

    if file.is_file() and file.stat().st_size > _LARGEST_PREVIEW:
        raise DataError(f"{file} is larger than a preview can be.")
    image = read_image(file)
    if not image.axes.startswith("ZYX"):
        raise DataError(f"{file} is not a volume.")
    return Preview(int(file.stem), image.array)


class Follower:
    """Tells what is new in a run that another process trains.

    Parameters
    ----------
    path : str or Path
        The run's directory. What its log holds already is not told again; its newest preview is.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._place = self._size()
        self._preview: Path | None = None

    def poll(self) -> list[Event]:
        """What happened since the last call, in order; of several previews the newest alone."""
        events = [event for line in self._new_lines() if (event := _event(line, self._path))]
        newest = newest_preview(self._path)
        if newest is not None and newest != self._preview:
            with suppress(DataError, OSError):
                events.append(read_preview(newest))
            self._preview = newest
        return events

    def _new_lines(self) -> list[bytes]:
        """Lines that are complete by now; the rest waits for the next time."""
        size = self._size()
        if size < self._place:
            self._place = 0
        if not size:
            return []
        try:
            with (self._path / LOG).open("rb") as log:
                log.seek(self._place)
                text = log.read(_MOST_AT_ONCE)
        except OSError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        if not whole and len(text) == _MOST_AT_ONCE:  # no line of ours is that long
            whole = text
        self._place += len(whole)
        return whole.splitlines()

    def _size(self) -> int:
        try:
            return (self._path / LOG).stat().st_size if is_own_file(self._path / LOG) else 0
        except OSError:
            return 0


class _Points(Generic[T]):
    """Some of very many lines of a log, evenly chosen, with the last one."""

    def __init__(self, read: Callable[[dict[str, Any]], T | None]) -> None:
        self._read: Callable[[dict[str, Any]], T | None] = read
        self._lines, self._last = list[bytes](), b""
        self._step, self._count = 1, 0

    def add(self, line: bytes) -> None:
        if self._count % self._step == 0:
            self._lines.append(line)
        self._count, self._last = self._count + 1, line
        if len(self._lines) >= _MOST_POINTS:
            self._lines, self._step = self._lines[::2], 2 * self._step

    def points(self) -> tuple[T, ...]:
        if not self._lines:
            return ()
        lines = self._lines if self._lines[-1:] == [self._last] else [*self._lines, self._last]
        found: list[T] = []
        for line in lines:
            point = self._read(entry_of(line))
            if point is None:
                continue
            while found and found[-1].iteration >= point.iteration:
                found.pop()
            found.append(point)
        return tuple(found)


def _progress(line: dict[str, Any]) -> Progress | None:
    names = [item.name for item in fields(Progress)]
    if not all(name in line for name in names):
        return None
    try:
        values = {name: number(line, name) for name in names}
    except ValueError:
        return None
    return Progress(**values | {"iteration": int(values["iteration"])})  # type: ignore[arg-type]


def _recovered(line: dict[str, Any], iteration: int) -> Recovered | None:
    try:
        back_to, rate = int(number(line, "back_to")), number(line, "learning_rate")
        return Recovered(iteration, words(line, "reason"), back_to, rate)
    except ValueError:
        return None


def _event(text: bytes, path: Path) -> Event | None:
    """The event that a line of the log tells of."""
    line = entry_of(text)
    try:
        iteration = int(number(line, "iteration"))
    except ValueError:
        return None
    match line.get("event"):
        case "progress":
            return _progress(line)
        case "evaluation":
            return evaluation_of(line)
        case "checkpoint":
            return CheckpointSaved(iteration, path / CHECKPOINT)
        case "paused":
            return Paused(iteration)
        case "proceeded":
            return Proceeded(iteration)
        case "recovered":
            return _recovered(line, iteration)
        case "hindered":
            return Hindered(iteration, str(line.get("message", ""))[:2000])
    return None
