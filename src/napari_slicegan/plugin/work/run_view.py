"""What there is to see of a run: its reports so far, its newest preview and what it is doing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy.typing as npt
from psygnal import Signal

from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.core.events import Evaluation, Paused, Preview, Proceeded, Progress
from napari_slicegan.plugin.layers import Look
from napari_slicegan.plugin.work.job import State

#: Reports that are kept; of a longer run every second, every fourth and so on.
MOST = 2000


T = TypeVar("T")


class _Thinned(Generic[T]):
    """Events evenly spread over a run: the newest, and of those before it every n-th."""

    def __init__(self) -> None:
        self.events: list[T] = []
        self._stride, self._since = 1, 0  # events since the last that stays

    def add(self, event: T) -> None:
        """Take the newest."""
        if self._since % self._stride:
            self.events[-1] = event
        else:
            self.events.append(event)
            self._since = 0
        self._since += 1
        if len(self.events) > MOST:
            del self.events[1:-1:2]
            self._stride *= 2


class RunView:
    """A run as it is shown, fed by events of this process or of another.

    Parameters
    ----------
    path : Path
        The run's directory.

    Attributes
    ----------
    state : State
        What the run is doing, or how it ended.
    preview : array (Z, Y, X) or (Z, Y, X, 3), optional
        The newest preview.
    micrograph : array (H, W) or (H, W, 3), optional
        A part of the training image to show beside it, in the same values.
    look : Look, optional
        The colours of both.
    changed : Signal
        There is something new to see.
    """

    changed = Signal()

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = State.IDLE
        self._reports: _Thinned[Progress] = _Thinned()
        self._errors: _Thinned[Evaluation] = _Thinned()
        self.preview: npt.NDArray[Any] | None = None
        self.micrograph: npt.NDArray[Any] | None = None
        self.look: Look | None = None

    @property
    def progress(self) -> list[Progress]:
        """Reports of the run, at most `MOST` of them."""
        return self._reports.events

    @property
    def evaluations(self) -> list[Evaluation]:
        """Held-out errors, at most `MOST` of them."""
        return self._errors.events

    @classmethod
    def from_disk(cls, path: Path) -> RunView:
        """The run in a directory, as far as it has been written; needs no torch.

        Raises
        ------
        SliceGANError
            The directory cannot be read.
        """
        from napari_slicegan.core.runs import newest_preview, read_history, read_preview, summary_of

        view = cls(path)
        history = read_history(path)
        view.progress[:], view.evaluations[:] = history.progress, history.evaluations
        view.state = _STATES.get(str(summary_of(path).state), State.STOPPED)
        with suppress(SliceGANError):  # a damaged preview is no reason to show nothing
            picture = newest_preview(path)
            view.preview = read_preview(picture).volume if picture else None
        return view

    def feed(self, event: object) -> None:
        """Take what happened."""
        match event:
            case Progress():
                self._reports.add(event)
            case Evaluation():
                self._errors.add(event)
            case Preview():
                self.preview = event.volume
            case Paused():
                self.state = State.PAUSED
            case Proceeded():
                self.state = State.TRAINING
            case State():
                self.state = event
            case _:
                return
        self.changed.emit()


_STATES = {
    "training": State.TRAINING,
    "paused": State.PAUSED,
    "finished": State.FINISHED,
    "failed": State.FAILED,
}
