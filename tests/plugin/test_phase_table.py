"""The table of phases by itself: what is written to which layers, and what can be changed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.layers import Image, Labels
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QColorDialog, QTableWidgetItem

from napari_slicegan.plugin.images.phase_table import PhaseTable
from napari_slicegan.plugin.layers import image_of
from napari_slicegan.plugin.phases import LONGEST_NAME, names_of
from tests.plugin.conftest import two_phases


@pytest.fixture
def table(qtbot: Any) -> PhaseTable:
    """An empty table in its group."""
    made = PhaseTable()
    qtbot.addWidget(made.group)
    made.group.open()
    return made


def show(table: PhaseTable, *layers: Any, phases: tuple[int, ...] = (1, 2)) -> list[bool]:
    """Show the phases of layers, and give a list that grows with each change that is told."""
    told: list[bool] = []
    table.changed.connect(lambda: told.append(True))
    found = SimpleNamespace(phases=phases, shares=(1 / len(phases),) * len(phases))
    table.show_phases(layers, image_of(layers[0]).look, found)
    return told


def cell(table: PhaseTable, row: int, title: str) -> QTableWidgetItem:
    """A cell by the title of its column."""
    titles = [table.horizontalHeaderItem(column).text() for column in range(table.columnCount())]
    return table.item(row, titles.index(title))


def test_a_name_goes_to_all_layers_and_is_told_once(table):
    layers = Labels(two_phases()), Image(two_phases())
    told = show(table, *layers)
    assert told == []  # filling the table changes nothing
    cell(table, 1, "Name").setText(f"  {'x' * 200} ")
    assert [names_of(layer) for layer in layers] == [{2: "x" * LONGEST_NAME}] * 2
    assert told == [True]


def test_a_colour_goes_to_all_layers_and_the_others_stay(table, qtbot, monkeypatch):
    layers = Labels(two_phases()), Labels(two_phases(seed=1))
    before = layers[0].get_color(1)
    told = show(table, *layers)
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor("#123456"))
    table.setCurrentItem(cell(table, 1, "Colour"))
    QTest.keyClick(table, Qt.Key.Key_Return)
    assert told == [True]
    for layer in layers:
        np.testing.assert_allclose(layer.get_color(2), QColor("#123456").getRgbF(), atol=1e-3)
        np.testing.assert_allclose(layer.get_color(1), before, atol=3e-3)


def test_only_names_are_edited_in_their_cells(table):
    show(table, Labels(two_phases()))
    can = {title: bool(cell(table, 0, title).flags() & Qt.ItemFlag.ItemIsEditable) for title in ("Value", "Name")}
    assert can == {"Value": False, "Name": True}
    assert not cell(table, 0, "Colour").flags() & Qt.ItemFlag.ItemIsEditable


def test_what_is_not_drawn_is_hollow(table):
    colours = DirectLabelColormap(color_dict={0: "transparent", 2: "#ff0000", None: "transparent"})
    show(table, Labels(two_phases(values=(0, 2)), colormap=colours), phases=(0, 2))
    hollow, red = (cell(table, row, "Colour") for row in range(2))
    assert hollow.text()
    assert hollow.background().style() is Qt.BrushStyle.NoBrush
    assert "Not drawn" in hollow.toolTip()
    assert (red.text(), red.background().color()) == ("", QColor("#ff0000"))


@pytest.mark.parametrize(
    ("names", "title"),
    [
        ({1: "pore", 2: "grain"}, "Phases: pore, grain"),
        ({1: "pore"}, "Phases: 2"),
        ({1: "pore" * 10, 2: "grain"}, "Phases: 2"),
        ({}, "Phases: 2"),
    ],
)
def test_the_title_tells_names_that_fit(table, names, title):
    show(table, Labels(two_phases(), metadata={"phase_names": names}))
    assert table.group.text() == title
