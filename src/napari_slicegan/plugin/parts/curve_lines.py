"""One small plot of curves over the iterations. Imports pyqtgraph, so import it only to draw."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy.typing as npt
import pyqtgraph as pg
from qtpy.QtCore import QSize
from qtpy.QtGui import QColor, QPaintEvent, QWheelEvent

HEIGHT = 84


class LinePlot(pg.PlotWidget):  # type: ignore[misc]
    """Curves without menus or dragging, which adds up the seconds that it is painted.

    Parameters
    ----------
    colours : sequence of str
        One for each curve, as "#rrggbb".

    Attributes
    ----------
    seconds : float
        Spent on painting so far.
    """

    def __init__(self, colours: Sequence[str]) -> None:
        super().__init__(enableMenu=False, background=None)
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
        self.curves = [self.plot(pen=pg.mkPen(colour, width=1.5)) for colour in colours]

    def show_lines(self, lines: Sequence[tuple[npt.NDArray[Any], npt.NDArray[Any]]]) -> None:
        """Draw each curve through its points (x, y)."""
        for curve, (x, y) in zip(self.curves, lines, strict=True):
            curve.setData(x, y, symbol="o" if x.size == 1 else None, symbolSize=5)

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
        return QSize(200, HEIGHT)
