"""Model files and runs that are opened or dropped on a viewer: they go to the dock *Generate volume*."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.files import CHECKPOINT, MODEL
from napari_slicegan.core.model_header import HEADER

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_slicegan.plugin.generate.task import VolumeOrder

_LENGTH = 8  # bytes that say how long the header of a safetensors file is
_LONGEST = 2**24
_NO_WINDOW = "A model is no layer: open it in a napari window, or load it with SliceGAN.load in a script."


def is_model(path: Path) -> bool:
    """Whether a path is a model file, a checkpoint or the directory of a run of ours, from names and headers alone."""
    if path.is_dir():
        return (path / "config.json").is_file() and any((path / name).is_file() for name in (MODEL, CHECKPOINT))
    if path.name.lower().endswith(CHECKPOINT):
        return path.is_file()  # what it holds is known when it is read, and then said
    return path.suffix.lower() == ".safetensors" and HEADER in _metadata(path)


def open_model(path: Path, viewer: ViewerModel | None = None, order: VolumeOrder | None = None) -> None:
    """Open the dock *Generate volume*, load a model into it, and make what is ordered with it.

    Parameters
    ----------
    path : Path
        A model file, a checkpoint or the directory of a run.
    viewer : Viewer, optional
        By default the one whose window is in front.
    order : VolumeOrder, optional
        By default none.

    Raises
    ------
    ModelError
        There is no window.
    """
    from napari import current_viewer
    from napari.utils.notifications import show_error

    from napari_slicegan.plugin.parts.docks import GENERATE, open_dock
    from napari_slicegan.plugin.work.jobs import jobs_of

    viewer = viewer or current_viewer()
    if viewer is None:
        raise ModelError(_NO_WINDOW)
    widget, jobs = open_dock(viewer, GENERATE), jobs_of(viewer)
    if any(job.status.state.is_busy for job in jobs.of_generate):
        show_error(f"The dock Generate volume is busy: open {path.name} again when it has finished.")
        return
    jobs.watch(widget)
    jobs.loading.start(path, order)


def choose_model() -> None:
    """Ask for a model file and open it; the command in napari's menus."""
    from napari import current_viewer
    from qtpy.QtWidgets import QApplication, QFileDialog

    viewer, window = current_viewer(), QApplication.activeWindow()
    endings = "SliceGAN models (*.safetensors *checkpoint.pt)"
    chosen, _ = QFileDialog.getOpenFileName(window, "Open a SliceGAN model", str(Path.home()), endings)
    if chosen:
        open_model(Path(chosen), viewer)


def _metadata(path: Path) -> dict[str, Any]:
    """What the header of a safetensors file says of the file; empty where it is none."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH), "little")
            header = json.loads(file.read(length)) if length <= _LONGEST else {}
    except (OSError, ValueError, RecursionError):
        return {}
    found = header.get("__metadata__") if isinstance(header, dict) else None
    return found if isinstance(found, dict) else {}
