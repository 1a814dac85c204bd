"""How well the images know the fraction of each phase, and how large they should be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from napari_slicegan.core.check.planes import Planes
from napari_slicegan.core.check.result import Finding, PhaseShare, Severity, Topic, worst_known
from napari_slicegan.core.check.words import Ruler, digits, percent
from napari_slicegan.core.statistics.representativity import NORMAL, Representativity, representativity

_FAR = 4.0  # multiples of the target error
_MEANINGLESS = 0.5  # of the way from the fraction to 0 or 1: no uncertainty above is told


def phase_shares(views: Sequence[Planes], names: Sequence[int], target_error: float) -> list[PhaseShare]:
    """The fraction of each phase in all images together, with what it is worth.

    Parameters
    ----------
    views : sequence of Planes
        Of phases, or of grey levels.
    names : sequence of int
        The value of each phase.
    target_error : float
        Half the wanted 95 % interval as a part of the fraction.

    Returns
    -------
    list of PhaseShare
        One for each phase; none for grey levels.
    """
    seen = [[representativity(view.pixels == phase) for view in views] for phase in range(_told(len(names)))]
    if len(names) == 2:
        seen.append([_rest(known) for known in seen[0]])
    return [_share(known, name, target_error) for known, name in zip(seen, names, strict=True)]


def fraction_findings(shares: Sequence[PhaseShare], target_error: float, edge: int, ruler: Ruler) -> list[Finding]:
    """Say how well the worst-known phase is known, where that is worse than wanted.

    Parameters
    ----------
    shares : sequence of PhaseShare
        Of all phases; none of grey levels.
    target_error : float
        Half the wanted 95 % interval as a part of the fraction.
    edge : int
        The shortest side of the images, in pixels.
    ruler : Ruler
        For the words.

    Returns
    -------
    list of Finding
        At most one: a warning if the error is four times as large as wanted or cannot be told, else a note.
    """
    if not shares:
        return []
    worst = worst_known(shares)
    low, high = worst.interval
    error = (high - low) / 2 / worst.fraction if worst.fraction else math.nan
    numbers = {"fraction": worst.fraction, "uncertainty": worst.uncertainty, "error": error}
    numbers["needed_edge"] = worst.needed_edge
    if not math.isfinite(worst.needed_edge):
        sentence = (
            f"The image is too small to tell what the fraction of {worst.label} ({percent(worst.fraction)} "
            f"here) is worth: its structures are too large for {edge} pixels. Use a larger image."
        )
        return [Finding(Severity.WARNING, Topic.FRACTION, sentence, numbers)]
    if error <= target_error:
        return []
    known = (
        f"is known to ±{percent(error, 2)} of itself ({percent(worst.fraction)} here, 95 % interval "
        f"{digits(100 * low, 3)} to {percent(high)})"
    )
    if not math.isfinite(error):
        known = f"cannot be told from this image ({percent(worst.fraction)} here)"
    sentence = (
        f"The fraction of {worst.label} in the material {known}: "
        f"±{percent(target_error)} of itself would take an image of {ruler.square(worst.needed_edge)}."
    )
    severity = Severity.NOTE if error <= _FAR * target_error else Severity.WARNING
    return [Finding(severity, Topic.FRACTION, sentence, numbers)]


def _told(phases: int) -> int:
    """How many phases have to be looked at: what is known of one of two is known of the other."""
    return 1 if phases == 2 else phases


def _rest(known: Representativity) -> Representativity:
    """What is known of all that is not in a phase."""
    low, high = known.interval
    return replace(known, fraction=1 - known.fraction, interval=(1 - high, 1 - low))


def _share(known: Sequence[Representativity], name: int, target_error: float) -> PhaseShare:
    """Put together what each image knows of a phase."""
    number = len(known)
    fraction = sum(image.fraction for image in known) / number
    uncertainty = math.sqrt(sum(image.uncertainty**2 for image in known)) / number
    half = NORMAL * uncertainty
    interval = known[0].interval if number == 1 else (max(fraction - half, 0.0), min(fraction + half, 1.0))
    reliable = all(image.is_reliable for image in known)
    edge = sum(image.needed_edge(target_error) for image in known) / number if reliable else math.nan
    if not reliable or uncertainty > _MEANINGLESS * min(fraction, 1 - fraction):
        uncertainty, interval = math.nan, (math.nan, math.nan)
    return PhaseShare(name, fraction, uncertainty, interval, edge)
