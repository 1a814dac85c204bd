"""The training of a viewer, and the preview that shows it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.events import EndReason, Evaluation, Hindered, Paused, Preview, Proceeded, Progress, Recovered
from napari_slicegan.core.files import CHECKPOINT
from napari_slicegan.core.telling import ending_in_words, recovery_in_words
from napari_slicegan.plugin.models import ModelEntry, look_of
from napari_slicegan.plugin.preferences import preferences
from napari_slicegan.plugin.train.preview import PreviewLayer
from napari_slicegan.plugin.train.task import Continuation, Order, Started, train
from napari_slicegan.plugin.work.job import TRAINS, Job, State, Status
from napari_slicegan.plugin.work.run_view import RunView

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_slicegan.core.training import TrainingResult
    from napari_slicegan.plugin.layers import Look
    from napari_slicegan.plugin.models import Models


class TrainingJob(Job):
    """The training of a viewer.

    Attributes
    ----------
    view : RunView or None
        What there is to see of the run, also after its end.
    preview : PreviewLayer
        The layer that shows its previews.
    has_no_place : bool
        Whether it failed since its directory could not be made.
    """

    name = "Training SliceGAN"

    def __init__(self, viewer: ViewerModel, models: Models) -> None:
        super().__init__(viewer, models)
        self.view: RunView | None = None
        self.preview = PreviewLayer(viewer)
        self.has_no_place = False
        self._look: Look | None = None

    def start(self, order: Order, source: Layer) -> None:
        """Begin to train.

        Parameters
        ----------
        order : Order
            What to train.
        source : Layer
            The first layer, which the preview is put beside.
        """
        self._begin(order, order.inquiry.images[0].look, source)

    def proceed_run(self, path: Path, *, minutes: float = 0, iterations: int = 0) -> None:
        """Go on with a run from its directory alone; nothing happens while another training is on.

        Parameters
        ----------
        path : Path
            The run's directory.
        minutes, iterations : float, int
            How much further; without either, to the run's own end.
        """
        if not self.status.state.is_busy:
            look = next((entry.look for entry in reversed(self._models.entries) if entry.path == path), None)
            wishes = preferences()
            self._begin(Continuation(path, minutes, iterations, wishes.device, wishes.threads), look, None)

    def pause(self) -> None:
        """Ask the training to wait; it says so at once, and waits when its work is saved."""
        if self.status.state is State.TRAINING:
            self._update(state=State.PAUSED, message="Saving a checkpoint …")
            self._control.pause()

    def proceed(self) -> None:
        """Let a training that waits go on."""
        if self.status.state is State.PAUSED:
            self._update(state=State.TRAINING, message="")
            self._control.pause(wait=False)

    def move(self, old: Path, new: Path) -> None:
        """Follow a run that was renamed."""
        if self.status.path != old or self.status.state.is_busy:
            return
        if self.view is not None:
            self.view.path = new
        self._update(path=new, message=self.status.message.replace(str(old), str(new)))

    def _begin(self, order: Order | Continuation, look: Look | None, source: Layer | None) -> None:
        self._look, self.has_no_place = look, False
        self.view = RunView(order.path)
        self.view.feed(State.CHECKING)
        self.preview.forget(source)
        message = "Looking at the images …" if isinstance(order, Order) else "Reading the run …"
        self._run(train, order, status=Status(State.CHECKING, message, None, path=order.path))

    def _update(self, **changes: object) -> None:
        state = changes.get("state")
        if self.view is not None and isinstance(state, State) and not self._is_abandoned:
            self.view.feed(state)
        super()._update(**changes)

    def _on_yield(self, event: object) -> None:
        shows = self.view is not None and not self._is_abandoned  # else what showed it has gone
        if self.view is not None and shows and not isinstance(event, Paused | Proceeded):  # these change the state
            self.view.feed(event)
        match event:
            case Started():
                self._show_start(event)
            case Progress():
                self._update(progress=event, fraction=event.fraction)
                self._show_activity(event.fraction)
            case Evaluation():
                self._update(evaluation=event)
            case Recovered():
                self._update(message=recovery_in_words(event))
            case Hindered(_, message):
                self._update(message=message)
            case Preview() if not self._is_abandoned:
                self.preview.show(event)
            case Paused(iteration) if self.status.state in TRAINS:
                message = f"It waits after {iteration:,} iterations; what it has made is saved."
                self._update(state=State.PAUSED, message=message)
            case Proceeded() if self.status.state in TRAINS:
                self._update(state=State.TRAINING, message="")

    def _show_start(self, event: Started) -> None:
        self.view, self._look = event.view, self._look or look_of(event.info)
        self.view.micrograph, self.view.look = event.micrograph, self._look_of_volumes(event)
        self.preview.describe(event.info, self._look, event.view.path)
        state = State.TRAINING if self.status.state is State.CHECKING else self.status.state  # or it is stopping
        last = self.view.evaluations[-1] if self.view.evaluations else None
        self._update(state=state, device=event.device, message="", evaluation=last)

    def _look_of_volumes(self, event: Started) -> Look | None:
        """The layer's colours on the scale of the volumes, whose intensities are bytes."""
        if self._look is None or event.info.phases or self._look.limits is None:
            return self._look
        return replace(self._look, limits=(0.0, 255.0))

    def _explain(self, error: Exception) -> str:
        """Say where the work of a broken training is, or where else to begin."""
        if isinstance(error, OutputError) and self.status.progress is None:
            self.has_no_place = True
            return f"{error} Choose another folder: Advanced > Save in."
        path = self.status.path
        if self.status.progress is None or path is None or not (path / CHECKPOINT).is_file():
            return str(error)
        return f"{error} The last checkpoint is in {path}: Continue in the Runs dock goes on from there."

    def _on_return(self, result: TrainingResult) -> None:
        self._worker = None
        if self.status.path is None:
            return
        if not self._is_abandoned and result.iterations:
            self._models.add(ModelEntry(self.status.path.name, result.model, self.status.path, self._look))
        completed = result.reason is not EndReason.STOPPED
        words = ending_in_words(result)
        message = f"{result.iterations:,} iterations. {words}{' ' * bool(words)}It is in {self.status.path}."
        if not words:
            message = f"{result.iterations:,} iterations. The model is in {self.status.path}."
        if not result.iterations:
            message = "It was stopped before the first iteration, so nothing has been learnt yet."
        self._update(
            state=State.FINISHED if completed else State.STOPPED,
            fraction=1.0 if completed else self.status.fraction,
            message=message,
        )
