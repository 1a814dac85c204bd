"""What the docks have in common: a scroll area around a magicgui container."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from magicgui.widgets import ComboBox, Container, FloatSpinBox, Label, PushButton, SpinBox
from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QFormLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_slicegan.plugin.parts.fold import Fold
from napari_slicegan.plugin.parts.tabs import join_when_shown

WIDTH = 360
#: Pixels that a widget is still useful at; the theme asks for more.
_NARROWEST: dict[Any, int] = {SpinBox: 40, FloatSpinBox: 40, ComboBox: 104}
NO_WIDTH = "\u200b"


class Dock(QWidget):
    """A column that scrolls, above a footer that stays in sight; narrow enough for the side of a window."""

    def __init__(self) -> None:
        super().__init__()
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QScrollArea.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(WIDTH)
        self._stack = QVBoxLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.setSpacing(0)
        self._stack.addWidget(self.area, 1)
        join_when_shown(self)

    def fill(self, *widgets: Any, footer: Sequence[Any] = ()) -> None:
        """Put widgets of magicgui or Qt below each other.

        Parameters
        ----------
        *widgets : widget
            These scroll.
        footer : sequence of widget
            These stay at the bottom.
        """
        content = _column(widgets)
        content.layout().addStretch()  # type: ignore[union-attr]
        self.area.setWidget(content)
        if footer:
            self._stack.addWidget(_column(footer))

    def widget(self) -> QWidget | None:
        """What scrolls."""
        return self.area.widget()

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """As wide as the column, as high as there is room for."""
        return QSize(WIDTH, 720)


def _column(widgets: Sequence[Any]) -> QWidget:
    """Widgets below each other."""
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(6, 6, 6, 6)
    for widget in widgets:
        layout.addWidget(getattr(widget, "native", widget))
    return column


class Rows(QWidget):
    """Widgets of magicgui below each other, with their labels in a column; a label may have two lines."""

    def __init__(self, *widgets: Any) -> None:
        super().__init__()
        self._layout = QFormLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.add(*widgets)

    def resizeEvent(self, event: Any) -> None:  # noqa: N802
        """Ask labels that wrap for their new heights, which Qt's form keeps otherwise."""
        super().resizeEvent(event)
        self._layout.invalidate()

    def add(self, *widgets: Any) -> None:
        """Add a row for each widget."""
        for widget in widgets:
            label = QLabel(widget.label.strip())
            label.setToolTip(widget.tooltip)
            if isinstance(widget, ComboBox):  # as wide as there is room, not as its longest choice
                widget.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            self._layout.addRow(label, widget.native)

    def name(self, widget: Any, text: str) -> None:
        """Give the row of a widget another label."""
        self._label(widget).setText(text)

    def show_row(self, widget: Any, visible: bool) -> None:
        """Show or hide the row of a widget."""
        widget.visible = visible
        self._label(widget).setVisible(visible)

    def _label(self, widget: Any) -> QLabel:
        label = self._layout.labelForField(widget.native)
        assert isinstance(label, QLabel)
        return label


def wrapped(label: Label) -> Label:
    """A label that breaks long lines instead of widening the dock."""
    policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    policy.setHeightForWidth(True)
    label.native.setSizePolicy(policy)
    label.native.setWordWrap(True)
    label.native.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return label


def breakable(text: str) -> str:
    """Let a path be broken between lines, by spaces of no width."""
    return text.replace("/", f"/{NO_WIDTH}").replace("_", f"_{NO_WIDTH}")


def collapsed(title: str, tooltip: str, *widgets: QWidget) -> Fold:
    """A group of widgets that is opened by its title."""
    return Fold(title, tooltip, *widgets, is_open=False)


def row(*widgets: Any, label: str = "", tooltip: str = "") -> Container[Any]:
    """Put widgets beside each other."""
    line: Container[Any] = Container(widgets=widgets, layout="horizontal", labels=False, label=label, tooltip=tooltip)
    line.margins = (0, 0, 0, 0)
    line.native.layout().setSpacing(4)
    for widget in widgets:
        widget.native.setMinimumWidth(_NARROWEST.get(type(widget), 0))
    return line


def numbers(boxes: Sequence[SpinBox | FloatSpinBox], *, label: str, tooltip: str) -> Container[Any]:
    """Put numbers beside each other, with room for digits instead of buttons: arrow keys and wheel do the same."""
    line = row(*boxes, label=label, tooltip=tooltip)
    for box in boxes:
        box.native.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        box.native.setStyleSheet("QAbstractSpinBox { min-width: 56px; padding: 1px 4px }")
    return line


def button(text: str, tooltip: str, slot: Any) -> PushButton:
    """A button that calls a slot without arguments."""
    made = PushButton(text=text, tooltip=tooltip)
    made.native.clicked.connect(lambda *_: slot())
    return made
