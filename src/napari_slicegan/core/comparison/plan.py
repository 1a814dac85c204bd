"""What exactly is compared: at which voxel size, in pieces of which shape, by which rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.comparison import matching
from napari_slicegan.core.comparison.config import ComparisonConfig
from napari_slicegan.core.comparison.matching import Bytes, Shape
from napari_slicegan.core.comparison.material import Material
from napari_slicegan.core.comparison.patches import PatchRow
from napari_slicegan.core.comparison.quantities import of_intensities, of_phases
from napari_slicegan.core.comparison.rows import Heading
from napari_slicegan.core.comparison.samples import SMALLEST, ModelVolumes, Volume
from napari_slicegan.core.comparison.solids import solids, without_transport
from napari_slicegan.core.comparison.truth import Truth, cut_note
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.statistics.representativity import Representativity

_LONGEST_REACH = 128
_CHANNELS = {1: ("grey",), 3: ("red", "green", "blue")}


@dataclass(frozen=True)
class Plan:
    """What exactly is compared.

    Attributes
    ----------
    truth : Truth
        At the voxel size of the comparison.
    names : tuple of str
        Of the phases or channels.
    shape : (int, int, int)
        Voxels that are looked at of each volume, at the voxel size of the comparison.
    piece : (int, int, int)
        Voxels of the pieces into which volumes are cut: all of `shape`, unless the truth is a volume.
    step : float
        Voxels of the volumes for each of the comparison, at least 1.
    material : Material
        What is told.
    fractions : list of list of Representativity
        Of each micrograph and phase.
    config : ComparisonConfig
        How carefully.
    """

    truth: Truth
    names: tuple[str, ...]
    shape: Shape
    piece: Shape
    step: float
    material: Material
    fractions: list[list[Representativity]]
    config: ComparisonConfig

    @classmethod
    def of(
        cls,
        truth: TrainingData | Volume,
        volumes: Sequence[Volume] | ModelVolumes,
        config: ComparisonConfig,
        names: Sequence[str],
    ) -> Plan:
        """Prepare a comparison; refuse what cannot be compared."""
        if not len(volumes):
            raise DataError("There is no volume to compare.")
        if not isinstance(volumes, ModelVolumes):
            _check_equal(volumes)
        whole = Truth.of(truth, config.largest)
        first = volumes if isinstance(volumes, ModelVolumes) else volumes[0]
        _check_kinds(volumes, whole.data)
        ratio = matching.ratio(whole.data, first)
        there = whole.at(ratio)
        shape = _common_shape(volumes, config.largest, max(1.0, 1 / ratio))
        if there.smallest < SMALLEST:
            raise DataError(
                f"At the size of the volumes' voxels the truth has only {there.smallest} pixels along an edge: a "
                f"comparison needs at least {SMALLEST}."
            )
        data, piece = there.data, there.piece(shape)
        reach = config.reach or min(_LONGEST_REACH, min(*piece, there.smallest) // 2)
        if reach >= min(*piece, there.smallest):
            raise DataError(
                f"Curves of {reach} voxels do not fit into {min(*piece, there.smallest)}: choose a shorter reach."
            )
        called = _names(data, names)
        rows = of_phases if data.kind is OutputKind.PHASES else of_intensities
        material = Material(data.kind, len(data.phases), reach, tuple(rows(called, reach)), config.resamples)
        return cls(there, called, shape, piece, max(1.0, 1 / ratio), material, there.fractions(), config)

    @property
    def parts(self) -> int:
        """Pieces of each volume."""
        return math.prod(size // piece for size, piece in zip(self.shape, self.piece, strict=True))

    @property
    def forgotten(self) -> int:
        """Pixels after which the material has forgotten what it is."""
        return max(each.reach for every in self.fractions for each in every)

    @property
    def unreliable(self) -> frozenset[int]:
        """Phases or channels whose structures are too large for the truth to tell how sure it is."""
        if self.truth.voxels is not None:
            return frozenset()
        known = range(len(self.names))
        return frozenset(phase for phase in known if not all(each[phase].is_reliable for each in self.fractions))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed, converted or found wanting."""
        notes = [*self.truth.notes]
        unit = self.truth.data.unit
        if self.step > 1:
            size = f"{self.truth.data.pixel_size:.4g} {unit}"
            notes.append(f"The volumes were brought to the pixels of the truth, {size} (nearest voxels).")
        if self.truth.voxels is None and len(self.truth.data.sources) == 1:
            notes.append("One micrograph speaks for all directions: the material is taken to be isotropic.")
        same = [phase for phase in self.unreliable if all(each[phase].variance == 0 for each in self.fractions)]
        for phases, words in ((same, "is the same everywhere"), (self.unreliable - set(same), "")):
            names = ", ".join(self.names[phase] for phase in sorted(phases))
            if names and words:
                notes.append(f"In the image {names} {words}: nothing can be told of it.")
            elif names:
                notes.append(f"The image is too small for the structures of {names} to tell how well it knows them.")
        if min(self.shape) < self.forgotten:
            notes.append(
                f"The volumes are {min(self.shape)} voxels thin, and structures of the truth reach over "
                f"{self.forgotten}: larger volumes tell more."
            )
        if self.truth.voxels is not None:
            size = " x ".join(map(str, self.piece))
            notes.append(f"Truth and volumes were cut into pieces of {size} voxels; spreads are between pieces.")
        return tuple(notes)

    @property
    def settings(self) -> dict[str, Any]:
        """What was set, and what came of it; plain JSON."""
        made = {"piece": list(self.piece), "reach_in_voxels": self.material.reach, "truth": self.truth.about}
        return self.config.to_dict() | made

    def prepared(self, volume: Volume) -> tuple[Bytes, tuple[str, ...]]:
        """The part of a volume that is looked at, on one scale with the truth; and what to say of that."""
        part = matching.cut(volume, [math.ceil(size * self.step) for size in self.shape])
        voxels = matching.resampled(matching.to_bytes(part, self.truth.data), self.step, (0, 1, 2))
        return voxels[tuple(slice(0, size) for size in self.shape)], cut_note(volume, part)

    def headings(self, patches: Sequence[PatchRow]) -> list[Heading]:
        """Of all rows."""
        is_phases = self.material.kind is OutputKind.PHASES
        found = [Heading.of_quantity(each, is_phases) for each in self.material.quantities]
        if is_phases:
            missing = without_transport()
            for solid in solids(self.names):
                lacks = missing if solid.key.startswith(("diffusivity", "tortuosity")) else ""
                note = self._slow_note(lacks) if solid.is_slow else ""
                left_out = solid.is_slow and (not self.config.slow or bool(lacks))
                found.append(Heading.of_solid(solid, note, left_out))
        return found + [heading for row in patches for heading in Heading.of_patches(row)]

    def _slow_note(self, missing: str) -> str:
        if not self.config.slow:
            return "Left out, since it was not asked for."
        edge = self.config.slow_edge
        return missing or f"Of the middle of each volume, at most {edge} voxels along each axis."


