"""Named settings: data, not code. Recipes that show a result within minutes on a laptop, and the published one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from napari_slicegan.core.choices import Axes, Contrast, Crops, Normalization, Symmetry
from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.errors import ConfigError


@dataclass(frozen=True)
class Preset:
    """Settings under a name.

    Attributes
    ----------
    name : str
        As users type it.
    description : str
        One sentence that is shown wherever the preset is offered.
    network, training : NetworkConfig, TrainingConfig
        All settings.
    """

    name: str
    description: str
    network: NetworkConfig
    training: TrainingConfig


_QUICK = Preset(
    "quick",
    "Small networks, crops of 32 pixels and random subsets of slices: a good volume in minutes on a laptop.",
    NetworkConfig(
        kernel=(4,) * 4,
        stride=(2,) * 4,
        padding=(2, 2, 2, 3),
        channels=(64, 64, 32),
        latent_channels=16,
        discriminator_channels=(16, 32, 64),
    ),
    TrainingConfig(
        iterations=0,
        minutes=4.0,
        discriminator_volumes=1,
        generator_volumes=2,
        real_crops=8,
        normalization=Normalization.RUNNING,
        crops=Crops.REPRESENTATIVE,
        contrast=Contrast.STANDARD,
        discriminator_steps=2,
        slices_per_axis=8,
        wide_share=0.5,
        learning_rate=2e-3,
        beta2=0.99,
        average=0.98,
        average_part=0.1,
        balance_volumes=48,
        surface_tension=2.5,
        symmetry=Symmetry.AUTO,
        axes=Axes.ALIKE,
        evaluation_iterations=400,
        patience=15,
    ),
)
_LARGE = Preset(
    "large",
    "As 'quick', with crops of 64 pixels: for large and for long structures; it learns more slowly.",
    NetworkConfig(channels=(64, 64, 32, 8), latent_channels=16, discriminator_channels=(16, 32, 64, 128)),
    replace(_QUICK.training, minutes=15.0, wide_share=0.0, evaluation_iterations=150, surface_tension=5.0),
)
_PAPER = Preset(
    "paper",
    "The networks and the recipe as published, every slice shown: hours on a GPU, days on a CPU.",
    NetworkConfig(),
    TrainingConfig(),
)
PRESETS = {preset.name: preset for preset in (_QUICK, _LARGE, _PAPER)}


def preset_named(name: str) -> Preset:
    """The preset of a name.

    Raises
    ------
    ConfigError
        There is none.
    """
    try:
        return PRESETS[name]
    except KeyError:
        raise ConfigError(f"There is no preset called {name!r}: choose one of {', '.join(PRESETS)}.") from None


def default_preset(device_type: str) -> Preset:
    """The preset to start with on a kind of device: 'quick' on a CPU, 'paper' on a GPU."""
    return PRESETS["quick" if device_type == "cpu" else "paper"]
