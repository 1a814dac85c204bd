"""The rows of the *Generate* dock that say which volumes to make, and what they take."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import ComboBox, Container, Label
from psygnal import Signal
from qtpy.QtCore import Qt

from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.core.volume.request import Triple, VolumeRequest
from napari_slicegan.plugin.generate.costs import UNKNOWN, costs_of
from napari_slicegan.plugin.generate.output_rows import OutputRows
from napari_slicegan.plugin.generate.place_rows import PlaceRows
from napari_slicegan.plugin.generate.seed_rows import SeedRow
from napari_slicegan.plugin.generate.size_rows import SizeRows
from napari_slicegan.plugin.generate.task import VolumeOrder
from napari_slicegan.plugin.models import ModelEntry
from napari_slicegan.plugin.parts.dock import Rows, wrapped
from napari_slicegan.plugin.work.jobs import Jobs

NO_MODEL = "Train a model in the dock Train SliceGAN, or load one."
_WARNING = "color: #ff6b5e"


class GenerateForm:
    """Rows that give a model and a `VolumeOrder`.

    Parameters
    ----------
    jobs : Jobs
        Of the viewer: its models, and what was measured of them.
    files : Container
        Buttons to load and save models.

    Attributes
    ----------
    rows : Rows
        The rows that everyone sees; those of `place` are in a group of their own.
    problem : str
        Why nothing can be generated; empty if it can. As of the last `check`.
    """

    changed = Signal()
    model_changed = Signal()

    def __init__(self, jobs: Jobs, files: Container[Any]) -> None:
        self._jobs = jobs
        self._known: tuple[ModelEntry, ...] = ()  # at the last look
        self.problem = NO_MODEL
        self.model = ComboBox(
            label="Model",
            choices=self._choices,
            nullable=True,
            tooltip="A model that was trained or loaded in this napari.",
        )
        self.about = Label(label=" ", tooltip="What the model makes.")
        self.about.native.setTextFormat(Qt.TextFormat.PlainText)
        self.rows = Rows(self.model, wrapped(self.about), files)
        self.size = SizeRows(self.rows)
        self.seed = SeedRow(self.rows)
        self.output = OutputRows(self.rows)
        self.costs = Label(label="Takes", tooltip="Time, memory and room on the disk, as measured on this computer.")
        self.rows.add(wrapped(self.costs))
        self.place = PlaceRows()
        self.model.changed.connect(self._show_model)
        for rows in (self.size, self.seed, self.output, self.place):
            rows.changed.connect(lambda: self.changed.emit())
        self.show_models()

    @property
    def entry(self) -> ModelEntry | None:
        """The model."""
        entry: ModelEntry | None = self.model.value
        return entry

    def order(self) -> VolumeOrder:
        """What is to be made.

        Raises
        ------
        ModelError
            There is no such volume.
        """
        shape, origin, periodic = self.size.shape, self.place.origin, self.size.periodic
        seeds, precision = self.seed.seeds, self.place.precision.value
        requests = tuple(VolumeRequest(shape, seed, origin, periodic, precision) for seed in seeds)
        resume, in_3d = self.output.is_resumed(seeds), bool(self.output.in_3d.value)
        return VolumeOrder(requests, self.output.template, resume, in_3d)

    def check(self) -> None:
        """Show what the order takes, and keep what is wrong with it in `problem`."""
        self.costs.value = "-"
        self.costs.native.setStyleSheet("")
        try:
            self.problem = NO_MODEL if self.entry is None else self._check(self.entry, self.order())
        except SliceGANError as error:
            self.problem = str(error)

    def show_box(self, shape: Triple, origin: Triple, seed: int) -> None:
        """Show which box of which endless volume is wanted."""
        self.size.show_box(shape)
        self.place.show_origin(origin)
        self.seed.show(seed)

    def show_models(self) -> None:
        """Offer all models, and choose one that is new; else stay with the chosen one, also when it is renamed."""
        entries, chosen = self._jobs.models.entries, self.entry
        known = [entry.model for entry in self._known]
        new = [entry for entry in entries if entry.model not in known]
        same = [entry for entry in entries if chosen is not None and entry.model is chosen.model]
        self._known = tuple(entries)
        with self.model.changed.blocked():
            self.model.reset_choices()
            self.model.value = next(iter((*new[::-1], *same, *entries[::-1])), None)
        self._show_model()

    def _choices(self, _widget: object) -> list[tuple[str, ModelEntry]]:
        return self._jobs.models.choices

    def _show_model(self, *_: object) -> None:
        self.about.value = self.entry.summary if self.entry else "-"
        self.size.show_model(self.entry)
        self.model_changed.emit()

    def _check(self, entry: ModelEntry, order: VolumeOrder) -> str:
        seeds = [request.seed for request in order.requests]
        self.output.show_seeds(seeds)
        if (model := entry.loaded) is None:
            self.costs.value = UNKNOWN
            return self.size.error() or self.output.error(seeds)
        precision = model.resolved(order.requests[0]).precision
        costs = costs_of(model, order, self._jobs.calibration.seconds(model, precision))
        self.costs.value = costs.text
        self.costs.native.setStyleSheet(_WARNING if costs.problem else "")
        return self.size.error() or self.output.error(seeds) or costs.problem
