"""Choosing the layers of a material, with what was found in them or what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from itertools import zip_longest
from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox, Label, SpinBox
from psygnal import Signal

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import AXES
from napari_slicegan.core.errors import DataError, SliceGANError
from napari_slicegan.core.shrinking import MOST_TIMES
from napari_slicegan.plugin.images.choice import Choice
from napari_slicegan.plugin.images.elided import elide
from napari_slicegan.plugin.images.finding import Found, sizes_of
from napari_slicegan.plugin.images.groups import ChooserGroups
from napari_slicegan.plugin.images.layer_combo import LayerCombo
from napari_slicegan.plugin.images.looking import PixelLook
from napari_slicegan.plugin.images.pixel_size_row import PixelSizeRow
from napari_slicegan.plugin.images.regions_row import RegionRow
from napari_slicegan.plugin.layers import LayerImage, image_of
from napari_slicegan.plugin.parts.dock import Rows, wrapped
from napari_slicegan.plugin.pixel_sizes import NotSquareError, square_slices

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

AUTO = "auto"
ALL_SLICES = "along all axes"
LOOKING = "being looked at …"
NO_LAYER = "Open a micrograph, or a sample: File > Open Sample > SliceGAN."


class Material(StrEnum):
    """How many directions of a material differ, and so how many images it takes."""

    ISOTROPIC = "isotropic"
    TRANSVERSE = "transversely isotropic"
    ANISOTROPIC = "anisotropic"


_TEXTS = {
    Material.ISOTROPIC: "isotropic: 1 image",
    Material.TRANSVERSE: "transverse: 2 images",
    Material.ANISOTROPIC: "anisotropic: 3 images",
}


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
    is_full : bool
        Whether there are rows for the region and the pixel size and the groups below.

    Attributes
    ----------
    error : str
        Why this cannot be trained on; empty if it can.
    groups : list of QWidget
        What belongs below the rows; each is shown while there is something in it.
    """

    changed = Signal()

    def __init__(self, rows: Rows, viewer: ViewerModel, edge: Callable[[], int], *, is_full: bool = True) -> None:
        self._rows, self._viewer, self._edge = rows, viewer, edge
        self.error = self._problem = NO_LAYER
        self._seen: tuple[LayerImage | None, ...] = ()  # by the last look
        self._sizes = ""
        self._pixels = PixelLook(rows)
        self.material = ComboBox(
            label="Material",
            choices=[(text, material) for material, text in _TEXTS.items()],
            tooltip="Whether the material looks the same in all directions, or in all across one axis (transverse "
            "isotropy); this decides how many images it takes. "
            "A 3D layer is one image, of whose slices all or some are used.",
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
        self.slices = ComboBox(
            label="Slices",
            choices=[(ALL_SLICES, ""), *((f"normal to {axis}", axis) for axis in AXES)],
            tooltip="Which slices of the 3D layer are the images of the material: those along all three axes, or only "
            "those along one, for example of a stack that is too thin for the others.",
        )
        self.shrink = SpinBox(
            label="Shrink",
            min=1,
            max=MOST_TIMES,
            tooltip="So many pixels along each edge become one, for structures that are large beside a training crop; "
            "the voxels of volumes are as much larger. The layers stay as they are.",
        )
        self.region = RegionRow(viewer, lambda: self.images[0].value) if is_full else None
        self.pixel_size = PixelSizeRow(viewer) if is_full else None
        self.below = ChooserGroups(viewer) if is_full else None
        self.groups = self.below.widgets if self.below else []
        self._add_rows()
        self._connect()

    @property
    def choice(self) -> Choice | None:
        """What was chosen, or None while an image is missing."""
        layers = self._layers
        if any(layer is None for layer in layers):
            return None
        shapes = self.region.layer if self.region is not None else None
        convert = self._viewer.layers.extent.units is not None
        chosen = tuple(layer for layer in layers if layer is not None)
        shrink = int(self.shrink.value) if self._can_shrink else 1
        return Choice(chosen, str(self.kind.value), str(self.axis.value), shapes, self._slices, convert, shrink)

    def look(self, *_: object) -> None:
        """Look at the chosen layers, and say what they are or what is wrong with them.

        What takes longer than a moment is looked at beside the window: what a pixel is then follows.
        """
        self._rows.show_row(self.slices, self._has_slices)
        self._rows.show_row(self.shrink, self._can_shrink)
        if self.region is not None:
            self.region.refresh()
        if self.pixel_size is not None:
            shapes = self.region.layer if self.region is not None else None
            chosen = [layer for layer in self._layers if layer is not None]
            self.pixel_size.show(chosen, [shapes] if shapes is not None else [], self._slices)
        self._seen, self._sizes, self._problem = (), "", ""
        try:
            self._find()
        except SliceGANError as error:
            self._problem = str(error)
        self._show()

    def reset_choices(self) -> None:
        """Follow the layer list."""
        for combo in self.images:
            with combo.changed.blocked():  # one look at the end is enough
                combo.reset_choices()
        if self.region is not None:
            self.region.reset_choices()
        self.look()

    def _find(self) -> None:
        """Find out what the chosen layers are, or begin to."""
        choice = self.choice
        if choice is None:
            raise DataError(NO_LAYER if self.images[0].value is None else f"Choose {self._count} layers.")
        if len({id(layer) for layer in choice.layers}) < len(choice.layers):
            raise DataError("Choose a different layer for each direction.")
        try:
            images = self._seen = choice.images(copy=False)
        except NotSquareError as error:
            raise DataError(f"{error}{self._way_out(choice.layers[0])}") from None
        notes = choice.note, self.pixel_size.note if self.pixel_size else ""
        self._sizes = " · ".join([sizes_of(images, self._edge(), choice.shrink), *filter(None, notes)])
        self._pixels.start(choice.arrays, images, choice.kind)

    def _way_out(self, layer: Layer) -> str:
        """Of a stack whose slices lie farther apart than pixels: its slices alone are square."""
        square = square_slices(layer) if self._has_slices and not self._slices else ""
        return f" Or choose Slices: normal to {square[0]}." if square else ""

    def _show(self) -> None:
        """Show what is known by now, and keep what is wrong in `error`."""
        found, text, self.error = None, "-", self._problem
        if not self.error:
            try:
                found = self._pixels.found
                text = f"{found.text if found else LOOKING} · {self._sizes}"
            except SliceGANError as error:
                self.error = str(error)
        # Lines break elsewhere.
        self.found.value = text.replace(" \u00d7 ", "\u00a0\u00d7\u00a0").replace(" px", "\u00a0px")
        self._show_groups(found)
        self.changed.emit()

    def _show_groups(self, found: Found | None) -> None:
        if self.below is not None:
            images = self._seen or tuple(map(_image_of, self._layers))
            self.below.show_images(self._layers, images, str(self.axis.value), found)

    def _add_rows(self) -> None:
        region = [self.region.widget] if self.region is not None else []
        size = [self.pixel_size.widget] if self.pixel_size is not None else []
        self._rows.add(self.material, self.axis, *self.images)
        if self.below is not None:
            self._rows.add_wide(self.below.cube)
        self._rows.add(self.slices, *region, self.kind, *size, self.shrink, wrapped(self.found))
        for choice in (self.material, *self.images, self.kind, *([self.region.combo] if self.region else [])):
            elide(choice.native)

    def _connect(self) -> None:
        for widget in (self.material, self.axis):
            widget.changed.connect(self._arrange)
        self._arrange()
        self._pixels.changed.connect(self._show)
        for widget in (self.material, self.axis, *self.images, self.slices, self.kind):
            widget.changed.connect(self.look)
        for part in (self.shrink, self.region, self.pixel_size):
            if part is not None:
                part.changed.connect(self.look)
        if self.below is not None:
            self.below.phases.changed.connect(self.look)
            self.below.segment.chosen.connect(self._train_on)

    def _train_on(self, layer: Layer) -> None:
        """Choose a layer of phases."""
        self.kind.value = AUTO
        self.images[0].value = layer

    @property
    def _has_slices(self) -> bool:
        """Whether it can be chosen which slices of a stack are used."""
        layer = self.images[0].value
        return self.below is not None and self._count == 1 and layer is not None and layer.ndim == 3

    @property
    def _can_shrink(self) -> bool:
        """Whether it can be chosen how far images are shrunk: not volumes, which are only compared with."""
        layer = self.images[0].value
        return self.below is not None or layer is None or layer.ndim < 3

    @property
    def _slices(self) -> str:
        return str(self.slices.value) if self._has_slices else ""

    @property
    def _layers(self) -> tuple[Layer | None, ...]:
        return tuple(combo.value for combo in self.images[: self._count])

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


def _image_of(layer: Layer | None) -> LayerImage | None:
    """The image of a layer, if it has one that can be used."""
    try:
        return None if layer is None else image_of(layer, copy=False)
    except DataError:
        return None


def _plane(normal: str, rows: str, columns: str) -> str:
    return f"normal to {normal}:\nrows {rows}, columns {columns}"
