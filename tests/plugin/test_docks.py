"""Docks that open one another, and the hints at their top."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtWidgets import QDockWidget

from napari_slicegan.plugin.parts import hint_bar
from napari_slicegan.plugin.parts.docks import COMPARE, GENERATE, TRAIN, open_dock
from napari_slicegan.plugin.parts.hint_bar import HintBar
from napari_slicegan.plugin.preferences import Preferences


def dock_of(widget: Any) -> QDockWidget:
    dock = widget.parentWidget()
    assert isinstance(dock, QDockWidget)
    return dock


def is_in_front(widget: Any) -> bool:
    return not widget.visibleRegion().isEmpty()


def test_docks_are_tabs_of_each_other_and_open_once(viewer, qtbot):
    train = open_dock(viewer, TRAIN)
    _, compare = viewer.window.add_plugin_dock_widget("napari-slicegan", COMPARE)  # as the menu does
    qtbot.waitUntil(lambda: train.window().tabifiedDockWidgets(dock_of(train)) == [dock_of(compare)], timeout=5_000)
    qtbot.waitUntil(lambda: is_in_front(compare) and not is_in_front(train), timeout=5_000)
    assert dock_of(train).windowTitle() == "Train"
    qtbot.waitUntil(lambda: dock_of(compare).windowTitle() == "Compare", timeout=5_000)
    assert dock_of(compare).toggleViewAction().text() == "Compare volumes (napari-slicegan)"
    assert open_dock(viewer, TRAIN) is train
    qtbot.waitUntil(lambda: is_in_front(train) and not is_in_front(compare), timeout=5_000)
    dock_of(train).setFloating(True)
    assert open_dock(viewer, TRAIN) is train
    assert dock_of(train).isFloating()  # where the user has put it


@pytest.fixture
def bar(qtbot, monkeypatch):
    chosen: dict[str, Any] = {}
    monkeypatch.setattr(hint_bar, "preferences", lambda: Preferences(**chosen))
    monkeypatch.setattr(hint_bar, "set_preference", chosen.__setitem__)
    bar = HintBar()
    qtbot.addWidget(bar)
    bar.chosen = chosen
    return bar


def test_a_hint_and_what_its_button_does(bar):
    pressed = []
    bar.show_hint("Do this.", "Do it", lambda: pressed.append(True))
    assert (bar.isHidden(), bar.label.text(), bar.button.text()) == (False, "Do this.", "Do it")
    bar.button.click()
    assert pressed == [True]
    bar.show_hint("Wait.")
    assert bar.button.isHidden()
    bar.show_hint("")
    assert bar.isHidden()


def test_hints_that_were_sent_away_stay_away(bar):
    bar.show_hint("Do this.")
    bar.close_button.click()
    assert bar.chosen == {"hints": False}
    bar.show_hint("Do that.")
    assert bar.isHidden()


@pytest.mark.parametrize("name", [GENERATE, COMPARE])
def test_nothing_of_a_dock_is_left_when_its_window_has_gone(make_napari_viewer, name):
    open_dock(make_napari_viewer(show=True, strict_qt="raise"), name)  # which looks for widgets without a window
