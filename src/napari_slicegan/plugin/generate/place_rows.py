"""The collapsed rows that few need: where in the endless volume the box begins, and how numbers are held."""

from __future__ import annotations

from magicgui.widgets import ComboBox, SpinBox
from psygnal import Signal

from napari_slicegan.core.choices import Precision
from napari_slicegan.core.volume.request import Triple
from napari_slicegan.plugin.parts.dock import Rows, collapsed, numbers
from napari_slicegan.plugin.volume_layers import AXIS_LABELS

_FARTHEST = 2**30
_PRECISIONS = {
    Precision.EXACT: "exact (32 bits)",
    Precision.FAST: "fast (16 bits)",
    Precision.AUTO: "auto (fast if made for it)",
}


class PlaceRows:
    """Rows for the origin and the precision, in a group of their own."""

    changed = Signal()

    def __init__(self) -> None:
        self.origin_axes = [
            SpinBox(value=0, min=-_FARTHEST, max=_FARTHEST, step=32, tooltip=f"First voxel along {axis}.")
            for axis in AXIS_LABELS
        ]
        self.precision = ComboBox(
            label="Precision",
            choices=[(text, precision) for precision, text in _PRECISIONS.items()],
            tooltip="Exact volumes are the same whatever box they are asked for in. 16 bits are faster on devices made "
            "for them, and give about one voxel in a thousand another phase.",
        )
        tooltip = "Where the box begins in the endless volume of its seed, in voxels along z, y and x; may be negative."
        origin = numbers(self.origin_axes, label="Origin", tooltip=tooltip)
        rows = Rows(origin, self.precision)
        self.group = collapsed("Advanced", "Where the box begins, and how numbers are held.", rows)
        for widget in (*self.origin_axes, self.precision):
            widget.changed.connect(lambda *_: self.changed.emit())

    @property
    def origin(self) -> Triple:
        """The first voxel along z, y, x."""
        z, y, x = (int(box.value) for box in self.origin_axes)
        return z, y, x

    def show_origin(self, origin: Triple) -> None:
        """Show where a box begins."""
        for box, start in zip(self.origin_axes, origin, strict=True):
            box.value = start
