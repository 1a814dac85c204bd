"""What to do: frozen settings of the networks and of the training, and the named presets.

Standard library only. Each default and each help text of a setting stands here and nowhere else: the
command line, the napari form and the docs are built from the fields of these classes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from napari_slicegan.core.choices import (
    Axes,
    Contrast,
    Crops,
    Normalization,
    OutputKind,
    Precision,
    Symmetry,
    Upsampling,
)
from napari_slicegan.core.errors import ConfigError
from napari_slicegan.core.geometry import Geometry


def setting(default: Any, help_text: str, **limits: float) -> Any:
    """A field with its help text and, for numbers, its limits (``low``, ``high``)."""
    return field(default=default, metadata={"help": help_text, **limits})


def shown(value: object) -> str:
    """A value as messages show it, however long it is."""
    try:
        return f"{value!r}"[:200]
    except (ValueError, RecursionError):  # Python writes no number of more than some thousand digits
        return f"a {type(value).__name__} without end"


def check_limits(config: Any) -> None:
    """Refuse numbers outside the limits that their fields declare."""
    for item in fields(config):
        value = getattr(config, item.name)
        if "low" not in item.metadata:
            continue
        low, high = item.metadata["low"], item.metadata["high"]
        whole = isinstance(item.default[0] if isinstance(item.default, tuple) else item.default, int)
        for number in value if isinstance(value, tuple) else (value,):
            if not isinstance(number, int if whole else int | float) or not low <= number <= high:
                kind = "whole numbers" if whole else "numbers"
                raise ConfigError(f"The setting {item.name} is {shown(value)}: give {kind} from {low:g} to {high:g}.")


@dataclass(frozen=True)
class NetworkConfig:
    """The generator and its discriminators; the defaults are Table 1 of the paper.

    The four tuples of the generator run over its layers; ``channels`` has one entry less, since the last
    layer gives ``image_channels``.

    Raises
    ------
    ConfigError
        A setting is out of range, or a layer breaks a rule of uniform information density (`Geometry`).
    """

    kernel: tuple[int, ...] = setting(
        (4, 4, 4, 4, 4), "Kernel edge of each generator layer, in voxels.", low=2, high=16
    )
    stride: tuple[int, ...] = setting(
        (2, 2, 2, 2, 2),
        "Stride of each generator layer: how many times finer its grid gets.",
        low=2,
        high=8,
    )
    padding: tuple[int, ...] = setting(
        (2, 2, 2, 2, 3),
        "Border that each generator layer crops from its output, in voxels.",
        low=0,
        high=32,
    )
    channels: tuple[int, ...] = setting(
        (512, 256, 128, 64), "Channels after each hidden generator layer.", low=1, high=2048
    )
    latent_channels: int = setting(64, "Random numbers in each latent cell.", low=1, high=1024)
    discriminator_channels: tuple[int, ...] = setting(
        (64, 128, 256, 512), "Channels after each hidden discriminator layer.", low=1, high=2048
    )
    upsampling: Upsampling = setting(
        Upsampling.TRANSPOSE,
        "Last generator layer: 'transpose' convolution as published, or 'resize' and convolve; 'stretch' and convolve "
        "is for generators that were imported.",
    )
    output: OutputKind = setting(OutputKind.PHASES, "What a voxel is; taken from the training image.")
    image_channels: int = setting(
        3,
        "Channels of a voxel (the number of phases, 1 for grey, 3 for colour); from the image.",
        low=1,
        high=8,
    )

    def __post_init__(self) -> None:
        for name in ("kernel", "stride", "padding", "channels", "discriminator_channels"):
            object.__setattr__(self, name, _as_tuple(name, getattr(self, name)))
        object.__setattr__(self, "upsampling", _member(Upsampling, "upsampling", self.upsampling))
        object.__setattr__(self, "output", _member(OutputKind, "output", self.output))
        check_limits(self)
        depth = len(self.kernel)
        if not len(self.stride) == len(self.padding) == len(self.channels) + 1 == depth <= 8:
            raise ConfigError(
                f"The generator's layers do not match: {depth} kernels, {len(self.stride)} strides, "
                f"{len(self.padding)} paddings and {len(self.channels)} hidden channels; give one kernel, stride "
                "and padding for each of at most 8 layers, and channels for all but the last."
            )
        if self.upsampling is not Upsampling.TRANSPOSE and self.layers[-1] != (4, 2, 3):
            raise ConfigError(
                "The resize-convolution stands in for a last layer with kernel 4, stride 2, padding 3; "
                f"layer {depth} has kernel, stride, padding {self.layers[-1]}."
            )
        self.discriminator_kernels  # noqa: B018  (refuses what does not end in one number)

    @property
    def layers(self) -> tuple[tuple[int, int, int], ...]:
        """(kernel, stride, padding) of each generator layer."""
        return tuple(zip(self.kernel, self.stride, self.padding, strict=True))

    @property
    def geometry(self) -> Geometry:
        """Which latent cells make which voxels."""
        return Geometry(self.layers, self.upsampling is Upsampling.STRETCH)

    @property
    def edge(self) -> int:
        """Edge of a training cube and of a training crop, in voxels (64 for Table 1)."""
        return self.geometry.edge

    @property
    def discriminator_kernels(self) -> tuple[int, ...]:
        """Kernel of each discriminator layer: 4 (stride 2, padding 1) until the last, which takes all that is left."""
        rest = self.edge
        for _ in self.discriminator_channels:
            rest = rest // 2
        if not 2 <= rest <= 5:
            raise ConfigError(
                f"The discriminator's {len(self.discriminator_channels)} hidden layers turn a crop of {self.edge} "
                f"pixels into {rest}, which one last layer of 2 to 5 pixels cannot turn into one number; "
                f"{'add' if rest > 5 else 'remove'} hidden layers."
            )
        return (4,) * len(self.discriminator_channels) + (rest,)


@dataclass(frozen=True)
class TrainingConfig:
    """How to train; the defaults are the published recipe.

    Raises
    ------
    ConfigError
        A setting is out of range.
    """

    iterations: int = setting(5400, "Generator updates from the start of the run; 0 means no limit.", low=0, high=10**8)
    minutes: float = setting(0.0, "Minutes of training from the start of the run; 0 means no limit.", low=0, high=10**6)
    seed: int = setting(0, "Seed of everything random in the training.", low=0, high=2**63 - 1)
    discriminator_volumes: int = setting(8, "Generated volumes in a discriminator update (m_D).", low=1, high=256)
    generator_volumes: int = setting(16, "Generated volumes in a generator update (m_G).", low=1, high=256)
    real_crops: int = setting(32, "Crops of the micrograph for each axis in a discriminator update.", low=1, high=4096)
    normalization: Normalization = setting(
        Normalization.BATCH,
        "Statistics by which the generator normalises in training: those of each 'batch', as published, or, after some "
        "hundred iterations, 'running' ones, as in finished volumes: where a batch has few volumes, these differ less.",
    )
    crops: Crops = setting(
        Crops.UNIFORM,
        "Places of crops: 'uniform', all as likely, as published, or 'representative', with weights by which the crops "
        "of a small image have its fractions and surfaces although they see little of its border.",
    )
    contrast: Contrast = setting(
        Contrast.PLAIN,
        "How discriminators see grey levels and colours: 'plain', as published, or 'standard', stretched to a contrast "
        "like that of phases, and with biases, without which no contrast can be the best. Phases stay as they are.",
    )
    precision: Precision = setting(
        Precision.EXACT,
        "How numbers are held: 'exact' in 32 bits, as published, 'fast' in 16 where most of the arithmetic is done, or "
        "'auto', fast where the device computes in 16 bits itself.",
    )
    discriminator_steps: int = setting(5, "Discriminator updates for each generator update.", low=1, high=100)
    slices_per_axis: int = setting(
        0,
        "Slices of each volume and axis that are shown to a discriminator, drawn anew each time; 0 means all.",
        low=0,
        high=4096,
    )
    wide_share: float = setting(
        0.0,
        "Share of the discriminator updates in which slices of twice the width are judged as well, at half the "
        "resolution by discriminators of their own; not where images are too small for that; 0 means never.",
        low=0,
        high=1,
    )
    penalty_weight: float = setting(10.0, "Weight of the gradient penalty (lambda).", low=0, high=10**4)
    learning_rate: float = setting(1e-4, "Step size of Adam, for all networks.", low=1e-8, high=1)
    beta1: float = setting(0.0, "Decay of Adam's mean gradient.", low=0, high=0.9999)
    beta2: float = setting(0.9, "Decay of Adam's mean squared gradient.", low=0, high=0.99999)
    average: float = setting(
        0.0,
        "Decay of the moving average of the generator's weights that makes the volumes; 0 uses the last weights.",
        low=0,
        high=0.99999,
    )
    average_part: float = setting(
        0.0,
        "The moving average looks back over this part of all updates so far, once that is longer than its decay says; "
        "0 leaves its length.",
        low=0,
        high=1,
    )
    balance_volumes: int = setting(
        0,
        "Volumes (64 voxels along each edge) by which the mean of each phase or channel of the finished generator is "
        "brought to that of the micrograph, and by which it is then judged; 0 leaves it as it was learnt.",
        low=0,
        high=128,
    )
    surface_tension: float = setting(
        0.0,
        "How fast the generator is pulled towards as many faces between phases as the micrograph has, by the excess "
        "that evaluations find; 0 leaves it alone, as grey levels and colours are.",
        low=0,
        high=100,
    )
    symmetry: Symmetry = setting(
        Symmetry.NONE,
        "Copies of crops to train on: 'mirror', or 'rotate' (quarter turns and mirrors, one image only); "
        "'auto' rotates when there is one image and does nothing otherwise.",
    )
    axes: Axes = setting(
        Axes.FREE,
        "Axes that are compared with the same image: 'free' as published, or 'alike', where the generator's kernels "
        "stay the same when these axes change places, so that volumes are the same along them.",
    )
    report_seconds: float = setting(1.0, "Seconds between two reports.", low=0, high=3600)
    preview_seconds: float = setting(20.0, "Seconds between two preview volumes; 0 means none.", low=0, high=10**5)
    evaluation_iterations: int = setting(
        50,
        "Generator updates between two evaluations, which tell how near volumes are to the micrograph: the best "
        "becomes the model; 0 means none, and the last becomes the model.",
        low=0,
        high=10**8,
    )
    patience: int = setting(
        0,
        "Evaluations in a row without progress after which the training ends by itself; 0 means never.",
        low=0,
        high=10**6,
    )
    checkpoint_minutes: float = setting(5.0, "Minutes between two checkpoints.", low=0.01, high=10**4)
    checkpoint_iterations: int = setting(
        0,
        "Generator updates between two checkpoints; 0 means by the clock only.",
        low=0,
        high=10**8,
    )

    def __post_init__(self) -> None:
        for kind in (Symmetry, Axes, Contrast, Crops, Normalization, Precision):
            name = kind.__name__.lower()
            object.__setattr__(self, name, _member(kind, name, getattr(self, name)))
        check_limits(self)
        if not self.iterations and not self.minutes:
            raise ConfigError("The training has no end: give a number of iterations or of minutes.")


def _as_tuple(name: str, value: object) -> tuple[object, ...]:
    """Accept a list as it comes from JSON or TOML."""
    if not isinstance(value, list | tuple):
        raise ConfigError(f"The setting {name} is {shown(value)}: give one number for each layer.")
    return tuple(value)


def _member(kind: type[StrEnum], name: str, value: str) -> StrEnum:
    try:
        return kind(value)
    except ValueError:
        raise ConfigError(f"The setting {name} is {shown(value)}: choose one of {', '.join(kind)}.") from None
