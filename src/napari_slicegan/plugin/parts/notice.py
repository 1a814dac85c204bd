"""A sentence on a tinted ground: what hints and offers are made of."""

from __future__ import annotations

from qtpy.QtGui import QColor
from qtpy.QtWidgets import QFrame, QGridLayout, QVBoxLayout, QWidget

from napari_slicegan.plugin.parts.dock import text_label

_STYLE = """
QFrame#notice {{ background: rgba({tint}, 40); border: 0; border-left: 3px solid {colour}; }}
QFrame#notice QLabel {{ background: transparent; }}
QFrame#notice QToolButton {{ background: transparent; border: 0; padding: 0; }}
QFrame#notice QToolButton:hover, QFrame#notice QToolButton:focus {{ background: rgba({tint}, 90); }}
"""


class Notice(QWidget):
    """A line that is hidden until there is something to say.

    Parameters
    ----------
    colour : str
        "#rrggbb", one that shows on a dark and on a light ground.

    Attributes
    ----------
    label : QLabel
        The sentence.
    grid : QGridLayout
        Where the label and what is beside it are put.
    """

    def __init__(self, colour: str) -> None:
        super().__init__()
        self.label = text_label()
        frame = QFrame()
        frame.setObjectName("notice")
        tint = QColor(colour)
        frame.setStyleSheet(_STYLE.format(colour=colour, tint=f"{tint.red()}, {tint.green()}, {tint.blue()}"))
        self.grid = QGridLayout(frame)
        self.grid.setContentsMargins(8, 5, 8, 5)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(frame)
        self.hide()
