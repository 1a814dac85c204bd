"""What napari 0.9 gets wrong, put right in one place; with care, and without harm where it differs."""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from napari import current_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel


def aim_cursor(viewer: ViewerModel) -> None:
    """Let the cursor look along the camera in 3D.

    Until the mouse has moved over the canvas, it looks nowhere, and napari fails on labels that have names.
    """
    cursor, dims = viewer.cursor, viewer.dims
    if dims.ndisplay == 3 and getattr(cursor, "_view_direction", 0) is None:  # napari offers no public way
        cursor._view_direction = viewer.scene.camera.calculate_nd_view_direction(dims.ndim, dims.displayed)


def remove_layers_safely(viewer: ViewerModel) -> None:
    """Let napari work on its own canvas when a layer goes.

    It then waits for the graphics card, on whatever canvas is current; when a 3D layer is removed from below a 2D one,
    the process can die of that.
    """
    known = weakref.ref(viewer)

    def make_current(_event: object = None) -> None:
        with suppress(AttributeError, RuntimeError):  # napari offers no public way; a closed window has no canvas
            known().window._qt_viewer.canvas._scene_canvas.native.makeCurrent()  # type: ignore[union-attr]

    viewer.layers.events.removing.connect(make_current)


def forget_when_done(worker: Any) -> None:
    """Let napari forget a worker as soon as it has ended; it would keep each of them for as long as its window."""
    manager = getattr(getattr(current_viewer(), "window", None), "_task_status_manager", None)
    tasks = getattr(manager, "_tasks", None)  # napari offers no public way

    def forget() -> None:
        if isinstance(tasks, dict):
            for key, task in list(tasks.items()):
                if getattr(getattr(task, "_cancel_callback", None), "__self__", None) is worker:
                    del tasks[key]

    worker.finished.connect(forget)
