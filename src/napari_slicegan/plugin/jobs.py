"""What a viewer is working on: it goes on when a dock is closed, and a dock that is opened again shows it."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from napari_slicegan.core.events import EndReason, Preview, Progress
from napari_slicegan.plugin.job import Job, State, Status
from napari_slicegan.plugin.layers import provenance, volume_layer
from napari_slicegan.plugin.models import ModelEntry, Models, run_name
from napari_slicegan.plugin.show import add_preview, add_volume
from napari_slicegan.plugin.worker import Order, Started, generate, load_model, train

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from qtpy.QtWidgets import QWidget

    from napari_slicegan.core.model import ModelInfo, SliceGAN
    from napari_slicegan.core.training import TrainingResult


@dataclass(frozen=True)
class Request:
    """A volume to generate; `in_3d` asks for the 3D view."""

    shape: tuple[int, int, int]
    seed: int
    periodic: str
    in_3d: bool


class TrainingJob(Job):
    """The training of a viewer."""

    name = "Training SliceGAN"

    def start(self, order: Order, source: Layer) -> None:
        """Begin to train.

        Parameters
        ----------
        order : Order
            What to train.
        source : Layer
            The first layer, which the preview is put beside.
        """
        self._look = order.images[0].look
        self._info: ModelInfo | None = None
        self._source = weakref.ref(source)
        self._preview: weakref.ref[Layer] | None = None
        message = "Resuming …" if order.resume else "Starting …"
        self._run(train, order, status=Status(State.RUNNING, message, None, path=order.path))

    def _on_yield(self, event: object) -> None:
        match event:
            case Started(device, info):
                self._info = info
                self._update(device=device, message="")
            case Progress():
                self._update(progress=event, fraction=event.fraction)
                self._show_activity(event.fraction)
            case Preview(_, volume):
                self._show_preview(volume)

    def _show_preview(self, volume: Any) -> None:
        """Show the preview as a layer, or renew it; one that the user removed does not come back."""
        viewer = self._viewer()
        if viewer is None or self._is_abandoned or self._info is None or self.status.path is None:
            return
        if self._preview is None:
            name = f"preview of {self.status.path.name}"
            layer = add_preview(viewer, volume_layer(volume, self._info, name, self._look), self._source())
            self._preview = weakref.ref(layer)
        elif (shown := self._preview()) is not None and shown in viewer.layers:
            shown.data = volume

    def _explain(self, error: Exception) -> str:
        """Say where the work of a broken training is."""
        from napari_slicegan.core.files import CHECKPOINT  # imports torch, which has been imported by now

        path = self.status.path
        if self.status.progress is None or path is None or not (path / CHECKPOINT).is_file():
            return str(error)
        return f"{error} The last checkpoint is in {path}: Resume run… goes on from there."

    def _on_return(self, result: TrainingResult) -> None:
        self._worker = None
        if self.status.path is None:
            return
        completed = result.reason is EndReason.COMPLETED
        message = f"{result.iterations:,} iterations. The model is in {self.status.path}."
        self._update(
            state=State.FINISHED if completed else State.STOPPED,
            fraction=1.0 if completed else self.status.fraction,
            message=message,
        )
        if not self._is_abandoned:
            self._models.add(ModelEntry(self.status.path.name, result.model, self.status.path, self._look))


class GenerationJob(Job):
    """The volume that a viewer is generating."""

    name = "Generating a volume"

    def start(self, entry: ModelEntry, request: Request) -> None:
        """Begin to generate a volume with a model."""
        self._entry, self._request = entry, request
        args = (entry.model, request.shape, request.seed, request.periodic)
        self._run(generate, *args, status=Status(State.RUNNING))

    def _on_yield(self, event: object) -> None:
        if isinstance(event, float):
            self._update(fraction=event)
            self._show_activity(event)

    def _on_return(self, volume: Any) -> None:
        self._worker = None
        viewer, entry, request = self._viewer(), self._entry, self._request
        if viewer is None or self._is_abandoned:
            return
        asked = {"shape": list(request.shape), "seed": request.seed, "periodic": request.periodic}
        record = provenance(entry.model.info, str(entry.path), **asked)
        name = f"{entry.name} seed {request.seed}"
        layer = volume_layer(volume, entry.model.info, name, entry.look, record)
        self._update(state=State.FINISHED, fraction=1.0, message=f"Added the layer {name}.")
        add_volume(viewer, layer, in_3d=request.in_3d)


class LoadingJob(Job):
    """The model file that a viewer is reading."""

    name = "Loading a model"

    def start(self, path: Path) -> None:
        """Begin to read a model file or the model of a run."""
        self._run(load_model, path, status=Status(State.RUNNING, fraction=None, path=path))

    def _on_yield(self, event: object) -> None:
        """Reading has no progress."""

    def _on_return(self, model: SliceGAN) -> None:
        self._worker, path = None, self.status.path
        if path is None or self._is_abandoned:
            return
        self._update(state=State.FINISHED, fraction=1.0)
        self._models.add(ModelEntry(run_name(path), model, path))


class Jobs:
    """All jobs of a viewer and the models that came of them."""

    def __init__(self, viewer: ViewerModel) -> None:
        self.models = Models()
        self.training = TrainingJob(viewer, self.models)
        self.generation = GenerationJob(viewer, self.models)
        self.loading = LoadingJob(viewer, self.models)
        self._is_watching = False

    def watch(self, widget: QWidget) -> None:
        """End the jobs when the window that a widget is in has gone."""
        if self._is_watching:
            return
        self._is_watching = True
        while (parent := widget.parentWidget()) is not None:
            widget = parent
        widget.destroyed.connect(lambda *_: self.abandon())

    def abandon(self) -> None:
        """End the jobs and leave the viewer alone."""
        for job in (self.training, self.generation, self.loading):
            job.abandon()


_jobs: WeakKeyDictionary[ViewerModel, Jobs] = WeakKeyDictionary()


def jobs_of(viewer: ViewerModel) -> Jobs:
    """The jobs of a viewer, which live as long as it does."""
    viewer = getattr(viewer, "__wrapped__", viewer)  # napari gives widgets a proxy, which lives no longer than they
    if viewer not in _jobs:
        _jobs[viewer] = Jobs(viewer)
    return _jobs[viewer]
