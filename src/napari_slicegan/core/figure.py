"""One picture of micrographs beside slices of a volume, to judge with the eye."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import AXES, TrainingData
from napari_slicegan.core.statistics.fractions import phase_fractions

Array = npt.NDArray[Any]
Colour = tuple[int, int, int]

PALETTE: tuple[Colour, ...] = (
    (31, 46, 77),
    (240, 181, 63),
    (86, 160, 196),
    (190, 74, 58),
    (246, 239, 224),
    (47, 143, 107),
    (168, 139, 196),
    (138, 143, 152),
)
"""Colours of the phases in ascending order; told apart by lightness too, for the colour-blind."""

_PAPER, _INK, _FADED = (255, 255, 255), (28, 33, 43), (107, 114, 126)
_PANEL, _MARGIN, _GAP = 384, 48, 32  # pixels
_CAPTION, _HEADING, _FOOTER = 56, 60, 108  # heights in pixels


@dataclass(frozen=True)
class _Panel:
    """A square picture (E, E, 3) with two lines above it."""

    title: str
    subtitle: str
    pixels: Array


def comparison(
    data: TrainingData, volume: Array, phase_names: Sequence[str] = (), *, oblique: bool = False
) -> Image.Image:
    """Draw the micrographs and the middle planes of a volume at one scale.

    Parameters
    ----------
    data : TrainingData
        What was trained on.
    volume : array (Z, Y, X) or (Z, Y, X, 3)
        Labels as in the training image, or uint8 intensities, with voxels of the pixels' size.
    phase_names : sequence of str
        What the phases are called; by their labels when left out.
    oblique : bool
        Whether to draw a plane between y and x as well, of which no training has seen anything.

    Returns
    -------
    PIL.Image.Image
        One row for isotropic materials (micrograph, then planes normal to z, y, x); otherwise
        the micrograph of each plane above that plane.
    """
    edge = min(*volume.shape[:3], *(size for s in data.sources for size in s.shape[1:3]))
    if len(data.sources) == 1:
        rows = [[_micrograph(data, 0, edge), *(_plane(data, volume, n, edge) for n in range(3))]]
    else:
        rows = [
            [_micrograph(data, normal, edge) for normal in range(3)],
            [_plane(data, volume, normal, edge) for normal in range(3)],
        ]
    if oblique:
        rows[-1].append(_oblique(data, volume, edge))
    side = edge * max(1, _PANEL // edge)
    width = 2 * _MARGIN + max(map(len, rows)) * (side + _GAP) - _GAP
    height = 2 * _MARGIN + _HEADING + len(rows) * (side + _CAPTION + _GAP) - _GAP + _FOOTER
    sheet = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    _text(draw, (_MARGIN, _MARGIN), "Micrograph and generated volume", 30)
    for row, panels in enumerate(rows):
        top = _MARGIN + _HEADING + row * (side + _CAPTION + _GAP)
        for column, panel in enumerate(panels):
            _paste(sheet, panel, (_MARGIN + column * (side + _GAP), top), side)
    bottom = height - _MARGIN - 42
    if data.kind is OutputKind.PHASES:
        _legend(draw, data, volume, phase_names, bottom)
    _scale_bar(draw, data, (width - _MARGIN, bottom), side / edge)
    return sheet


def scale_bar_length(extent: float) -> float:
    """The round length (1, 2 or 5 times a power of ten) nearest below a third of an extent."""
    power = 10.0 ** math.floor(math.log10(extent / 3))
    return max(step * power for step in (1, 2, 5) if step * power <= extent / 3 * (1 + 1e-9))


def _micrograph(data: TrainingData, normal: int, edge: int) -> _Panel:
    source, transposed = data.views[normal]
    stack = data.sources[source]
    image = stack[len(stack) // 2]
    image = image.swapaxes(0, 1) if transposed else image
    title = "Micrograph" if len(data.sources) == 1 else f"Micrograph normal to {AXES[normal]}"
    name = data.names[min(source, len(data.names) - 1)] if data.names else ""
    subtitle = _shortened(f"{edge} x {edge} pixels of {name}" if name else "")
    return _Panel(title, subtitle, _coloured(image, data, indices=True)[_centre(image, edge)])


def _plane(data: TrainingData, volume: Array, normal: int, edge: int) -> _Panel:
    position = volume.shape[normal] // 2
    image = volume.take(position, axis=normal)
    down, across = (axis for axis in AXES if axis != AXES[normal])
    subtitle = f"{AXES[normal]} = {position}, {down} down, {across} across"
    pixels = _coloured(image, data)[_centre(image, edge)]
    return _Panel(f"Volume normal to {AXES[normal]}", subtitle, pixels)


def _oblique(data: TrainingData, volume: Array, edge: int) -> _Panel:
    """The plane that contains z and stands at 45 degrees to y and x, each pixel the voxel that is nearest."""
    length = math.floor(math.sqrt(2) * (min(volume.shape[1:3]) - 1)) + 1
    along = np.rint(np.arange(length) / math.sqrt(2)).astype(int)
    pixels = _coloured(volume[:, along, along], data)
    return _Panel("Volume at 45° to y and x", "y = x, z down, x across", pixels[_centre(pixels, edge)])


def _coloured(image: Array, data: TrainingData, indices: bool = False) -> Array:
    """An image of phases, grey (H, W[, 1]) or colour as uint8 (H, W, 3)."""
    if data.kind is OutputKind.PHASES:
        places = image if indices else np.searchsorted(data.phases, image)
        return np.array(PALETTE, np.uint8)[places]
    image = image.reshape(*image.shape[:2], -1)
    return np.broadcast_to(image, (*image.shape[:2], 3))


def _centre(image: Array, edge: int) -> tuple[slice, slice]:
    top, left = ((size - edge) // 2 for size in image.shape[:2])
    return slice(top, top + edge), slice(left, left + edge)


def _paste(sheet: Image.Image, panel: _Panel, place: tuple[int, int], side: int) -> None:
    x, y = place
    draw = ImageDraw.Draw(sheet)
    _text(draw, (x, y), panel.title, 21)
    _text(draw, (x, y + 29), panel.subtitle, 15, _FADED)
    picture = Image.fromarray(np.ascontiguousarray(panel.pixels))
    sheet.paste(picture.resize((side, side), Image.Resampling.NEAREST), (x, y + _CAPTION))


def _legend(draw: ImageDraw.ImageDraw, data: TrainingData, volume: Array, names: Sequence[str], y: int) -> None:
    """The colour of each phase with its share in both; the shares are of the whole images."""
    whole = np.concatenate([source.ravel() for source in data.sources])
    before = phase_fractions(whole, range(data.channels))
    after = phase_fractions(volume, data.phases)
    x = float(_MARGIN)
    _text(draw, (x, y - 44), "Share of the phases in the micrograph / in the volume", 15, _FADED)
    for index, phase in enumerate(data.phases):
        draw.rectangle((x, y, x + 25, y + 25), PALETTE[index], outline=_FADED)
        name = names[index] if names else f"phase {phase}"
        _text(draw, (x + 36, y - 8), name, 17)
        shares = f"{before[index]:.1%} / {after[index]:.1%}"
        _text(draw, (x + 36, y + 15), shares, 15, _FADED)
        gap = 32 if data.channels < 7 else 10
        x += 36 + max(_width(draw, name, 17), _width(draw, shares, 15)) + gap


def _scale_bar(draw: ImageDraw.ImageDraw, data: TrainingData, corner: tuple[int, int], zoom: float) -> None:
    """A bar that ends at the right edge, with its length below it."""
    right, y = corner
    length = scale_bar_length(_PANEL / zoom * data.pixel_size)
    left = right - round(length / data.pixel_size * zoom)
    draw.rectangle((left, y + 6, right - 1, y + 13), _INK)
    label = f"{length:g} {'pixels' if data.unit == 'pixel' else data.unit}"
    width = _width(draw, label, 17)
    _text(draw, (min((left + right - width) / 2, right - width), y + 18), label, 17)


def _text(
    draw: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    size: int,
    colour: Colour = _INK,
) -> None:
    draw.text(place, text, colour, ImageFont.load_default(size))


def _width(draw: ImageDraw.ImageDraw, text: str, size: int) -> float:
    return draw.textlength(text, ImageFont.load_default(size))


def _shortened(text: str, longest: int = 50) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
