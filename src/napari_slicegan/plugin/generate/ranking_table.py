"""The table of seeds that were tried, the best first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

if TYPE_CHECKING:
    from napari_slicegan.core.volume.selection import Candidate

_ROWS = 6
_BORDER = 4


class RankingTable(QTableWidget):
    """Seeds with the volume fractions of their phases, and the difference from the wanted one, in percent."""

    def __init__(self) -> None:
        super().__init__()
        self.setToolTip("The seeds that were tried, the best first. Select a row to set its seed.")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)  # Tab leaves the table, arrows move in it
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._columns, self._rows = QHeaderView(Qt.Orientation.Horizontal), QHeaderView(Qt.Orientation.Vertical)
        self._columns.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.setHorizontalHeader(self._columns)
        self.setVerticalHeader(self._rows)
        self._rows.hide()
        self._candidates: Sequence[Candidate] = ()
        self._names: Mapping[int, str] = {}

    @property
    def seed(self) -> int | None:
        """The seed of the selected row."""
        selected = self.selectedItems()
        return self._candidates[selected[0].row()].seed if selected else None

    def show_names(self, names: Mapping[int, str]) -> None:
        """Call phases by their names in the next ranking."""
        self._names = dict(names)

    def show_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Show a ranking, unless it is shown already."""
        if candidates is self._candidates:
            return
        self.clearContents()
        self._candidates = candidates
        phases = list(candidates[0].fractions) if candidates else []
        header = ["Seed", *(self._names.get(phase, f"Phase {phase}") for phase in phases), "Off by"]
        self.setRowCount(len(candidates))
        self.setColumnCount(len(header))
        self.setHorizontalHeaderLabels(header)
        for place, candidate in enumerate(candidates):
            percents = [*(candidate.fractions[phase] for phase in phases), candidate.difference]
            for column, text in enumerate([str(candidate.seed), *(f"{100 * part:.2f} %" for part in percents)]):
                self.setItem(place, column, QTableWidgetItem(text))
        height = self._rows.defaultSectionSize() * min(len(candidates), _ROWS)
        self.setFixedHeight(height + self._columns.sizeHint().height() + _BORDER)
