"""Numbers with their uncertainty, units and verdicts as people read them."""

from __future__ import annotations

import math

from napari_slicegan.core.comparison.result import Comparison, Estimate, Row, Verdict

_EXACT = 1e-6  # a relative uncertainty below which all digits that matter are certain
_FIXED = (1e-3, 1e5)  # sizes that are written without a power of ten
_COUNTED = {
    Verdict.AGREES: ("agrees", "agree"),
    Verdict.DIFFERS: ("differs", "differ"),
    Verdict.TOO_SMALL: ("cannot be told since the image is too small",) * 2,
    Verdict.ONLY_3D: (
        "exists in 3D only, where the image cannot tell",
        "exist in 3D only, where the image cannot tell",
    ),
    Verdict.MISSING: ("was not computed", "were not computed"),
}

SHORT = {verdict: verdict.value for verdict in Verdict} | {
    Verdict.TOO_SMALL: "image too small",
    Verdict.ONLY_3D: "2D cannot tell",
}
"""The verdicts as they stand in tables."""


def rounded(value: float, uncertainty: float = math.nan) -> str:
    """A number with as many digits as its uncertainty allows.

    Parameters
    ----------
    value : float
        The number.
    uncertainty : float
        One standard uncertainty; two digits of it are told. Nan when unknown.

    Returns
    -------
    str
        "0.412 ± 0.018", "(1.20 ± 0.15)e-06", "0.412" without an uncertainty, "-" for nan.
    """
    if math.isnan(value):
        return "-"
    size = max(abs(value), uncertainty)
    if not math.isfinite(value) or not _EXACT * size < uncertainty < math.inf:
        return f"{value + 0.0:.4g}"
    if not _FIXED[0] <= size < _FIXED[1]:
        power = math.floor(math.log10(size))
        return f"({rounded(value / 10.0**power, uncertainty / 10.0**power)})e{power:+03}"
    digits = 1 - int(f"{uncertainty:.1e}".split("e")[1])
    shown = max(0, digits)
    both = (round(number, digits) + 0.0 for number in (value, uncertainty))  # + 0.0 makes -0 a 0
    return " ± ".join(f"{number:.{shown}f}" for number in both)


def estimated(estimate: Estimate | None) -> str:
    """An estimate as `rounded`; "-" when there is none."""
    return "-" if estimate is None else rounded(estimate.value, estimate.uncertainty)


def scattered(estimate: Estimate | None) -> str:
    """An estimate with the spread between volumes behind ±, or with its uncertainty where there is but one volume."""
    if estimate is None:
        return "-"
    return rounded(estimate.value, estimate.uncertainty if math.isnan(estimate.spread) else estimate.spread)


def concise(text: str) -> str:
    """A number with what follows its ± in brackets: "0.412 ± 0.018" as "0.412(18)", "12.3 ± 1.6" as "12.3(1.6)"."""
    value, between, uncertainty = text.partition(" ± ")
    if not between:
        return value
    digits, closing, power = uncertainty.partition(")")
    short = digits if float(digits) >= 1 else digits.replace(".", "").lstrip("0")
    return f"{value}({short}){closing}{power}"


def difference(row: Row, of_random: bool = False) -> str:
    """How far the volumes of a row are from the truth: of a number with the combined uncertainty of both sides."""
    found = row.of_random if of_random else row.judgement
    if math.isnan(found.difference):
        return "-"
    if row.is_curve or not found.multiple or not math.isfinite(found.multiple):
        return f"{found.difference:.2g}"
    return rounded(found.difference, abs(found.difference / found.multiple))


def times(multiple: float) -> str:
    """How many times an uncertainty: "0.4", "12", ">999", "-"."""
    if math.isnan(multiple):
        return "-"
    if abs(multiple) >= 999.5:
        return ">999"
    return f"{multiple:.1f}" if abs(multiple) < 9.95 else f"{multiple:.0f}"


def summary(comparison: Comparison) -> str:
    """The verdicts of all rows in a sentence or two."""
    parts = [f"{count} {_COUNTED[verdict][count > 1]}" for verdict, count in comparison.counts.items()]
    text = f"Of {len(comparison.rows)} quantities {_listed(parts)}." if parts else "There is nothing to compare."
    told = [row for row in comparison.rows if row.of_random.verdict in (Verdict.AGREES, Verdict.DIFFERS)]
    if told:
        differ = sum(row.of_random.verdict is Verdict.DIFFERS for row in told)
        text += f" A random volume of the same composition differs in {differ} of the {len(told)} that tell of it."
    return text


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
