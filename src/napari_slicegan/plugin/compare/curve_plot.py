"""The picture of a row: its curves with their bands, or dots with bars for numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_slicegan.core.comparison.result import Estimate, Row
from napari_slicegan.plugin.compare.columns import quantity_text, with_unit

if TYPE_CHECKING:
    from napari.components import ViewerModel

AXES = ("z", "y", "x")
#: Those of the report, as they are legible on dark and on light ground.
COLOURS = {"z": "#e0662f", "y": "#3b82d0", "x": "#2f9e7a", "": "#3b82d0"}
_RANDOM = "#8a8f98"
_BAND_ALPHA, _FAINT_ALPHA = 60, 150  # of 255
_HEIGHT = 140
_BAR = 1.96  # standard uncertainties on either side, where no interval is known
_ROOM = 0.6  # of the extent of the numbers, left free on either side


def along_axes(row: Row, rows: Sequence[Row]) -> dict[str, Row]:
    """The rows of the same quantity along z, y and x, by axis; the row itself alone, by "", if it has no axis."""
    parts = row.key.split("/")
    place = next((place for place, part in enumerate(parts) if part in AXES), None)
    if place is None:
        return {"": row}
    by_key = {each.key: each for each in rows} | {row.key: row}
    keys = {axis: "/".join([*parts[:place], axis, *parts[place + 1 :]]) for axis in AXES}
    return {axis: by_key[key] for axis, key in keys.items() if key in by_key}


class CurvePlot(QWidget):
    """The picture of the row that is looked at, with the same quantity along the other axes.

    Parameters
    ----------
    viewer : ViewerModel
        Whose theme is followed.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._shown: tuple[Row | None, Sequence[Row], str] = (None, (), "")
        self.title, self.legend = _line(Qt.TextFormat.PlainText), _line(Qt.TextFormat.RichText)
        self.plot: Any = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)
        self._layout.addWidget(self.title)
        self._layout.addWidget(self.legend)
        viewer.events.theme.connect(self._redraw)

    def show_row(self, row: Row | None, rows: Sequence[Row] = (), truth: str = "image") -> None:
        """Draw a row.

        Parameters
        ----------
        row : Row, optional
            To be drawn; None clears the picture.
        rows : sequence of Row
            All of the comparison.
        truth : str
            What the truth is called.
        """
        self._shown = row, rows, truth
        self.title.setText(quantity_text(row) if row else "")
        self.legend.setText("")
        if row is None and self.plot is None:
            return
        if self.plot is None:
            self._make_plot()
        self.plot.clear()
        self.plot.setVisible(row is not None)
        if row is not None:
            self._draw(row, along_axes(row, rows), truth)

    def _draw(self, row: Row, group: dict[str, Row], truth: str) -> None:
        from napari.utils.theme import get_theme

        theme = get_theme(self._viewer.theme)
        text = theme.text.as_hex()
        self.plot.setBackground(theme.background.as_hex())
        for side in ("left", "bottom"):
            axis = self.plot.getAxis(side)
            axis.setPen(text)
            axis.setTextPen(text)
        draw = self._draw_curves if row.is_curve else self._draw_numbers
        draw(row, group, truth, text)

    def _draw_curves(self, row: Row, group: dict[str, Row], truth: str, text: str) -> None:
        """Truth and volumes along each axis, those of the row itself on top."""
        self.plot.getAxis("left").setTicks(None)
        truths = {None if each.truth is None else each.truth.curve.tobytes() for each in group.values()}
        for axis, each in sorted(group.items(), key=lambda item: item[1] is row):
            colour = COLOURS[axis]
            inks = (text if len(truths) == 1 else colour, colour)  # one image may stand for all axes
            _draw_row(self.plot, each, inks, is_looked_at=each is row)
        self.plot.setLabel("bottom", with_unit(row.abscissa, row.x_unit))
        self.plot.enableAutoRange()
        self.legend.setText(_legend(group, truth, text, has_random=row.random is not None))

    def _draw_numbers(self, row: Row, group: dict[str, Row], truth: str, text: str) -> None:
        """Dots with bars: truth and volumes of each axis below each other, the random ones last."""
        sides: list[tuple[str, Estimate | None, str]] = []
        for axis, each in group.items():
            sides += [(f"{truth} {axis}", each.truth, text), (f"volumes {axis}", each.volumes, COLOURS[axis])]
        if len({each.truth and (each.truth.value, each.truth.interval) for each in group.values()}) == 1:
            sides = [(truth, row.truth, text), *sides[1::2]]  # one image stands for all axes
        lines = [(name.strip(), side, ink) for name, side, ink in sides if side and _is_known(side)]
        reach = _reach([side for _, side, _ in lines])
        if row.random is not None and _is_known(row.random):
            low, high = reach or (row.random.value, row.random.value)
            beyond = " →" if row.random.value > high else " ←" if row.random.value < low else ""
            lines.append((f"random{beyond}", row.random, _RANDOM))
        for height, (_, side, colour) in enumerate(reversed(lines)):
            _draw_number(self.plot, side, height, colour)
        self.plot.getAxis("left").setTicks([[(len(lines) - 1 - at, line[0]) for at, line in enumerate(lines)]])
        self.plot.setYRange(-0.6, max(len(lines), 1) - 0.4, padding=0)
        if reach:
            self.plot.setXRange(*reach, padding=0)
        self.plot.setLabel("bottom", with_unit("", row.unit))
        if not lines:
            self.legend.setText("There is no number to show.")

    def _make_plot(self) -> None:
        import pyqtgraph as pg  # takes a moment, and only this picture needs it

        self.plot = pg.PlotWidget(enableMenu=False)
        item = self.plot.getPlotItem()
        item.ctrlMenu.setParent(self)  # nobody opens it; a menu without a parent would outlive the window
        item.ctrlMenu.hide()
        item.hideButtons()
        item.showGrid(x=True, y=True, alpha=0.15)
        for side in ("left", "bottom"):
            self.plot.getAxis(side).enableAutoSIPrefix(False)
        self.plot.setMinimumHeight(_HEIGHT)
        self._layout.addWidget(self.plot, 1)

    def _redraw(self, _event: object = None) -> None:
        self.show_row(*self._shown)


