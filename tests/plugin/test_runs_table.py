"""The table of runs and the buttons below it: what they show and keep, without a window of napari."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from napari_slicegan.core.runs import RunState, RunSummary
from napari_slicegan.plugin.runs.buttons import BUTTONS, RunButtons, Situation
from napari_slicegan.plugin.runs.columns import COLUMNS, short_name
from napari_slicegan.plugin.runs.table import RunsTable
from tests.plugin.a_run import later


def summary(name: str, number: int = 0, **details: Any) -> RunSummary:
    path = Path("/runs") / name
    return RunSummary(path, name, **{"state": RunState.STOPPED, "started": later(number), **details})


@pytest.fixture
def table(qtbot) -> RunsTable:
    table = RunsTable()
    qtbot.addWidget(table)
    table.resize(340, 190)
    table.show()
    return table


def names(table: RunsTable) -> list[str]:
    return [run.name for run in table.runs]


def test_the_newest_run_is_on_top_and_every_column_sorts(table):
    runs = [
        summary("b", 1, images=("x",), iterations=9, correlation_error=0.5, state=RunState.FAILED),
        summary("A", 2, images=("z",), iterations=100, correlation_error=None, state=RunState.FINISHED),
        summary("c", 0, images=("y",), iterations=20, correlation_error=0.1, state=RunState.STOPPED),
    ]
    table.show_runs(runs)
    assert names(table) == ["A", "b", "c"]
    upwards = ["Abc", "bAc", "bcA", "cbA", "cbA", "bcA"]
    for column, expected in enumerate(upwards):
        table.sortByColumn(column, table.shown.sortOrder().AscendingOrder)
        assert "".join(names(table)) == expected, COLUMNS[column].title
    table.sortByColumn(3, table.shown.sortOrder().DescendingOrder)
    assert names(table) == ["b", "c", "A"]  # what is not known comes last both ways


def test_a_renewal_keeps_the_selected_run_and_the_place(table):
    runs = [summary(f"run {number:03d}", number) for number in range(200)]
    table.show_runs(runs)
    table.select(Path("/runs/run 100"))
    bar = table.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    place, told = bar.value(), []
    table.chosen.connect(told.append)
    table.show_runs(runs)
    assert (bar.value(), table.run.name, told) == (place, "run 100", [])
    changed = replace(runs[100], iterations=7)
    newer = summary("newer", 300)
    table.show_runs([newer, *runs[1:100], changed, *runs[101:]])
    assert (table.run, told) == (changed, [changed])
    assert names(table)[0] == "newer"
    assert "run 000" not in names(table)
    assert bar.value() == place
    table.show_runs([])
    assert table.run is None
    assert told[-1] is None


def test_names_and_dates_are_read_in_a_narrow_dock(table):
    twins = ["2026-11-22_152154_battery-cathode", "2026-11-22_153010_battery-cathode"]
    table.show_runs([summary(name, number) for number, name in enumerate(twins)])
    cells = [[table.shown.data(table.shown.index(row, column)) for column in range(6)] for row in range(2)]
    assert [cell[0] for cell in cells] == ["battery-cathode"] * 2
    assert cells[0][4] != cells[1][4]
    assert re.fullmatch(r"21 Nov \d\d:00", cells[0][4])
    assert twins[1] in table.shown.data(table.shown.index(0, 0), 3)  # the tooltip
    assert table.columnWidth(0) >= 104
    metrics = table.fontMetrics()
    assert table.columnWidth(4) > metrics.horizontalAdvance(cells[0][4]) + 6
    assert [short_name(name) for name in ("mine", "2026-11-22_152154", "2026-11-22 mine")] == [
        "mine",
        "2026-11-22_152154",
        "2026-11-22 mine",
    ]


def test_the_table_is_as_high_as_its_rows(table):
    heights = []
    for count in (0, 3, 4, 8, 9):
        table.show_runs([summary(f"run {number}", number) for number in range(count)])
        heights.append(table.height())
    assert heights[0] == heights[1] < heights[2] < heights[3] == heights[4]
    table.show_runs([summary(f"run {number}", number) for number in range(5)])
    table.resize(340, table.height())
    assert not table.verticalScrollBar().isVisible()  # the lowest row is not behind the horizontal one
    table.resize(900, table.height())
    assert not table.horizontalScrollBar().isVisible()


def test_names_from_files_are_no_markup(table):
    table.show_runs([summary("<img src=x>", message="<b>broken</b>")])
    tooltip = table.shown.data(table.shown.index(0, 0), 3)
    assert "&lt;img src=x&gt;" in tooltip
    assert "<b>" not in tooltip


def enabled(buttons: RunButtons) -> set[str]:
    return {name for name, button in buttons.buttons.items() if button.isEnabled()}


ALWAYS = {"rename", "delete", "folder"}


@pytest.mark.parametrize(
    ("state", "details", "expected"),
    [
        ("stopped", {}, {"generate", "start_from", "continue", *ALWAYS}),
        ("finished", {}, {"generate", "start_from", "continue", *ALWAYS}),
        ("interrupted", {"has_preview": True}, {"generate", "previews", "start_from", "continue", *ALWAYS}),
        ("failed", {"has_model": False}, ALWAYS),
        ("stopped", {"has_images": False}, {"generate", "start_from", *ALWAYS}),
        ("training", {}, {"generate", "start_from", "pause", "stop", "folder"}),
        ("paused", {"has_model": False}, {"pause", "stop", "folder"}),
        ("stopped", {"trains": True}, {"generate", "start_from", *ALWAYS}),
        ("stopped", {"loads": True}, {"start_from", "continue", *ALWAYS}),
    ],
)
def test_what_can_be_pressed(qtbot, state, details, expected):
    buttons = RunButtons({"newest": lambda: None, "all": lambda: None})
    qtbot.addWidget(buttons)
    details = {"has_images": True} | details
    run = summary("a", state=RunState(state), has_model=details.pop("has_model", True))
    buttons.show_situation(Situation(run, **details))
    assert enabled(buttons) == expected
    for name in BUTTONS.keys() - expected:
        assert buttons.buttons[name].toolTip() != BUTTONS[name][1]  # it says why
    assert buttons.buttons["pause"].text() == ("Res&ume" if state == "paused" else "P&ause")
    buttons.show_situation(Situation())
    assert not enabled(buttons)
