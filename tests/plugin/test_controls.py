"""Every control of every dock explains itself and is reached by the keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTextEdit,
    QWidget,
)

from napari_slicegan.plugin.parts.docks import COMPARE, GENERATE, RUNS, TRAIN, open_dock
from tests.plugin.conftest import two_phases

_CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
)
_PARTS = (QHeaderView, QScrollBar)
_WHOLES = (QAbstractItemView, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit, QTextEdit)


def controls(dock: QWidget) -> Iterator[Any]:
    """What a user can change or press, without the parts that Qt makes of it."""
    for widget in dock.findChildren(QWidget):
        if isinstance(widget, _CONTROLS) and not isinstance(widget, _PARTS) and not _is_part(widget, dock):
            yield widget


def _is_part(widget: QWidget, dock: QWidget) -> bool:
    """Whether a widget is within another control, as the line of a spin box is, or in a plot."""
    parent = widget.parentWidget()
    while parent is not None and parent is not dock:
        if isinstance(parent, _WHOLES) or type(parent).__module__.startswith("pyqtgraph"):
            return True
        parent = parent.parentWidget()
    return False


def _is_blank(widget: Any, dock: QWidget) -> bool:
    """Whether a button has nothing to press yet: it gets its words when it is shown."""
    is_empty = isinstance(widget, QAbstractButton) and not widget.text() and widget.icon().isNull()
    return is_empty and not widget.isVisibleTo(dock)


def tooltip(widget: QWidget, dock: QWidget) -> str:
    """What is shown when the mouse rests on a widget: Qt asks its parents where it has no text of its own."""
    while not widget.toolTip() and widget is not dock:
        widget = widget.parentWidget()
    return widget.toolTip()


def named(widget: Any) -> str:
    """A control for a message."""
    text = next((getattr(widget, name)() for name in ("text", "currentText") if hasattr(widget, name)), "")
    return f"{type(widget).__name__} {text or widget.objectName()!r}"


@pytest.mark.parametrize("name", [TRAIN, RUNS, GENERATE, COMPARE])
def test_every_control_has_a_tooltip_and_is_reached_by_tab(viewer, name):
    viewer.add_labels(two_phases(), name="micrograph")
    dock = open_dock(viewer, name)
    found = list(controls(dock))
    assert len(found) > 5
    silent = [named(widget) for widget in found if not _is_blank(widget, dock) and not tooltip(widget, dock)]
    assert not silent, silent
    out_of_reach = [named(widget) for widget in found if not widget.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert not out_of_reach, out_of_reach
    traps = [named(widget) for widget in found if isinstance(widget, QAbstractItemView) and widget.tabKeyNavigation()]
    assert not traps, traps