def _draw_row(plot: Any, row: Row, inks: tuple[str, str], *, is_looked_at: bool) -> None:
    """The curves of a row, with the inks of truth and volumes; bands and noise only of the row that is looked at."""
    import pyqtgraph as pg

    if is_looked_at and row.random is not None:
        _draw_curve(plot, row.x, row.random, pg.mkPen(_RANDOM, width=1.5, style=Qt.PenStyle.DotLine), None)
    sides = ((row.truth, Qt.PenStyle.SolidLine), (row.volumes, Qt.PenStyle.DashLine))
    for (estimate, style), colour in zip(sides, inks, strict=True):
        if estimate is None:
            continue
        ink = pg.mkColor(colour)
        ink.setAlpha(255 if is_looked_at else _FAINT_ALPHA)
        pen = pg.mkPen(ink, width=2.5 if is_looked_at else 1.2, style=style)
        _draw_curve(plot, row.x, estimate, pen, colour if is_looked_at else None)


def _draw_curve(plot: Any, x: Any, estimate: Estimate, pen: Any, band: str | None) -> None:
    """A line, and the band that holds it; where nothing is known there is a gap."""
    import pyqtgraph as pg

    if estimate.curve.size != x.size:
        return
    if band is not None and estimate.low.size == x.size:
        known = np.isfinite(estimate.low) & np.isfinite(estimate.high)
        edges = [pg.PlotCurveItem(x[known], side[known]) for side in (estimate.low, estimate.high)]
        colour = pg.mkColor(band)
        colour.setAlpha(_BAND_ALPHA)
        plot.addItem(pg.FillBetweenItem(*edges, brush=colour))
    plot.plot(x, estimate.curve, pen=pen, connect="finite")


def _draw_number(plot: Any, estimate: Estimate, height: int, colour: str) -> None:
    """A dot, and the bar of its interval."""
    import pyqtgraph as pg

    low, high = _interval(estimate)
    pen = pg.mkPen(colour, width=2.5)
    plot.plot([low, high], [height, height], pen=pen)
    plot.plot([estimate.value], [height], pen=None, symbol="o", symbolSize=9, symbolBrush=colour, symbolPen=pen)


def _interval(estimate: Estimate) -> tuple[float, float]:
    """The interval of 95 %, as far as it is known."""
    low, high = estimate.interval
    if np.isfinite([low, high]).all():
        return low, high
    half = _BAR * estimate.uncertainty if np.isfinite(estimate.uncertainty) else 0.0
    return estimate.value - half, estimate.value + half


def _reach(estimates: Sequence[Estimate]) -> tuple[float, float] | None:
    """From where to where numbers go, with some room; None without any."""
    if not estimates:
        return None
    ends = np.array([_interval(estimate) for estimate in estimates])  # (N, 2)
    low, high = ends.min(), ends.max()
    room = _ROOM * (high - low) or 0.1 * abs(high) or 1.0
    return float(low - room), float(high + room)


def _is_known(estimate: Estimate) -> bool:
    return bool(np.isfinite(estimate.value))


def _legend(group: dict[str, Row], truth: str, text: str, *, has_random: bool) -> str:
    """What the lines mean, as rich text; nothing in it comes from outside."""
    axes = " ".join(f'<b style="color:{COLOURS[axis]}">{axis}</b>' for axis in group if axis)
    parts = [axes, f"<b>━</b> {truth}", "<b>╌</b> volumes", "<b>┈</b> random" if has_random else "", "band 95 %"]
    return f'<span style="color:{text}">{" · ".join(filter(None, parts))}</span>'


def _line(text_format: Qt.TextFormat) -> QLabel:
    label = QLabel()
    label.setTextFormat(text_format)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label
