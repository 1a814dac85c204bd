"""The training of a viewer, and the preview that shows it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from napari_slicegan.core.events import EndReason, Preview, Progress
from napari_slicegan.plugin.job import Job, State, Status
from napari_slicegan.plugin.models import ModelEntry
from napari_slicegan.plugin.show import add_preview
from napari_slicegan.plugin.training_task import Order, Started, train
from napari_slicegan.plugin.volume_layers import volume_layer

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_slicegan.core.model_info import ModelInfo
    from napari_slicegan.core.training import TrainingResult


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
