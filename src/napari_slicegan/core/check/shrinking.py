"""What shrinking makes of images: whether it can be done, and what is lost."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.check.result import Finding, Severity, Topic
from napari_slicegan.core.check.words import percent, phase_labels
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.shrinking import shrunk


def can_be_shrunk(data: TrainingData, times: int) -> bool:
    """Whether neither an image nor a phase is lost."""
    try:
        shrunk(data, times)
    except DataError:
        return False
    return True


def shrinking_findings(data: TrainingData, times: int, most: float) -> list[Finding]:
    """Compare the phases of images with those of the shrunk ones.

    Parameters
    ----------
    data : TrainingData
        The images as they are.
    times : int
        By how much they will be shrunk.
    most : float
        The part of itself that the fraction of a phase may change by.

    Returns
    -------
    list of Finding
        At most one: a problem where they cannot be shrunk so far, a warning where a fraction changes by more.
    """
    if times == 1:
        return []
    try:
        small = shrunk(data, times)
    except DataError as error:
        return [Finding(Severity.PROBLEM, Topic.STRUCTURE, str(error), {"times": times})]
    before, after = _fractions(data), _fractions(small)
    changes = np.abs(after / before - 1)
    worst = int(np.argmax(changes)) if len(changes) else 0
    if not len(changes) or changes[worst] <= most:
        return []
    sentence = (
        f"Shrinking by a factor of {times} leaves {percent(after[worst])} instead of {percent(before[worst])} of "
        f"{phase_labels(data)[worst]}, which is thin in places, and so much would be learnt: shrink the images less."
    )
    numbers = {"times": times, "before": float(before[worst]), "after": float(after[worst])}
    return [Finding(Severity.WARNING, Topic.FRACTION, sentence, numbers)]


def _fractions(data: TrainingData) -> npt.NDArray[np.float64]:
    """Share (P,) of each phase over all images."""
    pieces = [piece for source in range(len(data.sources)) for piece in data.pieces(source)] if data.phases else []
    total = sum(
        (np.bincount(piece.ravel(), minlength=len(data.phases)) for piece in pieces), np.zeros(len(data.phases))
    )
    return np.asarray(total / max(total.sum(), 1))
