"""Specks of one or two pixels that a segmentation left behind."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.check.planes import Planes
from napari_slicegan.core.check.result import Finding, Severity, Topic
from napari_slicegan.core.check.words import percent

_MANY = 0.01  # of the pixels: no section of solid bodies has so many specks
_FEWEST, _SHARE = 20, 5e-4
_EXCESS = 4  # a section of solid bodies has at most about three single pixels for each pair


def speckle_findings(planes: Planes, names: tuple[str, ...]) -> list[Finding]:
    """Count the clusters of one and of two pixels, corners included, that lie inside of the image.

    Small sections of real bodies come in all sizes: single pixels are at most about three times as many as pairs.
    Noise makes far more of them.

    Parameters
    ----------
    planes : Planes
        Of phases.
    names : tuple of str
        What each phase is called in a sentence.

    Returns
    -------
    list of Finding
        One if the specks of a phase look like noise.
    """
    counts = [_specks(planes.pixels == phase) for phase in range(planes.phases)]
    area = planes.pixels.size
    noisy = [name for name, found in zip(names, counts, strict=True) if _looks_like_noise(*found, area)]
    if not noisy:
        return []
    pixels = sum(singles + 2 * pairs for singles, pairs in counts)
    specks = sum(singles + pairs for singles, pairs in counts)
    sentence = (
        f"{specks:,} specks of one or two pixels ({percent(pixels / area, 2)} of the image) look like noise of the "
        f"segmentation, in {', '.join(noisy)}: the generator would learn them. Remove them first, for example with "
        "a median filter."
    )
    numbers = {"specks": specks, "share": pixels / area}
    return [Finding(Severity.WARNING, Topic.SPECKLE, sentence, numbers)]


def _specks(indicator: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """How many clusters of (N, H, W) have one and two pixels; those at the border may go on beyond it."""
    from scipy.ndimage import label

    singles = pairs = 0
    for plane in indicator:
        labels, number = label(plane, np.ones((3, 3)))
        sizes = np.bincount(labels.ravel(), minlength=number + 1)
        sizes[0] = 0
        for border in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
            sizes[border] = 0
        singles += int(np.count_nonzero(sizes == 1))
        pairs += int(np.count_nonzero(sizes == 2))
    return singles, pairs


def _looks_like_noise(singles: int, pairs: int, area: int) -> bool:
    if singles + 2 * pairs >= _MANY * area and singles + pairs >= _FEWEST:
        return True
    return singles >= _FEWEST and singles >= _SHARE * area and singles > _EXCESS * (pairs + 2)
