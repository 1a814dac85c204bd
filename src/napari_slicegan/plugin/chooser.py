"""Choosing the layers of a material, with what was found in them or what is wrong."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, Label
from psygnal import Signal

from napari_slicegan.core.config import OutputKind
from napari_slicegan.core.errors import DataError, SliceGANError
from napari_slicegan.plugin.dock import Rows, wrapped
from napari_slicegan.plugin.layers import LayerImage, image_of, look_at
from napari_slicegan.plugin.volume_layers import is_endless

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

AUTO = "auto"
NO_LAYER = "Open a micrograph, or a sample: File > Open Sample > SliceGAN."


class Material(StrEnum):
    """How many directions of a material differ, and so how many images it takes."""

    ISOTROPIC = "isotropic"
    TRANSVERSE = "transversely isotropic"
    ANISOTROPIC = "anisotropic"


_TEXTS = {
    Material.ISOTROPIC: "isotropic (1 image)",
    Material.TRANSVERSE: "transversely isotropic (2 images)",
    Material.ANISOTROPIC: "anisotropic (3 images)",
}


@dataclass(frozen=True)
class Choice:
    """What was chosen: the layers themselves, for the main thread only."""

    layers: tuple[Layer, ...]
    kind: str
    axis: str

    def images(self) -> tuple[LayerImage, ...]:
        """Copies of the layers' images.

        Raises
        ------
        DataError
            A layer cannot be trained on.
        """
        return tuple(image_of(layer) for layer in self.layers)


class LayerCombo(ComboBox):
    """A choice of an Image or Labels layer that stays with its layer when it is renamed or moved in the list.

    Endless volumes are left out: a box of one has to be taken before.
    """

    def __init__(self, viewer: ViewerModel, place: int, **details: Any) -> None:
        self._viewer, self._place = viewer, place
        self._chosen: weakref.ref[Layer] | None = None
        super().__init__(choices=self._layers, nullable=True, **details)
        self.changed.connect(self._remember)

    def _layers(self, _widget: Any) -> list[tuple[str, Layer]]:
        from napari.layers import Image, Labels

        found = [layer for layer in self._viewer.layers if isinstance(layer, Image | Labels) and not is_endless(layer)]
        return [(layer.name, getattr(layer, "__wrapped__", layer)) for layer in found]

    def _remember(self, layer: Layer | None) -> None:
        self._chosen = None if layer is None else weakref.ref(layer)

    def reset_choices(self, *_: object) -> None:
        """Follow the layer list, and stay with the chosen layer as long as it is there."""
        before = self._chosen() if self._chosen else None
        with self.changed.blocked():
            super().reset_choices()
            layers = [layer for layer in self.choices if layer is not None]
            fallback = layers[self._place] if self._place < len(layers) else None
            now = before if any(layer is before for layer in layers) else fallback
            self.value = now
        self._remember(now)
        if now is not before:
            self.changed.emit(now)


class MaterialChooser:
    """The rows of the *Train* dock that say what to train on.

    Parameters
    ----------
    rows : Rows
        Where the rows are added.
    viewer : ViewerModel
        Whose layers are offered.
    edge : callable
        Gives the edge of a training crop in pixels.

    Attributes
    ----------
    error : str
        Why this cannot be trained on; empty if it can.
    """

    changed = Signal()

    def __init__(self, rows: Rows, viewer: ViewerModel, edge: Callable[[], int]) -> None:
        self._rows, self._edge = rows, edge
        self.error = NO_LAYER
        self.material = ComboBox(
            label="Material",
            choices=[(text, material) for material, text in _TEXTS.items()],
            tooltip="Whether the material looks the same in all directions; this decides how many images it takes. "
            "A 3D layer is one image: its slices along all three axes are used.",
        )
        self.axis = ComboBox(
            label="Special axis",
            choices=["z", "y", "x"],
            tooltip="The direction that differs from the other two, as an axis of the volume.",
        )
        self.images = [
            LayerCombo(viewer, place, tooltip="An open Image or Labels layer of this plane.") for place in range(3)
        ]
        self.kind = ComboBox(
            label="Kind",
            choices=[AUTO, *map(str, OutputKind)],
            tooltip="What a pixel is: one of up to 8 phases (a segmented image), a grey level, or a colour. "
            "'auto' looks at the image.",
        )
        self.found = Label(label="Found", tooltip="What was found in the chosen layers.")
        rows.add(self.material, self.axis, *self.images, self.kind, wrapped(self.found))
        for widget in (self.material, self.axis):
            widget.changed.connect(self._arrange)
        self._arrange()
        for widget in (self.material, self.axis, *self.images, self.kind):
            widget.changed.connect(self.look)

    @property
    def choice(self) -> Choice | None:
        """What was chosen, or None while an image is missing."""
        layers = [combo.value for combo in self.images[: self._count]]
        if any(layer is None for layer in layers):
            return None
        return Choice(tuple(layers), str(self.kind.value), str(self.axis.value))

    def look(self, *_: object) -> None:
        """Look at the chosen layers and say what they are, or keep what is wrong in `error`."""
        choice, found = self.choice, ""
        try:
            if choice is None:
                raise DataError(NO_LAYER if self.images[0].value is None else f"Choose {self._count} layers.")
            if len({id(layer) for layer in choice.layers}) < len(choice.layers):
                raise DataError("Choose a different layer for each direction.")
            found = look_at([image_of(layer, copy=False) for layer in choice.layers], choice.kind, self._edge())
            self.error = ""
        except SliceGANError as error:
            self.error = str(error)
        self.found.value = found or "-"
        self.changed.emit()

    def reset_choices(self) -> None:
        """Follow the layer list."""
        for combo in self.images:
            combo.reset_choices()
        self.look()

    @property
    def _count(self) -> int:
        return 1 + list(Material).index(self.material.value)

    def _arrange(self, *_: object) -> None:
        """Show one row for each image, named by its plane."""
        special = str(self.axis.value)
        rows, columns = (axis for axis in "zyx" if axis != special)
        names = {
            Material.ISOTROPIC: ("Image",),
            Material.TRANSVERSE: (
                f"normal to {special}:\nrows {rows}, columns {columns}",
                f"side view:\nrows {special}",
            ),
            Material.ANISOTROPIC: (_plane(*"zyx"), _plane(*"yzx"), _plane(*"xzy")),
        }[self.material.value]
        for combo, name in zip_longest(self.images, names):
            self._rows.show_row(combo, name is not None)
            if name is not None:
                self._rows.name(combo, name)
        self._rows.show_row(self.axis, self.material.value is Material.TRANSVERSE)


def _plane(normal: str, rows: str, columns: str) -> str:
    return f"normal to {normal}:\nrows {rows}, columns {columns}"
