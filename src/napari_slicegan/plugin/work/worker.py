"""From the core's iterators to napari's thread workers: progress out, a cooperative stop in."""

from __future__ import annotations

import atexit
import logging
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable
from weakref import WeakSet

from napari.qt.threading import GeneratorWorker, create_worker
from qtpy.QtCore import QThreadPool

from napari_slicegan.core.errors import DefectError, SliceGANError
from napari_slicegan.core.events import CheckpointSaved, Event, Preview, Progress
from napari_slicegan.core.memory import SMALLER_WORK, forget_frames, is_out_of_memory
from napari_slicegan.plugin.workarounds import forget_when_done

#: Seconds between two events of a kind that reach the window; none for other kinds.
PAUSES = {Progress: 0.1, Preview: 2.0, CheckpointSaved: 0.0}

_log = logging.getLogger(__name__)


class CancelledError(SliceGANError):
    """The user asked to stop something that leaves nothing behind."""


class Stoppable(Protocol):
    """A trainer, as far as a stop goes."""

    def stop(self) -> None:
        """Ask to end."""


@runtime_checkable
class Pausable(Stoppable, Protocol):
    """A trainer that can wait."""

    def pause(self) -> None:
        """Ask to wait."""

    def proceed(self) -> None:
        """Ask to go on."""


@runtime_checkable
class Leavable(Stoppable, Protocol):
    """A training in another process, which may go on when nobody looks."""

    def leave(self) -> bool:
        """Let it go on alone, if it may."""


class Control:
    """The window's hand on a worker; every method may be called from any thread."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._trainer: Stoppable | None = None
        self.report: Callable[[object], None] = lambda _event: None

    @property
    def is_stopped(self) -> bool:
        """Whether a stop was asked for."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask the work to end."""
        self._stop.set()
        if trainer := self._trainer:
            trainer.stop()

    def quit(self) -> None:
        """Ask the work to end since the window goes; what may go on alone does."""
        if not (isinstance(trainer := self._trainer, Leavable) and trainer.leave()):
            self.stop()

    def pause(self, *, wait: bool = True) -> None:
        """Ask a trainer that can wait to do so, or to go on."""
        if isinstance(trainer := self._trainer, Pausable):
            trainer.pause() if wait else trainer.proceed()

    def attach(self, trainer: Stoppable) -> None:
        """Pass the stop on to a trainer, also one that was asked for before."""
        self._trainer = trainer
        if self._stop.is_set():
            trainer.stop()

    def close(self) -> None:
        """Forget the trainer, since napari keeps every worker for as long as its window."""
        self._trainer = None

    def check(self) -> None:
        """End work that leaves nothing behind.

        Raises
        ------
        CancelledError
            A stop was asked for.
        """
        if self._stop.is_set():
            raise CancelledError("Cancelled.")


@dataclass(frozen=True)
class Work:
    """A generator function with a name for people: napari shows it when it asks whether to close its window."""

    name: str
    func: Callable[..., Generator[object, None, object]]

    def __str__(self) -> str:
        return self.name


class CooperativeWorker(GeneratorWorker):  # type: ignore[misc]
    """A worker whose `quit` lets the work end in order, so that it returns what was made so far."""

    def __init__(self, work: Work, *args: Any, control: Control) -> None:
        super().__init__(work.func, *args, control)
        self._control = control
        _workers.add(self)
        control.report = self.yielded.emit

    def quit(self) -> None:
        """Ask the work to end; napari calls this when its window closes."""
        self._control.quit()


_workers: WeakSet[CooperativeWorker] = WeakSet()
_PATIENCE = 10_000  # milliseconds at the end of the process


@atexit.register
def end_all() -> None:
    """Let all works end in order before Python does.

    napari waits for them when it is quit; a script may close its window and end. Code of torch that goes on while
    Python is taken down aborts the process.
    """
    if working := [worker for worker in _workers if worker.is_running]:
        for worker in working:
            worker.quit()
        if pool := QThreadPool.globalInstance():
            pool.waitForDone(_PATIENCE)


def start_worker(
    func: Callable[..., Generator[object, None, object]],
    *args: object,
    control: Control,
    description: str,
    **slots: Callable[..., None],
) -> Any:
    """Run a generator function in a thread; its last argument is the control.

    Parameters
    ----------
    func : generator function
        Raises nothing but SliceGANError.
    *args : object
        Its other arguments.
    control : Control
        To stop it.
    description : str
        For napari's activity dock, and for its question before it closes.
    **slots : callable
        "yielded", "returned" and "errored", called in the main thread.

    Returns
    -------
    CooperativeWorker
        Already started.
    """
    worker = create_worker(
        Work(description, func),
        *args,
        control=control,
        _worker_class=CooperativeWorker,
        _progress={"desc": description},
        _connect=slots,
    )
    forget_when_done(worker)
    return worker


def throttled(events: Iterable[Event]) -> Iterator[Event]:
    """Leave out events that come too soon after one of their kind, but never the last of a kind."""
    last: dict[type, float] = {}
    held: dict[type, Event] = {}
    for event in events:
        kind, now = type(event), time.monotonic()
        if now - last.get(kind, float("-inf")) < PAUSES.get(kind, 0.0):
            held[kind] = event
            continue
        last[kind] = now
        held.pop(kind, None)
        yield event
    yield from held.values()


@contextmanager
def no_defects(what: str) -> Iterator[None]:
    """Turn a defect into an error that arrives: napari swallows a RuntimeError that leaves a generator.

    Raises
    ------
    DefectError
        Something else than a SliceGANError was raised; the log has it.
    SliceGANError
        Memory has run out.
    """
    try:
        yield
    except SliceGANError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            forget_frames(error)
            raise SliceGANError(f"{what} does not fit into memory: {SMALLER_WORK}.") from error
        _log.error("%s failed", what, exc_info=error)
        sentence = f"{what} failed: {type(error).__name__}: {error}. The log has the details."
        raise DefectError(sentence, traceback.format_exc()) from None


def reporter(control: Control, done: int = 0, count: int = 1) -> Callable[[float], None]:
    """What a piece of work tells its progress to.

    Parameters
    ----------
    control : Control
        Gets the finished fraction of all pieces at most ten times a second.
    done : int
        Pieces that are complete already.
    count : int
        Pieces in all.

    Returns
    -------
    callable
        Takes the finished fraction of this piece, and raises CancelledError when a stop was asked for.
    """
    last = 0.0

    def progress(fraction: float) -> None:
        nonlocal last
        control.check()
        if time.monotonic() - last >= PAUSES[Progress]:
            last = time.monotonic()
            control.report((done + fraction) / count)

    return progress
