"""What volume is wanted: a box of the endless volume that a seed defines. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from napari_slicegan.core.choices import Precision
from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.geometry import Geometry

AXES = "zyx"
#: Layers at the end of a network that FAST computes in bfloat16 on processors, which keep only 8 digits of it: in all
#: of them one label in 600 came out different, in two one in 2000.
REDUCED_LAYERS = 2
_FARTHEST = 2**60

Triple = tuple[int, int, int]


@dataclass(frozen=True)
class VolumeRequest:
    """A box of an endless volume.

    Attributes
    ----------
    shape : (int, int, int)
        Voxels along z, y, x.
    seed : int
        Which endless volume.
    origin : (int, int, int)
        Where in it the box begins, in voxels along z, y, x; may be negative.
    periodic : str
        Axes along which the volume repeats with the box as its period, for example "zy".
    precision : Precision
        How numbers are held.
    """

    shape: Triple
    seed: int = 0
    origin: Triple = (0, 0, 0)
    periodic: str = ""
    precision: Precision = Precision.EXACT

    def __post_init__(self) -> None:
        for name, what in (("shape", "three whole numbers above 0"), ("origin", "three whole numbers")):
            object.__setattr__(self, name, _triple(getattr(self, name), name, what))
        if min(self.shape) < 1:
            raise ModelError(f"The shape {self.shape} is not three whole numbers above 0, for z, y and x.")
        if any(abs(start) + size > _FARTHEST for start, size in zip(self.origin, self.shape, strict=True)):
            raise ModelError(f"The box at {self.origin} lies farther out than 2^60 voxels: choose a nearer origin.")
        if not _is_whole(self.seed) or not 0 <= self.seed < 2**63:
            raise ModelError(f"The seed {self.seed} is not a whole number from 0 to 2^63 - 1.")
        if not set(self.periodic) <= set(AXES):
            raise ModelError(f"The periodic axes are {self.periodic!r}: give letters of z, y and x.")
        object.__setattr__(self, "seed", int(self.seed))
        object.__setattr__(self, "periodic", "".join(axis for axis in AXES if axis in self.periodic))
        object.__setattr__(self, "precision", Precision(self.precision))

    def check_periods(self, geometry: Geometry) -> None:
        """Refuse periods that are no whole number of latent cells.

        Raises
        ------
        ModelError
            With the sizes that are possible.
        """
        period, _ = geometry.period
        for axis, size in zip(AXES, self.shape, strict=True):
            below = size // period * period
            if axis in self.periodic and below != size:
                sizes = " or ".join(str(size) for size in (below, below + period) if size)
                raise ModelError(
                    f"A periodic volume is a multiple of {period} voxels long, but {axis} has {size}: choose {sizes}."
                )

    def period_cells(self, geometry: Geometry) -> tuple[int | None, int | None, int | None]:
        """Latent cells after which each axis repeats; None where it does not."""
        voxels, cells = geometry.period
        z, y, x = (
            size // voxels * cells if axis in self.periodic else None
            for axis, size in zip(AXES, self.shape, strict=True)
        )
        return z, y, x

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self) | {"shape": list(self.shape), "origin": list(self.origin), "precision": str(self.precision)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> VolumeRequest:
        """What `to_dict` gave, read back."""
        return cls(**values)


def _triple(values: Any, name: str, what: str) -> Triple:
    values = tuple(values)
    if len(values) != 3 or not all(map(_is_whole, values)):
        raise ModelError(f"The {name} {values} is not {what}, for z, y and x.")
    z, y, x = map(int, values)
    return z, y, x


def _is_whole(value: Any) -> bool:
    return not isinstance(value, bool) and hasattr(value, "__index__")
