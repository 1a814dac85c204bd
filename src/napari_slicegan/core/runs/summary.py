"""Runs at a glance: what a table shows of each, from two small files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from napari_slicegan.core.events import EndReason
from napari_slicegan.core.files import CHECKPOINT, CONFIG, LOG, MODEL, STATUS, is_own_file
from napari_slicegan.core.runs.lock import is_locked
from napari_slicegan.core.runs.log import entry_of
from napari_slicegan.core.runs.status import LIVE, RunState, RunStatus, number, read_status, read_text, this_host, words

_SILENCE = 120.0  # seconds without a word after which a run on another computer counts as interrupted
_LOG_TAIL = 2**16  # bytes


@dataclass(frozen=True)
class RunSummary:
    """A run at a glance.

    Attributes
    ----------
    path : Path
        Its directory.
    name : str
        The directory's name.
    images : tuple of str
        Names of the training images.
    preset : str
        Name of the preset that its settings were derived from.
    state : RunState
        How it stands now.
    iterations : int
        Generator updates made.
    fraction : float
        How much of it is done, 0 to 1.
    correlation_error : float or None
        Held-out error of the two-point correlations, of the newest evaluation.
    started : datetime or None
        When it was first started, in local time.
    message : str
        What went wrong, in a sentence; else empty.
    has_model : bool
        Whether there is a model to load.
    is_here : bool
        Whether this very process trains it.
    is_readable : bool
        Whether its settings can be read.
    """

    path: Path
    name: str
    images: tuple[str, ...] = ()
    preset: str = ""
    state: RunState = RunState.FAILED
    iterations: int = 0
    fraction: float = 0.0
    correlation_error: float | None = None
    started: datetime | None = None
    message: str = ""
    has_model: bool = False
    is_here: bool = False
    is_readable: bool = True

    @property
    def is_live(self) -> bool:
        """Whether a process trains it now, or waits to go on."""
        return self.state in LIVE

    @property
    def can_continue(self) -> bool:
        """Whether it can be trained further; a finished one only with a later end."""
        return self.is_readable and not self.is_live and (self.state is not RunState.FAILED or self.has_model)


def summary_of(path: str | Path) -> RunSummary:
    """Tell how a run stands; a damaged one says in its message what is wrong, and never raises."""
    path = Path(path)
    summary = RunSummary(path, path.name, has_model=any(is_own_file(path / name) for name in (MODEL, CHECKPOINT)))
    status = read_status(path) or _status_from_log(path)
    state = _state_now(path, status)
    if state is RunState.INTERRUPTED:  # or it has ended in between, and said so before it let the lock go
        status = read_status(path) or status
        state = state if status.state in LIVE else status.state
    here = state in LIVE and (status.pid, status.host) == (os.getpid(), this_host())
    error = status.evaluation.correlation_error if status.evaluation else None
    summary = replace(
        summary,
        state=state,
        iterations=status.iteration,
        fraction=status.fraction,
        is_here=here,
        correlation_error=error,
        started=status.started or _written(path),
        message=status.message,
    )
    try:
        images, preset = _read_config(path)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        message = f"This run cannot be read: its {CONFIG} is damaged or missing."
        return replace(summary, message=message, is_readable=False)
    return replace(summary, images=images, preset=preset)


def list_runs(folder: str | Path) -> list[RunSummary]:
    """The runs in a folder, the newest first; never raises, and is empty where there is no such folder."""
    try:
        found = [summary_of(path) for path in sorted(Path(folder).iterdir()) if is_run(path)]
    except OSError:
        return []
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda run: run.started or oldest, reverse=True)


def is_run(path: Path) -> bool:
    """Whether a directory is one of a run, even of a damaged one; other programs write a ``config.json``, too."""
    with suppress(OSError):
        if not is_own_file(path / CONFIG):
            return False
        if any(is_own_file(path / name) for name in (STATUS, LOG, CHECKPOINT)):
            return True
        with suppress(ValueError, KeyError, TypeError, RecursionError):
            _read_config(path)
            return True
    return False


def _read_config(path: Path) -> tuple[tuple[str, ...], str]:
    """Names of images and preset."""
    fields = json.loads(read_text(path / CONFIG))
    names, preset = fields["images"], fields["preset"]
    if not isinstance(fields["fingerprint"], str) or not isinstance(names, list) or not isinstance(preset, str):
        raise ValueError("no settings of a run")
    return tuple(str(name)[:200] for name in names), preset[:100]


def _state_now(path: Path, status: RunStatus) -> RunState:
    """What the run says, unless it says that it lives and does not, or lives and could not say so."""
    locked = is_locked(path)
    if locked:
        return status.state if status.state in LIVE else RunState.TRAINING
    if status.state not in LIVE:
        return status.state
    if locked is False and status.host == this_host():
        return RunState.INTERRUPTED
    age = datetime.now(UTC) - status.updated if status.updated else None  # locks do not always reach other computers
    return status.state if age is not None and abs(age.total_seconds()) < _SILENCE else RunState.INTERRUPTED


def _status_from_log(path: Path) -> RunStatus:
    """How a run without a status stands, by the last lines of its log."""
    ending: dict[str, Any] = {}
    last: dict[str, Any] = {}
    for line in _last_lines(path / LOG):
        if line.get("event") == "progress":
            last = line
            break
        if line.get("event") in ("end", "error") and not ending:
            ending = line
    try:
        iteration, fraction = int(number(last, "iteration")), min(max(number(last, "fraction"), 0.0), 1.0)
        message = words(ending, "message")
    except ValueError:
        return RunStatus(RunState.INTERRUPTED)
    if ending.get("event") == "error":
        return RunStatus(RunState.FAILED, iteration, fraction, message=message)
    if ending:
        done = ending.get("reason") in (EndReason.COMPLETED, EndReason.PLATEAU)
        return RunStatus(RunState.FINISHED if done else RunState.STOPPED, iteration, 1.0 if done else fraction)
    return RunStatus(RunState.INTERRUPTED, iteration, fraction)


def _last_lines(log: Path) -> Iterator[dict[str, Any]]:
    """The objects of the end of a log, the last one first."""
    if not is_own_file(log):
        return
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LOG_TAIL))
            lines = file.read(_LOG_TAIL).splitlines()
    except OSError:
        return
    yield from filter(None, map(entry_of, reversed(lines)))


def _written(path: Path) -> datetime | None:
    """When the settings were written."""
    try:
        return datetime.fromtimestamp((path / CONFIG).stat().st_mtime, UTC).astimezone()
    except OSError:
        return None
