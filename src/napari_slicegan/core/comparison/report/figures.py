"""The curves of a comparison as drawings, and its planes as pictures with the colours of the other figures."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.comparison.result import Comparison, Estimate, Row
from napari_slicegan.core.figure import PALETTE
from napari_slicegan.core.words import readable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[Any]

COLOURS = {"z": "#c2410c", "y": "#2563a8", "x": "#2f8f6b", "": "#1f2e4d"}
"""Of the axes, and of what has none."""

_INK, _RANDOM = "#1c212b", "#8a8f98"
_SIZE = (3.4, 2.4)  # inches
_PLACE = (0.15, 0.17, 0.82, 0.79)  # of the axes; looking for the best place takes as long as drawing
_ALONG = re.compile(r"((,|\s+in|\s+of)?\s+planes)?\s+(along|normal to)\s+[zyx]\b")


@dataclass(frozen=True)
class Panel:
    """The curves of one quantity, along one axis or along all three.

    Attributes
    ----------
    group : str
        Of the rows.
    title : str
        What it is.
    rows : dict
        The row of each axis "z", "y", "x", or a single one of "".
    """

    group: str
    title: str
    rows: dict[str, Row]


def panels(comparison: Comparison) -> list[Panel]:
    """The curves with those that differ by their axis only in one panel, in the order of the rows."""
    found: dict[str, dict[str, Row]] = {}
    for row in comparison.rows:
        if row.is_curve:
            parts = row.key.split("/")
            axis = next((part for part in parts if part in ("z", "y", "x")), "")
            found.setdefault("/".join("*" if axis and part == axis else part for part in parts), {})[axis] = row
    return [_panel(rows) for rows in found.values()]


def _panel(rows: dict[str, Row]) -> Panel:
    first = next(iter(rows.values()))
    title = first.name if "" in rows else _ALONG.sub("", first.name)
    return Panel(first.group.value, title, rows)


def draw(panel: Panel) -> bytes:
    """Draw a panel as SVG: the truth as a line, the volumes dashed, both with their 95 % bands, random volumes dotted.

    Names come from outside and stay out of the drawing.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE)
    axes = figure.add_axes(_PLACE)
    rows = list(panel.rows.items())
    if _alike([row.truth for _, row in rows]):  # one image that stands for all axes
        _curve(axes, rows[0][1], rows[0][1].truth, _INK, "-")
    else:
        for axis, row in rows:
            _curve(axes, row, row.truth, COLOURS[axis], "-")
    for axis, row in rows:
        _curve(axes, row, row.volumes, COLOURS[axis], "--")
    limits = axes.get_ylim()  # random volumes may be far beyond
    _curve(axes, rows[0][1], rows[0][1].random, _RANDOM, ":", band=False)
    axes.set_ylim(limits)
    _dress(axes, rows[0][1])
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _alike(estimates: Sequence[Estimate | None]) -> bool:
    """Whether there are several, all with the same curve."""
    curves = [each.curve for each in estimates if each is not None]
    return len(curves) == len(estimates) > 1 and all(np.array_equal(curves[0], other) for other in curves[1:])


def _curve(axes: Axes, row: Row, side: Estimate | None, colour: str, style: str, band: bool = True) -> None:
    if side is None or side.curve.shape != row.x.shape:
        return
    if band and side.low.shape == side.high.shape == row.x.shape:
        axes.fill_between(row.x, side.low, side.high, color=colour, alpha=0.16, linewidth=0)
    axes.plot(row.x, side.curve, style, color=colour, linewidth=1.3)


def _dress(axes: Axes, row: Row) -> None:
    unit = f" ({readable(row.x_unit)})" if row.x_unit else ""
    axes.set_xlabel(f"{row.abscissa}{unit}", fontsize=8, color=_INK, parse_math=False)
    axes.margins(x=0)
    axes.tick_params(labelsize=7.5, colors=_INK, length=3, width=0.6)
    axes.grid(color="#d7dae0", linewidth=0.5)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_linewidth(0.6)


def picture(pixels: Array, kind: OutputKind) -> bytes:
    """A plane as PNG: phases in the colours of the palette, (H, W); grey and colour as they are."""
    from PIL import Image

    shown = np.array(PALETTE, np.uint8)[pixels] if kind is OutputKind.PHASES else pixels
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(shown)).save(buffer, "png")
    return buffer.getvalue()
