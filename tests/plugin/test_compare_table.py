"""The table of a comparison and the picture of a row, without a window around them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPalette
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QStyleOptionViewItem

from napari_slicegan.core.comparison.result import Group, Judgement, Verdict
from napari_slicegan.plugin.compare.columns import VERDICT_COLOURS, quantity_text, tooltip_of
from napari_slicegan.plugin.compare.curve_plot import CurvePlot, along_axes
from napari_slicegan.plugin.compare.table import ComparisonTable
from napari_slicegan.plugin.compare.view import ComparisonView
from tests.core.comparisons import HOSTILE, a_comparison, a_grey_comparison

ROWS = a_comparison().rows


@pytest.fixture
def table(qtbot: Any) -> ComparisonTable:
    """The table of a comparison."""
    made = ComparisonTable()
    qtbot.addWidget(made)
    made.show_rows(ROWS, False)
    return made


@pytest.fixture
def plot(qtbot: Any) -> CurvePlot:
    """An empty picture."""
    made = CurvePlot(ViewerModel())
    qtbot.addWidget(made)
    return made


def column(table: ComparisonTable, title: str) -> list[str]:
    """The texts of a column from top to bottom."""
    model = table.model()
    titles = [model.headerData(at, Qt.Orientation.Horizontal) for at in range(model.columnCount())]
    at = titles.index(title)
    return [model.index(row, at).data() for row in range(model.rowCount())]


def sort_by(table: ComparisonTable, title: str, order: Qt.SortOrder) -> None:
    """Sort as a click on the title does."""
    model = table.model()
    titles = [model.headerData(at, Qt.Orientation.Horizontal) for at in range(model.columnCount())]
    table.sortByColumn(titles.index(title), order)


def test_the_rows_come_in_the_order_of_the_comparison(table):
    assert column(table, "Quantity") == [quantity_text(row) for row in ROWS]
    assert column(table, "Group") == [str(row.group) for row in ROWS]
    assert column(table, "Image")[0] == "0.412 ± 0.018"
    assert column(table, "Verdict")[3] == "✗ differs"
    assert column(table, "Image")[-1] == column(table, "Multiple")[-1] == "-"


@pytest.mark.parametrize("order", Qt.SortOrder)
def test_what_is_not_known_is_sorted_to_the_end(table, order):
    sort_by(table, "Multiple", order)
    texts = column(table, "Multiple")
    known = [float(text) for text in texts if text != "-"]
    assert texts[len(known) :] == ["-"] * 3
    assert known == sorted(known, reverse=order is Qt.SortOrder.DescendingOrder)
    sort_by(table, "Group", Qt.SortOrder.AscendingOrder)
    assert column(table, "Quantity")[0] == ROWS[0].name


def test_filters_by_group_and_verdict(table):
    table.show_only(Group.CORRELATIONS, None)
    assert len(column(table, "Group")) == 9
    table.show_only(Group.CORRELATIONS, Verdict.DIFFERS)
    assert column(table, "Quantity") == [f"S2 of {pair} along z" for pair in ("0-0", "0-1", "1-1")]
    table.show_only(Group.FRACTIONS, Verdict.DIFFERS)
    assert column(table, "Group") == []
    table.show_only(None, None)
    assert len(column(table, "Group")) == len(ROWS)


def test_keys_walk_through_the_rows_and_a_filter_moves_on(table, qtbot):
    seen: list[Any] = []
    table.looked_at.connect(seen.append)
    table.setCurrentIndex(table.model().index(0, 0))
    QTest.keyClick(table, Qt.Key.Key_Down)
    assert seen[-1] is ROWS[1]
    table.show_only(Group.SURFACES, None)
    assert seen[-1].group is Group.SURFACES
    table.show_only(Group.PATCHES, None)
    assert seen[-1] is None


def test_names_that_bite_stay_text(table):
    hostile = next(row for row in ROWS if HOSTILE in row.name)
    assert HOSTILE in column(table, "Quantity")[2]
    assert "<script>" not in tooltip_of(hostile)
    assert "&lt;script&gt;" in tooltip_of(hostile)
    only_3d = next(row for row in ROWS if row.judgement.verdict is Verdict.ONLY_3D)
    assert "Connectivity exists in 3D only." in tooltip_of(only_3d)
    assert str(Verdict.ONLY_3D) in tooltip_of(only_3d)


def test_a_true_volume_has_one_column_more(table):
    grey = a_grey_comparison()
    before = table.model().columnCount()
    table.show_rows(grey.rows, grey.truth_is_volume)
    assert table.model().columnCount() == before + 1
    assert column(table, "Natural") == ["0.9", "3.0"]
    assert len(column(table, "True volume")) == 2


def test_units_are_readable():
    line = next(row for row in ROWS if row.unit == "1/um^2")
    assert quantity_text(line).endswith(" (1/µm²)")


def test_the_same_quantity_along_the_other_axes():
    row = next(row for row in ROWS if row.key == "correlation/axis/y/0-1")
    keys = {axis: each.key for axis, each in along_axes(row, ROWS).items()}
    assert keys == {axis: f"correlation/axis/{axis}/0-1" for axis in "zyx"}
    assert along_axes(ROWS[0], ROWS) == {"": ROWS[0]}
    assert list(along_axes(row, [row])) == ["y"]


def curves(plot: CurvePlot) -> list[Any]:
    """The lines that are drawn."""
    return list(plot.plot.getPlotItem().listDataItems())


def test_curves_of_all_axes_with_bands_of_the_one_that_is_looked_at(plot):
    import pyqtgraph as pg

    row = next(row for row in ROWS if row.key == "correlation/axis/y/0-1")
    plot.show_row(row, ROWS)
    assert len(curves(plot)) == 3 * 2 + 1  # truth and volumes of each axis, one random
    np.testing.assert_array_equal(curves(plot)[-1].yData, row.volumes.curve)
    bands = [item for item in plot.plot.getPlotItem().items if isinstance(item, pg.FillBetweenItem)]
    assert len(bands) == 2
    assert plot.title.text() == row.name
    assert plot.plot.getAxis("bottom").labelText == "distance (µm)"
    assert all(axis in plot.legend.text() for axis in ("z</b>", "y</b>", "x</b>", "random", "image"))
    plot.show_row(None)
    assert not curves(plot)
    assert plot.title.text() == ""


def test_gaps_in_a_curve_and_sides_that_are_missing(plot):
    row = next(row for row in ROWS if row.key == "correlation/axis/y/0-1")
    broken = replace(row.volumes, curve=np.where(row.x < 5, np.nan, 1.0), low=np.full(row.x.shape, np.nan))
    plot.show_row(replace(row, truth=None, random=None, volumes=broken), [])
    assert len(curves(plot)) == 1
    assert "random" not in plot.legend.text()


def test_numbers_are_dots_with_bars(plot):
    row = next(row for row in ROWS if row.key == "surface/0-1")
    plot.show_row(row, ROWS, "true volume")
    (ticks,) = plot.plot.getAxis("left")._tickLevels
    assert [text for _, text in ticks] == ["true volume", "volumes", "random →"]
    low, high = plot.plot.getViewBox().viewRange()[0]
    assert low < row.truth.interval[0] < row.volumes.interval[1] < high < row.random.value
    others = [replace(row, key=f"surface/{axis}/0-1") for axis in "zyx"]
    plot.show_row(others[1], others)
    (ticks,) = plot.plot.getAxis("left")._tickLevels
    assert [text for _, text in ticks] == ["image", "volumes z", "volumes y", "volumes x", "random →"]
    others[0] = replace(others[0], truth=others[0].volumes)
    plot.show_row(others[1], others)
    (ticks,) = plot.plot.getAxis("left")._tickLevels
    assert [text for _, text in ticks][:3] == ["image z", "volumes z", "image y"]
    nothing = replace(row, truth=None, volumes=None, random=None, judgement=Judgement(Verdict.MISSING))
    plot.show_row(nothing, [nothing])
    assert not curves(plot)
    assert plot.legend.text() == "There is no number to show."


def test_the_picture_follows_the_theme(plot):
    plot.show_row(ROWS[0], ROWS)
    grounds = set()
    for theme in ("dark", "light"):
        plot._viewer.theme = theme
        grounds.add(plot.plot.backgroundBrush().color().name())
    assert len(grounds) == 2


def test_the_view_shows_another_comparison(qtbot):
    view = ComparisonView(ViewerModel())
    qtbot.addWidget(view)
    view.show_comparison(a_comparison())
    assert view.summary.text() == "agrees 9 · differs 4 · too small 1 · 3D only 2 · missing 1"
    assert "Of 17 quantities 9 agree" in view.summary.toolTip()
    view.verdict.value = Verdict.DIFFERS
    assert view.table.model().rowCount() == 4
    assert HOSTILE in view._notes.text()
    assert view._notes.textFormat() is Qt.TextFormat.PlainText
    view.show_comparison(a_grey_comparison())
    assert view.table.model().rowCount() == 2
    assert view.plot.title.text() == "Cumulative histogram"
    assert view.group.choices[1:] == (Group.HISTOGRAMS, Group.PATCHES)


def test_table_and_picture_are_beside_each_other_where_there_is_room(qtbot):
    view = ComparisonView(ViewerModel())
    qtbot.addWidget(view)
    view.show_comparison(a_comparison())
    view.resize(1000, 320)
    view.show()
    assert view.split.orientation() is Qt.Orientation.Horizontal
    view.resize(360, 700)
    assert view.split.orientation() is Qt.Orientation.Vertical
    assert min(view.split.sizes()) > 100


def selection_colour(table: ComparisonTable, row: int, title: str) -> QColor:
    """The colour of the text of a cell in a row that is selected."""
    model, option = table.model(), QStyleOptionViewItem()
    option.palette.setColor(QPalette.ColorRole.HighlightedText, QColor("white"))
    titles = [model.headerData(at, Qt.Orientation.Horizontal) for at in range(model.columnCount())]
    index = model.index(row, titles.index(title))
    table.itemDelegateForIndex(index).initStyleOption(option, index)
    return option.palette.color(QPalette.ColorRole.HighlightedText)


def test_a_verdict_keeps_its_colour_when_its_row_is_selected(table):
    verdicts = [row.judgement.verdict for row in ROWS]
    assert {Verdict.AGREES, Verdict.DIFFERS} <= set(verdicts)
    for row, verdict in enumerate(verdicts):
        assert selection_colour(table, row, "Verdict") == QColor(VERDICT_COLOURS[verdict])
        assert selection_colour(table, row, "Quantity") == QColor("white")
        index = table.model().index(row, 1)
        assert index.data(Qt.ItemDataRole.ForegroundRole) == QColor(VERDICT_COLOURS[verdict])


def test_numbers_stand_at_the_right_and_words_at_the_left(table):
    model = table.model()
    titles = [model.headerData(at, Qt.Orientation.Horizontal) for at in range(model.columnCount())]
    sides = {
        title: model.index(0, at).data(Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignHorizontal_Mask
        for at, title in enumerate(titles)
    }
    words = [title for title, side in sides.items() if side == Qt.AlignmentFlag.AlignLeft]
    assert words == ["Quantity", "Verdict", "Group"]
    assert {sides[title] for title in titles if title not in words} == {Qt.AlignmentFlag.AlignRight}
