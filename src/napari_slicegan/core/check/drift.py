"""Whether a phase fraction or the brightness changes from one side of an image to the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.check.planes import Planes
from napari_slicegan.core.check.result import Finding, Severity, Structure, Topic
from napari_slicegan.core.check.tiles import tile_counts, tile_means
from napari_slicegan.core.check.words import percent

_TILE = 3.0  # sizes of structures along a tile
_FEWEST_TILES, _ENOUGH_TO_BEND, _MOST_ALONG = 9, 25, 8
_CHANCE = 0.001
_SMALLEST = 0.2  # of the fraction, or of the standard deviation of the grey levels

Floats = npt.NDArray[np.float64]


def drift_findings(planes: Planes, structure: Structure, names: tuple[str, ...]) -> list[Finding]:
    """Fit a plane, or a bent one, to the tiles of an image, and ask whether chance could have made it.

    Parameters
    ----------
    planes : Planes
        One image.
    structure : Structure
        Its own, apart from a drift (`napari_slicegan.core.check.structure.level_structure_of`).
    names : tuple of str
        What each phase is called in a sentence.

    Returns
    -------
    list of Finding
        At most one: of the phase (or the grey level) whose trend chance would make least often, if that is less than
        0.1 % and the trend is large enough to matter. None also where the image has too few structures to tell.
    """
    image = planes.pixels[0]
    counts = tile_counts(image.shape, _TILE * max(structure.size, 1.0), _MOST_ALONG)
    if min(counts) < 2 or counts[0] * counts[1] < _FEWEST_TILES:
        return []
    fields = [image == phase for phase in range(planes.phases)][planes.phases == 2 :] or [image]
    labels = names[planes.phases == 2 :] or ("",)
    found = [(*_trend(tile_means(field, counts)), label) for field, label in zip(fields, labels, strict=True)]
    chance, low, high, mean, label = min(found, key=lambda trend: trend[0])
    scale = mean if planes.phases else float(image.std())
    if chance * len(fields) > _CHANCE or high - low < _SMALLEST * scale:
        return []
    return [_finding(chance, low, high, mean, label)]


def _trend(tiles: Floats) -> tuple[float, float, float, float]:
    """The chance of a trend in tiles (T, U), the ends of the fitted surface, and the mean."""
    from scipy.special import fdtrc

    y, x = (axis.ravel() for axis in np.meshgrid(*(np.linspace(-1, 1, n) for n in tiles.shape), indexing="ij"))
    terms = [np.ones_like(y), y, x]
    if tiles.size >= _ENOUGH_TO_BEND:
        terms += [y * y, x * x, x * y]
    design, seen = np.stack(terms, axis=1), tiles.ravel()
    fitted = design @ np.linalg.lstsq(design, seen, rcond=None)[0]
    slopes, rest = len(terms) - 1, seen.size - len(terms)
    unexplained = float(np.square(seen - fitted).sum()) / rest
    explained = float(np.square(fitted - seen.mean()).sum()) / slopes
    chance = float(fdtrc(slopes, rest, explained / unexplained)) if unexplained else float(explained == 0)
    return chance, float(fitted.min()), float(fitted.max()), float(seen.mean())


def _finding(chance: float, low: float, high: float, mean: float, label: str) -> Finding:
    if not label:
        what = f"The brightness drifts across the image, from {low:.0f} to {high:.0f} grey levels around {mean:.0f}"
        advice = "Correct the illumination first: the generator would learn it as part of the material."
    else:
        low, high = max(low, 0.0), min(high, 1.0)  # a bent surface does not know that it ends there
        ends = f"from {percent(low, 2)} to {percent(high, 2)} around {percent(mean, 2)}"
        what = f"The fraction of {label} drifts across the image, {ends}"
        advice = (
            "If the illumination was uneven, correct it and segment again; if the material changes, choose a region "
            "that is alike throughout."
        )
    numbers = {"low": low, "high": high, "mean": mean, "chance": chance}
    sentence = f"{what}, more than its structures explain. {advice}"
    return Finding(Severity.WARNING, Topic.DRIFT, sentence, numbers)
