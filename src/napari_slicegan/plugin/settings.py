"""The settings rows of the *Train* dock: preset, length, place, and the collapsed advanced ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from magicgui.types import FileDialogMode
from magicgui.widgets import ComboBox, FileEdit, FloatSpinBox, Label
from psygnal import Signal

from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.presets import PRESETS, default_preset, preset_named
from napari_slicegan.plugin.dock import Rows, collapsed, row, wrapped
from napari_slicegan.plugin.form import build_form, read_form, show_config
from napari_slicegan.plugin.hardware import likely_device

TRAINING_FIELDS = (
    "seed",
    "symmetry",
    "discriminator_volumes",
    "generator_volumes",
    "real_crops",
    "discriminator_steps",
    "slices_per_axis",
    "learning_rate",
    "penalty_weight",
    "average",
    "preview_seconds",
    "checkpoint_minutes",
)
NETWORK_FIELDS = ("latent_channels", "channels", "discriminator_channels", "upsampling")
MINUTES, ITERATIONS = "minutes", "iterations"


def default_folder() -> Path:
    """Where runs go unless told otherwise: a place that people find again."""
    return Path.home() / "napari-slicegan"


class Settings:
    """Rows that give a `NetworkConfig`, a `TrainingConfig` and the directory of a new run.

    Parameters
    ----------
    rows : Rows
        Where the rows are added.
    """

    changed = Signal()

    def __init__(self, rows: Rows) -> None:
        self.preset = ComboBox(
            label="Preset",
            choices=list(PRESETS),
            value=default_preset(likely_device()).name,
            tooltip="Where all settings start from.",
        )
        self.about = Label(label=" ", tooltip="What the preset is for.")
        self.length = FloatSpinBox(min=0.01, max=1e8, step=0.1, tooltip="Counts from the start of the run.")
        self.length_unit = ComboBox(
            choices=[MINUTES, ITERATIONS], tooltip="Minutes of training, or updates of the generator."
        )
        self.folder = FileEdit(
            label="Save in",
            mode=FileDialogMode.EXISTING_DIRECTORY,
            value=default_folder(),
            tooltip="Every training makes a new directory here, with its model, log and previews.",
        )
        first = preset_named(self.preset.value)
        self.training = build_form(first.training, TRAINING_FIELDS)
        self.network = build_form(first.network, NETWORK_FIELDS)
        length = row(self.length, self.length_unit, label="Train for", tooltip="When the training ends by itself.")
        self.folder.choose_btn.text, self.folder.choose_btn.tooltip = "Choose…", "Choose another directory."
        self.folder.line_edit.tooltip = self.folder.tooltip
        rows.add(self.preset, wrapped(self.about), length, self.folder)
        tooltip = "Settings of the training and of the networks, as the preset has them."
        self.advanced = collapsed("Advanced settings", tooltip, Rows(*self.training, *self.network))
        for form in (self.training, self.network):  # empty now that their widgets stand in rows
            form.native.setParent(self.advanced)
            form.native.hide()
        self.preset.changed.connect(self._show_preset)
        self.length_unit.changed.connect(self._show_length)
        self._show_preset()
        for widget in (self.length, self.training, self.network):
            widget.changed.connect(self._tell)

    def network_config(self) -> NetworkConfig:
        """The networks.

        Raises
        ------
        ConfigError
            They cannot work.
        """
        return read_form(self.network, preset_named(self.preset.value).network)

    def training_config(self) -> TrainingConfig:
        """The recipe.

        Raises
        ------
        ConfigError
            It cannot work.
        """
        by_time, length = self.length_unit.value == MINUTES, float(self.length.value)
        recipe = read_form(self.training, preset_named(self.preset.value).training)
        if by_time:
            return replace(recipe, minutes=length, iterations=0)
        return replace(recipe, minutes=0.0, iterations=max(1, round(length)))

    def new_path(self, name: str) -> Path:
        """A directory that is not there yet, for a run on an image of this name."""
        words = "".join(letter if letter.isalnum() else " " for letter in name).split()
        stem = f"{datetime.now():%Y-%m-%d_%H%M%S}_{'-'.join(words)[:40]}".rstrip("_-")
        folder, number = Path(str(self.folder.value)).expanduser(), 2
        path = folder / stem
        while path.exists():
            path, number = folder / f"{stem}_{number}", number + 1
        return path

    def _tell(self, *_: object) -> None:
        self.changed.emit()

    def _show_preset(self, *_: object) -> None:
        preset = preset_named(self.preset.value)
        self.about.value = preset.description
        show_config(self.training, preset.training)
        show_config(self.network, preset.network)
        self.length_unit.value = MINUTES if preset.training.minutes else ITERATIONS
        self._show_length()
        self.changed.emit()

    def _show_length(self, *_: object) -> None:
        """Show the preset's length, in its own unit, or a usual one in the other."""
        recipe = preset_named(self.preset.value).training
        by_time = self.length_unit.value == MINUTES
        self.length.step = 0.1 if by_time else 1
        self.length.value = (recipe.minutes or 60) if by_time else (recipe.iterations or 1000)
