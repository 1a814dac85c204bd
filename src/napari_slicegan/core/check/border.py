"""Data bars and scale bars that a microscope wrote into an image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.check.result import Crop, Finding, Severity, Topic

Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

_SEEN = 1024  # pixels of a line that are looked at
_ALIKE = 6  # grey levels: as much as JPEG blurs a uniform background
_UNIFORM = 0.97  # share of the pixels of a line of the background; a frame crosses it
_DEEPEST, _WIDEST_GAP = 1 / 3, 0.1  # of the image: of a bar, and of the text between two lines of background
_FEWEST_LINES, _OUTERMOST = 4, 3
_SMEARED = 4  # lines beside a band that JPEG mixes with it
_TONE = 8  # levels from black or white that a scale bar may have
_RARE = 0.05  # share of the image above which black or white is a part of the material


def border_findings(image: Bytes, number: int, phases: bool) -> list[Finding]:
    """Look for a band along an edge that is no part of the material, and for a drawn bar near one.

    Parameters
    ----------
    image : uint8 array (H, W)
        Indices of phases, or grey levels.
    number : int
        Which of the images it is.
    phases : bool
        Whether it is segmented.

    Returns
    -------
    list of Finding
        At most one, which offers the region without.
    """
    bands = _bands(image, 0 if phases else _ALIKE)
    if any(bands):
        bands = [band + (_SMEARED if band and not phases else 0) for band in bands]
        top, left, bottom, right = bands
        height, width = image.shape
        crop = Crop(number, top, left, height - bottom, width - right)
        sides = zip(bands, ("top", "left", "bottom", "right"), strict=True)
        names = [f"{band} pixels at the {side}" for band, side in sides if band]
        return [_finding(f"A data bar or an empty band covers {' and '.join(names)}", crop, max(bands))]
    bar = None if phases else _scale_bar(image)
    if bar is None:
        return []
    top, left, bottom, right = bar
    what = f"A scale bar seems to be drawn into the image, in rows {top} to {bottom} and columns {left} to {right}"
    return [_finding(what, _beside(image.shape, bar, number), bottom - top)]


def _finding(what: str, crop: Crop, size: int) -> Finding:
    sentence = (
        f"{what}: the generator would learn it as a part of the material. Use the region without it, rows {crop.top} "
        f"to {crop.bottom} and columns {crop.left} to {crop.right}: all else here is told of it."
    )
    return Finding(Severity.WARNING, Topic.BORDER, sentence, {"pixels": size}, crop)


def _bands(image: Bytes, tolerance: int) -> list[int]:
    """Pixels that bands cover at the top, left, bottom and right."""
    rows, columns = _uniform_lines(image, tolerance), _uniform_lines(image.T, tolerance)
    return [_band(lines) for lines in (rows, columns, rows[::-1], columns[::-1])]


def _uniform_lines(image: Bytes, tolerance: int) -> Bools:
    """Whether nearly all pixels of a row have one value: (H,)."""
    seen = image[:, :: max(1, image.shape[1] // _SEEN)].astype(np.int16)
    middle = np.partition(seen, seen.shape[1] // 2, axis=1)[:, seen.shape[1] // 2, None]
    uniform: Bools = (np.abs(seen - middle) <= tolerance).mean(axis=1) >= _UNIFORM
    return uniform


def _band(uniform: Bools) -> int:
    """How many lines from the first on belong to a band: up to the last line of its background."""
    size = len(uniform)
    deepest, gap = int(size * _DEEPEST), max(int(size * _WIDEST_GAP), 2)
    if uniform[deepest : size - deepest].any():  # then such lines are a part of the material
        return 0
    lines = np.flatnonzero(uniform[:deepest])
    if len(lines) < _FEWEST_LINES or lines[0] >= _OUTERMOST:
        return 0
    breaks = np.flatnonzero(np.diff(lines) > gap)
    last = int(lines[breaks[0]] if breaks.size else lines[-1])
    return last + 1 if np.count_nonzero(lines <= last) >= _FEWEST_LINES else 0


def _scale_bar(image: Bytes) -> tuple[int, int, int, int] | None:
    """Top, left, bottom and right of a drawn bar, with its text, in the outer fifth of an image."""
    from scipy.ndimage import find_objects, label

    height, width = image.shape
    for mask in (image >= 255 - _TONE, image <= _TONE):
        if not 0 < mask.mean() < _RARE:
            continue
        labels, _ = label(mask)
        boxes = find_objects(labels)
        for index, (rows, columns) in enumerate(boxes, start=1):
            tall, long = rows.stop - rows.start, columns.stop - columns.start
            centre = (rows.start + rows.stop) / (2 * height)
            if tall < 2 or long < max(5 * tall, 0.05 * width, 12) or 0.2 < centre < 0.8:
                continue
            if np.mean(labels[rows, columns] == index) < 0.98:
                continue
            around = (slice(max(rows.start - long // 2, 0), rows.stop + long // 2), columns)
            seen = [boxes[i - 1] for i in np.unique(labels[around]) if i]
            return (
                min(box[0].start for box in seen),
                min(box[1].start for box in seen),
                max(box[0].stop for box in seen),
                max(box[1].stop for box in seen),
            )
    return None


def _beside(shape: tuple[int, ...], bar: tuple[int, int, int, int], number: int) -> Crop:
    """The largest region above, below, left or right of a bar."""
    height, width = shape
    top, left, bottom, right = bar
    choices = [
        Crop(number, 0, 0, top, width),
        Crop(number, bottom, 0, height, width),
        Crop(number, 0, 0, height, left),
        Crop(number, 0, right, height, width),
    ]
    return max(choices, key=lambda crop: (crop.bottom - crop.top) * (crop.right - crop.left))
