"""What the docks have in common: a scroll area around a magicgui container."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from magicgui.widgets import ComboBox, Container, FloatSpinBox, Label, PushButton, SpinBox
from qtpy.QtCore import QEvent, QObject, QSize, Qt
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
#: Pixels around the column, beside the scroll bar, and of that in napari's themes.
_MARGIN, _GAP, _BAR = 6, 2, 13
_INDENT = 4  # of text, as in the boxes of the themes
#: napari's themes do not show which control has the keys; of a blue that shows on a dark and on a light ground.
_FOCUS = """
QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus, QTableView:focus { border: 1px solid #4a90d9 }
QPushButton:focus { border: 1px solid #4a90d9; padding: 3px }
QCheckBox:focus { background: rgba(74, 144, 217, 90) }
"""
_COMES_OR_GOES = (QEvent.Type.Show, QEvent.Type.Hide)
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
        self.setStyleSheet(_FOCUS)
        self._stack = QVBoxLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.setSpacing(0)
        self._stack.addWidget(self.area, 1)
        bar: Any = self.area.verticalScrollBar()
        bar.installEventFilter(self)
        self._bar = bar
        join_when_shown(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  (Qt's name)
        """Leave room for the scroll bar while it is not there, so that no row moves when it comes."""
        column: Any = self.area.widget()
        if watched is self._bar and event is not None and event.type() in _COMES_OR_GOES and column is not None:
            is_there = event.type() == QEvent.Type.Show
            column.layout().setContentsMargins(_MARGIN, _MARGIN, _GAP if is_there else _GAP + _BAR, _MARGIN)
        return super().eventFilter(watched, event)

    def fill(self, *widgets: Any, header: Sequence[Any] = (), footer: Sequence[Any] = ()) -> None:
        """Put widgets of magicgui or Qt below each other.

        Parameters
        ----------
        *widgets : widget
            These scroll.
        header, footer : sequence of widget
            These stay at the top and at the bottom.
        """
        content = _column(widgets)
        content.layout().addStretch()  # type: ignore[union-attr]
        self.area.setWidget(content)
        if header:
            top = _column(header)
            top.layout().setContentsMargins(_MARGIN, _MARGIN, _GAP + _BAR, 0)  # type: ignore[union-attr]
            self._stack.insertWidget(0, top)
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
    layout.setContentsMargins(_MARGIN, _MARGIN, _GAP + _BAR, _MARGIN)
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

    def add_wide(self, widget: QWidget) -> None:
        """Add a widget that takes a whole row."""
        self._layout.addRow(widget)

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
    """A label that breaks long lines instead of widening the dock; its text is shown as it is, whoever wrote it."""
    label.native.setTextFormat(Qt.TextFormat.PlainText)
    policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    policy.setHeightForWidth(True)
    label.native.setSizePolicy(policy)
    label.native.setStyleSheet("padding: 0px; margin: 0px")  # Qt counts a theme's padding twice for the height
    label.native.setIndent(_INDENT)
    label.native.setWordWrap(True)
    label.native.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return label


def text_label(tooltip: str = "") -> QLabel:
    """A label of Qt that breaks long lines instead of widening the dock; its text is shown as it is."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    label.setToolTip(tooltip)
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
