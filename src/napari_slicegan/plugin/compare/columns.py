"""What the table of a comparison shows of a row: its columns, and numbers as people read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from napari_slicegan.core.comparison.report.words import difference, estimated, rounded, scattered, times
from napari_slicegan.core.comparison.result import Estimate, Row, Verdict
from napari_slicegan.core.words import readable

VERDICT_WORDS = {
    Verdict.AGREES: "✓ agrees",
    Verdict.DIFFERS: "✗ differs",
    Verdict.TOO_SMALL: "? too small",
    Verdict.ONLY_3D: "3D only",
    Verdict.MISSING: "missing",
}
#: Legible on dark and on light ground.
VERDICT_COLOURS = {
    Verdict.AGREES: "#2f9e62",
    Verdict.DIFFERS: "#e0524a",
    Verdict.TOO_SMALL: "#c98a1b",
    Verdict.ONLY_3D: "#8a8f98",
    Verdict.MISSING: "#8a8f98",
}


@dataclass(frozen=True)
class Column:
    """A column of the table: its title, what it shows of a row, and by what it is sorted."""

    title: str
    tooltip: str
    text: Callable[[Row], str]
    key: Callable[[Row], float | str]
    is_number: bool = True


def columns_of(truth_is_volume: bool) -> tuple[Column, ...]:
    """The columns, those that matter most first."""
    truth = "True volume" if truth_is_volume else "Image"
    return (
        Column("Quantity", "What was measured, and its unit.", quantity_text, lambda row: row.name.lower(), False),
        Column(
            "Verdict",
            "What a row says of the volumes; the tooltip of a row says why.",
            lambda row: VERDICT_WORDS[row.judgement.verdict],
            lambda row: list(Verdict).index(row.judgement.verdict),
            False,
        ),
        Column(
            "Multiple",
            "The difference as a multiple of its uncertainty (of both sides combined); up to 2 is what chance does.",
            lambda row: times(row.judgement.multiple),
            lambda row: row.judgement.multiple,
        ),
        *([_NATURAL] if truth_is_volume else []),
        _estimate(truth, "± one standard uncertainty; of a curve, its mean.", estimated, lambda row: row.truth),
        _estimate(
            "Volumes",
            "Their mean ± the standard deviation between them; of a lone volume ± its uncertainty.",
            scattered,
            lambda row: row.volumes,
        ),
        Column(
            "Difference",
            "Volumes minus truth; of curves the mean absolute difference.",
            difference,
            lambda row: row.judgement.difference,
        ),
        _estimate("Random", "A volume of uncorrelated voxels.", _bare, lambda row: row.random),
        Column(
            "Random difference",
            "Random volume minus truth; of curves the mean absolute difference.",
            lambda row: difference(row, of_random=True),
            lambda row: row.of_random.difference,
        ),
        Column(
            "Random multiple",
            "The multiple of ± of volumes of uncorrelated voxels with the right volume fractions: "
            "what this quantity can tell apart at all.",
            lambda row: times(row.of_random.multiple),
            lambda row: row.of_random.multiple,
        ),
        Column("Group", "Sorts the rows as they were.", lambda row: str(row.group), lambda _: 0.0, False),
    )


_NATURAL = Column(
    "Natural",
    "The difference divided by the standard deviation between pieces of the true volume; "
    "1 is as close as one more piece of the material.",
    lambda row: times(row.judgement.natural),
    lambda row: row.judgement.natural,
)


def verdict_word(verdict: Verdict) -> str:
    """A verdict without its sign."""
    return VERDICT_WORDS[verdict].lstrip("✓✗? ")


def quantity_text(row: Row) -> str:
    """The name of a row with its unit, as people write it."""
    return with_unit(row.name, row.unit)


def with_unit(name: str, unit: str) -> str:
    """A name with a unit such as "um" or "1/um^2" behind it."""
    return f"{name} ({readable(unit)})".strip() if unit else name


def tooltip_of(row: Row) -> str:
    """All about a row, as the rich text that Qt takes it for: names may hold anything."""
    parts = [quantity_text(row), str(row.judgement.verdict), row.note]
    return "<br>".join(f"<span>{escape(part)}</span>" for part in parts if part)


def _bare(estimate: Estimate | None) -> str:
    return "-" if estimate is None else rounded(estimate.value)


def _estimate(
    title: str, tooltip: str, text: Callable[[Estimate | None], str], side: Callable[[Row], Estimate | None]
) -> Column:
    """A column of numbers with what is known of them."""

    def key(row: Row) -> float:
        estimate = side(row)
        return float("nan") if estimate is None else estimate.value

    return Column(title, tooltip, lambda row: text(side(row)), key)
