"""The dock *Train SliceGAN*."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtWidgets import QFileDialog

from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.plugin.check_panel import CheckPanel
from napari_slicegan.plugin.chooser import MaterialChooser
from napari_slicegan.plugin.dock import Dock, Rows, button, row
from napari_slicegan.plugin.job import State, Status
from napari_slicegan.plugin.jobs import jobs_of
from napari_slicegan.plugin.settings import Settings
from napari_slicegan.plugin.status_panel import StatusPanel
from napari_slicegan.plugin.training_task import Order

if TYPE_CHECKING:
    from napari.components import ViewerModel


class TrainWidget(Dock):
    """Choose micrographs, train on them, watch it.

    Parameters
    ----------
    napari_viewer : Viewer
        Where the layers come from and the preview goes to.
    """

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        self.jobs = jobs_of(napari_viewer)
        rows = Rows()
        self.chooser = MaterialChooser(rows, napari_viewer, self._edge)
        self.settings = Settings(rows)
        self.check = CheckPanel(self.chooser, self.jobs, self._edge)
        self.panel = StatusPanel(numbers=True)
        self.start = button("Train", "Start a new training.", self._start)
        self.stop = button("Stop", "Stop the training, and keep the model made so far.", self.jobs.training.stop)
        self.resume = button(
            "Resume run…",
            "Go on with an earlier run on the chosen layers; 'Train for' counts from the start of that run.",
            self._resume,
        )
        self.fill(
            rows,
            self.check.group,
            self.settings.advanced,
            row(self.start, self.stop, self.resume),
            self.panel,
        )
        self.chooser.changed.connect(self._refresh)
        self.settings.changed.connect(self.chooser.look)
        self.jobs.training.changed.connect(self._show)
        self.chooser.look()
        self._show(self.jobs.training.status)

    def reset_choices(self, *_: object) -> None:
        """Follow the layer list; napari calls this."""
        self.chooser.reset_choices()

    def _edge(self) -> int:
        return self.settings.network_config().edge

    def _show(self, status: Status) -> None:
        """Show the training as it is now."""
        self.panel.show_status(status)
        self._refresh()

    def _refresh(self) -> None:
        """Enable what can be pressed, and say what is missing."""
        status = self.jobs.training.status
        problem = self.chooser.error or self._settings_error()
        ready = not problem and not status.state.is_busy
        self.start.enabled = self.resume.enabled = ready
        self.stop.enabled = status.state is State.RUNNING
        if not status.state.is_busy:
            self.panel.show_message(problem or status.message)

    def _settings_error(self) -> str:
        try:
            self.settings.network_config()
            self.settings.training_config()
        except SliceGANError as error:
            return str(error)
        return ""

    def _start(self) -> None:
        choice = self.chooser.choice
        if choice is not None:
            self._train(self.settings.new_path(choice.layers[0].name), self.settings.preset.value)

    def _resume(self) -> None:
        start = str(self.jobs.training.status.path or self.settings.folder.value)
        chosen = QFileDialog.getExistingDirectory(self, "The directory of the run", start)
        if chosen:
            self._train(Path(chosen), self.settings.preset.value, resume=True)

    def _train(self, path: Path, preset: str, *, resume: bool = False) -> None:
        """Copy what the training needs and start it."""
        choice = self.chooser.choice
        if choice is None or self.jobs.training.status.state.is_busy:
            return
        try:
            order = Order(
                choice.images(),
                choice.kind,
                choice.axis,
                self.settings.network_config(),
                self.settings.training_config(),
                preset,
                path,
                resume,
            )
        except SliceGANError as error:
            show_error(str(error))
            return
        self.jobs.watch(self)
        self.jobs.training.start(order, choice.layers[0])
