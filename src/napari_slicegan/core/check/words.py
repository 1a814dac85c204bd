"""Lengths, shares and whole checks as people read them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from napari_slicegan.core.check.result import Finding, ImageCheck, PhaseShare, Shrink, Topic, worst_known
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.words import readable


@dataclass(frozen=True)
class Ruler:
    """Puts lengths in pixels into words: the edge of a pixel and its unit, "pixel" when unknown."""

    pixel_size: float = 1.0
    unit: str = "pixel"

    def length(self, pixels: float) -> str:
        """A length as "17 pixels (6.8 um)"."""
        return f"{_digits(pixels)} pixel{'s' * (pixels != 1)}{self._metric(pixels, '')}"

    def square(self, pixels: float) -> str:
        """A square as "612 x 612 pixels (245 x 245 um)"."""
        edge = math.ceil(pixels)
        return f"{edge:,} x {edge:,} pixels{self._metric(edge, ' x ')}"

    def _metric(self, pixels: float, times: str) -> str:
        if self.unit == "pixel":
            return ""
        length = pixels * self.pixel_size
        number = f"{length:,.0f}" if length >= 1000 else digits(length, 3)
        return f" ({number}{times}{number if times else ''} {readable(self.unit)})"


def digits(value: float, number: int = 4) -> str:
    """Whole numbers as they are, all else with so many significant digits; never with an exponent."""
    if float(value).is_integer():
        return f"{value:.0f}"
    return np.format_float_positional(value, number, unique=False, fractional=False, trim="-")


def phase_labels(data: TrainingData) -> tuple[str, ...]:
    """What each phase is called in a sentence: its name, else "phase 2"."""
    names = data.phase_names or ("",) * len(data.phases)
    return tuple(name or f"phase {value}" for name, value in zip(names, data.phases, strict=True))


def percent(share: float, number: int = 3) -> str:
    """A share as "9.48 %" or "62.3 %"; more digits where there are more before the point."""
    value = 100 * share
    return f"{digits(value, number)} %" if value < 10**number else f"{value:,.0f} %"


def share_text(share: PhaseShare) -> str:
    """A fraction and its standard uncertainty as "10.5 ± 0.8 %", rounded to what is known."""
    value, error = 100 * share.fraction, 100 * share.uncertainty
    if not math.isfinite(error):
        return f"{percent(share.fraction)} (uncertainty cannot be told from this image)"
    places = max(0, 1 - math.floor(math.log10(error))) if error > 0 else 2
    if error > 0 and error * 10**places >= 25:  # two digits where the first is 1 or 2
        places = max(0, places - 1)
    return f"{value:.{places}f} ± {error:.{places}f} %"


def as_text(check: ImageCheck) -> str:
    """A check as lines for a terminal."""
    shapes = ", ".join(dict.fromkeys(f"{height} x {width}" for height, width in check.shapes))
    unit = readable(check.unit)
    size = "pixel size unknown" if check.unit == "pixel" else f"{check.pixel_size:g} {unit} per pixel"
    lines = [f"{check.kind}; {shapes}; {size}"]
    for share in check.phases:
        low, high = share.interval
        interval = f", 95 % interval {digits(100 * low, 3)} to {percent(high)}" if math.isfinite(low) else ""
        lines.append(f"  {share.label}: {share_text(share)}{interval}")
    lines += [f"  {structure_text(check)}", f"  {crop_text(check)}"]
    if check.phases:
        lines.append(f"  {needed_text(check)}")
    lines += ["", *map(_advice, check.findings)]
    return "\n".join(lines if check.findings else [*lines, "Nothing speaks against training on this."])


def _advice(finding: Finding) -> str:
    """A finding as a terminal shows it, with the option that does what it says."""
    option = f" (--shrink {finding.offer.times})" if isinstance(finding.offer, Shrink) else ""
    return f"{finding.severity}: {finding.sentence}{option}"


def structure_text(check: ImageCheck) -> str:
    """The size of the largest structures in a line."""
    structure, ruler = check.structure, Ruler(check.pixel_size, check.unit)
    least = "" if structure.is_bounded else "at least "
    return f"largest structures: {least}{ruler.length(structure.size)}"


def crop_text(check: ImageCheck) -> str:
    """The crop that is wanted beside the one that is there, and whether that will do, in a line."""
    is_told = any(finding.topic is Topic.STRUCTURE for finding in check.findings)
    will_do = ", enough" if check.scale == 1 else "" if is_told else ", nearly enough"
    wanted = f"crop that shows two of them: {check.recommended_edge} pixels"
    of_shrunk = f" ({check.edge // check.shrink} shrunk ones)" if check.shrink > 1 else ""
    return f"{wanted}; training crops have {check.edge}{of_shrunk}{will_do}"


def needed_text(check: ImageCheck) -> str:
    """The image that would tell the worst-known phase well enough, in a line."""
    what = f"for {worst_known(check.phases).label} to ±{percent(check.target_error)} of itself"
    if not math.isfinite(check.needed_edge):
        return f"image needed {what}: cannot be told from this image"
    return f"image needed {what}: {Ruler(check.pixel_size, check.unit).square(check.needed_edge)}"


def _digits(number: float) -> str:
    """Three digits at most, whole numbers from 10 on."""
    return f"{number:,.0f}" if number >= 10 else digits(number, 2)
