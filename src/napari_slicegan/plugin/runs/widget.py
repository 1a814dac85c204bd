"""The dock *Runs*."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.types import FileDialogMode
from magicgui.widgets import FileEdit, Label
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QHideEvent, QShowEvent

from napari_slicegan.core.runs import RunSummary
from napari_slicegan.plugin import preferences
from napari_slicegan.plugin.parts.dock import Dock, Rows, breakable, wrapped
from napari_slicegan.plugin.parts.docks import TRAIN, open_dock
from napari_slicegan.plugin.parts.hint_bar import HintBar
from napari_slicegan.plugin.runs.actions import RunActions
from napari_slicegan.plugin.runs.buttons import RunButtons, Situation
from napari_slicegan.plugin.runs.detail import RunDetail
from napari_slicegan.plugin.runs.loading import Listing, list_folder
from napari_slicegan.plugin.runs.table import RunsTable
from napari_slicegan.plugin.train.unfinished import UnfinishedOffer
from napari_slicegan.plugin.work.background import Background
from napari_slicegan.plugin.work.job import State, Status
from napari_slicegan.plugin.work.jobs import jobs_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

_PAUSE_MS, _SOON_MS, _HURRY = 2000, 300, 20
_NO_RUNS = "There is no run in this folder yet. Train on a micrograph, or choose the folder where your runs are."


class RunsWidget(Dock):
    """Look at the runs in a folder, and do things with them.

    Parameters
    ----------
    napari_viewer : Viewer
        Where layers and docks are opened.
    """

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.jobs = jobs_of(napari_viewer)
        self._background = Background(self)
        self._with_images: frozenset[Path] = frozenset()
        self._state, self._hurry, self._wanted = State.IDLE, 0, self._newest_of_viewer()
        self.hint, self.offer = HintBar(), UnfinishedOffer(napari_viewer)
        self.folder = FileEdit(
            label="Folder",
            mode=FileDialogMode.EXISTING_DIRECTORY,
            value=self._wanted.parent if self._wanted else preferences.default_folder(),
            tooltip="Where the runs are; napari's preferences say where new ones go.",
        )
        self.folder.choose_btn.text, self.folder.choose_btn.tooltip = "Choose…", "Choose another folder."
        self.folder.line_edit.tooltip = self.folder.tooltip
        self.table = RunsTable()
        self.detail = RunDetail(self.jobs, self._background)
        self.commands = RunActions(napari_viewer, self.jobs, Background(self), self)
        self.buttons = RunButtons(self.commands.slots)
        self.said = Label(tooltip="What came of it.")
        self.said.native.setTextFormat(Qt.TextFormat.PlainText)
        self._say("")
        said = wrapped(self.said)
        self.fill(self.hint, self.offer, Rows(self.folder), self.table, self.buttons, said, self.detail)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._list)
        self._connect()

    def look_at(self, path: Path) -> None:
        """Select a run, in its own folder, as soon as it is there."""
        folder = Path(str(self.folder.value)).expanduser()
        if path.parent != folder and path.parent.is_dir():
            self.folder.value = path.parent
        self._list_soon(path)

    def reset_choices(self, *_: object) -> None:
        """Layers do not matter here; napari calls this when they change."""

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Follow the folder as long as someone looks."""
        super().showEvent(event)
        self._list()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Leave the disk alone when nobody looks."""
        super().hideEvent(event)
        self._timer.stop()

    def _connect(self) -> None:
        self.folder.changed.connect(self._list_anew)
        self.table.chosen.connect(self._choose)
        self.commands.said.connect(self._say)
        self.commands.asked.connect(self.detail.say)
        self.commands.changed.connect(self._list_soon)
        self.jobs.training.changed.connect(self._follow_job)
        self.jobs.loading.changed.connect(self._refresh)

    def _newest_of_viewer(self) -> Path | None:
        """The run that this viewer trains or has trained last."""
        return self.jobs.training.status.path

    def _follow_job(self, status: Status) -> None:
        """List the runs again when the training of this viewer begins, waits or ends, and say so at once."""
        if status.state is not self._state:
            has_begun = status.state.is_busy and not self._state.is_busy
            self._state = status.state
            self._list_soon(status.path if has_begun else None)
            self.detail.show_run(self.table.run)
            self._refresh()

    def _list_anew(self, *_: object) -> None:
        """Look at another folder."""
        self.table.show_runs([])
        self._list()

    def _list_soon(self, path: Path | None) -> None:
        """List the runs several times within the next seconds, and select this one when it is there."""
        self._wanted, self._hurry = path or self._wanted, _HURRY
        if self.isVisible():
            self._timer.start(0)

    def _list(self) -> None:
        folder = Path(str(self.folder.value)).expanduser()
        if self._background.is_busy:
            self._timer.start(_SOON_MS)
            return
        self._background.run(lambda: list_folder(folder), self._take, self._try_later)

    def _take(self, found: Listing) -> None:
        """Show the runs, and look again later."""
        runs = found.runs
        if found.folder == Path(str(self.folder.value)).expanduser():
            self._with_images = found.with_images
            self.table.show_runs(runs)
            self._select(runs)
            self.hint.show_hint("" if runs else _NO_RUNS, "" if runs else "Train…", lambda: self._open(TRAIN))
        run = self.table.run
        if run is not None and (run.is_live or run.iterations != self.detail.last):
            self.detail.follow()
        self.detail.draw()
        self._refresh()
        self._hurry = max(0, self._hurry - 1)
        if self.isVisible():
            self._timer.start(_SOON_MS if self._hurry else _PAUSE_MS)

    def _try_later(self, text: str) -> None:
        """Say why the folder cannot be read, and look again: a network may come back."""
        self._say(text)
        if self.isVisible():
            self._timer.start(_PAUSE_MS)

    def _select(self, runs: Sequence[RunSummary]) -> None:
        """Select the run that is wanted, else the first as long as there is none."""
        if self._wanted in [run.path for run in runs]:
            self.table.select(self._wanted)
            self._wanted = None
        elif self.table.run is None and runs:
            self.table.selectRow(0)

    def _say(self, text: str) -> None:
        """Show what came of an action."""
        self.said.value, self.said.visible = breakable(text), bool(text)

    def _open(self, name: str) -> None:
        open_dock(self._viewer, name)

    def _choose(self, run: RunSummary | None) -> None:
        """Show another run, or what has become of this one."""
        self.commands.run = run
        self.detail.show_run(run)
        self._refresh()

    def _refresh(self, *_: object) -> None:
        """Enable what can be done with the selected run."""
        run, view = self.table.run, self.detail.view
        self.buttons.show_situation(
            Situation(
                run,
                view is not None and view.preview is not None,
                run is not None and run.path in self._with_images,
                self.jobs.training.status.state.is_busy,
                self.jobs.loading.status.state.is_busy,
            )
        )
