"""One thing that a viewer is doing in a thread, and what a dock shows of it."""

from __future__ import annotations

import traceback
import weakref
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error
from psygnal import Signal

from napari_slicegan.core.errors import DefectError
from napari_slicegan.core.events import Evaluation, Progress
from napari_slicegan.plugin.models import Models
from napari_slicegan.plugin.work.worker import CancelledError, Control, start_worker

if TYPE_CHECKING:
    from napari.components import ViewerModel

_ACTIVITY_STEPS = 1000


class State(StrEnum):
    """What a job is doing, or how it ended."""

    IDLE = "idle"
    RUNNING = "running"
    CHECKING = "checking"
    TRAINING = "training"
    PAUSED = "paused"
    STOPPING = "stopping"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def is_busy(self) -> bool:
        """Whether nothing else can be started."""
        return self in (State.RUNNING, State.STOPPING, *TRAINS)


#: Of a training that can be stopped.
TRAINS = (State.CHECKING, State.TRAINING, State.PAUSED)


@dataclass(frozen=True)
class Status:
    """All that a dock shows of a job.

    Attributes
    ----------
    state : State
        What it is doing.
    message : str
        A sentence, for example what went wrong.
    fraction : float, optional
        How much is done, 0 to 1; None while that is not known.
    progress : Progress, optional
        The last report of a training.
    evaluation : Evaluation, optional
        Its last held-out errors.
    path : Path, optional
        The directory of a training.
    device : str
        Where a training runs, once that is known.
    details : str
        The traceback of what went wrong, for a report.
    """

    state: State = State.IDLE
    message: str = ""
    fraction: float | None = 0.0
    progress: Progress | None = None
    evaluation: Evaluation | None = None
    path: Path | None = None
    device: str = ""
    details: str = ""


class Job:
    """One thing at a time, in a thread, for one viewer.

    Parameters
    ----------
    viewer : ViewerModel
        Held weakly, so that a closed viewer can go.
    models : Models
        The viewer's.
    """

    changed = Signal(Status)
    name = ""

    def __init__(self, viewer: ViewerModel, models: Models) -> None:
        self._viewer, self._models = weakref.ref(viewer), models
        self._control = Control()
        self._worker: Any = None
        self._is_abandoned = False
        self.status = Status()

    def stop(self) -> None:
        """Ask the job to end; it says so at once and ends when it can."""
        if self.status.state in (State.RUNNING, *TRAINS):
            self._update(state=State.STOPPING)
        self._control.stop()

    def abandon(self) -> None:
        """End the job, or let it go on alone, and leave the viewer alone, since its window has gone."""
        self._is_abandoned = True
        self._control.quit()

    def _run(self, func: Any, *args: object, status: Status) -> None:
        """Run a function of `worker` in a thread."""
        self._control, self.status = Control(), status
        slots = {"yielded": self._on_yield, "returned": self._on_return, "errored": self._on_error}
        self._worker = start_worker(func, *args, control=self._control, description=self.name, **slots)
        self.changed.emit(self.status)

    def _update(self, **changes: Any) -> None:
        self.status = replace(self.status, **changes)
        if not self._is_abandoned:
            self.changed.emit(self.status)

    def _show_activity(self, fraction: float) -> None:
        """Move the bar in napari's activity dock; call it last, since napari then processes other events."""
        if self._worker is None or self._is_abandoned:
            return
        bar = self._worker.pbar
        if bar.total != _ACTIVITY_STEPS:
            bar.total = _ACTIVITY_STEPS
        bar.update(round(fraction * _ACTIVITY_STEPS) - bar.n)

    def _on_yield(self, event: object) -> None:
        """React to an event of the worker, in the main thread."""
        raise NotImplementedError

    def _on_return(self, result: Any) -> None:
        """React to the worker's result, in the main thread."""
        raise NotImplementedError

    def _on_error(self, error: Exception) -> None:
        self._worker = None
        if isinstance(error, CancelledError):
            self._update(state=State.STOPPED, message="")
            return
        sentence = self._explain(error)
        self._update(state=State.FAILED, message=sentence, details=_traceback(error))
        if not self._is_abandoned:
            show_error(sentence)

    def _explain(self, error: Exception) -> str:
        """What to tell of an error."""
        return str(error)


def _traceback(error: Exception) -> str:
    """How an error came about, as text: the error itself would keep what its frames held."""
    kept = error.details if isinstance(error, DefectError) else ""
    return kept or "".join(traceback.format_exception(error))
