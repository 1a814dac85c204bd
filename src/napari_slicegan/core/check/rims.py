"""Phases that are no phases: values that resizing left between two phases of a segmented image."""

from __future__ import annotations

import numpy as np

from napari_slicegan.core.check.planes import Planes
from napari_slicegan.core.check.result import Finding, Severity, Snap, Topic
from napari_slicegan.core.check.words import percent

_FLAT = 0.005  # largest share of the pixels of a rim with nothing else around them
_BETWEEN, _WIDTH = 0.8, 2  # least share with both a lower and a higher value within so many pixels


def rim_findings(planes: Planes, names: tuple[int, ...], number: int) -> list[Finding]:
    """Look for phases that are nothing but a rim of one or two pixels between lower and higher values.

    Resizing with interpolation and rounding makes them at each interface. A thin phase of a material hardly ever has
    all three: nowhere a body of 3 x 3 pixels, and everywhere one phase of a lower and one of a higher value near it.

    Parameters
    ----------
    planes : Planes
        Of phases, the first plane of which is looked at.
    names : tuple of int
        The value of each phase, ascending.
    number : int
        Which of the images it is.

    Returns
    -------
    list of Finding
        At most one, which offers to `Snap` to the other values.
    """
    rims = [name for name, is_rim in zip(names, _rims(planes), strict=True) if is_rim]
    bodies = [name for name in names if name not in rims]
    if not rims or len(bodies) < 2:
        return []
    share = float(np.isin(planes.pixels[0], [names.index(rim) for rim in rims]).mean())
    values, others = (", ".join(map(str, some)) for some in (rims, bodies))
    which = f"values {values} are" if len(rims) > 1 else f"value {values} is"
    sentence = (
        f"These labels seem to have been resized: the {which} only found in thin rims between lower and higher values "
        f"({percent(share, 2)} of the image), and would be learnt as phases. Snap each pixel to {others}."
    )
    offer = Snap(number, tuple((float(body),) for body in bodies))
    return [Finding(Severity.WARNING, Topic.VALUES, sentence, {"rims": len(rims), "share": share}, offer)]


def _rims(planes: Planes) -> list[bool]:
    """Of each phase, whether it is a rim."""
    from scipy.ndimage import maximum_filter, minimum_filter

    image = planes.pixels[0]
    if planes.phases < 3:
        return [False] * planes.phases
    body = minimum_filter(image, 3) == maximum_filter(image, 3)  # (H, W)
    around = 2 * _WIDTH + 1
    between = (minimum_filter(image, around) < image) & (image < maximum_filter(image, around))
    total, flat, inside = (
        np.bincount(image[mask], minlength=planes.phases) for mask in (np.ones_like(body), body, between)
    )
    rims: list[bool] = ((total > 0) & (flat <= _FLAT * total) & (inside >= _BETWEEN * total)).tolist()
    return rims
