"""Choosing data in a real window, from the drawing of a region to the model that was trained on it."""

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLineEdit

from napari_slicegan.core.model import SliceGAN
from napari_slicegan.plugin.phases import names_of, set_name
from tests.plugin.conftest import click, text_of, train_for, two_phases, until_idle


def test_a_model_of_a_region_with_named_phases(viewer, open_dock, qtbot):
    image = two_phases(48)
    image[36:] = np.arange(48)  # a data bar
    layer = viewer.add_labels(image, name="micrograph")
    set_name(layer, 1, "pore")
    dock = open_dock(viewer)
    assert text_of(dock.chooser.found).startswith("grey")
    click(dock.chooser.region.draw)
    assert not dock.start.enabled
    viewer.layers["training region"].add_rectangles([[0, 0], [35, 47]])
    qtbot.waitUntil(lambda: dock.start.enabled)
    assert text_of(dock.chooser.found) == "2 phases · pixel size unknown · 1 region, 36 \u00d7 48 px"
    train_for(dock, 3)
    click(dock.start)
    status = until_idle(dock, qtbot)
    info = SliceGAN.load(status.path).info
    assert info.provenance["images"] == ["micrograph, rows 0 to 36, columns 0 to 48"]
    assert (info.phases, info.phase_names) == ((1, 2), ("pore", ""))
    assert info.phase_colours[0].startswith("#")


def test_the_groups_fit_the_dock_and_are_reached_by_keyboard(train_dock, viewer, qtbot):
    dock = train_dock
    table = dock.chooser.below.phases
    table.group.open()
    qtbot.waitUntil(table.isVisible)
    assert sum(table.columnWidth(column) for column in range(4)) <= table.width() < dock.width() <= 360
    assert all(group.minimumSizeHint().width() < 320 for group in dock.chooser.groups)
    table.setFocus()
    table.setCurrentCell(0, 2)
    QTest.keyClick(table, Qt.Key.Key_F2)
    editor = table.findChild(QLineEdit)
    QTest.keyClicks(editor, "pore")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: names_of(viewer.layers[0]) == {1: "pore"})
