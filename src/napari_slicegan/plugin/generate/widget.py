"""The dock *Generate volume*."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from qtpy.QtCore import QTimer
from qtpy.QtGui import QShowEvent

from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.plugin.generate.choice_group import ChoiceGroup
from napari_slicegan.plugin.generate.endless_group import EndlessGroup
from napari_slicegan.plugin.generate.form import GenerateForm
from napari_slicegan.plugin.generate.model_files import ModelFiles
from napari_slicegan.plugin.generate.surface_group import SurfaceGroup
from napari_slicegan.plugin.generate.task import SurfaceOrder, VolumeOrder
from napari_slicegan.plugin.models import ModelEntry
from napari_slicegan.plugin.parts.dock import Dock, button, row
from napari_slicegan.plugin.parts.docks import COMPARE, TRAIN, open_dock
from napari_slicegan.plugin.parts.hint_bar import HintBar
from napari_slicegan.plugin.parts.status_panel import StatusPanel
from napari_slicegan.plugin.volume_layers import ours_in
from napari_slicegan.plugin.work.job import Job, State, Status
from napari_slicegan.plugin.work.jobs import jobs_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

_IDLE_MS = 500
_WENT_WELL = (State.FINISHED, State.IDLE)
_NO_MODEL_HINT = "There is no model yet. Train one, or load one from a file.", "Train a model…"
_READY_HINT = "Choose a size and press Generate."
_MADE_HINT = "Turn the volume in 3D with the mouse. Then compare it with the micrograph.", "Compare volumes…"


class GenerateWidget(Dock):
    """Choose a model, generate volumes with it.

    Parameters
    ----------
    napari_viewer : Viewer
        Where the volumes go to.
    """

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.jobs = jobs_of(napari_viewer)
        self._status, self._is_news = Status(), False
        self._tried: WeakSet[object] = WeakSet()  # models that were to be loaded
        self.hint = HintBar()
        self.files = ModelFiles(self, self.jobs, lambda: self.form.entry, self._train_from)
        self.load = self.files.load
        self.form = GenerateForm(self.jobs, self.files.row)
        self.choice = ChoiceGroup(self._find)
        self.endless = EndlessGroup(napari_viewer, self._browse, self._take)
        self.surface = SurfaceGroup(napari_viewer, self._export)
        self.generate = button("Generate", "Generate the volumes, as layers or files.", self._generate)
        self.cancel = button("Cancel", "Stop; of a file, what is complete is kept.", self._cancel)
        self.panel = StatusPanel(numbers=False)
        buttons = row(self.generate, self.cancel)
        groups = (self.files.card.group, self.choice.group, self.endless.group, self.surface.group)
        self.fill(self.hint, self.form.rows, self.form.place.group, *groups, footer=(self.panel, buttons))
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(_IDLE_MS)
        self._idle.timeout.connect(self._calibrate)
        self._connect()
        self._show_model()
        self.choice.show_candidates(self.jobs.selection.candidates)
        for job in (self.jobs.generation, *self._busy):
            self._show(job.status)

    def reset_choices(self, *_: object) -> None:
        """Follow the layer list; napari calls this."""
        self.surface.layer.reset_choices()
        self._refresh()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Measure the speed of this machine as soon as someone looks."""
        super().showEvent(event)
        self._idle.start()

    def _connect(self) -> None:
        self.form.model_changed.connect(self._show_model)
        self.form.changed.connect(self._change)
        for part in (self.choice, self.surface):
            part.changed.connect(self._refresh)
        self.choice.chosen.connect(self.form.seed.show)
        self.jobs.models.changed.connect(self.form.show_models)
        for job in self.jobs.of_generate:
            job.changed.connect(self._show)
        self.jobs.selection.changed.connect(self._show_choice)
        for job in (self.jobs.calibration, self.jobs.training):
            job.changed.connect(self._follow)
        self._viewer.layers.selection.events.active.connect(self._refresh)

    def _show_model(self) -> None:
        self.choice.show_model(self.form.entry)
        self.files.card.show_model(self.form.entry)
        self._refresh()

    def _show(self, status: Status) -> None:
        """Show what is going on now."""
        before, self._status = self._status, status
        self.panel.show_status(status)
        if status.state is before.state is State.RUNNING:
            return  # only the numbers have changed
        self._is_news = bool(status.message)
        self._refresh()

    def _show_choice(self, status: Status) -> None:
        """Show the ranking, and set the best seed."""
        candidates = self.jobs.selection.candidates
        self.choice.show_candidates(candidates)
        if status.state is State.FINISHED:
            self.form.seed.show(candidates[0].seed)

    def _change(self) -> None:
        """What was asked for is not what was made last."""
        self._is_news = False
        self._refresh()

    def _follow(self, status: Status) -> None:
        """Use the time after a training, and what a calibration has found."""
        if not status.state.is_busy:
            self._refresh()

    @property
    def _busy(self) -> list[Job]:
        return [job for job in self.jobs.of_generate if job.status.state.is_busy]

    def _refresh(self, *_: object) -> None:
        """Show what follows from the rows, enable what can be pressed, and say what is missing."""
        busy, form = self._busy, self.form
        if not busy:
            form.check()
            self.panel.show_message(self._message())
            self._idle.start()
        ready = form.entry is not None and not busy
        is_loaded = form.entry is not None and form.entry.loaded is not None
        self.files.show_state(bool(busy))
        self._show_hint(bool(busy))
        self.generate.enabled = ready and not form.problem
        self.cancel.enabled = any(job.status.state is State.RUNNING for job in busy)
        self.choice.show_state(self.generate.enabled and is_loaded)
        self.surface.show_state(not busy)
        self.endless.show_state(form.entry if is_loaded else None, ready)

    def _message(self) -> str:
        """How the last job ended, for as long as that is news, and why nothing can be generated."""
        ended, problem = self._status, self.form.problem
        if not self._is_news:
            return problem or ended.message
        return "\n".join([ended.message, problem]) if ended.state in _WENT_WELL and problem else ended.message

    def _show_hint(self, busy: bool) -> None:
        """Say what to do next."""
        generation = self.jobs.generation.status.state
        if busy:
            self.hint.show_hint("")
        elif self.form.entry is None:
            self.hint.show_hint(*_NO_MODEL_HINT, lambda: self._open(TRAIN))
        elif generation is self._status.state is State.FINISHED and self._is_news:
            self.hint.show_hint(*_MADE_HINT, lambda: self._open(COMPARE))
        else:
            self.hint.show_hint(_READY_HINT)

    def _open(self, name: str) -> None:
        open_dock(self._viewer, name)

    def _train_from(self, path: Path) -> None:
        widget: Any = open_dock(self._viewer, TRAIN)
        widget.set_start_from(path)

    def _calibrate(self) -> None:
        """Load the model and measure its speed while someone looks at this dock and nothing else is going on."""
        entry = self.form.entry
        if entry is None or not self.isVisible() or any(job.status.state.is_busy for job in self.jobs.all):
            return
        if (model := entry.loaded) is None:
            self._load(entry)
            return
        try:
            precision = model.resolved(self.form.order().requests[0]).precision
        except SliceGANError:
            return
        self.jobs.watch(self)
        self.jobs.calibration.start(model, precision)

    def _load(self, entry: ModelEntry) -> None:
        """Load a model of which only the header has been read, unless that has failed before."""
        if entry.model not in self._tried:
            self._tried.add(entry.model)
            self.jobs.watch(self)
            self.jobs.loading.start(entry.path)

    def _start(self) -> tuple[ModelEntry, VolumeOrder] | None:
        """What to make, with all else out of the way; None when nothing can be made."""
        self._refresh()
        if self.form.entry is None or self.form.problem or self._busy:
            return None
        self.jobs.watch(self)
        self.jobs.calibration.stop()
        return self.form.entry, self.form.order()

    def _generate(self) -> None:
        if what := self._start():
            entry, order = what
            if entry.loaded is None:
                self.jobs.loading.start(entry.path, order)
            else:
                self.jobs.generation.start(entry, order)

    def _find(self) -> None:
        if what := self._start():
            entry, order = what
            self.jobs.selection.start(entry, self.choice.wish, order)

    def _cancel(self) -> None:
        for job in self._busy:
            job.stop()

    def _export(self, order: SurfaceOrder) -> None:
        if not self._busy:
            self.jobs.watch(self)
            self.jobs.surface.start(order)

    def _browse(self) -> None:
        """Add the endless volume of the first seed."""
        from napari_slicegan.plugin.generate.endless import browse, browser_of  # imports torch

        if (entry := self.form.entry) is None:
            return
        self.jobs.watch(self)
        try:
            layer = browse(self._viewer, entry, self.form.seed.seeds[0])
        except SliceGANError as error:
            self.panel.show_message(str(error))
            return
        if browser := browser_of(layer):
            self.jobs.browsers.add(browser)
        self._refresh()

    def _take(self) -> None:
        """Generate the box of the endless volume that is in view, as the other rows say."""
        from napari_slicegan.plugin.generate.endless import box_in_view

        layer = self.endless.selected(self.form.entry)
        if layer is None or self._busy:
            return
        try:
            origin, shape = box_in_view(self._viewer, layer, int(self.endless.depth.value))
        except SliceGANError as error:
            self.panel.show_message(str(error))
            return
        self.form.show_box(shape, origin, ours_in(layer.metadata)["seed"])
        self._generate()
