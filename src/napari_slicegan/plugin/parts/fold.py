"""A part of a dock that is put away while it is not needed; what is in it may grow at any time."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget

_STYLE = """
QToolButton { border: 0; font-weight: bold; text-align: left; padding: 3px 2px; background: transparent; }
QToolButton:hover, QToolButton:focus { background: rgba(74, 144, 217, 90); }
"""


class Fold(QWidget):
    """Widgets below each other, under a title that shows or hides them.

    Parameters
    ----------
    title : str
        What they are.
    tooltip : str
        What they are for.
    *widgets : widget
        Of magicgui or Qt.
    is_open : bool
        Whether they are shown at first.
    """

    def __init__(self, title: str, tooltip: str, *widgets: Any, is_open: bool = True) -> None:
        super().__init__()
        self.title = QToolButton()
        self.title.setText(title)
        self.title.setToolTip(tooltip)
        self.title.setCheckable(True)
        self.title.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.title.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # a long title is cut off
        self.title.setStyleSheet(_STYLE)
        self.title.toggled.connect(self._show)
        self.content = QWidget()
        inner, outer = QVBoxLayout(self.content), QVBoxLayout(self)
        for layout in (inner, outer):
            layout.setContentsMargins(0, 0, 0, 0)
        for widget in widgets:
            inner.addWidget(getattr(widget, "native", widget))
        outer.setSpacing(2)
        outer.addWidget(self.title)
        outer.addWidget(self.content)
        self.title.setChecked(is_open)
        self._show(is_open)

    @property
    def is_open(self) -> bool:
        """Whether the widgets are shown."""
        return self.title.isChecked()

    def open(self, is_open: bool = True) -> None:
        """Show the widgets, or put them away."""
        self.title.setChecked(is_open)

    def text(self) -> str:
        """The title."""
        return str(self.title.text())

    def set_text(self, title: str) -> None:
        """Change the title."""
        self.title.setText(title)

    def _show(self, is_open: bool) -> None:
        self.title.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self.content.setVisible(is_open)
