"""The group that exports the surface of a phase of a layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, Label, SpinBox
from psygnal import Signal
from qtpy.QtWidgets import QFileDialog, QSizePolicy

from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.core.volume.surface import SURFACE_SUFFIXES
from napari_slicegan.plugin.generate.task import SurfaceOrder
from napari_slicegan.plugin.images.elided import elide
from napari_slicegan.plugin.images.layer_combo import LayerCombo
from napari_slicegan.plugin.layers import image_of
from napari_slicegan.plugin.parts.dock import Rows, button, collapsed, row, wrapped
from napari_slicegan.plugin.phases import names_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Layer

NO_VOLUME = "Generate a volume of phases, or open one as a Labels layer."


class VolumeCombo(LayerCombo):
    """A choice of a Labels layer in 3D, the newest first."""

    def _layers(self, widget: Any) -> list[tuple[str, Layer]]:
        found = [(name, layer) for name, layer in super()._layers(widget) if _is_volume(layer)]
        return found[::-1]


def _is_volume(layer: Layer) -> bool:
    from napari.layers import Labels

    return isinstance(layer, Labels) and layer.ndim == 3


class SurfaceGroup:
    """Rows for a surface.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers are offered.
    export : callable
        Gets what is to be written.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, export: Callable[[SurfaceOrder], None]) -> None:
        self._take = export
        self.layer = VolumeCombo(viewer, 0, label="Layer", tooltip="A volume of phases: a Labels layer in 3D.")
        self.phase = SpinBox(
            value=1, min=-(2**31), max=2**31 - 1, tooltip="The label of the phase whose surface it is."
        )
        self.named = ComboBox(choices=[], nullable=True, tooltip="The phases of the layer that have names.")
        self.export = button(
            "Export surface…",
            "Write the closed surface of the phase as .stl or .ply, in the unit of the layer.",
            self._choose,
        )
        self.note = Label(tooltip="What is missing.")
        tooltip = "The surface of a phase as triangles, for printing and for finite elements."
        phase = row(self.phase, self.named, label="Phase", tooltip="The phase whose surface it is.")
        phase.native.layout().setStretch(0, 1)
        phase.native.layout().setStretch(1, 2)  # names are longer than numbers
        for widget in (self.phase, self.named):
            widget.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        elide(self.named.native)
        rows = Rows(self.layer, phase)
        self.group = collapsed("Surface of a phase", tooltip, rows, self.export.native, wrapped(self.note).native)
        self.layer.changed.connect(lambda *_: self.changed.emit())
        self.phase.changed.connect(self._show_name)
        self.named.changed.connect(self._take_named)

    def show_state(self, ready: bool) -> None:
        """Enable the button if all else is ready, or say what is missing here."""
        error = self._error()
        self.note.value, self.note.visible = error, bool(error)
        self.export.enabled = ready and not error
        self._show_name()

    def _show_name(self, *_: object) -> None:
        """Offer the phases of the layer by name, and show what the one that is set is called."""
        names = names_of(self.layer.value) if self.layer.value is not None else {}
        with self.named.changed.blocked():
            self.named.choices = [(f"{label} {name}", label) for label, name in sorted(names.items())]
            self.named.value = self.phase.value if self.phase.value in names else None
        self.named.visible = bool(names)

    def _take_named(self, label: int | None) -> None:
        if label is not None:
            self.phase.value = label

    def _error(self) -> str:
        """Why nothing can be exported; empty if it can."""
        layer = self.layer.value
        if layer is None:
            return NO_VOLUME
        try:
            image_of(layer, copy=False)
        except SliceGANError as error:
            return str(error)
        return ""

    def _choose(self) -> None:
        """Ask for the file and hand over what is to be written."""
        layer = self.layer.value
        if layer is None:
            return
        start = Path.home() / f"{layer.name.replace('/', '-')} phase {self.phase.value}{SURFACE_SUFFIXES[0]}"
        kinds = {f"{suffix[1:].upper()} (*{suffix})": suffix for suffix in SURFACE_SUFFIXES}
        chosen, kind = QFileDialog.getSaveFileName(
            self.export.native, "The file of the surface", str(start), ";;".join(kinds)
        )
        if not chosen:
            return
        path = Path(chosen)
        if path.suffix.lower() not in SURFACE_SUFFIXES:
            path = path.with_name(path.name + kinds.get(kind, SURFACE_SUFFIXES[0]))
        volume = image_of(layer, copy=False)
        self._take(SurfaceOrder(volume.array, int(self.phase.value), volume.pixel_size, volume.unit, path))
