"""The dock *Train SliceGAN*."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error
from qtpy.QtCore import QTimer
from qtpy.QtGui import QShowEvent

from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.plugin.check.panel import CheckPanel
from napari_slicegan.plugin.images.chooser import MaterialChooser
from napari_slicegan.plugin.parts.dock import Dock, Rows, button, row
from napari_slicegan.plugin.parts.docks import GENERATE, PLUGIN, RUNS, open_dock
from napari_slicegan.plugin.parts.fold import Fold
from napari_slicegan.plugin.parts.hint_bar import HintBar
from napari_slicegan.plugin.parts.status_panel import StatusPanel
from napari_slicegan.plugin.train.cost_rows import CostRows
from napari_slicegan.plugin.train.estimate_job import Inquiry
from napari_slicegan.plugin.train.hints import Facts, Hint, Step, hint_of
from napari_slicegan.plugin.train.live_panel import LivePanel
from napari_slicegan.plugin.train.settings import Settings
from napari_slicegan.plugin.train.start_from_row import StartFromRow, networks_of
from napari_slicegan.plugin.train.task import Order
from napari_slicegan.plugin.train.unfinished import UnfinishedOffer
from napari_slicegan.plugin.work.job import TRAINS, State, Status
from napari_slicegan.plugin.work.jobs import jobs_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_slicegan.plugin.images.choice import Choice

_PAUSE_TIP = "Let the training wait: its work is saved, and the computer is free."
_RESUME_TIP = "Let the training go on where it waits."


class TrainWidget(Dock):
    """Choose micrographs, train on them, watch it.

    Parameters
    ----------
    napari_viewer : Viewer
        Where the layers come from and the preview goes to.
    """

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.jobs = jobs_of(napari_viewer)
        self.job = self.jobs.training
        self._news: object = None
        self._last_edge: int | None = None
        self._is_busy = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._go_to_folder)
        self._make_parts()
        self._follow_soon = QTimer(self)
        self._follow_soon.setSingleShot(True)
        self._follow_soon.timeout.connect(self.chooser.reset_choices)
        self.fill(self.offer, self.setup, self.live, header=(self.hint,), footer=(self.panel, self.buttons))
        self.chooser.changed.connect(self._refresh)
        self.setup.title.toggled.connect(self._refresh)
        self.settings.changed.connect(self._follow_settings)
        self.start_from.changed.connect(self._refresh)
        self.job.changed.connect(self._show)
        self.hint.dismissed.connect(self._refresh)
        self.jobs.estimate.changed.connect(self._refresh)
        self.chooser.look()
        self._show(self.job.status)

    def reset_choices(self, *_: object) -> None:
        """Follow the layer list; napari calls this.

        While it trains, it follows a moment later: what is added then is a preview, which takes long enough.
        """
        if self.job.status.state.is_busy:
            self._follow_soon.start(0)
        else:
            self.chooser.reset_choices()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Find out what a training takes as soon as someone looks."""
        super().showEvent(event)
        self._refresh()

    def set_start_from(self, path: Path | None) -> None:
        """Begin the next training with the networks of a model, checkpoint or run; None for new ones."""
        if path is not None and (network := networks_of(path)) is not None:
            self.settings.show_networks(network)
        self.start_from.show_path(path)
        self.setup.open()

    def _make_parts(self) -> None:
        rows = Rows()
        self.hint, self.offer = HintBar(), UnfinishedOffer(self._viewer)
        self.chooser = MaterialChooser(rows, self._viewer, self._edge)
        self.settings = Settings(rows)
        self.costs = CostRows(rows, self.jobs, self._inquiry, self.settings.use_quick)
        self.start_from = StartFromRow()
        self.check = CheckPanel(self.chooser, self.jobs, self._edge)
        self.setup = Fold(
            "Images and settings",
            "What to train on, and how; put away while it trains.",
            rows,
            self.costs.warning,
            self.start_from,
            *self.chooser.groups,
            self.check.group,
            self.settings.advanced,
        )
        self.start = button("&Train", "Start a new training.", self._start)
        self.pause = button("Pa&use", _PAUSE_TIP, self._pause)
        self.stop = button("St&op", "Stop the training, and keep the model made so far.", self.job.stop)
        self.runs = button("&Runs…", "Earlier runs: look at them, and go on with them.", self._open_runs)
        self.buttons = row(self.start, self.pause, self.stop, self.runs)
        self.panel = StatusPanel(numbers=True)
        self.live = LivePanel(self.panel)

    def _follow_settings(self) -> None:
        """Look at the images again only when a crop is larger or smaller than before: that takes a moment."""
        edge, self._last_edge = self._last_edge, self._edge_or_none()
        if edge != self._last_edge:
            self.chooser.look()
        else:
            self._refresh()

    def _edge_or_none(self) -> int | None:
        try:
            return self._edge()
        except SliceGANError:
            return None

    def _edge(self) -> int:
        return self.settings.network_config().edge

    def _show(self, status: Status) -> None:
        """Show the training as it is now."""
        if status.state.is_busy and not self._is_busy:
            self.setup.open(False)
        if self._is_busy and status.state is State.FAILED and status.progress is None:
            self._show_what_to_change()
        self._is_busy = status.state.is_busy
        self.live.show_status(status, self.job.view)
        news = (status.state, status.message, self.job.preview.is_there)
        if news != self._news or not status.state.is_busy:  # else only the numbers have changed
            self._news = news
            self._refresh()

    def _refresh(self, *_: object) -> None:
        """Enable what can be pressed, say what is missing and what to do next."""
        status = self.job.status
        self.costs.refresh()
        problem = self.chooser.error or self._settings_error() or self.costs.problem
        self.start.enabled = not problem and not status.state.is_busy
        self.pause.enabled = status.state in (State.TRAINING, State.PAUSED)
        is_paused = status.state is State.PAUSED
        self.pause.text, self.pause.tooltip = ("Res&ume", _RESUME_TIP) if is_paused else ("Pa&use", _PAUSE_TIP)
        self.stop.enabled = status.state in TRAINS
        hint = self._show_hint(problem)
        if not status.state.is_busy:
            said = problem or status.message
            is_said_above = self.hint.is_shown and (said in hint.text or hint.step is Step.SAMPLE)
            self.panel.show_message("" if is_said_above else said)

    def _show_hint(self, problem: str) -> Hint:
        status, models = self.job.status, self.jobs.models.entries
        hint = hint_of(
            Facts(
                status.state,
                status.message,
                problem,
                has_layer=self.chooser.images[0].value is not None,
                has_preview=self.job.preview.is_there,
                is_in_view=self.job.preview.is_in_view,
                has_model=any(entry.path == status.path for entry in models),
                start_from=self.start_from.name,
            )
        )
        slots = {
            Step.SAMPLE: self._open_sample,
            Step.PREVIEW: self._show_preview,
            Step.BACK: self._go_back,
            Step.GENERATE: self._open_generate,
        }
        self.hint.show_hint(hint.text, hint.step.value, slots.get(hint.step))
        return hint

    def _show_what_to_change(self) -> None:
        """Open the settings after a training that could not begin; where a folder is to blame, go there."""
        self.setup.open()
        if self.job.has_no_place:
            self.settings.advanced.open()
            self._soon.start(0)  # when it has its place

    def _go_to_folder(self) -> None:
        line = self.settings.folder.line_edit.native
        self.area.ensureWidgetVisible(line)
        line.setFocus()

    def _settings_error(self) -> str:
        try:
            self.settings.network_config()
            self.settings.training_config()
        except SliceGANError as error:
            return str(error)
        return ""

    def _inquiry(self) -> Inquiry | None:
        """What a training would cost; None while there is none to start."""
        choice = self.chooser.choice
        if choice is None or self.chooser.error or self._settings_error():
            return None
        return self._inquire(choice, copy=False)

    def _inquire(self, choice: Choice, *, copy: bool) -> Inquiry:
        """What is chosen to be trained, with images that stay as they are or that only a look is taken at.

        Raises
        ------
        SliceGANError
            It cannot be trained on.
        """
        images = choice.images(copy=copy)
        network, training = self.settings.network_config(), self.settings.training_config()
        device, threads = str(self.settings.device.value), int(self.settings.threads.value)
        return Inquiry(images, choice.kind, choice.axis, network, training, device, threads, choice.shrink)

    def _start(self) -> None:
        """Copy what the training needs and start it."""
        choice = self.chooser.choice
        if choice is None or self.job.status.state.is_busy:
            return
        try:
            inquiry = self._inquire(choice, copy=True)
        except SliceGANError as error:
            show_error(str(error))
            return
        path = self.settings.new_path(choice.layers[0].name)
        self.jobs.estimate.stop()
        self.jobs.watch(self)
        preset, outlives = self.settings.preset.value, bool(self.settings.outlives.value)
        self.job.start(Order(inquiry, preset, path, self.start_from.path, outlives), choice.layers[0])

    def _pause(self) -> None:
        if self.job.status.state is State.PAUSED:
            self.job.proceed()
        else:
            self.job.pause()

    def _open_sample(self) -> None:
        self._viewer.open_sample(PLUGIN, "cathode")

    def _show_preview(self) -> None:
        self.job.preview.bring_into_view()
        self._refresh()

    def _go_back(self) -> None:
        self.job.preview.go_back()
        self._refresh()

    def _open_runs(self) -> None:
        """Open the runs at the one that is trained, or was last."""
        runs: Any = open_dock(self._viewer, RUNS)
        if self.job.status.path is not None:
            runs.look_at(self.job.status.path)

    def _open_generate(self) -> None:
        open_dock(self._viewer, GENERATE)
