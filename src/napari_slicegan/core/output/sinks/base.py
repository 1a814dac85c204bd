"""What every file format offers to whoever writes a volume into it, and what it is told of the volume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.volume.tiles import Slices

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class VolumeDescription:
    """A volume that is to be written.

    Attributes
    ----------
    shape : tuple of int
        (Z, Y, X) or (Z, Y, X, 3).
    dtype : numpy.dtype
        Of its voxels.
    kind : OutputKind
        What a voxel is.
    phases : tuple of int
        Labels of the phases; empty for grey and colour.
    voxel_size : float
        Edge of a voxel in `unit`.
    unit : str
        For example "um"; "pixel" when the size is not known.
    tile : int
        Edge of the pieces in which it is written, in voxels.
    provenance : dict
        Where it comes from, as plain values: the request, the model, the versions.
    phase_names : tuple of str
        What each phase is called; empty when they have no names.
    phase_colours : tuple of str
        The colour of each phase as "#rrggbb"; empty when none were chosen.
    translation : (float, float, float)
        Where the centre of the first voxel lies, in `unit` along z, y, x.
    edges : (float, float, float), optional
        Edges of a voxel along z, y, x in `unit`, where they are not all `voxel_size`.
    limits : (float, float), optional
        The values that are shown as black and as white; by default the first and the last phase, or 0 and 255.
    layer : dict
        How napari shows it, as plain values.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    kind: OutputKind
    phases: tuple[int, ...]
    voxel_size: float
    unit: str
    tile: int
    provenance: dict[str, Any] = field(default_factory=dict)
    phase_names: tuple[str, ...] = ()
    phase_colours: tuple[str, ...] = ()
    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    edges: tuple[float, float, float] | None = None
    limits: tuple[float, float] | None = None
    layer: dict[str, Any] = field(default_factory=dict)

    @property
    def sizes(self) -> tuple[float, float, float]:
        """Edges of a voxel along z, y, x in `unit`."""
        return self.edges or (self.voxel_size,) * 3

    @property
    def shown(self) -> tuple[float, float]:
        """The values that are shown as black and as white."""
        if self.limits is not None:
            return self.limits
        return (min(self.phases), max(self.phases)) if self.phases else (0, 255)

    @property
    def record(self) -> dict[str, Any]:
        """What a file says of the volume beyond what its format has places for, as plain values."""
        return self.provenance | phase_facts(self.phases, self.phase_names, self.phase_colours) | self._layer_facts

    @property
    def _layer_facts(self) -> dict[str, Any]:
        return {"layer": self.layer} if self.layer else {}

    @property
    def nbytes(self) -> int:
        """Bytes of the voxels."""
        return prod(self.shape) * self.dtype.itemsize


def phase_facts(phases: Sequence[int], names: Sequence[str], colours: Sequence[str]) -> dict[str, Any]:
    """What the record of a volume says of its phases: their labels, names and colours, as far as there are some."""
    facts = {"phases": list(phases), "phase_names": list(names), "phase_colours": list(colours)}
    return {topic: values for topic, values in facts.items() if values}


class Sink(Protocol):
    """A file or store that a volume is written into, piece by piece and in any order.

    Errors of the system leave as OSError; `streaming` turns them into sentences.
    """

    def write(self, place: Slices, values: Array) -> None:
        """Write one piece where it belongs: `values` has the shape of `place` (and 3 for colour)."""

    def flush(self) -> None:
        """Bring all that was written to the disk, so that a crash cannot take it."""

    def finish(self, progress: Callable[[float], None]) -> None:
        """Add what needs the whole volume, such as a pyramid; `progress` gets the finished fraction of that.

        What `progress` raises ends the work; calling `finish` again starts it over.
        """

    def close(self) -> None:
        """Let go of the file; nothing is written after that."""
