"""Data bars and scale bars that a microscope wrote into an image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.check.result import Crop, Finding, Severity, Topic

Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]  # top, left, bottom, right
Region = tuple[slice, slice]

_SEEN = 1024  # pixels of a line that are looked at
_ALIKE = 6  # grey levels: as much as JPEG blurs a uniform background
_UNIFORM = 0.97  # share of the pixels of a line of the background; a frame crosses it
_DEEPEST, _WIDEST_GAP = 1 / 3, 0.1  # of the image: of a bar, and of the text between two lines of background
_FEWEST_LINES, _OUTERMOST = 4, 3
_SMEARED = 4  # lines beside a band that JPEG mixes with it
_TONE = 8  # levels from black or white that a scale bar may have
_HALF = 0.5  # share of a line beside a scale bar that is black or white where it belongs to its box
_LOOKS = 3  # at what is left
_STRIP = 0.4  # of the image at the top and at the bottom: where a bar is looked for, with room for its text
_MOST_BODIES = 200_000  # in a strip: nothing but noise, which would take long
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
    found = _look(image, phases)
    if found is None:
        return []
    what, size, region = found
    for _ in range(_LOOKS - 1):  # a bar may hide another
        more = _look(image[region], phases)
        if more is None:
            break
        region = _within(region, more[2])
    (top, bottom), (left, right) = ((part.start, part.stop) for part in region)
    return [_finding(what, Crop(number, top, left, bottom, right), size)]


def _look(image: Bytes, phases: bool) -> tuple[str, int, Region] | None:
    """What lies along an edge, how many pixels wide it is, and the region without it."""
    height, width = image.shape
    bands = _bands(image, 0 if phases else _ALIKE)
    if any(bands):
        bands = [band + (_SMEARED if band and not phases else 0) for band in bands]
        top, left, bottom, right = bands
        sides = zip(bands, ("top", "left", "bottom", "right"), strict=True)
        names = [f"{band} pixels at the {side}" for band, side in sides if band]
        what = f"A data bar or an empty band covers {' and '.join(names)}"
        return what, max(bands), (slice(top, height - bottom), slice(left, width - right))
    bar = None if phases else _scale_bar(image)
    if bar is None:
        return None
    top, left, bottom, right = bar
    what = f"A scale bar seems to be drawn into the image, in rows {top} to {bottom} and columns {left} to {right}"
    return what, bottom - top, _beside(image.shape, bar)


def _within(outer: Region, inner: Region) -> Region:
    """A region of a region."""
    rows, columns = (slice(o.start + i.start, o.start + i.stop) for o, i in zip(outer, inner, strict=True))
    return rows, columns


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


def _scale_bar(image: Bytes) -> Box | None:
    """Top, left, bottom and right of a drawn bar, with its text, in the outer fifth of an image."""
    height = len(image)
    strip = round(_STRIP * height)  # all of a large image at once would hold up everything else in the process
    for dark in (False, True):
        mask = image <= _TONE if dark else image >= 255 - _TONE
        if not 0 < mask.mean() < _RARE:
            continue
        for first in (0, height - strip):
            if box := _bar_in(mask[first : first + strip], first, height):
                return _grown(image, box)
    return None


def _bar_in(mask: Bools, first: int, height: int) -> Box | None:
    """The box of a long and full body, with all that is near it, in the rows of a mask from the first on."""
    from scipy.ndimage import find_objects, label

    labels, count = label(mask)
    if count > _MOST_BODIES:
        return None
    boxes = find_objects(labels)
    for index, (rows, columns) in enumerate(boxes, start=1):
        tall, long = rows.stop - rows.start, columns.stop - columns.start
        centre = (first + (rows.start + rows.stop) / 2) / height
        if tall < 2 or long < max(5 * tall, 0.05 * mask.shape[1], 12) or 0.2 < centre < 0.8:
            continue
        if np.mean(labels[rows, columns] == index) < 0.98:
            continue
        around = (slice(max(rows.start - long // 2, 0), rows.stop + long // 2), columns)
        seen = [boxes[i - 1] for i in np.unique(labels[around]) if i]
        return (
            first + min(part[0].start for part in seen),
            min(part[1].start for part in seen),
            first + max(part[0].stop for part in seen),
            max(part[1].stop for part in seen),
        )
    return None


def _grown(image: Bytes, box: Box) -> Box:
    """A box with the lines beside it that belong to its background or frame: of one value, or black and white."""
    top, left, bottom, right = box
    size = 0
    while size != (size := bottom - top + right - left):  # until nothing is added
        columns, rows = slice(left, right), slice(top, bottom)
        top -= _drawn(image[:top, columns][::-1])
        bottom += _drawn(image[bottom:, columns])
        left -= _drawn(image[rows, :left].T[::-1])
        right += _drawn(image[rows, right:].T)
    return top, left, bottom, right


def _drawn(lines: Bytes) -> int:
    """How many lines (L, K) from the first on are drawn."""
    if not lines.size:
        return 0
    extreme = ((lines <= _TONE) | (lines >= 255 - _TONE)).mean(axis=1) >= _HALF
    drawn = _uniform_lines(lines, _ALIKE) | extreme
    return len(drawn) if drawn.all() else int(drawn.argmin())


def _beside(shape: tuple[int, ...], bar: Box) -> Region:
    """The largest region above, below, left or right of a bar."""
    height, width = shape
    top, left, bottom, right = bar
    every, across = slice(0, height), slice(0, width)
    choices = [
        (slice(0, top), across),
        (slice(bottom, height), across),
        (every, slice(0, left)),
        (every, slice(right, width)),
    ]
    return max(choices, key=lambda part: (part[0].stop - part[0].start) * (part[1].stop - part[1].start))
