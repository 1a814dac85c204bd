"""The line at the top of a dock that says what to do next."""

from __future__ import annotations

from collections.abc import Callable

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from napari_slicegan.plugin.parts.dock import breakable
from napari_slicegan.plugin.preferences import preferences, set_preference

#: Of a blue that shows on a dark and on a light ground.
_STYLE = """
QFrame#hint { background: rgba(74, 144, 217, 40); border: 0; border-left: 3px solid #4a90d9; }
QFrame#hint QLabel { background: transparent; }
QFrame#hint QToolButton { background: transparent; border: 0; padding: 0; }
QFrame#hint QToolButton:hover, QFrame#hint QToolButton:focus { background: rgba(74, 144, 217, 90); }
"""


class HintBar(QWidget):
    """A sentence, a button that does what it says, and a cross that sends the hints away for good.

    Attributes
    ----------
    dismissed : Signal
        The user wants no hints any more.
    """

    dismissed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.label = QLabel()
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        self.label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.label.setToolTip("What to do next.")
        self.button = QPushButton()
        self.button.clicked.connect(self._act)
        self.close_button = QToolButton()
        self.close_button.setText("✕")
        self.close_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.close_button.setToolTip("Hide all hints; the preferences of the plugin bring them back.")
        self.close_button.setAccessibleName("Hide hints")
        self.close_button.clicked.connect(self._dismiss)
        self._slot: Callable[[], None] | None = None
        self._arrange()
        self.hide()

    def show_hint(self, text: str, action: str = "", slot: Callable[[], None] | None = None) -> None:
        """Show a sentence, or nothing.

        Parameters
        ----------
        text : str
            What to do next; empty for nothing.
        action : str
            What a button beside it is called; empty for none.
        slot : callable, optional
            What the button does.
        """
        self._slot = slot
        self.label.setText(breakable(text))
        self.button.setText(action)
        self.button.setToolTip(f"{action.rstrip('…')}." if action else "")
        self.button.setVisible(bool(action and slot))
        self.setVisible(bool(text) and preferences().hints)

    @property
    def is_shown(self) -> bool:
        """Whether there is a hint, and hints are wanted."""
        return not self.isHidden()

    def _arrange(self) -> None:
        frame = QFrame()
        frame.setObjectName("hint")
        frame.setStyleSheet(_STYLE)
        grid = QGridLayout(frame)
        grid.setContentsMargins(8, 5, 4, 5)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self.label, 0, 0)
        grid.addWidget(self.close_button, 0, 1, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.button, 1, 0, Qt.AlignmentFlag.AlignLeft)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(frame)

    def _act(self) -> None:
        if self._slot is not None:
            self._slot()

    def _dismiss(self) -> None:
        set_preference("hints", False)
        self.hide()
        self.dismissed.emit()
