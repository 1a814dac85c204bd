"""Two widgets beside each other where there is room, else above each other."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QResizeEvent, QShowEvent
from qtpy.QtWidgets import QSplitter, QWidget


class Split(QSplitter):
    """Two widgets, and a border between them that the user may move.

    Parameters
    ----------
    wide : int
        Pixels from which the widgets are put beside each other, unless the place is higher than wide.
    beside, above : float
        Which part of the place the first widget gets when it is beside or above the second.
    """

    def __init__(self, wide: int, beside: float, above: float) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._wide, self._beside, self._above = wide, beside, above
        self.setChildrenCollapsible(False)

    def hold(self, first: QWidget, second: QWidget) -> None:
        """Put the two widgets into it."""
        for widget in (first, second):
            self.addWidget(widget)

    def divide(self) -> None:
        """Give both widgets their parts of the place."""
        is_beside = self.orientation() is Qt.Orientation.Horizontal
        size, part = (self.width(), self._beside) if is_beside else (self.height(), self._above)
        self.setSizes([round(part * size), round((1 - part) * size)])

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Turn when the place is no longer wide, or no longer narrow."""
        super().resizeEvent(event)
        is_wide = self.width() > max(self._wide, self.height())
        orientation = Qt.Orientation.Horizontal if is_wide else Qt.Orientation.Vertical
        if orientation is not self.orientation():
            self.setOrientation(orientation)
            self.divide()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Begin with both parts."""
        super().showEvent(event)
        self.divide()
