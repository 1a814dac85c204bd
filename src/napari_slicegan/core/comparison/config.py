"""What to compare, and how carefully."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from napari_slicegan.core.config import check_limits, setting
from napari_slicegan.core.errors import ConfigError


@dataclass(frozen=True)
class ComparisonConfig:
    """How to compare.

    Raises
    ------
    ConfigError
        A setting is out of range.
    """

    seeds: int = setting(4, "Volumes that a model makes to be compared, of the seeds 0, 1, ...", low=1, high=1000)
    shape: tuple[int, int, int] = setting(
        (128, 128, 128), "Voxels along z, y, x of the volumes that a model makes.", low=16, high=1024
    )
    reach: int = setting(
        0, "Longest distance of the curves in voxels; 0 means half the smallest edge, at most 128.", low=0, high=512
    )
    largest: int = setting(
        256, "Longest edge in voxels of the central part of a volume that is looked at.", low=32, high=1024
    )
    slow_edge: int = setting(
        96, "Longest edge in voxels of the central part for local thickness and diffusivity.", low=16, high=512
    )
    slow: bool = setting(True, "Whether to compute local thickness and diffusivity, which take the longest.")
    resamples: int = setting(200, "Resamplings of the blocks for the uncertainty of curves.", low=50, high=10000)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))
        check_limits(self)
        if len(self.shape) != 3:
            raise ConfigError(f"The setting shape is {self.shape!r}: give the voxels along z, y and x.")

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {item.name: getattr(self, item.name) for item in fields(self)}
