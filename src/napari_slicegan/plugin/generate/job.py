"""What the *Generate* dock does in threads: generating, choosing, measuring, exporting and loading."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from napari_slicegan.core.choices import OutputKind, Precision
from napari_slicegan.core.volume.request import VolumeRequest
from napari_slicegan.plugin.files.opening import layer_data
from napari_slicegan.plugin.generate.task import (
    SurfaceOrder,
    VolumeOrder,
    Wish,
    export_surface,
    generate,
    is_unfinished,
    load_model,
    measure,
    save_model,
    save_texts,
    select,
)
from napari_slicegan.plugin.models import ModelEntry, run_name
from napari_slicegan.plugin.preferences import preferences
from napari_slicegan.plugin.show import add_volume
from napari_slicegan.plugin.volume_layers import placed, volume_layer, volume_record
from napari_slicegan.plugin.work.job import Job, State, Status
from napari_slicegan.plugin.work.worker import CancelledError

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_slicegan.core.model import SliceGAN
    from napari_slicegan.core.volume.selection import Candidate
    from napari_slicegan.plugin.models import Models


class _FractionJob(Job):
    """A job whose worker gives the finished fraction."""

    def _on_yield(self, event: object) -> None:
        if isinstance(event, float):
            self._update(fraction=event)
            self._show_activity(event)


class GenerationJob(_FractionJob):
    """The volumes that a viewer is generating, one after another; each is shown before the next is begun."""

    name = "Generating a volume"

    def start(self, entry: ModelEntry, order: VolumeOrder) -> None:
        """Begin to generate volumes with a model."""
        self._entry, self._order, self._made = entry, order, 0
        self._start_next()

    def _start_next(self) -> None:
        count = len(self._order.requests)
        message = f"Volume {self._made + 1} of {count}" if count > 1 else ""
        status = Status(State.RUNNING, message, self._made / count)
        self._run(generate, self._entry.model, self._order, self._made, status=status)

    def _on_return(self, result: Any) -> None:
        self._worker, viewer = None, self._viewer()
        if viewer is None or self._is_abandoned:
            return
        try:
            self._show(viewer, result, self._order.requests[self._made])
        finally:  # a file that cannot be shown is there all the same
            self._made += 1
            self._go_on(result)

    def _go_on(self, result: Any) -> None:
        """Make the next volume, or end."""
        if self._made == len(self._order.requests):
            self._update(state=State.FINISHED, fraction=1.0, message=self._end_text(result))
        elif self._control.is_stopped:
            self._update(state=State.STOPPED, message=self._left_text())
        else:
            self._start_next()

    def _show(self, viewer: ViewerModel, result: Any, request: VolumeRequest) -> None:
        """Add a volume, or what a layer can show of its file."""
        path = result if isinstance(result, Path) else None
        entry, where = self._entry, {"file": str(path)} if path else {}
        colours = (3,) if entry.model.info.kind is OutputKind.COLOUR else ()
        data = layer_data(path, (*request.shape, *colours)) if path else result
        if data is None:
            return
        assert entry.loaded is not None  # it has made the volume
        record = volume_record(entry.loaded, entry.path, request, preferences().threads) | where
        layer = volume_layer(data, entry.model.info, self._title(request), entry.look, record)
        add_volume(viewer, placed(layer, request.origin), in_3d=self._order.in_3d)

    def _on_error(self, error: Exception) -> None:
        super()._on_error(error)
        if self.status.state is State.STOPPED:
            self._update(message=self._left_text())

    def _explain(self, error: Exception) -> str:
        return str(error).replace(" (--resume)", "")  # the name of the checkbox on the command line

    def _end_text(self, result: Any) -> str:
        path = result if isinstance(result, Path) else None
        if self._made > 1:
            return f"Made {self._made} volumes{f' in {path.parent}' if path else ''}."
        return f"Wrote {path}." if path else f"Added the layer {self._title(self._order.requests[0])}."

    def _left_text(self) -> str:
        """What is left of an order that was stopped."""
        count = len(self._order.requests)
        complete = f"{self._made} of {count} volumes are complete. " if self._made else ""
        begun = self._order.paths[self._made : self._made + 1]
        if is_unfinished(begun):
            return f"{complete}What was made of {begun[0]} is kept: choose Resume and generate to go on from there."
        return complete.strip()

    def _title(self, request: VolumeRequest) -> str:
        place = f" at {', '.join(map(str, request.origin))}" if any(request.origin) else ""
        return f"{self._entry.material} volume, seed {request.seed}{place}"


class SelectionJob(_FractionJob):
    """The choice among seeds, which ends with the best of them being generated.

    Attributes
    ----------
    candidates : list of Candidate
        Of the last choice, the best first.
    """

    name = "Choosing a seed"

    def __init__(self, viewer: ViewerModel, models: Models, generation: GenerationJob) -> None:
        super().__init__(viewer, models)
        self._generation = generation
        self.candidates: list[Candidate] = []

    def start(self, entry: ModelEntry, wish: Wish, order: VolumeOrder) -> None:
        """Begin to rank seeds, to make what is ordered with the best of them."""
        self._entry, self._order, self.candidates = entry, order, []
        message = f"Trying {len(wish.seeds)} seeds …"
        self._run(select, entry.model, order.requests[0], wish, status=Status(State.RUNNING, message))

    def _on_return(self, candidates: list[Candidate]) -> None:
        self._worker, self.candidates = None, candidates
        stopped = self._control.is_stopped
        message = f"Seed {candidates[0].seed} comes nearest."
        self._update(state=State.STOPPED if stopped else State.FINISHED, fraction=1.0, message=message)
        if not stopped:
            best = replace(self._order.requests[0], seed=candidates[0].seed)
            self._generation.start(self._entry, replace(self._order, requests=(best,)))


class SurfaceJob(_FractionJob):
    """The surface that a viewer is exporting."""

    name = "Exporting a surface"

    def start(self, order: SurfaceOrder) -> None:
        """Begin to write the surface of a phase."""
        self._run(export_surface, order, status=Status(State.RUNNING))

    def _on_return(self, path: Path) -> None:
        self._worker = None
        self._update(state=State.FINISHED, fraction=1.0, message=f"Wrote {path}.")


class CalibrationJob(Job):
    """The measurement of how fast this machine is with a model; nobody waits for it."""

    name = "Measuring the speed"

    def __init__(self, viewer: ViewerModel, models: Models) -> None:
        super().__init__(viewer, models)
        self._seconds: WeakKeyDictionary[SliceGAN, dict[Precision, float | None]] = WeakKeyDictionary()

    def is_done(self, model: SliceGAN, precision: Precision) -> bool:
        """Whether it was measured, or at least tried to the end."""
        return precision in self._seconds.get(model, {})

    def seconds(self, model: SliceGAN, precision: Precision) -> float | None:
        """Seconds that a tile takes; None where that is not known."""
        return self._seconds.get(model, {}).get(precision)

    def start(self, model: SliceGAN, precision: Precision) -> None:
        """Begin to measure, unless that is done or under way."""
        if not self.status.state.is_busy and not self.is_done(model, precision):
            self._what = model, precision
            self._run(measure, model, precision, status=Status(State.RUNNING, fraction=None))

    def _on_yield(self, event: object) -> None:
        """Nobody waits for it."""

    def _on_return(self, seconds: float) -> None:
        self._worker = None
        self._keep(seconds)
        self._update(state=State.FINISHED)

    def _on_error(self, error: Exception) -> None:
        self._worker = None
        if not isinstance(error, CancelledError):
            self._keep(None)  # an estimate without a time is no reason to disturb anyone
        self._update(state=State.STOPPED)

    def _keep(self, seconds: float | None) -> None:
        model, precision = self._what
        self._seconds.setdefault(model, {})[precision] = seconds


class LoadingJob(Job):
    """The model file that a viewer is reading or writing."""

    name = "Loading a model"

    def __init__(self, viewer: ViewerModel, models: Models, generation: GenerationJob) -> None:
        super().__init__(viewer, models)
        self._generation = generation
        self._order: VolumeOrder | None = None

    def start(self, path: Path, order: VolumeOrder | None = None) -> None:
        """Begin to read a model file or the model of a run, to make what is ordered with it."""
        self.name, self._order = "Loading a model", order
        status = Status(State.RUNNING, f"Loading {run_name(path)} …", fraction=None, path=path)
        self._run(load_model, path, preferences().device, status=status)

    def save(self, model: SliceGAN, path: Path) -> None:
        """Begin to write a model file; one that stands there is replaced."""
        self.name = "Saving a model"
        self._run(save_model, model, path, status=Status(State.RUNNING, fraction=None, path=path))

    def save_texts(self, card: dict[str, str], path: Path) -> None:
        """Begin to write what its author says of a model into its file, or into that of its run."""
        self.name = "Saving a model"
        self._run(save_texts, card, path, status=Status(State.RUNNING, fraction=None, path=path))

    def _on_yield(self, event: object) -> None:
        """A file has no progress."""

    def _on_return(self, result: SliceGAN | Path) -> None:
        self._worker, path = None, self.status.path
        if path is None or self._is_abandoned:
            return
        if isinstance(result, Path):
            self._update(state=State.FINISHED, fraction=1.0, message=f"Wrote {result}.")
            return
        self._update(state=State.IDLE, fraction=0.0, message=f"Loaded {run_name(path)}.")
        entry = ModelEntry(run_name(path), result, path)
        self._models.add(entry)
        if self._order:
            self._generation.start(entry, self._order)
