"""What is counted and told of a material."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.comparison.quantity import Quantity, View
from napari_slicegan.core.comparison.sections import Layout, Sections
from napari_slicegan.core.comparison.sums import Sums, count, read

Floats = npt.NDArray[np.float64]

_EVENTS = 1.0  # the 95 % interval of a count of nothing then ends at 3 events (`judge.band`)


@dataclass(frozen=True)
class Material:
    """What all planes of one material are counted by.

    Attributes
    ----------
    kind : OutputKind
        Phases, grey or colour.
    phases : int
        How many there are; 0 for grey and colour.
    reach : int
        Longest distance of curves, in voxels.
    quantities : tuple of Quantity
        What is told.
    resamples : int
        How often boxes are drawn for an uncertainty.
    """

    kind: OutputKind
    phases: int
    reach: int
    quantities: tuple[Quantity, ...]
    resamples: int

    @property
    def levels(self) -> list[str]:
        """Keys of the fractions of the phases, or of the means of the channels."""
        return [each.key for each in self.quantities if each.key.startswith(("fraction/", "mean/"))]

    def count_boxes(self, sections: Sections, progress: Callable[[float], None]) -> list[list[Sums]]:
        """Count each box of each of the planes of a section."""
        sums: list[list[Sums]] = []
        for number, planes in enumerate(sections.planes):
            boxes = sections.boxes(number)
            sums.append([])
            for done, box in enumerate(boxes):
                progress((number + done / len(boxes)) / len(sections.planes))
                sums[-1].append(count(planes, self.kind, self.phases, box, self.reach))
        return sums

    def values(self, layout: Layout, sums: Sequence[Sums]) -> dict[str, Floats]:
        """Read all quantities from the counts of each of the planes."""
        view = View(layout, [read(each, self.kind, self.reach) for each in sums])
        return {each.key: each.read(view) for each in self.quantities}

    def least(self, layout: Layout, sums: Sequence[Sums]) -> dict[str, float]:
        """What is not known any better, of quantities that count rare events."""
        view = View(layout, [read(each, self.kind, self.reach) for each in sums])
        return {each.key: _EVENTS * float(each.least(view)) for each in self.quantities if each.least}
