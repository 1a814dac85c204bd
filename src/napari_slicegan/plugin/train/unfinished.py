"""The offer to go on with a run that a crash has interrupted, or to watch one that another process trains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QPushButton

from napari_slicegan.core.files import CHECKPOINT, IMAGES
from napari_slicegan.core.runs import RunState, RunSummary, list_runs
from napari_slicegan.plugin import preferences
from napari_slicegan.plugin.parts.dock import breakable
from napari_slicegan.plugin.parts.notice import Notice
from napari_slicegan.plugin.work.background import Background
from napari_slicegan.plugin.work.job import Status
from napari_slicegan.plugin.work.jobs import jobs_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

_AMBER = "#e0962f"
_CONTINUE = "&Continue", "Train on from the last checkpoint to the end that was planned."
_WATCH = "&Watch", "Show its numbers, curves and previews here; it can be paused and stopped from here, too."


class _Settled(QObject):
    """Runs that were offered in this session and answered, or gone on with, in whatever dock of whatever viewer."""

    changed = Signal()  # of Qt, which forgets a dock that has gone

    def __init__(self) -> None:
        super().__init__()
        self.paths: set[Path] = set()

    def add(self, path: Path) -> None:
        """Do not offer a run again."""
        if path not in self.paths:
            self.paths.add(path)
            self.changed.emit()


_settled = _Settled()


class UnfinishedOffer(Notice):
    """A line that offers the newest unfinished run; hidden while there is none or something is trained.

    Parameters
    ----------
    viewer : ViewerModel
        Which would train or watch it.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__(_AMBER)
        self._jobs = jobs_of(viewer)
        self._background = Background(self)
        self._runs: list[RunSummary] = []
        self.go = QPushButton()
        self.not_now = QPushButton("&Not now")
        self.not_now.setToolTip("Leave it as it is; the Runs dock knows it at any time.")
        self.go.clicked.connect(lambda *_: self._go())
        self.not_now.clicked.connect(lambda *_: self._settle())
        self.grid.setColumnStretch(2, 1)
        self.grid.addWidget(self.label, 0, 0, 1, 3)
        self.grid.addWidget(self.go, 1, 0)
        self.grid.addWidget(self.not_now, 1, 1)
        self._jobs.training.changed.connect(self._follow)
        _settled.changed.connect(self._show)
        soon = QTimer(self)  # when the dock is on the screen
        soon.setSingleShot(True)
        soon.timeout.connect(self._look)
        soon.start(0)

    @property
    def run(self) -> RunSummary | None:
        """The run that is offered."""
        open_ones = [run for run in self._runs if run.path not in _settled.paths]
        return open_ones[0] if open_ones and not self._jobs.training.status.state.is_busy else None

    def _look(self) -> None:
        """Look for unfinished runs in the folder of the preferences."""
        self._background.run(lambda: _unfinished(preferences.default_folder()), self._take)

    def _take(self, runs: list[RunSummary]) -> None:
        self._runs = runs
        self._show()

    def _show(self) -> None:
        run = self.run
        self.setVisible(run is not None)
        if run is None:
            return
        text = f"The run {run.name} was interrupted at iteration {run.iterations:,}. Go on with it?"
        if run.is_live:
            text = f"The run {run.name} is being trained by another process. Watch it here?"
        label, tooltip = _WATCH if run.is_live else _CONTINUE
        self.label.setText(breakable(text))
        self.go.setText(label)
        self.go.setToolTip(tooltip)

    def _go(self) -> None:
        if (run := self.run) is not None:
            self._settle()
            self._jobs.watch(self)
            if run.is_live:
                self._jobs.training.watch_run(run.path)
            else:
                self._jobs.training.proceed_run(run.path)

    def _settle(self) -> None:
        """Do not offer it again in this session."""
        if (run := self.run) is not None:
            _settled.add(run.path)

    def _follow(self, status: Status) -> None:
        """A run that is trained needs no offer; others wait until nothing is trained."""
        if status.state.is_busy and status.path is not None:
            _settled.add(status.path)
        if status.state.is_busy is not self.isHidden():
            self._show()


def _unfinished(folder: Path) -> list[RunSummary]:
    """The runs in a folder that another process trains, or that a crash has ended and that can go on."""
    return [run for run in list_runs(folder) if (run.is_live and not run.is_here) or _can_go_on(run)]


def _can_go_on(run: RunSummary) -> bool:
    """Whether a crash has ended a run that holds all it takes to go on."""
    if run.state is not RunState.INTERRUPTED or not run.can_continue:
        return False
    return all((run.path / name).is_file() for name in (CHECKPOINT, IMAGES))
