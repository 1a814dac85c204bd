"""Docks of this plugin as tabs of each other, however they are opened."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

_JOINS = "napari-slicegan-joins"


def join_when_shown(widget: QWidget) -> None:
    """Make a widget's dock a tab of our other docks when it is shown first; the user may then move it."""
    widget.setProperty(_JOINS, True)
    widget.installEventFilter(_Joiner(widget))


def join_tabs(widget: QWidget) -> None:
    """Make a dock a tab of our other docks on the same side of the window, in front of them; once for each widget."""
    dock, window = _dock_around(widget), widget.window()
    if dock is None or not isinstance(window, QMainWindow) or not widget.property(_JOINS):
        return
    widget.setProperty(_JOINS, False)
    _shorten(dock)
    for other in window.findChildren(QDockWidget):
        inner = other.widget()
        is_ours = inner is not None and inner is not widget and inner.property(_JOINS) is not None
        if not is_ours or other.isHidden() or other.isFloating() or dock.isFloating():
            continue
        if window.dockWidgetArea(other) == window.dockWidgetArea(dock):
            window.tabifyDockWidget(other, dock)
            dock.show()
            dock.raise_()
            return


def _shorten(dock: QDockWidget) -> None:
    """Write one word on the tab, where four have no room for more; menus keep the whole name."""
    action: Any = dock.toggleViewAction()
    name = dock.windowTitle().partition(" ")[0]
    text = action.text()
    dock.setWindowTitle(name)
    action.setText(text)  # Qt takes it from the title


class _Joiner(QObject):
    """Waits for its parent to be shown."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._soon = QTimer(self)  # napari arranges the docks only after it has shown this one
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._join)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  (Qt's name)
        """Join when the widget is shown first."""
        if event is not None and event.type() == QEvent.Type.Show and self._widget.property(_JOINS):
            self._soon.start(0)
        return super().eventFilter(watched, event)

    def _join(self) -> None:
        join_tabs(self._widget)


def _dock_around(widget: QWidget) -> QDockWidget | None:
    parent: Any = widget.parentWidget()
    return parent if isinstance(parent, QDockWidget) else None
