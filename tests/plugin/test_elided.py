"""Combo boxes with choices that are longer than they are wide."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QEvent, QPoint
from qtpy.QtGui import QHelpEvent, QImage
from qtpy.QtWidgets import QApplication, QComboBox

from napari_slicegan.plugin.images.elided import elide

LONG = "a micrograph of a battery cathode, {}, from the series of Monday"
TIP = "The image to train on."


@pytest.fixture
def new_combo(qtbot):
    """Makes narrow combo boxes of one choice, which are shown."""

    def make(text: str, *, elided: bool = True) -> QComboBox:
        combo = QComboBox()
        qtbot.addWidget(combo)
        combo.addItem(text)
        combo.setToolTip(TIP)
        combo.setFixedWidth(200)
        if elided:
            elide(combo)
        combo.show()
        qtbot.waitExposed(combo)
        return combo

    return make


def picture(combo: QComboBox) -> QImage:
    """A combo box as it is painted."""
    combo.clearFocus()
    return combo.grab().toImage()


def tooltip(combo: QComboBox) -> str:
    """What is shown when the mouse rests on a combo box."""
    QApplication.sendEvent(combo, QHelpEvent(QEvent.Type.ToolTip, QPoint(5, 5), combo.mapToGlobal(QPoint(5, 5))))
    return combo.toolTip()


def test_of_a_long_choice_both_ends_are_seen(new_combo):
    long = LONG.format(1)
    plain, shortened = picture(new_combo(long, elided=False)), picture(new_combo(long))
    assert plain == picture(new_combo(f"{long}!", elided=False))  # Qt cuts the end off
    assert shortened != picture(new_combo(f"{long}!"))
    assert shortened != picture(new_combo(f"x{long}"))
    assert shortened == picture(new_combo(LONG.format(2)))  # the middle is left out


def test_a_short_choice_is_painted_as_ever(new_combo):
    assert picture(new_combo("cathode")) == picture(new_combo("cathode", elided=False))
    assert picture(new_combo("cathode")) != picture(new_combo("fibres"))


def test_the_tooltip_of_a_long_choice_tells_all_of_it(new_combo):
    long = LONG.format(1)
    combo = new_combo(long)
    assert [tooltip(combo), tooltip(combo)] == [f"{long}\n\n{TIP}"] * 2
    combo.setItemText(0, "cathode")
    assert tooltip(combo) == TIP
    combo.setItemText(0, long)
    combo.setToolTip("Another tip.")
    assert tooltip(combo) == f"{long}\n\nAnother tip."
