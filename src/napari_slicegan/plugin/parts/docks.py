"""The docks by name, opened from one another as tabs of one column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_slicegan.plugin.parts.tabs import join_tabs
from napari_slicegan.plugin.preferences import PLUGIN as PLUGIN  # its name for napari

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QWidget

TRAIN, RUNS, GENERATE, COMPARE = "Train SliceGAN", "Runs", "Generate volume", "Compare volumes"


def open_dock(viewer: ViewerModel, name: str) -> QWidget:
    """Open a dock of this plugin in front of the others, or bring it there.

    Parameters
    ----------
    viewer : Viewer
        With a window.
    name : str
        `TRAIN`, `RUNS`, `GENERATE` or `COMPARE`.

    Returns
    -------
    QWidget
        The dock's own widget.
    """
    window: Any = viewer.window
    dock, widget = window.add_plugin_dock_widget(PLUGIN, name)
    join_tabs(widget)
    dock.show()
    dock.raise_()
    made: QWidget = widget
    return made