def random_volume(plan: Plan, seed: int = 0) -> Bytes:
    """A volume whose voxels know nothing of each other, with the phases or levels of the truth in its proportions.

    Parameters
    ----------
    plan : Plan
        Says the shape of the volumes, and the truth.
    seed : int
        Of the draws.

    Returns
    -------
    uint8 array (Z, Y, X) or (Z, Y, X, C)
        As the sources of the truth.
    """
    data, rng = plan.truth.data, np.random.default_rng(seed)
    sources = [data.sources[0]] if plan.truth.voxels is not None else data.sources
    pixels = np.concatenate([source.reshape(-1, *source.shape[3:]) for source in sources])
    return np.asarray(pixels[rng.integers(len(pixels), size=plan.shape)])


def _names(data: TrainingData, names: Sequence[str]) -> tuple[str, ...]:
    if data.kind is not OutputKind.PHASES:
        return _CHANNELS[data.channels]
    if names and len(names) != len(data.phases):
        raise DataError(f"There are {len(names)} names for {len(data.phases)} phases: give one for each.")
    return tuple(names) or tuple(f"phase {phase}" for phase in data.phases)


def _check_kinds(volumes: Sequence[Volume] | ModelVolumes, data: TrainingData) -> None:
    """Refuse other materials than the truth, before anything is measured."""
    if isinstance(volumes, ModelVolumes):
        volumes.check_kind(data)
        return
    for volume in volumes:
        matching.check_kind(volume, data)


def _check_equal(volumes: Sequence[Volume]) -> None:
    """Refuse volumes of different voxel sizes, or too small ones."""
    for volume in volumes:
        matching.check_size(volume)
        if matching.relative_size((volume.voxel_size, volume.unit), (volumes[0].voxel_size, volumes[0].unit)) != 1:
            sizes = f"{volumes[0].voxel_size:g} {volumes[0].unit} and {volume.voxel_size:g} {volume.unit}"
            raise DataError(
                f"{volumes[0].name} and {volume.name} have different voxel sizes, {sizes}: compare them one at a time."
            )


def _common_shape(volumes: Sequence[Volume] | ModelVolumes, largest: int, step: float) -> Shape:
    """What is looked at of every volume, in voxels of the comparison."""
    shapes = [volumes.shape] if isinstance(volumes, ModelVolumes) else [volume.shape for volume in volumes]
    z, y, x = (min(largest, math.floor((min(sizes) - 1) / step) + 1) for sizes in zip(*shapes, strict=True))
    if min(z, y, x) < SMALLEST:
        raise DataError(
            f"The volumes have only {z} x {y} x {x} voxels at the size of the truth's pixels: "
            f"a comparison needs at least {SMALLEST} along each axis."
        )
    return z, y, x
