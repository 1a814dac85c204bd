"""Comparing volumes with micrographs, or with a true volume."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from napari_slicegan.core.comparison.config import ComparisonConfig
from napari_slicegan.core.comparison.known import ENOUGH, Known
from napari_slicegan.core.comparison.matching import Bytes, pieces
from napari_slicegan.core.comparison.measure import COUNTING, SLOW, Measured, measure, measure_slowly, together
from napari_slicegan.core.comparison.patches import PatchRow
from napari_slicegan.core.comparison.pictures import pictures_of_truth, pictures_of_volume
from napari_slicegan.core.comparison.plan import Plan, random_volume
from napari_slicegan.core.comparison.result import Comparison, Picture
from napari_slicegan.core.comparison.rows import Sides, assemble
from napari_slicegan.core.comparison.samples import ModelVolumes, Volume
from napari_slicegan.core.comparison.steps import Progress, Steps
from napari_slicegan.core.comparison.truth import know_images, know_patches, prepare_patches
from napari_slicegan.core.config import OutputKind
from napari_slicegan.core.data import TrainingData

_USUAL = ComparisonConfig()

GENERATING = 1.5
"""Weight of making a volume, beside those of measuring it."""

_MOST_SLOW = 4
"""Volumes, or pieces, of which what takes long is told."""


def compare(
    truth: TrainingData | Volume,
    volumes: Sequence[Volume] | ModelVolumes,
    config: ComparisonConfig = _USUAL,
    progress: Progress | None = None,
    phase_names: Sequence[str] = (),
) -> Comparison:
    """Tell how far volumes differ from a truth, measured by what the truth itself can tell.

    Parameters
    ----------
    truth : TrainingData or Volume
        One, two or three micrographs, or a volume.
    volumes : sequence of Volume or ModelVolumes
        At least one; of several the spread tells how well the generator is known.
    config : ComparisonConfig
        How carefully.
    progress : callable, optional
        Takes the finished fraction and a few words; what it raises ends the work.
    phase_names : sequence of str
        What to call the phases, in the order of their labels.

    Returns
    -------
    Comparison
        All rows; one that cannot be told says why.

    Raises
    ------
    DataError
        Both sides are of different kinds, phases or unknown voxel sizes, or too small.
    ModelError
        A volume cannot be generated.
    """
    if progress is not None:
        progress(0.0, "preparing the truth")
    plan = Plan.of(truth, volumes, config, phase_names)
    true_pieces = plan.truth.pieces(plan.piece)
    steps = Steps(_work(plan, volumes, len(true_pieces)), progress)
    patches = prepare_patches(plan.truth, plan.forgotten, steps.part(COUNTING / 2, "preparing the truth"))
    known_patches = know_patches(patches, steps.part(COUNTING / 2, "comparing the truth with itself"))
    known_images = {} if true_pieces else _know_images(plan, steps)
    measured = {"the truth": _measure(plan, true_pieces, (), False, steps, "the truth")}
    judged = _Judged(in_slabs=len(volumes) * plan.parts < ENOUGH)
    for volume in _each(volumes, steps):
        judged.add(plan, volume, patches, steps)
    measured["the volumes"] = judged.measured
    measured["a random volume"] = _measure(plan, [random_volume(plan)], patches, True, steps, "a random volume")
    slow = _measure_slowly(plan, measured, steps)
    known = {side: together(some, plan.material, slow[side]) for side, some in measured.items() if some}
    known_truth = known.get("the truth", known_images) | known_patches
    sides = Sides(known_truth, known["the volumes"], known["a random volume"], bool(true_pieces), plan.unreliable)
    return _comparison(plan, judged, sides, patches)


@dataclass
class _Judged:
    """What is kept of the volumes that are judged."""

    in_slabs: bool
    measured: list[Measured] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    histories: list[dict[str, Any]] = field(default_factory=list)

    def add(self, plan: Plan, volume: Volume, patches: Sequence[PatchRow], steps: Steps) -> None:
        """Measure one more."""
        voxels, notes = plan.prepared(volume)
        parts = pieces(voxels, plan.piece)
        self.measured += _measure(plan, parts, patches, self.in_slabs, steps, volume.name)
        self.lines.append(f"{volume.name} ({' x '.join(map(str, volume.shape))})")
        self.notes += notes
        self.pictures = self.pictures or pictures_of_volume(voxels)
        self.histories.append({"name": volume.name, "shape": list(volume.shape), **volume.provenance})


def _know_images(plan: Plan, steps: Steps) -> dict[str, Known]:
    tell = steps.part(COUNTING, "measuring the micrographs")
    return know_images(plan.truth, plan.material, plan.fractions, tell)


def _measure(
    plan: Plan, parts: Sequence[Bytes], patches: Sequence[PatchRow], in_slabs: bool, steps: Steps, name: str
) -> list[Measured]:
    """Measure pieces of one volume."""
    found = []
    for number, part in enumerate(parts):
        which = f"{name}, piece {number + 1} of {len(parts)}" if len(parts) > 1 else name
        tell = steps.part(COUNTING, f"measuring {which}")
        found.append(measure(part, plan.material, patches, plan.config.slow_edge, in_slabs, tell))
    return found


def _each(volumes: Sequence[Volume] | ModelVolumes, steps: Steps) -> Iterator[Volume]:
    """The volumes, one after the other; those of a model are made now."""
    if not isinstance(volumes, ModelVolumes):
        yield from volumes
        return
    for number in range(len(volumes)):
        yield volumes.make(number, steps.part(GENERATING, f"generating volume {number + 1} of {len(volumes)}"))


def _measure_slowly(plan: Plan, sides: dict[str, list[Measured]], steps: Steps) -> dict[str, list[dict[str, float]]]:
    """What takes long, of some of the volumes of each side."""
    if not (plan.config.slow and plan.material.kind is OutputKind.PHASES):
        return {name: [] for name in sides}
    if not sides["the truth"]:  # beside an image nobody asks how noise conducts
        sides = sides | {"a random volume": []}
    return {
        name: measure_slowly(volumes[:_MOST_SLOW], plan.material.phases, steps, name) for name, volumes in sides.items()
    }


def _work(plan: Plan, volumes: Sequence[Volume] | ModelVolumes, true_pieces: int) -> float:
    """The weights of all parts together."""
    judged = len(volumes) * plan.parts
    counting = COUNTING * (1 + max(true_pieces, 1) + judged + 1)
    generating = GENERATING * len(volumes) * isinstance(volumes, ModelVolumes)
    slow = SLOW * sum(min(_MOST_SLOW, count) for count in (true_pieces, judged, bool(true_pieces)))
    return counting + generating + slow * (plan.config.slow and plan.material.kind is OutputKind.PHASES)


def _comparison(plan: Plan, judged: _Judged, sides: Sides, patches: Sequence[PatchRow]) -> Comparison:
    data = plan.truth.data
    versions = {package: version(package) for package in ("napari-slicegan", "numpy", "scipy", "scikit-image")}
    return Comparison(
        data.kind,
        data.phases,
        plan.names,
        data.pixel_size,
        data.unit,
        plan.truth.summary,
        plan.truth.voxels is not None,
        tuple(judged.lines),
        assemble(plan.headings(patches), sides, data.pixel_size, data.unit),
        tuple(dict.fromkeys([*plan.notes, *judged.notes])),
        (*pictures_of_truth(plan.truth), *judged.pictures),
        {"settings": plan.config.to_dict(), "versions": versions, "volumes": judged.histories},
    )
