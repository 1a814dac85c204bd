"""The models that a viewer knows: trained in it or loaded into it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_slicegan.core.config import OutputKind
from napari_slicegan.plugin.layers import Look, unit_text

if TYPE_CHECKING:
    from napari_slicegan.core.model import SliceGAN


@dataclass(frozen=True, eq=False)
class ModelEntry:
    """A model under a name.

    Attributes
    ----------
    name : str
        As it is offered.
    model : SliceGAN
        To generate with.
    path : Path
        The run's directory or the model file.
    look : Look, optional
        The colours of the layer that it was trained on.
    """

    name: str
    model: SliceGAN
    path: Path
    look: Look | None = None

    @property
    def scale(self) -> int:
        """Voxels for each latent cell: periodic sizes are multiples of it."""
        return self.model.info.network.geometry.scale

    @property
    def summary(self) -> str:
        """Kind, voxel size and training, for people."""
        info = self.model.info
        kind = f"{len(info.phases)} phases: {', '.join(map(str, info.phases))}"
        parts = [kind if info.kind is OutputKind.PHASES else str(info.kind)]
        parts.append(
            "voxel size unknown" if info.unit == "pixel" else f"{info.voxel_size:.4g} {unit_text(info.unit)}/voxel"
        )
        if "iterations" in info.provenance:
            parts.append(f"{info.provenance['iterations']:,} iterations")
        return " · ".join(parts)


def run_name(path: Path) -> str:
    """How a model file or the directory of a run is offered: files of a run go by the run's name."""
    return path.parent.name if path.stem in ("model", "checkpoint") else path.stem if path.suffix else path.name


class Models:
    """The models of one viewer, the newest last."""

    changed = Signal()

    def __init__(self) -> None:
        self.entries: list[ModelEntry] = []

    def add(self, entry: ModelEntry) -> None:
        """Add a model; one of the same name and place is replaced, and keeps its colours if the new one has none."""
        for old in [old for old in self.entries if (old.name, old.path) == (entry.name, entry.path)]:
            self.entries.remove(old)
            entry = replace(entry, look=entry.look or old.look)
        self.entries.append(entry)
        self.changed.emit()
