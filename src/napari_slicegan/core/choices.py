"""Settings that are one of a few words. Standard library only."""

from __future__ import annotations

from enum import StrEnum


class Precision(StrEnum):
    """How numbers are held while a model is trained, or a volume is made.

    EXACT computes in float32. FAST computes in 16 bits where that changes little: in a training what layers do, in
    volumes the last layers on a processor and all on a graphics card, which makes about a voxel in a thousand another
    phase. AUTO is FAST where the device computes in 16 bits itself, and EXACT elsewhere.
    """

    EXACT = "exact"
    FAST = "fast"
    AUTO = "auto"


class OutputKind(StrEnum):
    """What one voxel is: one of several phases, a grey level, or a colour."""

    PHASES = "phases"
    GREY = "grey"
    COLOUR = "colour"


class Upsampling(StrEnum):
    """How the last layer of the generator doubles its input.

    STRETCH is the resize-convolution of generators that were imported, which nearly doubles it, see `core.stretching`.
    """

    TRANSPOSE = "transpose"
    RESIZE = "resize"
    STRETCH = "stretch"


class Symmetry(StrEnum):
    """Which copies of a crop the material may be trained on as well."""

    AUTO = "auto"
    NONE = "none"
    MIRROR = "mirror"
    ROTATE = "rotate"


class Axes(StrEnum):
    """What the generator makes of axes that are compared with the same image."""

    FREE = "free"
    ALIKE = "alike"


class Normalization(StrEnum):
    """By which statistics the generator normalises in training."""

    BATCH = "batch"
    RUNNING = "running"


class Contrast(StrEnum):
    """How discriminators see grey levels and colours."""

    PLAIN = "plain"
    STANDARD = "standard"


class Crops(StrEnum):
    """Which places of an image crops come from."""

    UNIFORM = "uniform"
    REPRESENTATIVE = "representative"
