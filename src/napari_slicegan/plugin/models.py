"""The models that a viewer knows: trained in it or loaded into it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.plugin.layers import Look, unit_text
from napari_slicegan.plugin.phases import LONGEST_NAME

if TYPE_CHECKING:
    from napari_slicegan.core.model import SliceGAN
    from napari_slicegan.core.model_info import ModelInfo


#: What a record of an image says after its name, and the suffix of its file.
_DETAILS = re.compile(
    r"(\.(tiff?|png|jpe?g|bmp|npy|zarr))?(, slices normal to [zyx])?(, rows \d.*|, \d+ regions)?$", re.IGNORECASE
)


@dataclass(eq=False)
class StoredModel:
    """A model on the disk, of which only the header has been read: what it is."""

    info: ModelInfo


@dataclass(frozen=True, eq=False)
class ModelEntry:
    """A model under a name.

    Attributes
    ----------
    name : str
        As it is offered.
    model : SliceGAN or StoredModel
        To generate with, once it is loaded.
    path : Path
        The run's directory or the model file.
    look : Look, optional
        The colours of the layer that it was trained on.
    """

    name: str
    model: SliceGAN | StoredModel
    path: Path
    look: Look | None = None

    @property
    def loaded(self) -> SliceGAN | None:
        """The model, if it can be generated with at once."""
        return None if isinstance(self.model, StoredModel) else self.model

    @property
    def scale(self) -> int:
        """Voxels of a period, mostly those of a latent cell: periodic sizes are multiples of it."""
        return self.model.info.network.geometry.period[0]

    @property
    def material(self) -> str:
        """What the first training image is called, for the names of volumes; else the name of the model."""
        images = self.model.info.provenance.get("images")
        first = images[0] if isinstance(images, list | tuple) and images else ""
        return _DETAILS.sub("", str(first)).strip()[:LONGEST_NAME] or self.name

    @property
    def summary(self) -> str:
        """Kind, voxel size and training, for people."""
        info = self.model.info
        kind = f"{len(info.phases)} phases: {', '.join(info.phase_names or map(str, info.phases))}"
        parts = [kind if info.kind is OutputKind.PHASES else str(info.kind)]
        parts.append(
            "voxel size unknown" if info.unit == "pixel" else f"{info.voxel_size:.4g} {unit_text(info.unit)}/voxel"
        )
        if "iterations" in info.provenance:
            parts.append(f"{info.provenance['iterations']:,} iterations")
        return " · ".join(parts)


#: Names of the models in the directory of a run.
RUN_FILES = ("model", "checkpoint")


def run_name(path: Path) -> str:
    """How a model file or the directory of a run is offered: files of a run go by the run's name."""
    if path.is_dir() or not path.suffix:
        return path.name
    return path.absolute().parent.name if path.stem in RUN_FILES else path.stem


def file_name(name: str) -> str:
    """A name as part of a file's name on any system."""
    plain = "".join(letter if letter.isalnum() or letter in " -_." else "_" for letter in name)
    return plain.strip(" .")[:80] or "model"


class Models:
    """The models of one viewer, the newest last."""

    changed = Signal()

    def __init__(self) -> None:
        self.entries: list[ModelEntry] = []

    @property
    def choices(self) -> list[tuple[str, ModelEntry]]:
        """Every model under a name of its own: of two with one name, each is told by its place."""
        counts = Counter(entry.name for entry in self.entries)
        labels = [entry.name if counts[entry.name] == 1 else _placed(entry) for entry in self.entries]
        return list(zip(_numbered(labels), self.entries, strict=True))

    def add(self, entry: ModelEntry) -> None:
        """Add a model; one of the same name and place is replaced, and keeps its colours if the new one has none."""
        for old in [old for old in self.entries if (old.name, old.path) == (entry.name, entry.path)]:
            self.entries.remove(old)
            entry = replace(entry, look=entry.look or old.look)
        self.entries.append(replace(entry, look=entry.look or look_of(entry.model.info)))
        self.changed.emit()

    def move(self, old: Path, new: Path) -> None:
        """Follow a run that was renamed."""
        moved = [entry for entry in self.entries if entry.path == old]
        for entry in moved:
            self.entries[self.entries.index(entry)] = replace(entry, name=run_name(new), path=new)
        if moved:
            self.changed.emit()


def look_of(info: ModelInfo) -> Look | None:
    """The colours that a model says its phases have; None if it says none."""
    from napari.utils.colormaps import DirectLabelColormap

    if not info.phase_colours:
        return None
    table: dict[int | None, Any] = dict(zip(info.phases, info.phase_colours, strict=True))
    return Look(DirectLabelColormap(color_dict={None: "transparent", **table}))


def _placed(entry: ModelEntry) -> str:
    """A name with the folder that the model or its run is in."""
    folder = entry.path.absolute().parent
    folder = folder.parent if entry.path.stem in RUN_FILES and entry.path.suffix else folder
    return f"{entry.name} ({folder.name or folder})"


def _numbered(labels: list[str]) -> list[str]:
    """Labels of which no two are equal."""
    seen: Counter[str] = Counter()
    found = []
    for label in labels:
        seen[label] += 1
        found.append(f"{label} [{seen[label]}]" if seen[label] > 1 else label)
    return found
