"""The line at the top of a dock that says what to do next."""

from __future__ import annotations

from collections.abc import Callable

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton, QToolButton

from napari_slicegan.plugin.parts.dock import breakable
from napari_slicegan.plugin.parts.notice import Notice
from napari_slicegan.plugin.preferences import preferences, set_preference

_BLUE = "#4a90d9"


class HintBar(Notice):
    """A sentence, a button that does what it says, and a cross that sends the hints away for good.

    Attributes
    ----------
    dismissed : Signal
        The user wants no hints any more.
    """

    dismissed = Signal()

    def __init__(self) -> None:
        super().__init__(_BLUE)
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
        self.grid.setContentsMargins(8, 5, 4, 5)  # the cross goes further to the side
        self.grid.setColumnStretch(0, 1)
        self.grid.addWidget(self.label, 0, 0)
        self.grid.addWidget(self.close_button, 0, 1, Qt.AlignmentFlag.AlignTop)
        self.grid.addWidget(self.button, 1, 0, Qt.AlignmentFlag.AlignLeft)

    def _act(self) -> None:
        if self._slot is not None:
            self._slot()

    def _dismiss(self) -> None:
        set_preference("hints", False)
        self.hide()
        self.dismissed.emit()
