"""The dock *Generate volume*."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import CheckBox, ComboBox, Label, SpinBox
from qtpy.QtWidgets import QFileDialog

from napari_slicegan.plugin.dock import Dock, Rows, button, row, wrapped
from napari_slicegan.plugin.job import State, Status
from napari_slicegan.plugin.jobs import Request, jobs_of
from napari_slicegan.plugin.layers import AXIS_LABELS, unit_text
from napari_slicegan.plugin.models import ModelEntry
from napari_slicegan.plugin.status_panel import StatusPanel

if TYPE_CHECKING:
    from napari.components import ViewerModel

NO_MODEL = "Train a model in the dock Train SliceGAN, or load one."
_LARGEST, _LARGEST_SEED = 8192, 2**31 - 1


class GenerateWidget(Dock):
    """Choose a model, generate volumes with it.

    Parameters
    ----------
    napari_viewer : Viewer
        Where the volumes go to.
    """

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        self.jobs = jobs_of(napari_viewer)
        self._make_rows()
        self.panel = StatusPanel(numbers=False)
        self.generate = button("Generate", "Generate a volume and add it as a layer.", self._generate)
        self.cancel = button("Cancel", "Stop generating; nothing is added.", self.jobs.generation.stop)
        form = Rows(
            self.model,
            wrapped(self.about),
            row(*self.shape, label="Shape", tooltip="Voxels along z, y and x."),
            wrapped(self.extent),
            row(*self.periodic, label="Periodic", tooltip="Axes along which the volume repeats without a seam."),
            row(self.seed, self.random, label="Seed"),
        )
        self.fill(form, self.in_3d, row(self.generate, self.cancel, self.load), self.panel)
        for widget in (self.model, *self.shape, *self.periodic):
            widget.changed.connect(self._refresh)
        self.jobs.models.changed.connect(self._show_models)
        for job in (self.jobs.generation, self.jobs.loading):
            job.changed.connect(self._show)
        self._show_models()
        self._show(self.jobs.generation.status)

    def _make_rows(self) -> None:
        self.model = ComboBox(
            label="Model",
            choices=self._choices,
            nullable=True,
            tooltip="A model that was trained or loaded in this napari.",
        )
        self.load = button("Load model…", "Load a model file or a checkpoint, for example of a run.", self._load)
        self.about = Label(label=" ", tooltip="What the model makes.")
        self.shape = [
            SpinBox(value=128, min=1, max=_LARGEST, step=32, tooltip=f"Voxels along {axis}.") for axis in AXIS_LABELS
        ]
        self.extent = Label(label=" ", tooltip="The size of the volume, and the memory it takes.")
        self.periodic = [
            CheckBox(text=axis, tooltip=f"Let the volume repeat along {axis} without a seam.") for axis in AXIS_LABELS
        ]
        self.seed = SpinBox(value=0, min=0, max=_LARGEST_SEED, tooltip="The same seed gives the same volume.")
        self.random = button("Random", "Draw another seed.", self._draw_seed)
        self.in_3d = CheckBox(
            text="Show in 3D",
            value=True,
            tooltip="Turn to the 3D view, hide the other layers, and fit the camera to the volume.",
        )

    def _choices(self, _widget: object) -> list[tuple[str, ModelEntry]]:
        return [(entry.name, entry) for entry in self.jobs.models.entries]

    def _show_models(self) -> None:
        """Offer all models and choose the newest."""
        self.model.reset_choices()
        entries = self.jobs.models.entries
        self.model.value = entries[-1] if entries else None
        self._refresh()

    def _show(self, status: Status) -> None:
        """Show what is going on now."""
        self.panel.show_status(status)
        self._refresh()

    def _refresh(self, *_: object) -> None:
        """Show what follows from the rows, enable what can be pressed, and say what is missing."""
        entry: ModelEntry | None = self.model.value
        self.about.value = entry.summary if entry else "-"
        self.extent.value = self._extent_text(entry)
        problem = NO_MODEL if entry is None else self._shape_error(entry)
        busy = [job for job in (self.jobs.generation, self.jobs.loading) if job.status.state.is_busy]
        self.generate.enabled = not problem and not busy
        self.load.enabled = not busy
        self.cancel.enabled = self.jobs.generation.status.state is State.RUNNING
        failed = self.jobs.loading.status.state is State.FAILED and self.panel.state.value == State.FAILED
        if not busy and not failed:
            self.panel.show_message(problem or self.jobs.generation.status.message)

    def _shape_error(self, entry: ModelEntry) -> str:
        wrong = [
            f"{axis} to {max(entry.scale, round(box.value / entry.scale) * entry.scale)}"
            for axis, box, check in zip(AXIS_LABELS, self.shape, self.periodic, strict=True)
            if check.value and box.value % entry.scale
        ]
        if not wrong:
            return ""
        return f"Periodic sizes are multiples of {entry.scale} voxels: set {' and '.join(wrong)}."

    def _extent_text(self, entry: ModelEntry | None) -> str:
        sizes = [int(box.value) for box in self.shape]
        count = sizes[0] * sizes[1] * sizes[2]
        voxels = f"{count / 1e6:.3g} million voxels"
        if entry is None or entry.model.info.unit == "pixel":
            return voxels
        info = entry.model.info
        lengths = " x ".join(f"{size * info.voxel_size:.4g}" for size in sizes)
        return f"{lengths} {unit_text(info.unit)}, {voxels}"

    def _draw_seed(self) -> None:
        self.seed.value = random.randint(0, _LARGEST_SEED)

    def _load(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, "A model", str(Path.home()), "Models (*.safetensors *.pt);;All files (*)"
        )
        if chosen and not self.jobs.loading.status.state.is_busy:
            self.jobs.watch(self)
            self.jobs.loading.start(Path(chosen))

    def _generate(self) -> None:
        entry: ModelEntry | None = self.model.value
        if entry is None or self.jobs.generation.status.state.is_busy:
            return
        z, y, x = (int(box.value) for box in self.shape)
        periodic = "".join(axis for axis, box in zip(AXIS_LABELS, self.periodic, strict=True) if box.value)
        self.jobs.watch(self)
        self.jobs.generation.start(entry, Request((z, y, x), int(self.seed.value), periodic, bool(self.in_3d.value)))
