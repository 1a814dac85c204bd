"""The training of a viewer, and the preview that shows it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_slicegan.core.apart.messages import GoOn
from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.events import EndReason, Evaluation, Hindered, Paused, Preview, Proceeded, Progress, Recovered
from napari_slicegan.core.files import CHECKPOINT
from napari_slicegan.core.telling import ending_in_words, recovery_in_words
from napari_slicegan.plugin.models import ModelEntry, look_of
from napari_slicegan.plugin.preferences import preferences
from napari_slicegan.plugin.train.apart import train_apart, watch
from napari_slicegan.plugin.train.preview import PreviewLayer
from napari_slicegan.plugin.train.task import Order, Outcome, Started, Watch, train
from napari_slicegan.plugin.work.job import TRAINS, Job, State, Status
from napari_slicegan.plugin.work.run_view import RunView

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_slicegan.plugin.layers import Look
    from napari_slicegan.plugin.models import Models
    from napari_slicegan.plugin.work.spare import Spare


_WATCHED = "Another process trains it: it goes on when this window is closed."


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

    def __init__(self, viewer: ViewerModel, models: Models, spare: Spare) -> None:
        super().__init__(viewer, models)
        self._spare = spare
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
            further = GoOn(path, minutes, iterations, wishes.device, wishes.threads, wishes.outlives)
            self._begin(further, look, None)

    def watch_run(self, path: Path) -> None:
        """Watch a run that another process trains; nothing happens while another training is on."""
        if not self.status.state.is_busy:
            self._begin(Watch(path), None, None)

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

    def _begin(self, order: Order | GoOn | Watch, look: Look | None, source: Layer | None) -> None:
        self._look, self.has_no_place = look, False
        self.view = RunView(order.path)
        self.view.feed(State.CHECKING)
        self.preview.forget(source)
        message = "Looking at the images …" if isinstance(order, Order) else "Reading the run …"
        status = Status(State.CHECKING, message, None, path=order.path)
        if isinstance(order, Watch):
            self._run(watch, order, status=status)
        elif preferences().own_process:
            self._run(train_apart, order, self._spare, status=status)
        else:
            self._run(train, order, status=status)

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
        state = self.status.state  # it may be stopping
        if state is State.CHECKING:  # one that is watched may wait
            state = State.PAUSED if event.view.state is State.PAUSED else State.TRAINING
        last = self.view.evaluations[-1] if self.view.evaluations else None
        message = _WATCHED if event.is_watched else ""
        self._update(state=state, device=event.device, message=message, evaluation=last)

    def _look_of_volumes(self, event: Started) -> Look | None:
        """The layer's colours on the scale of the volumes, whose intensities are bytes."""
        if self._look is None or event.info.phases or self._look.limits is None:
            return self._look
        return replace(self._look, limits=(0.0, 255.0))

    def _on_error(self, error: Exception) -> None:
        super()._on_error(error)
        if self.status.path is not None:
            with suppress(OSError):  # it goes only where nothing has come into it
                self.status.path.rmdir()

    def _explain(self, error: Exception) -> str:
        """Say where the work of a broken training is, or where else to begin."""
        if isinstance(error, OutputError) and self.status.progress is None:
            self.has_no_place = True
            return f"{error} Choose another folder: Advanced > Save in."
        path = self.status.path
        if self.status.progress is None or path is None or not (path / CHECKPOINT).is_file():
            return str(error)
        return f"{error} The last checkpoint is in {path}: Continue in the Runs dock goes on from there."

    def _on_return(self, result: Outcome | None) -> None:
        self._worker = None
        if self.status.path is None:
            return
        if result is None:  # the window has gone
            self._update(state=State.STOPPED, message="The training goes on in a process of its own.")
            return
        if not self._is_abandoned and result.model:
            self._models.add(ModelEntry(self.status.path.name, result.model, self.status.path, self._look))
        completed = result.reason is not EndReason.STOPPED
        words = ending_in_words(result.reason, result.iterations, result.model.info) if result.model else ""
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
