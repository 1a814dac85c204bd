"""The live curves: what they draw, and how seldom."""

from __future__ import annotations

import pytest

from napari_slicegan.core.events import Evaluation, Progress
from napari_slicegan.plugin.parts import curves_panel
from napari_slicegan.plugin.parts.curves_panel import CurvesPanel
from napari_slicegan.plugin.work.job import State
from napari_slicegan.plugin.work.run_view import RunView


def report(iteration: int) -> Progress:
    return Progress(iteration, 1.0, 0.1, 2.0, 3.0, 10.0 / iteration, 0.5, 0.0, 0.0)


@pytest.fixture
def panel(qtbot):
    panel = CurvesPanel()
    qtbot.addWidget(panel)
    return panel


def test_curves_follow_their_run_and_are_not_drawn_for_each_event(panel, qtbot, tmp_path):
    view = RunView(tmp_path)
    view.feed(report(1))
    panel.show_run(view)
    assert not panel.plots  # nobody looks
    panel.show()
    qtbot.waitExposed(panel)
    distance, penalty, errors = panel.plots
    assert distance.curves[0].getData()[1].tolist() == [10.0]
    assert errors.isHidden()  # nothing to show yet
    for iteration in range(2, 200):
        view.feed(report(iteration))
    view.feed(Evaluation(199, 0.03, 0.01))
    assert distance.curves[0].getData()[0].size == 1  # redrawn later, all at once
    qtbot.waitUntil(lambda: distance.curves[0].getData()[0].size == 199, timeout=15_000)
    assert penalty.curves[0].getData()[1].tolist() == [0.5] * 199
    assert [curve.getData()[1].tolist() for curve in errors.curves] == [[0.03], [0.01]]
    assert "0.03" in panel.titles[2].text()
    assert "1 %" in panel.titles[2].text()
    colours = [curve.opts["symbolBrush"] for plot in panel.plots for curve in plot.curves]
    assert len(set(colours)) == 4
    assert errors.curves[0].opts["symbol"] == "o"
    assert errors.viewRange()[1][0] <= 0.0 < 0.03 < errors.viewRange()[1][1]
    assert errors.getAxis("bottom").labelText == "iterations"
    assert min(distance.getAxis("bottom").tickSpacing(1, 3, 300))[0] == 1.0
    view.feed(report(200))
    assert panel._pause.remainingTime() > 100
    view.feed(State.FINISHED)
    assert panel._pause.remainingTime() == 0  # what stays is shown at once
    qtbot.waitUntil(lambda: distance.curves[0].getData()[0].size == 200, timeout=400)
    panel.show_run(None)
    assert distance.isHidden()
    view.feed(report(201))
    assert not panel._pause.isActive()  # of another run


def test_many_errors_are_drawn_without_marks(panel, qtbot, tmp_path):
    view = RunView(tmp_path)
    for iteration in range(1, 102):
        view.feed(Evaluation(iteration, 0.03, 0.01))
    panel.show_run(view)
    panel.show()
    qtbot.waitExposed(panel)
    assert [curve.opts["symbol"] for curve in panel.plots[2].curves] == [None, None]  # they would run together


def test_drawing_that_takes_long_is_done_less_often(panel, qtbot, tmp_path):
    view = RunView(tmp_path)
    view.feed(report(1))
    panel.show_run(view)
    panel.show()
    qtbot.waitExposed(panel)
    panel._own, panel._before = 0.05, 0.0
    panel._redraw()
    assert panel._gap >= 50 / curves_panel.SHARE >= 5000
    view.feed(report(2))
    assert panel._pause.remainingTime() > 4000
