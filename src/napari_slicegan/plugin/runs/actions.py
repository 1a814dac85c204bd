"""What can be done with a run: in this viewer, with its directory, or by asking the process that trains it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QWidget

from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.core.runs import Request, RunState, RunSummary, ask, delete_run, rename_run
from napari_slicegan.core.runs.status import read_status
from napari_slicegan.plugin.models import look_of
from napari_slicegan.plugin.parts.docks import GENERATE, TRAIN, open_dock
from napari_slicegan.plugin.runs.dialogs import ask_further, ask_name, may_delete
from napari_slicegan.plugin.runs.loading import Previews, load_previews
from napari_slicegan.plugin.show import add_beside
from napari_slicegan.plugin.volume_layers import volume_layer
from napari_slicegan.plugin.work.background import Background

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_slicegan.plugin.work.jobs import Jobs

_VOLUME = 3  # axes
_ASKED = {Request.PAUSE: "to wait", Request.PROCEED: "to go on", Request.STOP: "to stop"}


class RunActions:
    """Does things with the selected run.

    Parameters
    ----------
    viewer : ViewerModel
        Where layers are added.
    jobs : Jobs
        Of the viewer.
    background : Background
        Reads, renames and deletes files, also on a slow disk; not the one that lists the runs, which may take long.
    parent : QWidget
        Where dialogs are shown.

    Attributes
    ----------
    run : RunSummary or None
        The selected run.
    said : Signal
        What came of an action, a sentence for the dock.
    asked : Signal
        What was asked of another process, until its run shows an answer.
    changed : Signal
        The runs in the folder are not what they were; gives the path to select, or None.
    """

    said = Signal(str)
    asked = Signal(str)
    changed = Signal(object)

    def __init__(self, viewer: ViewerModel, jobs: Jobs, background: Background, parent: QWidget) -> None:
        self._viewer, self._jobs, self._background, self._parent = viewer, jobs, background, parent
        self.run: RunSummary | None = None

    @property
    def slots(self) -> dict[str, Callable[[], None]]:
        """What each button does."""
        return {
            "generate": self._on_run(self._generate),
            "newest": self._on_run(lambda run: self._show_previews(run, all_of_them=False)),
            "all": self._on_run(lambda run: self._show_previews(run, all_of_them=True)),
            "start_from": self._on_run(self._start_from),
            "continue": self._on_run(self._continue),
            "pause": self._on_run(self._pause),
            "stop": self._on_run(self._stop),
            "rename": self._on_run(self._rename),
            "delete": self._on_run(self._delete),
            "folder": self._on_run(self._open_folder),
        }

    def _on_run(self, act: Callable[[RunSummary], None]) -> Callable[[], None]:
        """A slot that acts on the selected run, and says what went wrong."""

        def slot() -> None:
            if self.run is None:
                return
            self.said.emit("")
            try:
                act(self.run)
            except SliceGANError as error:
                self.said.emit(str(error))

        return slot

    def _generate(self, run: RunSummary) -> None:
        self._jobs.watch(self._parent)
        self._jobs.loading.start(run.path)
        open_dock(self._viewer, GENERATE)

    def _start_from(self, run: RunSummary) -> None:
        widget: Any = open_dock(self._viewer, TRAIN)
        widget.set_start_from(run.path)

    def _continue(self, run: RunSummary) -> None:
        self._background.run(
            lambda: read_status(run.path),
            lambda status: self._ask_further(run, status.seconds if status else 0.0),
            self.said.emit,
        )

    def _ask_further(self, run: RunSummary, seconds: float) -> None:
        further = ask_further(self._parent, run, seconds)
        if further is not None:
            self._jobs.watch(self._parent)
            self._jobs.training.proceed_run(run.path, minutes=further.minutes, iterations=further.iterations)

    def _pause(self, run: RunSummary) -> None:
        waits = run.state is RunState.PAUSED
        if self._is_own(run):
            job = self._jobs.training
            job.proceed() if waits else job.pause()
            self.changed.emit(run.path)
        else:
            self._ask(run, Request.PROCEED if waits else Request.PAUSE)

    def _stop(self, run: RunSummary) -> None:
        if self._is_own(run):
            self._jobs.training.stop()
            self.changed.emit(run.path)
        else:
            self._ask(run, Request.STOP)

    def _ask(self, run: RunSummary, request: Request) -> None:
        self._background.run(lambda: ask(run.path, request), lambda _: self._tell_asked(run, request), self._fail)

    def _tell_asked(self, run: RunSummary, request: Request) -> None:
        self.asked.emit(f"Asked {run.name} {_ASKED[request]} …")
        self.changed.emit(None)  # meanwhile another one may have been selected

    def _is_own(self, run: RunSummary) -> bool:
        """Whether this viewer trains it."""
        job = self._jobs.training
        return job.status.state.is_busy and job.status.path == run.path

    def _rename(self, run: RunSummary) -> None:
        if name := ask_name(self._parent, run):
            self._background.run(
                lambda: rename_run(run.path, name), lambda path: self._follow_to(run, path), self.said.emit
            )

    def _follow_to(self, run: RunSummary, path: Path) -> None:
        """Whatever knows of a run finds it under its new name."""
        self._jobs.models.move(run.path, path)
        self._jobs.training.move(run.path, path)
        self.changed.emit(path)

    def _delete(self, run: RunSummary) -> None:
        if may_delete(self._parent, run):
            self._background.run(lambda: delete_run(run.path), lambda left: self._tell_deleted(run, left), self._fail)

    def _tell_deleted(self, run: RunSummary, left: list[str]) -> None:
        self.changed.emit(None)
        if left:
            names = ", ".join(left[:5]) + (" and more" if len(left) > 5 else "")
            self.said.emit(f"Deleted {run.name}, but not what no training makes: {names} in {run.path}.")
        else:
            self.said.emit(f"Deleted {run.name}.")

    def _fail(self, sentence: str) -> None:
        self.changed.emit(None)
        self.said.emit(sentence)

    def _open_folder(self, run: RunSummary) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(run.path))):
            self.said.emit(f"No file manager could be opened. The run is in {run.path}.")

    def _show_previews(self, run: RunSummary, *, all_of_them: bool) -> None:
        name = f"{'previews' if all_of_them else 'preview'} of {run.name}"
        self._background.run(
            lambda: load_previews(run.path, all_of_them=all_of_them),
            lambda loaded: self._add(loaded, name, run.path),
            self.said.emit,
        )

    def _add(self, loaded: Previews, name: str, path: Path) -> None:
        """Add previews as a layer beside the one that was trained on, else beside the first, and leave the view."""
        viewer, images = self._viewer, loaded.info.provenance.get("images", [])
        namesakes = [layer for layer in viewer.layers if layer.name in images[:1]]
        before = viewer.dims.ndim
        layer = add_beside(viewer, preview_layer(loaded, name, path), next(iter([*namesakes, *viewer.layers]), None))
        low, high = layer.extent.world
        for axis in range(viewer.dims.ndim - before):  # sliders that were not there: the newest volume, and its middle
            is_time = axis == 0 and layer.ndim > _VOLUME
            viewer.dims.set_point(axis, float(high[axis] if is_time else (low[axis] + high[axis]) / 2))
        left = f" {loaded.left_out} more would take too much memory." if loaded.left_out else ""
        self.said.emit(f"Added the layer {name}.{left}")


def preview_layer(loaded: Previews, name: str, path: Path) -> Any:
    """Describe previews as a layer: a volume, or volumes over time with a slider for it."""
    info, count = loaded.info, len(loaded.iterations)
    record = info.history(model=str(path), iterations=list(loaded.iterations))
    data, details, kind = volume_layer(loaded.volumes[-1], info, name, look_of(info), record)
    if count == 1:
        return data, details, kind
    details |= {
        "scale": (1.0, *details["scale"]),
        "units": ("pixel", *details["units"]),
        "axis_labels": ("preview", *details["axis_labels"]),
    }
    return loaded.volumes, details, kind
