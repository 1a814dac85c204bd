"""The sides of a comparison: the truth, the volumes that are judged, and a random volume beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_slicegan.core.comparison.known import Known
from napari_slicegan.core.comparison.matching import Bytes, pieces
from napari_slicegan.core.comparison.measure import COUNTING, Measured, measure
from napari_slicegan.core.comparison.patches import PatchRow
from napari_slicegan.core.comparison.pictures import pictures_of_volume
from napari_slicegan.core.comparison.plan import Plan
from napari_slicegan.core.comparison.result import Picture
from napari_slicegan.core.comparison.samples import Volume
from napari_slicegan.core.comparison.steps import Steps

TRUTH, VOLUMES, RANDOM = "the truth", "the volumes", "a random volume"


@dataclass
class Side:
    """What is kept of the truth, of the volumes that are judged, or of a random one.

    Attributes
    ----------
    plan : Plan
        What is compared.
    in_slabs : bool
        Whether there are too few volumes to tell a spread.
    measured : list of Measured
        One for each piece.
    planes : dict of str to list of uint8 array (N, H, W) or (N, H, W, C)
        Planes of each volume for each row of patches.
    lines, notes, pictures, histories : list
        Of the volumes, as a `Comparison` has them.
    """

    plan: Plan
    in_slabs: bool
    measured: list[Measured] = field(default_factory=list)
    planes: dict[str, list[Bytes]] = field(default_factory=lambda: defaultdict(list))
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    histories: list[dict[str, Any]] = field(default_factory=list)

    def add(self, volume: Volume, patches: Sequence[PatchRow], steps: Steps) -> None:
        """Measure one more volume."""
        voxels, notes = self.plan.prepared(volume)
        self.measure(pieces(voxels, self.plan.piece), steps, volume.name)
        self.keep(voxels, patches)
        self.lines.append(f"{volume.name} ({' x '.join(map(str, volume.shape))})")
        self.notes += notes
        self.pictures = self.pictures or pictures_of_volume(voxels)
        self.histories.append({"name": volume.name, "shape": list(volume.shape), **volume.provenance})

    def measure(self, parts: Sequence[Bytes], steps: Steps, name: str) -> None:
        """Measure pieces of one volume."""
        plan = self.plan
        for number, part in enumerate(parts):
            which = f"{name}, piece {number + 1} of {len(parts)}" if len(parts) > 1 else name
            tell = steps.part(COUNTING, f"measuring {which}")
            self.measured.append(measure(part, plan.material, plan.config.slow_edge, self.in_slabs, tell))

    def keep(self, voxels: Bytes, patches: Sequence[PatchRow]) -> None:
        """Keep the planes of a volume whose patches are compared."""
        for row in patches:
            self.planes[row.key].append(row.planes_of(voxels))


def compare_patches(
    patches: Sequence[PatchRow], judged: Side, random: Side, steps: Steps
) -> dict[str, dict[str, Known]]:
    """Compare the patches of all volumes together, of a random one, and of halves of the truth."""
    known: dict[str, dict[str, Known]] = {TRUTH: {}, VOLUMES: {}, RANDOM: {}}
    for row in patches:
        volumes = np.concatenate(judged.planes[row.key])
        doing = f"comparing patches, {row.name}"
        known[TRUTH] |= row.of_truth(volumes, steps.part(COUNTING / 12, doing))
        known[VOLUMES] |= row.of_volumes(volumes, steps.part(COUNTING / 12, doing))
        noise = np.concatenate(random.planes[row.key])
        known[RANDOM] |= row.of_volumes(noise, steps.part(COUNTING / 12, doing))
    return known
