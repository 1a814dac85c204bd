"""Settings that are one of a few words. Standard library only."""

from __future__ import annotations

from enum import StrEnum


class OutputKind(StrEnum):
    """What one voxel is: one of several phases, a grey level, or a colour."""

    PHASES = "phases"
    GREY = "grey"
    COLOUR = "colour"


class Upsampling(StrEnum):
    """How the last layer of the generator doubles its input."""

    TRANSPOSE = "transpose"
    RESIZE = "resize"


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
