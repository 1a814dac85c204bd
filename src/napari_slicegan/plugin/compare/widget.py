"""The dock *Compare volumes*."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.plugin.compare.form import CompareForm
from napari_slicegan.plugin.compare.split import Split
from napari_slicegan.plugin.compare.view import ComparisonView
from napari_slicegan.plugin.parts.dock import WIDTH, Dock, button, row
from napari_slicegan.plugin.parts.docks import GENERATE, PLUGIN, open_dock
from napari_slicegan.plugin.parts.hint_bar import HintBar
from napari_slicegan.plugin.parts.status_panel import StatusPanel
from napari_slicegan.plugin.parts.tabs import join_when_shown
from napari_slicegan.plugin.work.job import State, Status
from napari_slicegan.plugin.work.jobs import jobs_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

_WIDE = 720
_NO_IMAGE = "Open the micrograph that the volumes shall look like (File > Open), or try it on a sample."
_NO_VOLUME = "Generate a volume to compare with the images, or open one."
_READY = "Press Compare: it tells where volumes and images differ, and how sure that is."
_FOUND = "Choose a row to see its curve. Export report… keeps all of it as a page."


class CompareWidget(Split):
    """Choose micrographs and volumes, and see how far they differ.

    The rows scroll above what was found, or beside it where the dock is wide.

    Parameters
    ----------
    napari_viewer : Viewer
        Where the layers come from.
    """

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(_WIDE, beside=0.3, above=0.42)
        self._viewer, self.jobs = napari_viewer, jobs_of(napari_viewer)
        self._message = ""  # of the job that had news last
        self.form = CompareForm(napari_viewer, self.jobs)
        self.compare = button("Compare", "Compare the volumes with the images.", self._compare)
        self.cancel = button("Cancel", "Stop comparing; nothing is kept.", self._cancel)
        self.export = button(
            "Export report…", "Write a page with all tables and curves, and the numbers as CSV and JSON.", self._export
        )
        self.hint = HintBar()
        self.panel = StatusPanel(numbers=False)
        self.panel.message.native.setTextFormat(Qt.TextFormat.PlainText)  # layers may be called anything
        self.view = ComparisonView(napari_viewer)
        self.hold(self._controls(), self.view)
        self.setMinimumWidth(WIDTH)
        join_when_shown(self)
        self.form.changed.connect(self._refresh)
        for job in self.jobs.of_compare:
            job.changed.connect(self._show)
            self._show(job.status)

    def reset_choices(self, *_: object) -> None:
        """Follow the layer list; napari calls this."""
        self.form.reset_choices()

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """As wide as the column, as high as there is room for."""
        return QSize(WIDTH, 720)

    @property
    def _is_busy(self) -> bool:
        return any(job.status.state.is_busy for job in self.jobs.of_compare)

    def _controls(self) -> QWidget:
        """The rows, which scroll, above the progress and the buttons, which do not."""
        controls = Dock()
        footer = (self.panel, row(self.compare, self.cancel, self.export))
        controls.fill(self.hint, self.form.rows, self.form.advanced, self.view.notes, footer=footer)
        return controls

    def _show(self, status: Status) -> None:
        """Show what is going on now, and what was found last."""
        self.panel.show_status(status)
        if (found := self.jobs.comparison.result) is not None:
            self.view.show_comparison(found)
        if self.view.isHidden() is not (found is None):
            self.view.setVisible(found is not None)
            self.divide()
        self._message = status.message
        self._refresh()

    def _refresh(self, *_: object) -> None:
        """Enable what can be pressed, and say what is missing."""
        busy = self._is_busy
        if not busy:
            self.form.check()
            self.panel.show_message(self.form.problem or self._message)
        self.compare.enabled = not busy and not self.form.problem
        self.cancel.enabled = self.jobs.comparison.status.state is State.RUNNING
        self.export.enabled = not busy and self.jobs.comparison.result is not None
        self._show_hint(busy)

    def _show_hint(self, busy: bool) -> None:
        """Say what to do next."""
        if busy:
            self.hint.show_hint("")
        elif self.form.chooser.choice is None:
            self.hint.show_hint(_NO_IMAGE, "Open a sample", self._open_sample)
        elif not self.form.layers and self.form.entry is None:
            self.hint.show_hint(_NO_VOLUME, "Generate a volume", self._open_generate)
        elif not self.form.problem:
            self.hint.show_hint(_READY if self.jobs.comparison.result is None else _FOUND)
        else:  # which the line below the buttons tells
            self.hint.show_hint("")

    def _open_sample(self) -> None:
        self._viewer.open_sample(PLUGIN, "cathode")

    def _open_generate(self) -> None:
        open_dock(self._viewer, GENERATE)

    def _compare(self) -> None:
        if self._is_busy:
            return
        try:
            order = self.form.order()
        except SliceGANError as error:
            self.panel.show_message(str(error))
            return
        self.jobs.watch(self)
        self.jobs.comparison.start(order, self.form.layers)

    def _cancel(self) -> None:
        self.jobs.comparison.stop()

    def _export(self) -> None:
        """Write the report into a new directory of the one that is chosen."""
        found = self.jobs.comparison.result
        if found is None or self._is_busy:
            return
        chosen = QFileDialog.getExistingDirectory(self, "Where the directory of the report goes", str(Path.home()))
        if chosen:
            self.jobs.watch(self)
            self.jobs.report.start(found, Path(chosen) / f"comparison_{datetime.now():%Y-%m-%d_%H%M%S}")
