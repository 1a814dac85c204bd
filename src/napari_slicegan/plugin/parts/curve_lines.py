"""One small plot of curves over the iterations. Imports pyqtgraph, so import it only to draw."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy.typing as npt
import pyqtgraph as pg
from qtpy.QtCore import QSize
from qtpy.QtGui import QColor, QPaintEvent, QWheelEvent

HEIGHT, _NAMED = 84, 16  # pixels: of a plot, and more with a name under its axis
_SYMBOL, _MOST_SYMBOLS = 4, 100  # pixels; more marks than that would run together, and take long


class _WholeNumbers(pg.AxisItem):  # type: ignore[misc]
    """An axis of iterations, of which there are no parts."""

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:  # noqa: N802
        """The distances of ticks and where each begins, none below 1."""
        found = {max(1.0, round(spacing)): offset for spacing, offset in super().tickSpacing(low, high, size)}
        return list(found.items())


class LinePlot(pg.PlotWidget):  # type: ignore[misc]
    """Curves without menus or dragging, which adds up the seconds that it is painted.

    Parameters
    ----------
    colours : sequence of str
        One for each curve, as "#rrggbb".
    has_symbols : bool
        Whether each point is marked, while they are few; a single one is in any case.
    is_from_zero : bool
        Whether the values are measured from 0.

    Attributes
    ----------
    seconds : float
        Spent on painting so far.
    """

    def __init__(self, colours: Sequence[str], *, has_symbols: bool = False, is_from_zero: bool = False) -> None:
        super().__init__(enableMenu=False, background=None, axisItems={"bottom": _WholeNumbers("bottom")})
        self.seconds = 0.0
        item = self.getPlotItem()
        item.ctrlMenu.setParent(self)  # nobody opens it; a menu without a parent would outlive the window
        item.ctrlMenu.hide()
        item.hideButtons()
        item.showGrid(y=True, alpha=0.15)
        self.setMouseEnabled(x=False, y=False)
        for side in ("left", "bottom"):
            self.getAxis(side).enableAutoSIPrefix(False)
        self.getAxis("left").setWidth(44)
        self.setFixedHeight(HEIGHT)
        self._has_symbols, self._is_from_zero = has_symbols, is_from_zero
        self.curves = [
            self.plot(pen=pg.mkPen(colour, width=1.5), symbolBrush=colour, symbolPen=colour, symbolSize=_SYMBOL)
            for colour in colours
        ]
        if is_from_zero:
            self.setLimits(yMin=0)

    def show_lines(self, lines: Sequence[tuple[npt.NDArray[Any], npt.NDArray[Any]]]) -> None:
        """Draw each curve through its points (x, y)."""
        for curve, (x, y) in zip(self.curves, lines, strict=True):
            is_marked = x.size == 1 or (self._has_symbols and x.size <= _MOST_SYMBOLS)
            curve.setData(x, y, symbol="o" if is_marked else None)
        if self._is_from_zero:
            highest = max((float(y.max()) for _, y in lines if y.size), default=0.0)
            self.setYRange(0, highest or 1.0, padding=0.08)

    def name_axis(self, text: str) -> None:
        """Write under the axis what it counts, or nothing."""
        axis = self.getAxis("bottom")
        if text != axis.labelText:
            axis.setLabel(text)
            axis.showLabel(bool(text))
            self.setFixedHeight(HEIGHT + (_NAMED if text else 0))

    def show_ink(self, ink: QColor) -> None:
        """Write axes and numbers in a colour."""
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setPen(ink)
            axis.setTextPen(ink)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """Draw, and take the time."""
        start = time.perf_counter()
        super().paintEvent(event)
        self.seconds += time.perf_counter() - start

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Leave the wheel to the dock, which scrolls."""
        event.ignore()

    def sizeHint(self) -> QSize:  # noqa: N802
        """As narrow as it has to be."""
        return QSize(200, self.maximumHeight())
