"""The rows of the *Compare* dock: what with, what, and how carefully."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, ComboBox, SpinBox
from psygnal import Signal
from qtpy.QtWidgets import QSizePolicy

from napari_slicegan.core.comparison.config import ComparisonConfig
from napari_slicegan.core.comparison.samples import SMALLEST
from napari_slicegan.core.errors import DataError, SliceGANError
from napari_slicegan.plugin.compare.comparable import check_comparable
from napari_slicegan.plugin.compare.task import ComparisonOrder, LayerVolume
from napari_slicegan.plugin.compare.volumes import VolumeList
from napari_slicegan.plugin.generate.form import NO_MODEL
from napari_slicegan.plugin.images.chooser import MaterialChooser
from napari_slicegan.plugin.layers import image_of
from napari_slicegan.plugin.models import ModelEntry
from napari_slicegan.plugin.parts.dock import Rows, collapsed, numbers, row
from napari_slicegan.plugin.parts.form import build_form, read_form
from napari_slicegan.plugin.volume_layers import AXIS_LABELS, ours_in
from napari_slicegan.plugin.work.jobs import Jobs

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

NO_VOLUME = "Check the volumes to be judged; a volume is generated in the dock Generate volume, or opened from a file."
_LARGEST = 1024
_OTHER_FIELDS = ("reach", "largest", "slow_edge", "resamples")


class Judged(StrEnum):
    """What is compared with the images."""

    LAYERS = "open volumes"
    MODEL = "volumes of a model"


class CompareForm:
    """Rows that give a `ComparisonOrder`.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers are offered.
    jobs : Jobs
        Of the viewer: its models.

    Attributes
    ----------
    rows : Rows
        The rows that everyone sees; those of `advanced` are in a group of their own.
    problem : str
        Why nothing can be compared; empty if it can. As of the last `check`.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, jobs: Jobs) -> None:
        self._jobs = jobs
        self.problem = ""
        self.rows = Rows()
        # how small is too small, the comparison says
        self.chooser = MaterialChooser(self.rows, viewer, lambda: 1, is_full=False)
        self.judged = ComboBox(
            label="Judge",
            choices=[(str(item), item) for item in Judged],
            tooltip="What is compared with the images: volumes that are open, or volumes that a model makes for this.",
        )
        self.volumes = VolumeList(viewer)
        self.model = ComboBox(
            label="Model",
            choices=lambda _: jobs.models.choices,
            nullable=True,
            tooltip="A model that was trained or loaded in this napari.",
        )
        self.config = build_form(ComparisonConfig(), ("seeds",))
        self.config["seeds"].label = "Seeds"
        self.sizes = [
            SpinBox(value=size, min=SMALLEST, max=_LARGEST, step=32, tooltip=f"Voxels along {axis}.")
            for axis, size in zip(AXIS_LABELS, ComparisonConfig().shape, strict=True)
        ]
        self.shape = numbers(self.sizes, label="z, y, x", tooltip="Voxels along z, y, x of the volumes to be made.")
        self.others = build_form(ComparisonConfig(), _OTHER_FIELDS)
        self.slow = CheckBox(text="thickness and diffusivity", value=True, tooltip="They take longest; computed last.")
        also = row(self.slow, label="Also", tooltip="What is computed besides.")
        self.rows.add(self.judged, self.volumes, self.model, *self.config, self.shape, also)
        self.rows.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        tooltip = "How far the curves go, how much of a volume is looked at, how uncertainties are found."
        self.advanced = collapsed("Advanced", tooltip, Rows(*self.others))
        for form in (self.config, self.others):  # empty now that their widgets stand in rows
            form.native.setParent(self.advanced)
            form.native.hide()
        self._connect()
        self.show_models()
        self.reset_choices()

    @property
    def entry(self) -> ModelEntry | None:
        """The model whose volumes are judged; None when layers are."""
        entry: ModelEntry | None = self.model.value if self.judged.value is Judged.MODEL else None
        return entry

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that are judged; none when a model is."""
        return self.volumes.layers if self.judged.value is Judged.LAYERS else ()

    def order(self) -> ComparisonOrder:
        """What to compare; of layers only references are taken, since a copy of a large one would be felt.

        Raises
        ------
        SliceGANError
            It cannot be compared, or a setting is out of range.
        """
        choice = self.chooser.choice
        if choice is None or self.chooser.error:
            raise DataError(self.chooser.error)
        images = tuple(image_of(layer, copy=False) for layer in choice.layers)
        judged, settings = self._judge(choice.layers), self.settings()
        order = ComparisonOrder(images, choice.kind, choice.axis, judged, settings, choice.shrink)
        check_comparable(order)
        return order

    def settings(self) -> ComparisonConfig:
        """How to compare.

        Raises
        ------
        ConfigError
            A setting is out of range.
        """
        z, y, x = (int(box.value) for box in self.sizes)
        base = ComparisonConfig(shape=(z, y, x), slow=bool(self.slow.value))
        return read_form(self.others, read_form(self.config, base))

    def check(self) -> None:
        """Keep what is wrong with the rows in `problem`."""
        try:
            self.order()
            self.problem = ""
        except SliceGANError as error:
            self.problem = str(error)

    def show_models(self) -> None:
        """Offer all models and choose the newest."""
        entries = self._jobs.models.entries
        with self.model.changed.blocked():
            self.model.reset_choices()
            self.model.value = entries[-1] if entries else None
        self.changed.emit()

    def reset_choices(self) -> None:
        """Follow the layer list."""
        self.chooser.reset_choices()
        choice = self.chooser.choice
        self.volumes.show_layers(choice.layers if choice else ())
        self._arrange()

    def _judge(self, truth: tuple[Layer, ...]) -> tuple[LayerVolume, ...] | ModelEntry:
        if self.judged.value is Judged.MODEL:
            if self.entry is None:
                raise DataError(NO_MODEL)
            return self.entry
        if not self.layers:
            raise DataError(NO_VOLUME)
        if same := [layer.name for layer in self.layers if layer in truth]:
            raise DataError(f"{same[0]} is what is compared with: check other volumes, or choose another image.")
        return tuple(LayerVolume(image_of(layer, copy=False), dict(ours_in(layer.metadata))) for layer in self.layers)

    def _connect(self) -> None:
        self.judged.changed.connect(self._arrange)
        self._jobs.models.changed.connect(self.show_models)
        parts: list[Any] = [self.chooser, self.volumes, self.model, self.config, *self.sizes, self.slow, self.others]
        for part in parts:
            part.changed.connect(self._tell)

    def _tell(self, *_: object) -> None:
        self.changed.emit()

    def _arrange(self, *_: object) -> None:
        """Show the rows of the volumes or those of the model."""
        by_model = self.judged.value is Judged.MODEL
        self.rows.show_row(self.volumes, not by_model)
        for widget in (self.model, *self.config, self.shape):
            self.rows.show_row(widget, by_model)
        self.changed.emit()
