"""What a comparison found: a summary, filters, the table and the picture of a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_slicegan.core.comparison.report.words import summary
from napari_slicegan.core.comparison.result import Comparison, Group, Row, Verdict
from napari_slicegan.plugin.compare.columns import verdict_word
from napari_slicegan.plugin.compare.curve_plot import CurvePlot
from napari_slicegan.plugin.compare.split import Split
from napari_slicegan.plugin.compare.table import ComparisonTable
from napari_slicegan.plugin.parts.dock import collapsed, row, text_label

if TYPE_CHECKING:
    from napari.components import ViewerModel

_WIDE = 640
_TABLE_HEIGHT = 120
_ALL_GROUPS, _ALL_VERDICTS = "all groups", "all verdicts"


class ComparisonView(QWidget):
    """Shows a comparison; the table is beside the picture where there is room, else above it.

    Its `notes` are a group that the dock places where there is room.

    Parameters
    ----------
    viewer : ViewerModel
        Whose theme is followed.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self.comparison: Comparison | None = None
        self.summary, self._notes = text_label(), text_label()
        self.notes = collapsed("Notes", "What was assumed, converted or left out.", self._notes)
        self.notes.hide()
        self.group = ComboBox(choices=[_ALL_GROUPS], tooltip="Show the rows of one group.")
        self.verdict = ComboBox(choices=[_ALL_VERDICTS], tooltip="Show the rows of one verdict.")
        self.table, self.plot = ComparisonTable(), CurvePlot(viewer)
        self.table.setMinimumHeight(_TABLE_HEIGHT)
        self.table.setToolTip("What was compared: choose a row to see its curve.")
        self.table.setTabKeyNavigation(False)  # Tab leaves the table, arrows move in it
        self.split = Split(_WIDE, beside=0.55, above=0.5)
        self.split.hold(self.table, self.plot)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        for widget in (self.summary, row(self.group, self.verdict).native):
            layout.addWidget(widget)
        layout.addWidget(self.split, 1)
        for choice in (self.group, self.verdict):
            choice.changed.connect(self._filter)
        self.table.looked_at.connect(self._look)

    def show_comparison(self, comparison: Comparison) -> None:
        """Show what a comparison found, unless it is shown already."""
        if comparison is self.comparison:
            return
        self.comparison = comparison
        counts = comparison.counts
        self.summary.setText(" · ".join(f"{verdict_word(verdict)} {count}" for verdict, count in counts.items()))
        self.summary.setToolTip(summary(comparison))  # holds numbers and verdicts, and no names
        self._notes.setText("\n".join(comparison.notes))
        self.notes.setVisible(bool(comparison.notes))
        groups = dict.fromkeys(each.group for each in comparison.rows)
        with self.group.changed.blocked(), self.verdict.changed.blocked():
            self.group.choices = [(_ALL_GROUPS, _ALL_GROUPS), *((str(group), group) for group in groups)]
            self.verdict.choices = [
                (_ALL_VERDICTS, _ALL_VERDICTS),
                *((f"{verdict} ({count})", verdict) for verdict, count in counts.items()),
            ]
            self.group.value, self.verdict.value = _ALL_GROUPS, _ALL_VERDICTS
        self.table.shown.show_only(None, None)
        self.table.show_rows(comparison.rows, comparison.truth_is_volume)

    def _filter(self, *_: object) -> None:
        group, verdict = self.group.value, self.verdict.value
        self.table.show_only(
            group if isinstance(group, Group) else None, verdict if isinstance(verdict, Verdict) else None
        )

    def _look(self, looked_at: Row | None) -> None:
        if self.comparison is not None:
            truth = "true volume" if self.comparison.truth_is_volume else "image"
            self.plot.show_row(looked_at, self.comparison.rows, truth)
