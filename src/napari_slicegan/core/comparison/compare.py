"""Comparing volumes with micrographs, or with a true volume."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.comparison.config import ComparisonConfig
from napari_slicegan.core.comparison.known import ENOUGH, Known
from napari_slicegan.core.comparison.matching import Bytes, pieces
from napari_slicegan.core.comparison.measure import COUNTING, SLOW, Measured, measure_slowly, together
from napari_slicegan.core.comparison.patches import PatchRow, patch_rows
from napari_slicegan.core.comparison.pictures import pictures_of_truth
from napari_slicegan.core.comparison.plan import Plan, random_volume
from napari_slicegan.core.comparison.result import Comparison
from napari_slicegan.core.comparison.rows import Sides, assemble
from napari_slicegan.core.comparison.samples import ModelVolumes, Volume
from napari_slicegan.core.comparison.sides import RANDOM, TRUTH, VOLUMES, Side, compare_patches
from napari_slicegan.core.comparison.steps import Progress, Steps
from napari_slicegan.core.comparison.truth import know_images
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
    tell = steps.part(COUNTING / 2, "preparing the truth")
    patches = patch_rows(plan.truth.data, plan.truth.voxels, plan.shape, plan.forgotten, tell)
    known_images = {} if true_pieces else _know_images(plan, steps)
    sides = _measure(plan, true_pieces, volumes, patches, steps)
    known_patches = compare_patches(patches, sides[VOLUMES], sides[RANDOM], steps)
    slow = _measure_slowly(plan, sides, steps)
    known = {TRUTH: known_images}
    for name, side in sides.items():
        if side.measured:
            tell = steps.part(COUNTING / 3, f"summing up {name}")
            known[name] = together(side.measured, plan.material, slow[name], tell)
        known[name] |= known_patches[name]
    found = Sides(known[TRUTH], known[VOLUMES], known[RANDOM], bool(true_pieces), plan.unreliable)
    return _comparison(plan, sides[VOLUMES], found, patches)


def _measure(
    plan: Plan,
    true_pieces: Sequence[Bytes],
    volumes: Sequence[Volume] | ModelVolumes,
    patches: Sequence[PatchRow],
    steps: Steps,
) -> dict[str, Side]:
    """Measure the pieces of a true volume, all volumes, and a random one."""
    truth, random = Side(plan, in_slabs=False), Side(plan, in_slabs=True)
    judged = Side(plan, in_slabs=len(volumes) * plan.parts < ENOUGH)
    truth.measure(true_pieces, steps, TRUTH)
    for volume in _each(volumes, steps):
        judged.add(volume, patches, steps)
    noise = random_volume(plan)
    random.measure(pieces(noise, plan.piece)[:1], steps, RANDOM)
    random.keep(noise, patches)
    return {TRUTH: truth, VOLUMES: judged, RANDOM: random}


def _know_images(plan: Plan, steps: Steps) -> dict[str, Known]:
    tell = steps.part(COUNTING, "measuring the micrographs")
    return know_images(plan.truth, plan.material, plan.fractions, tell)


def _each(volumes: Sequence[Volume] | ModelVolumes, steps: Steps) -> Iterator[Volume]:
    """The volumes, one after the other; those of a model are made now."""
    if not isinstance(volumes, ModelVolumes):
        yield from volumes
        return
    for number in range(len(volumes)):
        yield volumes.make(number, steps.part(GENERATING, f"generating volume {number + 1} of {len(volumes)}"))


def _measure_slowly(plan: Plan, sides: dict[str, Side], steps: Steps) -> dict[str, list[dict[str, float]]]:
    """What takes long, of some of the volumes of each side, far from each other."""
    chosen: dict[str, list[Measured]] = {name: [] for name in sides}
    if plan.config.slow and plan.material.kind is OutputKind.PHASES:
        for name, side in sides.items():
            places = np.unique(np.linspace(0, len(side.measured) - 1, _MOST_SLOW).round().astype(int))
            chosen[name] = [side.measured[place] for place in places if side.measured]
        if not chosen[TRUTH]:  # beside an image nobody asks how noise conducts
            chosen[RANDOM] = []
    return {name: measure_slowly(some, plan.material.phases, steps, name) for name, some in chosen.items()}


def _work(plan: Plan, volumes: Sequence[Volume] | ModelVolumes, true_pieces: int) -> float:
    """The weights of all parts together."""
    judged = len(volumes) * plan.parts
    counting = COUNTING * (0.5 + max(true_pieces, 1) + judged + 1 + 6 * 3 / 12 + (2 + bool(true_pieces)) / 3)
    generating = GENERATING * len(volumes) * isinstance(volumes, ModelVolumes)
    slow = SLOW * sum(min(_MOST_SLOW, count) for count in (true_pieces, judged, bool(true_pieces)))
    return counting + generating + slow * (plan.config.slow and plan.material.kind is OutputKind.PHASES)


def _comparison(plan: Plan, judged: Side, sides: Sides, patches: Sequence[PatchRow]) -> Comparison:
    data = plan.truth.data
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
        {"settings": plan.settings, "versions": _versions(), "volumes": judged.histories},
    )


def _versions() -> dict[str, str]:
    """Of all that the numbers come from."""
    found = {"python": platform.python_version()}
    for package in ("napari-slicegan", "numpy", "scipy", "scikit-image", "torch", "taufactor"):
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
