"""The rows that say how large a volume is, in voxels or in the model's unit, and along which axes it repeats."""

from __future__ import annotations

from math import floor, log10, prod

from magicgui.widgets import CheckBox, ComboBox, FloatSpinBox, Label, SpinBox
from psygnal import Signal

from napari_slicegan.core.volume.request import Triple
from napari_slicegan.plugin.layers import unit_text
from napari_slicegan.plugin.models import ModelEntry
from napari_slicegan.plugin.parts.dock import Rows, numbers, row, wrapped
from napari_slicegan.plugin.volume_layers import AXIS_LABELS

VOXELS = "voxels"
_LARGEST = 2**20


class SizeRows:
    """Rows for the size of a volume; the voxels count, and lengths are turned into them.

    Parameters
    ----------
    rows : Rows
        Where the rows are added.
    """

    changed = Signal()

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._entry: ModelEntry | None = None
        self.unit = ComboBox(
            label="Size in",
            choices=[VOXELS],
            tooltip="Give the size in voxels, or in the unit of the image that the model was trained on.",
        )
        self.voxels = [
            SpinBox(value=128, min=1, max=_LARGEST, step=32, tooltip=f"Voxels along {axis}.") for axis in AXIS_LABELS
        ]
        self.lengths = [FloatSpinBox(min=0.0, max=1e9, tooltip=f"Length along {axis}.") for axis in AXIS_LABELS]
        self.extent = Label(label=" ", tooltip="The size in the other unit, and the number of voxels.")
        self.periodic_axes = [
            CheckBox(text=axis, tooltip=f"Let the volume repeat along {axis} without a seam.") for axis in AXIS_LABELS
        ]
        tooltip = "Size along z, y and x; it need not have anything to do with the size of the micrograph."
        self._voxel_row = numbers(self.voxels, label="z, y, x", tooltip=tooltip)
        self._length_row = numbers(self.lengths, label="z, y, x", tooltip=tooltip)
        periodic = row(*self.periodic_axes, label="Periodic", tooltip="Axes along which the volume repeats.")
        rows.add(self.unit, self._voxel_row, self._length_row, wrapped(self.extent), periodic)
        self.unit.changed.connect(self._show_unit)
        for number in self.voxels:
            number.changed.connect(self._tell)
        for length in self.lengths:
            length.changed.connect(self._take_lengths)
        for check in self.periodic_axes:
            check.changed.connect(self._tell)
        self._show_unit()

    @property
    def shape(self) -> Triple:
        """Voxels along z, y, x."""
        z, y, x = (int(box.value) for box in self.voxels)
        return z, y, x

    def show_box(self, shape: Triple) -> None:
        """Show the size of a box that does not repeat."""
        for box, size, check in zip(self.voxels, shape, self.periodic_axes, strict=True):
            with box.changed.blocked(), check.changed.blocked():
                box.value, check.value = size, False
        self._show_lengths()
        self._tell()

    @property
    def periodic(self) -> str:
        """Axes along which the volume repeats."""
        return "".join(axis for axis, box in zip(AXIS_LABELS, self.periodic_axes, strict=True) if box.value)

    def show_model(self, entry: ModelEntry | None) -> None:
        """Offer the unit of a model; the number of voxels stays."""
        self._entry = entry
        unit = None if entry is None or entry.model.info.unit == "pixel" else unit_text(entry.model.info.unit)
        was_physical = self.is_physical
        with self.unit.changed.blocked():
            self.unit.choices = [VOXELS] if unit is None else [VOXELS, unit]
            self.unit.value = unit if was_physical and unit else VOXELS
        self.unit.enabled = unit is not None
        self._show_unit()

    @property
    def is_physical(self) -> bool:
        """Whether the size is given in the model's unit."""
        return self.unit.value not in (None, VOXELS)

    def error(self) -> str:
        """Why this size cannot be made; empty if it can."""
        if self._entry is None:
            return ""
        scale = self._entry.scale
        wrong = [
            f"{axis} to {self._text(max(scale, round(size / scale) * scale))}"
            for axis, size in zip(AXIS_LABELS, self.shape, strict=True)
            if axis in self.periodic and size % scale
        ]
        if not wrong:
            return ""
        step = f" ({self._text(scale)})" if self.is_physical else ""
        return f"Periodic sizes are multiples of {scale} voxels{step}: set {' and '.join(wrong)}."

    def _text(self, size: int) -> str:
        """A number of voxels as it is to be typed."""
        if not self.is_physical:
            return str(size)
        return f"{round(size * self._voxel_size, self._decimals):g} {self.unit.value}"

    @property
    def _voxel_size(self) -> float:
        return self._entry.model.info.voxel_size if self._entry else 1.0

    @property
    def _decimals(self) -> int:
        """Decimals that tell apart lengths of a tenth of a voxel."""
        return max(0, 1 - floor(log10(self._voxel_size)))

    def _show_unit(self, *_: object) -> None:
        self._rows.show_row(self._voxel_row, not self.is_physical)
        self._rows.show_row(self._length_row, self.is_physical)
        self._show_lengths()
        self._tell()

    def _show_lengths(self) -> None:
        """Show the voxels as lengths."""
        for box, size in zip(self.lengths, self.shape, strict=True):
            with box.changed.blocked():
                box.native.setDecimals(self._decimals)
                box.max = _LARGEST * self._voxel_size
                box.step = 32 * self._voxel_size
                box.value = size * self._voxel_size

    def _take_lengths(self, *_: object) -> None:
        """Turn lengths into the nearest number of voxels."""
        for box, length in zip(self.voxels, self.lengths, strict=True):
            with box.changed.blocked():
                box.value = min(max(1, round(length.value / self._voxel_size)), _LARGEST)
        self._tell()

    def _tell(self, *_: object) -> None:
        self.extent.value = self._extent_text()
        self.changed.emit()

    def _extent_text(self) -> str:
        voxels = _count_text(prod(self.shape))
        if self.is_physical:
            return f"{' x '.join(map(str, self.shape))} = {voxels}"
        if self._entry is None or self._entry.model.info.unit == "pixel":
            return voxels
        lengths = " x ".join(f"{size * self._voxel_size:.4g}" for size in self.shape)
        return f"{lengths} {unit_text(self._entry.model.info.unit)}, {voxels}"


def _count_text(voxels: int) -> str:
    sizes = {1e12: "trillion", 1e9: "billion", 1e6: "million"}
    size = next((size for size in sizes if voxels >= size), 1e6)
    return f"{voxels / size:.3g} {sizes[size]} voxels"
