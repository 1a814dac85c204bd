"""The group that browses the endless volume of a seed, and takes boxes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from magicgui.widgets import Label, SpinBox

from napari_slicegan.plugin.models import ModelEntry
from napari_slicegan.plugin.parts.dock import Rows, button, collapsed, row, wrapped
from napari_slicegan.plugin.volume_layers import ours_in

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_slicegan.plugin.generate.endless import Browser

NOT_SELECTED = "To take a box, select the layer of an endless volume of this model."
_DEEPEST = 4096


class EndlessGroup:
    """Rows for the endless volume.

    Parameters
    ----------
    viewer : ViewerModel
        Where it is browsed.
    browse, take : callable
        What the buttons do.
    """

    def __init__(self, viewer: ViewerModel, browse: Callable[[], None], take: Callable[[], None]) -> None:
        self._viewer = viewer
        self._browser: Browser | None = None
        self.browse = button(
            "Browse endless volume",
            "Add a layer of the endless volume of the seed: what you look at is made as you move through it.",
            browse,
        )
        self.status = Label(tooltip="What of the endless volume is being made, or what is missing.")
        self.depth = SpinBox(
            value=128, min=1, max=_DEEPEST, step=32, tooltip="Voxels across the plane that is shown, around it."
        )
        self.take = button(
            "Take this box",
            "Generate what is in view, so many voxels deep. Its size and origin are set above, to make it again.",
            take,
        )
        box = row(self.depth, self.take, label="Depth", tooltip="Voxels across the plane that is shown.")
        tooltip = "A seed is an endless volume: look at any place of it, and take a box."
        parts = (self.browse.native, wrapped(self.status).native, Rows(box))
        self.group = collapsed("Endless volume", tooltip, *parts)

    def selected(self, entry: ModelEntry | None) -> Layer | None:
        """The layer of an endless volume of a model, if it is the one that is selected."""
        layer = self._viewer.layers.selection.active
        record = {} if layer is None else ours_in(layer.metadata)
        return layer if entry and record.get("endless") and record.get("model") == str(entry.path) else None

    def show_state(self, entry: ModelEntry | None, ready: bool) -> None:
        """Enable what can be pressed, and say what is being made or missing."""
        layer = self.selected(entry)
        self.browse.enabled = entry is not None
        self.take.enabled = ready and layer is not None
        self._follow(layer)

    def _follow(self, layer: Layer | None) -> None:
        """Show what the endless volume of a layer is doing, from now on."""
        browser = None
        if layer is not None:
            from napari_slicegan.plugin.generate.endless import (
                browser_of,  # imports torch, which has been imported by now
            )

            browser = browser_of(layer)
        if browser is not self._browser:
            if self._browser is not None:
                self._browser.changed.disconnect(self._show)
            if browser is not None:
                browser.changed.connect(self._show)
            self._browser = browser
        self._show(browser.message if browser else NOT_SELECTED)

    def _show(self, text: str) -> None:
        self.status.value, self.status.visible = text, bool(text)
