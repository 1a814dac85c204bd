"""What a check of the images found: numbers, and findings that a person can act on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from napari_slicegan.core.choices import OutputKind


class Severity(StrEnum):
    """How much a finding matters; none of them keeps anybody from training."""

    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


class Topic(StrEnum):
    """What a finding is about."""

    STRUCTURE = "structure"
    FRACTION = "fraction"
    DIRECTIONS = "directions"
    DRIFT = "drift"
    SPECKLE = "speckle"
    VALUES = "values"
    SEGMENTATION = "segmentation"
    BORDER = "border"


@dataclass(frozen=True)
class Snap:
    """An offer: give each pixel of an image the nearest of a few values (`napari_slicegan.core.check.values.snap`).

    Attributes
    ----------
    image : int
        Which of the images.
    values : tuple of tuple of float
        For each phase the value that its pixels have, one number for each channel; phase 0 first.
    """

    image: int
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Crop:
    """An offer: use the rows from `top` to before `bottom` and the columns from `left` to before `right`.

    Attributes
    ----------
    image : int
        Which of the images.
    top, left, bottom, right : int
        In pixels, as for `--crop`.
    """

    image: int
    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Shrink:
    """An offer: train on all images shrunk so many times (`napari_slicegan.core.shrinking`), as for `--shrink`."""

    times: int


@dataclass(frozen=True)
class Finding:
    """Something that a person should know.

    Attributes
    ----------
    severity : Severity
        How much it matters.
    topic : Topic
        What it is about.
    sentence : str
        What was found, with its number, and what to do.
    numbers : dict of str to float
        Behind the sentence.
    offer : Snap, Crop or Shrink, optional
        What the program can do about it.
    """

    severity: Severity
    topic: Topic
    sentence: str
    numbers: dict[str, float]
    offer: Snap | Crop | Shrink | None = None


@dataclass(frozen=True)
class PhaseShare:
    """How much there is of a phase, over all images.

    Attributes
    ----------
    value : int
        Of the phase in the training image.
    fraction : float
        Its share of the pixels.
    uncertainty : float
        One standard uncertainty of the share as a statement about the material; nan when it cannot be told from these
        images, also where it would be more than half of the way from the fraction to 0 or 1.
    interval : (float, float)
        Holds the share of the material with a confidence of 95 %; nan with the uncertainty.
    needed_edge : float
        Edge in pixels of a square image that tells the share to the target error; nan when it cannot be told.
    name : str
        What the phase is called; empty if it has no name.
    """

    value: int
    fraction: float
    uncertainty: float
    interval: tuple[float, float]
    needed_edge: float
    name: str = ""

    @property
    def label(self) -> str:
        """What it is called in a sentence: its name, else "phase 2"."""
        return self.name or f"phase {self.value}"


def worst_known(shares: Sequence[PhaseShare]) -> PhaseShare:
    """The phase that needs the largest image, or one of which not even that can be told."""
    return max(shares, key=lambda share: share.needed_edge if math.isfinite(share.needed_edge) else math.inf)


@dataclass(frozen=True)
class Structure:
    """How large the largest structures are.

    Attributes
    ----------
    rows, columns : float
        Distance in pixels down the rows and across the columns after which the normalised two-point correlation of a
        phase, (S2(r) - f^2) / (f - f^2), has fallen below 0.1; of the phase with the longest. For disks it is
        about 0.8 of their diameter. Of intensities, S2 is that of the pixels brighter than the mean.
    is_bounded : bool
        False if it does not fall so far within half the image: the structures are larger than told.
    """

    rows: float
    columns: float
    is_bounded: bool

    @property
    def size(self) -> float:
        """The longer of both, in pixels."""
        return max(self.rows, self.columns)

    @property
    def mean(self) -> float:
        """Geometric mean of both, in pixels."""
        return math.sqrt(self.rows * self.columns)


@dataclass(frozen=True)
class ImageCheck:
    """All that a check found.

    Attributes
    ----------
    kind : OutputKind
        Phases, grey or colour.
    shapes : tuple of (int, int)
        Rows and columns of each image.
    phases : tuple of PhaseShare
        Empty for grey and colour.
    structure : Structure
        Of the image with the largest structures; where a drift was found, apart from it.
    edge : int
        Of a training crop, in pixels of the images before they are shrunk.
    recommended_edge : int
        A crop edge that shows enough of the largest structures, in the same pixels.
    scale : float
        By how much to shrink the images further so that crops of `edge` show enough; 1 when they do already.
    needed_edge : float
        Edge in pixels of a square image that tells the fraction of each phase to the target error; nan when that
        cannot be told.
    target_error : float
        Half the 95 % interval of the fraction as a part of the fraction.
    pixel_size, unit : float and str
        Of the images; unit "pixel" when unknown.
    findings : tuple of Finding
        The gravest first.
    shrink : int
        How many times the images will be shrunk before crops of `edge` / `shrink` pixels are taken.
    """

    kind: OutputKind
    shapes: tuple[tuple[int, int], ...]
    phases: tuple[PhaseShare, ...]
    structure: Structure
    edge: int
    recommended_edge: int
    scale: float
    needed_edge: float
    target_error: float
    pixel_size: float
    unit: str
    findings: tuple[Finding, ...]
    shrink: int = 1

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON; what cannot be told is None."""
        facts = asdict(self) | {"structure": asdict(self.structure) | {"size": self.structure.size}}
        for finding, given in zip(facts["findings"], self.findings, strict=True):
            finding["offer"] = given.offer and {"type": type(given.offer).__name__.lower(), **asdict(given.offer)}
        plain: dict[str, Any] = _plain(facts)
        return plain


def _plain(value: Any) -> Any:
    """Lists for tuples, None for nan, and text for enumerations."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, StrEnum):
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
