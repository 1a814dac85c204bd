"""Whether rows and columns of an image tell of two different materials."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.check.planes import Planes
from napari_slicegan.core.check.result import Finding, Severity, Structure, Topic
from napari_slicegan.core.check.tiles import tile_counts, tile_means
from napari_slicegan.core.check.words import percent

_TILE = 3.0  # sizes of structures along a tile: what lies in two tiles is nearly independent
_FEWEST_TILES, _MOST_ALONG = 6, 8
_LAGS = (1 / 8, 1 / 4, 1 / 2)  # sizes of structures: there the interfaces speak, of which an image has many
_SMALLEST, _CHANCE = 0.08, 0.001
_NOTHING = 1e-3
_TWICE = 2.0  # from here on "times as often" reads better than "more"

Floats = npt.NDArray[np.float64]


def direction_findings(planes: Planes, structure: Structure, advice: str) -> list[Finding]:
    """Compare the rows of an image with its columns.

    Over a few short distances it is counted how often two pixels that far apart differ in phase (1 minus the sum of
    all S2; of grey levels it is the mean square difference). Down and across are compared tile by tile, and Student's
    t of the differences says whether chance could have made them.

    Parameters
    ----------
    planes : Planes
        One image.
    structure : Structure
        Its own, apart from a drift (`napari_slicegan.core.check.structure.level_structure_of`).
    advice : str
        What to do if they differ.

    Returns
    -------
    list of Finding
        One if they differ by more than 8 % with a chance of less than 0.1 %, which an isotropic image hardly ever
        has; none also where the image has too few structures to tell.
    """
    from scipy.special import stdtr

    image = planes.pixels[0]
    size = max(structure.mean, 1.0)
    counts = tile_counts(image.shape, _TILE * size, _MOST_ALONG)
    number = counts[0] * counts[1]
    if min(counts) < 2 or number < _FEWEST_TILES:
        return []
    best: tuple[float, int, float, float] | None = None
    for lag in sorted({max(1, round(part * size)) for part in _LAGS}):
        down, across = (_changes(image, axis, lag, counts, bool(planes.phases)) for axis in (0, 1))
        differences, mean = (down - across).ravel(), (down.mean() + across.mean()) / 2
        spread = differences.std(ddof=1) / math.sqrt(number)
        if not mean or not spread:
            continue
        chance = 2 * float(stdtr(number - 1, -abs(differences.mean() / spread)))
        difference = float(differences.mean() / mean)
        if abs(difference) > _SMALLEST and chance < _CHANCE and (best is None or chance < best[0]):
            best = chance, lag, difference, float(spread / mean)
    return [_finding(*best, bool(planes.phases), structure, advice)] if best else []


def _changes(image: npt.NDArray[np.uint8], axis: int, lag: int, counts: tuple[int, int], phases: bool) -> Floats:
    """How much pixels a distance apart along an axis differ, for each tile."""
    lines = np.moveaxis(image, axis, 0)
    far, near = lines[lag:], lines[:-lag]
    changes = far != near if phases else np.square(far.astype(np.float32) - near)
    return tile_means(np.moveaxis(changes, 0, axis), counts)


def _finding(
    chance: float, lag: int, difference: float, spread: float, phases: bool, structure: Structure, advice: str
) -> Finding:
    more, less = ("up and down", "left and right")[:: 1 if difference > 0 else -1]
    pixels = "neighbouring pixels" if lag == 1 else f"pixels {lag} apart"
    differ, much = ("differ in phase", "often") if phases else ("differ in brightness", "much")
    rest = 2 - abs(difference)
    ratio = (2 + abs(difference)) / rest if rest > _NOTHING else math.inf
    if math.isinf(ratio):
        compared = f"only {more}"
    elif ratio < _TWICE:
        compared = f"{percent(ratio - 1, 2)} (± {percent(spread, 2)}) more {much if phases else ''} {more} than {less}"
    else:
        compared = f"{ratio:.1f} times as {much} {more} as {less}"
    sentence = " ".join(f"The image looks anisotropic: {pixels} {differ} {compared}. {advice}".split())
    numbers = {
        "ratio": ratio,
        "uncertainty": spread,
        "lag": lag,
        "chance": chance,
        "rows": structure.rows,
        "columns": structure.columns,
    }
    return Finding(Severity.WARNING, Topic.DIRECTIONS, sentence, numbers)
