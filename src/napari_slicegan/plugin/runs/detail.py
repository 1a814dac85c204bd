"""What the *Runs* dock shows of the selected run: curves, slices of its newest preview, and a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_slicegan.core.events import Event
from napari_slicegan.plugin.models import look_of
from napari_slicegan.plugin.parts.curves_panel import CurvesPanel
from napari_slicegan.plugin.parts.dock import breakable, text_label
from napari_slicegan.plugin.parts.slice_strip import SliceStrip
from napari_slicegan.plugin.runs.loading import LoadedRun, load_run
from napari_slicegan.plugin.work.background import Background

if TYPE_CHECKING:
    from napari_slicegan.core.runs import Follower, RunSummary
    from napari_slicegan.plugin.work.jobs import Jobs
    from napari_slicegan.plugin.work.run_view import RunView


class RunDetail(QWidget):
    """Shows one run; of another process it follows the files.

    Parameters
    ----------
    jobs : Jobs
        Of the viewer, whose own training is shown as it comes.
    background : Background
        Reads files.
    """

    def __init__(self, jobs: Jobs, background: Background) -> None:
        super().__init__()
        self._jobs, self._background = jobs, background
        self._path: Path | None = None
        self._run: RunSummary | None = None
        self._follower: Follower | None = None
        self.view: RunView | None = None
        self.message = text_label("What is to be said of the selected run.")
        self.strip, self.curves = SliceStrip(), CurvesPanel()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.message, self.strip, self.curves):
            layout.addWidget(widget)

    @property
    def last(self) -> int:
        """Iterations of the newest report; 0 before there is one."""
        return self.view.progress[-1].iteration if self.view and self.view.progress else 0

    def show_run(self, run: RunSummary | None) -> None:
        """Show a run, or nothing; of the same run what has come since."""
        self._run = run
        status = self._jobs.training.status
        is_busy = run is not None and status.state.is_busy and status.path == run.path
        self.say(f"{str(status.state).capitalize()}. {status.message}" if is_busy else run.message if run else "")
        path = run.path if run else None
        own = self._own(path)
        if own is not None:
            self._path, self._follower = path, None
            self._show(own)
        elif path != self._path or (path is not None and self._follower is None):
            self._path, self._follower = path, None
            self._show(None)
            if path is not None:
                self._background.run(lambda: load_run(path), self._take, self.say)

    def follow(self) -> None:
        """Look for what another process has written since."""
        if (follower := self._follower) is not None:
            self._background.run(follower.poll, lambda events: self._feed(follower, events))

    def say(self, text: str) -> None:
        """Show a sentence."""
        self.message.setText(breakable(text))
        self.message.setVisible(bool(text))

    def _own(self, path: Path | None) -> RunView | None:
        """What this viewer knows of a run that it trains, or has trained last and nobody since."""
        view, run = self._jobs.training.view, self._run
        if view is None or view.path != path or run is None:
            return None
        if self._jobs.training.status.state.is_busy:
            return view
        last = view.progress[-1].iteration if view.progress else 0
        return view if not run.is_live and run.iterations == last else None

    def _take(self, loaded: LoadedRun) -> None:
        if loaded.view.path != self._path or self._own(self._path) is not None:
            return  # another one has been selected meanwhile
        self._follower = loaded.follower
        loaded.view.look = look_of(loaded.info) if loaded.info else None
        self._show(loaded.view)

    def _feed(self, follower: Follower, events: list[Event]) -> None:
        if follower is self._follower and self.view is not None:
            for event in events:
                self.view.feed(event)
            self.draw()

    def _show(self, view: RunView | None) -> None:
        if view is self.view:
            return
        self.view = view
        self.curves.show_run(view)
        self.draw()

    def draw(self) -> None:
        """Show the newest preview."""
        view = self.view
        self.strip.setVisible(view is not None and view.preview is not None)
        if view is not None and view.preview is not None:
            self.strip.show_micrograph(view.micrograph, view.look)
            self.strip.show_volume(view.preview, view.look)
