"""Writing down a run while it is trained: log, previews, model and status, and what other processes ask for."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from napari_slicegan.core.errors import OutputError, SliceGANError
from napari_slicegan.core.events import (
    CheckpointSaved,
    EndReason,
    Evaluation,
    Event,
    Hindered,
    Paused,
    Preview,
    Proceeded,
    Progress,
    Recovered,
)
from napari_slicegan.core.files import (
    CHECKPOINT,
    CONFIG,
    LOG,
    MODEL,
    PREVIEWS,
    REQUEST,
    STATUS,
    output_error,
    write_atomically,
)
from napari_slicegan.core.hindrances import Hindrances
from napari_slicegan.core.model_header import read_card
from napari_slicegan.core.runs.changes import unfinished
from napari_slicegan.core.runs.lock import RunLock
from napari_slicegan.core.runs.requests import Request, take_request
from napari_slicegan.core.runs.status import RunState, RunStatus, read_status, this_host
from napari_slicegan.core.training import Trainer
from napari_slicegan.core.writing import write_volume

_SECONDS_BETWEEN_LOOKS = 0.2  # for requests of other processes
_SECONDS_BETWEEN_REPORTS = 1.0
_SECONDS_OF_SILENCE = 20.0  # after which the status says again that the process lives


class Recorder:
    """While its ``with`` block lasts, a run's directory belongs to one trainer and shows what it does.

    Parameters
    ----------
    path : Path
        The run's directory.
    trainer : Trainer
        What is recorded, and what gets the requests of other processes.

    Raises
    ------
    TrainingError
        Another trainer has the run.
    OutputError
        The disk is full or the directory has gone.
    """

    def __init__(self, path: Path, trainer: Trainer) -> None:
        self._path, self._trainer = path, trainer
        self._lock = RunLock(path)
        self._status, self._hindrances = _Status(path), Hindrances()
        self._watcher = _Watcher(path, trainer, self._status.repeat)

    def __enter__(self) -> Recorder:
        if not (self._path / CONFIG).is_file():
            raise OutputError(f"{self._path} cannot be written: the run's directory has gone.")
        for name in (LOG, PREVIEWS):
            if (self._path / name).is_symlink():
                raise OutputError(f"{self._path / name} is a link to elsewhere: remove it.")
        self._lock.__enter__()
        try:
            self._clean()
            self._status.begin(self._trainer)
            self._watcher.start()
        except BaseException:
            self._lock.__exit__()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: object) -> None:
        self._watcher.end()
        try:
            if isinstance(error, Exception):
                self._fail(error)
            elif error is None and self._trainer.result:
                self._end(self._trainer.result.reason)
        except OutputError as failure:
            self._fail(failure)
            raise
        finally:
            self._lock.__exit__()

    def _clean(self) -> None:
        """Remove what a process before has been asked for, and what it has left when it died."""
        half = [file for name in (CHECKPOINT, MODEL, STATUS) for file in unfinished(self._path, name)]
        for file in (self._path / REQUEST, *half, *(self._path / PREVIEWS).glob("*.tif.part")):
            with suppress(OSError):
                file.unlink(missing_ok=True)

    def take(self, event: Event) -> Hindered | None:
        """Write down an event; what cannot be written besides the checkpoint ends nothing, and is told of."""
        match event:
            case Progress():
                self._log("progress", event)
                self._status.report(event)
            case Evaluation():
                self._log("evaluation", event)
                self._status.write(evaluation=event)
            case Preview(iteration, volume):
                self._hindrances.spare("previews", lambda: self._write_preview(iteration, volume))
            case CheckpointSaved(iteration, path):
                self._hindrances.spare(MODEL, self._save_model)
                self._log("checkpoint", iteration=iteration, path=path.name)
            case Recovered():
                self._log("recovered", event)
            case Paused():
                self._log("paused", event)
                self._status.write(state=RunState.PAUSED, iteration=event.iteration)
            case Proceeded():
                self._log("proceeded", event)
                self._status.write(state=RunState.TRAINING)
        return self._news(event.iteration)

    def _news(self, iteration: int) -> Hindered | None:
        """What is to be told of what cannot be written, and is now said by the status, too."""
        self._hindrances.spare(STATUS, self._status.check)
        news = self._hindrances.news(iteration)
        if news:
            self._log("hindered", news)
            self._status.write(message=news.message)
        return news

    def _end(self, reason: EndReason) -> None:
        if self._hindrances.holds_up(MODEL):
            self._save_model()
        self._log("end", reason=reason, iteration=self._trainer.iteration)
        done = reason is not EndReason.STOPPED
        self._status.write(
            state=RunState.FINISHED if done else RunState.STOPPED, iteration=self._trainer.iteration, eta_seconds=None
        )

    def _fail(self, error: Exception) -> None:
        message = str(error) if isinstance(error, SliceGANError) else f"{type(error).__name__}: {error}"
        self._status.write(state=RunState.FAILED, message=message, eta_seconds=None)
        self._log("error", message=message)

    def _save_model(self) -> None:
        """Write the model; what its author has said of it meanwhile stays."""
        path = self._path / MODEL
        model = self._trainer.saved or self._trainer.model
        model.info = replace(model.info, card=read_card(path))
        model.save(path)

    def _write_preview(self, iteration: int, volume: Any) -> None:
        folder, data = self._path / PREVIEWS, self._trainer.data
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise output_error(folder, error) from error
        path = folder / f"{iteration:08d}.tif"
        write_volume(path, volume, data.pixel_size, data.unit, overwrite=True, labels=bool(data.phases))

    def _log(self, kind: str, event: Event | None = None, **fields: Any) -> None:
        line = {"event": kind, **(asdict(event) if event else {}), **fields}
        self._hindrances.spare(LOG, lambda: self._append(line))

    def _append(self, line: dict[str, Any]) -> None:
        try:
            with (self._path / LOG).open("ab+") as file:
                is_cut = file.tell() and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n"  # by a crash
                file.write(b"\n" * bool(is_cut) + json.dumps(line).encode() + b"\n")
        except OSError as error:
            raise output_error(self._path / LOG, error) from error


class _Status:
    """The file ``status.json``, written by the threads of trainer and watcher; that it fails ends no training."""

    def __init__(self, path: Path) -> None:
        self._file = path / STATUS
        self._guard = threading.Lock()
        self._now = read_status(path) or RunStatus(RunState.TRAINING)
        self._written = 0.0
        self._failures: list[OutputError] = []  # one after the other, until it works again

    def check(self) -> None:
        """Raise what keeps it from being written; not the first time, when on Windows a reader may be in the way."""
        with self._guard:
            if len(self._failures) > 1:
                raise self._failures[-1]

    def begin(self, trainer: Trainer) -> None:
        started = self._now.started or datetime.now(UTC)
        me = {"pid": os.getpid(), "host": this_host(), "started": started}
        self.write(
            state=RunState.TRAINING,
            iteration=trainer.iteration,
            fraction=trainer.fraction,
            message="",
            evaluation=trainer.evaluation,
            **me,
        )

    def report(self, event: Progress) -> None:
        """Take note of a report, at most once a second."""
        names = ("iteration", "fraction", "seconds", "eta_seconds")
        late = time.monotonic() - self._written >= _SECONDS_BETWEEN_REPORTS
        self._change(late, {name: getattr(event, name) for name in names})

    def write(self, **changes: Any) -> None:
        self._change(True, changes)

    def repeat(self) -> None:
        """Say that the process lives, if nothing has said so for long."""
        if time.monotonic() - self._written >= _SECONDS_OF_SILENCE:
            self._change(True, {})

    def _change(self, write: bool, changes: dict[str, Any]) -> None:
        with self._guard:
            self._now = replace(self._now, updated=datetime.now(UTC), **changes)
            if write:
                self._written = time.monotonic()
                text = self._now.to_json().encode()
                try:
                    write_atomically(self._file, lambda file: file.write(text), durable=False)
                    self._failures.clear()
                except OutputError as error:
                    self._failures = [*self._failures[-1:], error]


class _Watcher:
    """A thread that hands the requests of other processes to a trainer."""

    def __init__(self, path: Path, trainer: Trainer, repeat: Callable[[], None]) -> None:
        self._path, self._repeat = path, repeat
        self._answers = {
            Request.PAUSE: trainer.pause,
            Request.PROCEED: trainer.proceed,
            Request.STOP: trainer.stop,
        }
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="requests to a SliceGAN training", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_SECONDS_BETWEEN_LOOKS):
            if request := take_request(self._path):
                self._answers[request]()
            self._repeat()
