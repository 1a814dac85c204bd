"""The table of runs, which may be renewed at any time without losing one's place in it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from psygnal import Signal
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt
from qtpy.QtGui import QResizeEvent, QShowEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from napari_slicegan.core.runs import RunSummary
from napari_slicegan.plugin.runs.columns import COLUMNS, DATE, state_text

_LEADING, _SPACE = 8, 16  # pixels around the text of a cell
_FEWEST, _MOST = 3, 8  # rows in sight
_NAME = 104  # pixels that a name has at least
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class RunsModel(QAbstractTableModel):
    """Runs as Qt's views want them.

    Attributes
    ----------
    runs : list of RunSummary
        In no order that is seen.
    """

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[RunSummary] = []

    def show_runs(self, runs: Sequence[RunSummary]) -> None:
        """Show these runs: rows of runs that have gone go, new ones come, the others are renewed in place."""
        now = {run.path: run for run in runs}
        for row in reversed(range(len(self.runs))):
            if self.runs[row].path not in now:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self.runs[row]
                self.endRemoveRows()
        for row, before in enumerate(self.runs):
            run = now.pop(before.path)
            if run != before:
                self.runs[row] = run
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))
        if now:
            self.beginInsertRows(QModelIndex(), len(self.runs), len(self.runs) + len(now) - 1)
            self.runs += now.values()
            self.endInsertRows()

    def rowCount(self, _parent: Any = None) -> int:  # noqa: N802  (Qt's name)
        """How many runs there are."""
        return len(self.runs)

    def columnCount(self, _parent: Any = None) -> int:  # noqa: N802  (Qt's name)
        """How many columns there are."""
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:  # noqa: N802  (Qt's name)
        """Title and tooltip of a column."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        texts: dict[int, str] = {
            Qt.ItemDataRole.DisplayRole: COLUMNS[section].title,
            Qt.ItemDataRole.ToolTipRole: COLUMNS[section].tooltip,
        }
        return texts.get(role)

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """What a cell shows."""
        run, column = self.runs[index.row()], COLUMNS[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.text(run)
            case Qt.ItemDataRole.ToolTipRole:
                return tooltip_of(run)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _RIGHT if column.is_number else _LEFT
        return None


def tooltip_of(run: RunSummary) -> str:
    """All of a run, where a column is too narrow; names from files are no markup."""
    start = f"Started {run.started.astimezone():%Y-%m-%d %H:%M:%S}" if run.started else ""
    how = f"{state_text(run)}, {run.iterations:,} iterations"
    lines = [str(run.path), how, start, ", ".join(run.images), run.message]
    return f"<qt>{'<br>'.join(escape(line) for line in lines if line)}</qt>"


class _Sorted(QSortFilterProxyModel):
    """Sorts by what columns mean; what is not known comes last, whichever way."""

    def __init__(self, model: RunsModel) -> None:
        super().__init__()
        self.model = model
        self.setSourceModel(model)

    def lessThan(self, left: QModelIndex, right: QModelIndex) -> bool:  # noqa: N802  (Qt's name)
        """Whether one run comes before another when sorted upwards."""
        key, runs = COLUMNS[left.column()].key, self.model.runs
        one, other = key(runs[left.row()]), key(runs[right.row()])
        if one is None or other is None:
            upwards = self.sortOrder() is Qt.SortOrder.AscendingOrder
            return other is None and one is not None if upwards else one is None and other is not None
        return bool(one < other)


class RunsTable(QTableView):
    """The table; tells which run is looked at.

    Attributes
    ----------
    chosen : Signal
        Another run was selected, or the same one is not what it was: gives its RunSummary, or None.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._runs = RunsModel()
        self._told: RunSummary | None = None
        self._is_renewed = False
        self.shown = _Sorted(self._runs)
        self.setModel(self.shown)
        self.setToolTip("The runs in this folder; select one to see more of it.")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setTabKeyNavigation(False)  # the key leads on to the buttons
        self.setWordWrap(False)
        self._headers = QHeaderView(Qt.Orientation.Horizontal), QHeaderView(Qt.Orientation.Vertical)
        columns, lines = self._headers
        columns.setSectionsClickable(True)
        lines.hide()
        lines.setDefaultSectionSize(self.fontMetrics().height() + _LEADING)
        self.setHorizontalHeader(columns)
        self.setVerticalHeader(lines)
        self.setSortingEnabled(True)
        self.sortByColumn(DATE, Qt.SortOrder.DescendingOrder)

    @property
    def runs(self) -> list[RunSummary]:
        """The runs from top to bottom."""
        rows = range(self.shown.rowCount())
        return [self._runs.runs[self.shown.mapToSource(self.shown.index(row, 0)).row()] for row in rows]

    @property
    def run(self) -> RunSummary | None:
        """The selected run."""
        chosen = self.selectedIndexes()
        return self._runs.runs[self.shown.mapToSource(chosen[0]).row()] if chosen else None

    def show_runs(self, runs: Sequence[RunSummary]) -> None:
        """Show what is known by now; the same run stays selected and in its place on the screen."""
        self._is_renewed = True
        self._runs.show_runs(runs)
        self._is_renewed = False
        self._fit()
        self._tell()

    def select(self, path: Path) -> None:
        """Select a run, if it is there."""
        for row, run in enumerate(self.runs):
            if run.path == path:
                self.selectRow(row)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Make the columns as wide as their texts are in the font of the window."""
        super().showEvent(event)
        for number, column in enumerate(COLUMNS[1:], 1):
            texts = (column.title, column.longest)
            self.setColumnWidth(number, max(map(self.fontMetrics().horizontalAdvance, texts)) + _SPACE)
        self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Give the names what is left."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Names in the width that is left, and as high as there are rows, within limits."""
        columns, lines = self._headers
        view: Any = self.viewport()
        below: Any = self.horizontalScrollBar()
        others = sum(self.columnWidth(number) for number in range(1, len(COLUMNS)))
        left = view.width() - others
        self.setColumnWidth(0, max(_NAME, left))
        bar = below.sizeHint().height() if left < _NAME else 0
        rows = min(max(self.shown.rowCount(), _FEWEST), _MOST) * lines.defaultSectionSize()
        self.setFixedHeight(columns.sizeHint().height() + rows + bar + 2 * self.frameWidth())

    def selectionChanged(self, selected: Any, deselected: Any) -> None:  # noqa: N802  (Qt's name)
        """Tell of the run that is looked at now, by mouse or by keys."""
        super().selectionChanged(selected, deselected)
        self._tell()

    def _tell(self) -> None:
        if not self._is_renewed and self.run is not self._told:
            self._told = self.run
            self.chosen.emit(self._told)
