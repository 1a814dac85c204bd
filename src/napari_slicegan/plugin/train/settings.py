"""The settings rows of the *Train* dock: preset, length, and the collapsed advanced ones."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from magicgui.types import FileDialogMode
from magicgui.widgets import CheckBox, ComboBox, FileEdit, FloatSpinBox, Label, SpinBox
from psygnal import Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.presets import PRESETS, Preset, default_preset, preset_named
from napari_slicegan.plugin.parts.dock import Rows, collapsed, row, wrapped
from napari_slicegan.plugin.parts.fold import Fold
from napari_slicegan.plugin.parts.form import build_form, read_form, show_config
from napari_slicegan.plugin.preferences import default_folder, preferences
from napari_slicegan.plugin.train.hardware import likely_device

TRAINING_FIELDS = (
    "seed",
    "symmetry",
    "axes",
    "discriminator_volumes",
    "generator_volumes",
    "real_crops",
    "crops",
    "contrast",
    "normalization",
    "discriminator_steps",
    "slices_per_axis",
    "wide_share",
    "precision",
    "learning_rate",
    "penalty_weight",
    "average",
    "average_part",
    "balance_volumes",
    "surface_tension",
)
SAVING_FIELDS = ("preview_seconds", "checkpoint_minutes", "evaluation_iterations", "patience")
NETWORK_FIELDS = ("latent_channels", "channels", "discriminator_channels", "upsampling")
MINUTES, ITERATIONS = "minutes", "iterations"
_UNIT = 72  # pixels of the longest unit, so that the boxes end below each other
DEVICES = ("auto", "cpu", "cuda", "mps")
_OUTLIVES = "A training in a process of its own then goes on to its end, and napari finds it again."
#: What these are called, with their unit.
_INTERVALS = {
    "preview_seconds": ("Preview every", "s"),
    "checkpoint_minutes": ("Checkpoint every", "min"),
    "evaluation_iterations": ("Evaluate every", "iterations"),
    "patience": ("Idle evaluations", "at most"),
}


class Settings:
    """Rows that give a `NetworkConfig`, a `TrainingConfig`, the device and the directory of a new run.

    Parameters
    ----------
    rows : Rows
        Where the rows of preset and length are added.
    """

    changed = Signal()

    def __init__(self, rows: Rows) -> None:
        wishes = preferences()
        first = wishes.preset if wishes.preset in PRESETS else default_preset(likely_device()).name
        self.preset = ComboBox(
            label="Preset", choices=list(PRESETS), value=first, tooltip="Where all settings start from."
        )
        self.about = Label(label=" ", tooltip="What the preset is for.")
        self.length = FloatSpinBox(min=0.01, max=1e8, step=0.1, tooltip="Counts from the start of the run.")
        self.length_unit = ComboBox(
            choices=[MINUTES, ITERATIONS], tooltip="Minutes of training, or updates of the generator."
        )
        self._lengths: dict[str, float] = {}  # what the user has chosen, for each unit
        self._preview_seconds = wishes.preview_seconds
        preset = self._preset
        self._network = preset.network  # with the fields that have no row
        self.training = build_form(preset.training, (*TRAINING_FIELDS, *SAVING_FIELDS))
        self.network = build_form(preset.network, NETWORK_FIELDS)
        length = row(self.length, self.length_unit, label="Train for", tooltip="When the training ends by itself.")
        rows.add(self.preset, wrapped(self.about), length)
        self._make_places(wishes.device if wishes.device in DEVICES else "auto", wishes.threads)
        self.advanced = self._make_advanced()
        self.preset.changed.connect(self._show_preset)
        self.length_unit.changed.connect(self._show_length)
        self.length.changed.connect(self._keep_length)
        self._show_preset()
        for widget in (self.length, self.training, self.network, self.device, self.threads):
            widget.changed.connect(self._tell)

    def network_config(self) -> NetworkConfig:
        """The networks.

        Raises
        ------
        ConfigError
            They cannot work.
        """
        return read_form(self.network, self._network)

    def training_config(self) -> TrainingConfig:
        """The recipe.

        Raises
        ------
        ConfigError
            It cannot work.
        """
        by_time, length = self.length_unit.value == MINUTES, float(self.length.value)
        recipe = read_form(self.training, self._preset.training)
        if by_time:
            return replace(recipe, minutes=length, iterations=0)
        return replace(recipe, minutes=0.0, iterations=max(1, round(length)))

    def show_networks(self, network: NetworkConfig) -> None:
        """Show the networks of a run, with the preset that they come from where there is one."""
        for preset in PRESETS.values():
            if all(getattr(preset.network, name) == getattr(network, name) for name in NETWORK_FIELDS):
                self.preset.value = preset.name
        self._network = network
        show_config(self.network, network)

    def use_quick(self) -> None:
        """Go back to the preset for a CPU, with its length."""
        self.preset.value = default_preset("cpu").name
        self._show_preset()

    def new_path(self, name: str) -> Path:
        """A new directory for a run on an image of this name, made at once: another napari may want the same."""
        words = "".join(letter if letter.isalnum() else " " for letter in name).split()
        stem = f"{datetime.now():%Y-%m-%d_%H%M%S}_{'-'.join(words)[:40]}".rstrip("_-")
        folder, number = Path(str(self.folder.value)).expanduser(), 2
        path = folder / stem
        with suppress(OSError):  # the training says what is wrong with the folder
            folder.mkdir(parents=True, exist_ok=True)
            while not _made(path):
                path, number = folder / f"{stem}_{number}", number + 1
        return path

    @property
    def _preset(self) -> Preset:
        """The chosen preset, with the interval of previews that the user prefers."""
        preset = preset_named(self.preset.value)
        return replace(preset, training=replace(preset.training, preview_seconds=self._preview_seconds))

    def _make_places(self, device: str, threads: int) -> None:
        """The rows that say where to compute and where to save."""
        self.device = ComboBox(
            label="Device",
            choices=list(DEVICES),
            value=device,
            tooltip="Where to train: 'auto' takes a GPU where there is one; 'cuda' is NVIDIA or AMD, 'mps' is Apple.",
        )
        self.threads = SpinBox(
            label="Threads",
            min=0,
            max=1024,
            value=threads,
            tooltip="Threads of the processor; 0 leaves the choice to torch.",
        )
        self.outlives = CheckBox(
            text="outlives napari",
            value=preferences().outlives,
            tooltip=_OUTLIVES,
        )
        self.outlives.visible = preferences().own_process
        self.folder = FileEdit(
            label="Save in",
            mode=FileDialogMode.EXISTING_DIRECTORY,
            value=default_folder(),
            tooltip="Every training makes a new directory here, with its model, log and previews.",
        )
        self.folder.choose_btn.text, self.folder.choose_btn.tooltip = "Choose…", "Choose another directory."
        self.folder.changed.connect(self._tell_folder)
        self._tell_folder()

    def _tell_folder(self, *_: object) -> None:
        """The line may be too short for the whole path."""
        self.folder.line_edit.tooltip = escape(f"{self.folder.value}\n{self.folder.tooltip}")

    def _make_advanced(self) -> Fold:
        """The collapsed group with all that a newcomer need not know."""
        training = [widget for widget in self.training if widget.name in TRAINING_FIELDS]
        rows = Rows()  # one for all groups, whose labels then have one width
        for title, widgets in {
            "Computing": (self.device, self.threads, row(self.outlives, label="Training", tooltip=_OUTLIVES)),
            "Saving and watching": [_interval(self.training[name]) for name in SAVING_FIELDS],
            "Training": training,
            "Networks": list(self.network),
        }.items():
            rows.add_wide(_heading(title))
            rows.add(*widgets)
            if title.startswith("Saving"):
                rows.add_wide(_labelled(self.folder))
        tooltip = "Where to compute and to save, and the settings of training and networks as the preset has them."
        advanced = collapsed("Advanced", tooltip, rows)
        for form in (self.training, self.network):  # empty now that their widgets stand in rows
            form.native.setParent(advanced)
            form.native.hide()
        return advanced

    def _tell(self, *_: object) -> None:
        self.changed.emit()

    def _show_preset(self, *_: object) -> None:
        preset = self._preset
        self.about.value = preset.description
        self._lengths.clear()
        show_config(self.training, preset.training)
        self._network = preset.network
        show_config(self.network, preset.network)
        self.length_unit.value = MINUTES if preset.training.minutes else ITERATIONS
        self._show_length()
        self.changed.emit()

    def _show_length(self, *_: object) -> None:
        """Show the user's own length in this unit, else the preset's or a usual one."""
        recipe, by_time = self._preset.training, self.length_unit.value == MINUTES
        usual = (recipe.minutes or 60) if by_time else (recipe.iterations or 1000)
        length = self._lengths.get(self.length_unit.value, usual)  # before it is rounded
        self.length.step = 0.1 if by_time else 1
        self.length.native.setDecimals(2 if by_time else 0)
        self.length.value = length

    def _keep_length(self, length: float) -> None:
        self._lengths[self.length_unit.value] = length


def _made(path: Path) -> bool:
    """Make a directory; False where something is there already."""
    try:
        path.mkdir()
    except FileExistsError:
        return False
    return True


def _interval(widget: Any) -> Any:
    """A number with its unit behind it."""
    label, unit = _INTERVALS[widget.name]
    unit_label = Label(value=unit, tooltip=widget.tooltip)
    made = row(widget, unit_label, label=label, tooltip=widget.tooltip)
    unit_label.native.setMinimumWidth(_UNIT)
    return made


def _labelled(widget: Any) -> QWidget:
    """A widget that needs all the width, under its label."""
    both, label = QWidget(), QLabel(widget.label)
    label.setToolTip(widget.tooltip)
    layout = QVBoxLayout(both)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(2)
    for part in (label, widget.native):
        layout.addWidget(part)
    return both


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setStyleSheet("font-weight: bold; padding-top: 6px")
    return label
