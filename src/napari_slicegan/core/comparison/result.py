"""What a comparison found: rows of numbers and curves, each with its uncertainty and a verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.choices import OutputKind

Floats = npt.NDArray[np.float64]

CONFIDENCE = 0.95
"""Of the intervals that are told, and of the verdicts."""


class Verdict(StrEnum):
    """What a row says of the volumes."""

    AGREES = "agrees"
    DIFFERS = "differs"
    TOO_SMALL = "cannot tell: image too small"
    ONLY_3D = "a 2D image cannot tell"
    MISSING = "not computed"


class Group(StrEnum):
    """Rows that belong together."""

    FRACTIONS = "Volume fractions"
    CORRELATIONS = "Two-point correlation"
    LINEAL_PATHS = "Lineal path"
    CHORDS = "Chord lengths"
    SURFACES = "Interfaces"
    TRIPLE_LINES = "Triple lines"
    CONNECTIVITY = "Connectivity"
    THICKNESS = "Local thickness"
    TRANSPORT = "Diffusivity"
    HISTOGRAMS = "Histogram"
    GRADIENTS = "Gradient"
    TEXTURE = "Local binary patterns"
    PATCHES = "Patches"


@dataclass(frozen=True)
class Estimate:
    """A number, or a curve and the number that sums it up, with how well it is known.

    Attributes
    ----------
    value : float
        In the unit of its row.
    uncertainty : float
        One standard uncertainty of `value`, as a statement about the material or the generator; nan when unknown.
    interval : (float, float)
        Holds what is estimated with a confidence of 95 %.
    spread : float
        Standard deviation from piece to piece or from volume to volume; nan for a single one.
    curve : float array (R,)
        Over the abscissae of the row; empty for a single number.
    low, high : float array (R,)
        The band that holds each point of the curve with a confidence of 95 %; empty as the curve.
    """

    value: float
    uncertainty: float = float("nan")
    interval: tuple[float, float] = (float("nan"), float("nan"))
    spread: float = float("nan")
    curve: Floats = field(default_factory=lambda: np.empty(0))
    low: Floats = field(default_factory=lambda: np.empty(0))
    high: Floats = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True)
class Judgement:
    """How far volumes are from the truth.

    Attributes
    ----------
    verdict : Verdict
        In words.
    difference : float
        Volumes minus truth, in the unit of the row; for curves the mean absolute difference over all abscissae.
    multiple : float
        The difference divided by the combined standard uncertainty of both sides; about 1 is what chance does, 2 is
        the limit of agreement.
    natural : float
        The difference divided by the standard deviation between pieces of the truth, 1 being as close as one more
        piece of the material (of curves the root mean squares of both); nan unless the truth is a volume.
    """

    verdict: Verdict
    difference: float = float("nan")
    multiple: float = float("nan")
    natural: float = float("nan")


@dataclass(frozen=True)
class Row:
    """One quantity of the truth and of the volumes.

    Attributes
    ----------
    key : str
        Never changes from run to run: "correlation/axis/z/1-1".
    group : Group
        Of rows that belong together.
    name : str
        What it is, for people: "S2 of NMC along z".
    unit : str
        Of the values: "", "um", "1/um", "1/um^2".
    truth, volumes, random : Estimate or None
        Of the micrographs (or the true volume), of the volumes that are judged, and of volumes of uncorrelated voxels
        with the truth's own phase fractions or histogram; None where it does not exist or could not be computed.
    judgement, of_random : Judgement
        Of the volumes, and of the random ones, beside the truth.
    abscissa : str
        What a curve runs over: "distance"; empty for a single number.
    x_unit : str
        Of the abscissae.
    x : float array (R,)
        Empty for a single number.
    note : str
        Why it could not be computed, or what is assumed; a sentence, or empty.
    """

    key: str
    group: Group
    name: str
    unit: str
    truth: Estimate | None
    volumes: Estimate | None
    random: Estimate | None
    judgement: Judgement
    of_random: Judgement
    abscissa: str = ""
    x_unit: str = ""
    x: Floats = field(default_factory=lambda: np.empty(0))
    note: str = ""

    @property
    def is_curve(self) -> bool:
        """Whether there is more to see than a number."""
        return self.x.size > 0


@dataclass(frozen=True)
class Picture:
    """A plane to look at: (H, W) indices of phases, or (H, W) or (H, W, 3) uint8; of the truth or of a volume."""

    title: str
    pixels: npt.NDArray[np.uint8]
    of_truth: bool


@dataclass(frozen=True)
class Comparison:
    """All that a comparison found.

    Attributes
    ----------
    kind : OutputKind
        Phases, grey or colour.
    phases : tuple of int
        The label of each phase; empty for grey and colour.
    phase_names : tuple of str
        What the rows call them.
    voxel_size, unit : float and str
        Of both sides, after any conversion; unit "pixel" when unknown.
    truth : str
        What was compared with, in a line.
    truth_is_volume : bool
        Whether it is 3D.
    volumes : tuple of str
        What was judged, a line each.
    rows : tuple of Row
        In the order to show them.
    notes : tuple of str
        Sentences on what was assumed, converted or left out.
    pictures : tuple of Picture
        Three planes of the truth (or fewer) and three of the first volume, normal to z, y, x.
    provenance : dict
        Settings, versions, model and its history; plain JSON.
    """

    kind: OutputKind
    phases: tuple[int, ...]
    phase_names: tuple[str, ...]
    voxel_size: float
    unit: str
    truth: str
    truth_is_volume: bool
    volumes: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many rows have each verdict."""
        found = [row.judgement.verdict for row in self.rows]
        return {verdict: found.count(verdict) for verdict in Verdict if verdict in found}
