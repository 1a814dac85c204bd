"""Combo boxes that shorten a long choice with an ellipsis, and tell all of it in their tooltip."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter


def elide(combo: QComboBox) -> None:
    """Draw the chosen text with an ellipsis where there is no room for all of it.

    Parameters
    ----------
    combo : QComboBox
        Its tooltip then begins with the whole text.
    """
    combo.installEventFilter(_Painter(combo))


class _Painter(QObject):
    """Paints a combo box as its style does, with a shorter text. Qt leaves a long one cut off."""

    def __init__(self, combo: QComboBox) -> None:
        super().__init__(combo)
        self._combo, self._tooltip = combo, ""

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  (Qt's name)
        """Paint, and put the tooltip right before it is shown."""
        if event is None:
            return False
        if event.type() == QEvent.Type.ToolTip:
            self._tell()
            return False
        if event.type() != QEvent.Type.Paint:
            return False
        option = self._option()
        painter = QStylePainter(self._combo)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()
        return True

    def _option(self) -> QStyleOptionComboBox:
        combo, option = self._combo, QStyleOptionComboBox()
        option.initFrom(combo)
        option.frame = combo.hasFrame()
        option.subControls = QStyle.SubControl.SC_All
        style = combo.style()
        assert style is not None
        field = style.subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, combo
        )
        room = max(field.width() - 2, 0)
        option.currentText = combo.fontMetrics().elidedText(combo.currentText(), Qt.TextElideMode.ElideMiddle, room)
        return option

    def _tell(self) -> None:
        """Begin the tooltip with the text where it is shortened."""
        shown, text = self._combo.toolTip(), self._combo.currentText()
        if not self._tooltip or not shown.endswith(self._tooltip):
            self._tooltip = shown
        is_short = self._option().currentText == text
        self._combo.setToolTip(self._tooltip if is_short else f"{text}\n\n{self._tooltip}")
