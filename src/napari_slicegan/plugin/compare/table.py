"""The table of a comparison: a row for each quantity, sorted and filtered as one likes."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

from psygnal import Signal
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from napari_slicegan.core.comparison.result import Group, Row, Verdict
from napari_slicegan.plugin.compare.columns import VERDICT_COLOURS, columns_of, tooltip_of

_SORT = Qt.ItemDataRole.UserRole
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_NAME_WIDTH = 168


class RowModel(QAbstractTableModel):
    """The rows of a comparison as Qt's views want them.

    Attributes
    ----------
    rows : tuple of Row
        In the order of the comparison.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[Row, ...] = ()
        self._columns = columns_of(False)

    def show_rows(self, rows: Sequence[Row], truth_is_volume: bool) -> None:
        """Show other rows."""
        self.beginResetModel()
        self.rows, self._columns = tuple(rows), columns_of(truth_is_volume)
        self.endResetModel()

    def rowCount(self, _parent: Any = None) -> int:  # noqa: N802  (Qt's name)
        """How many rows there are."""
        return len(self.rows)

    def columnCount(self, _parent: Any = None) -> int:  # noqa: N802  (Qt's name)
        """How many columns there are."""
        return len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:  # noqa: N802  (Qt's name)
        """Title and tooltip of a column."""
        if orientation is not Qt.Orientation.Horizontal or section >= len(self._columns):
            return None
        column = self._columns[section]
        texts: dict[int, str] = {
            Qt.ItemDataRole.DisplayRole: column.title,
            Qt.ItemDataRole.ToolTipRole: column.tooltip,
        }
        return texts.get(role)

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """What a cell shows, and by what it is sorted."""
        row, column = self.rows[index.row()], self._columns[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.text(row)
            case Qt.ItemDataRole.ToolTipRole:
                return tooltip_of(row)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _RIGHT if column.is_number else _LEFT
            case Qt.ItemDataRole.ForegroundRole if column.title == "Verdict":
                return QColor(VERDICT_COLOURS[row.judgement.verdict])
            case _ if role == _SORT:
                return index.row() if column.title == "Group" else column.key(row)
        return None


class RowFilter(QSortFilterProxyModel):
    """Leaves out rows of other groups and verdicts; sorts what is not known to the end."""

    def __init__(self, model: RowModel) -> None:
        super().__init__()
        self._rows = model
        self._group: Group | None = None
        self._verdict: Verdict | None = None
        self.setSourceModel(model)
        self.setSortRole(_SORT)

    def show_only(self, group: Group | None, verdict: Verdict | None) -> None:
        """Keep the rows of a group and of a verdict; None keeps all."""
        self._group, self._verdict = group, verdict
        self.invalidate()

    def row(self, index: QModelIndex) -> Row | None:
        """The row of a cell of the view."""
        return self._rows.rows[self.mapToSource(index).row()] if index.isValid() else None

    def filterAcceptsRow(self, row: int, _parent: QModelIndex) -> bool:  # noqa: N802  (Qt's name)
        """Whether a row stays."""
        found = self._rows.rows[row]
        return self._group in (None, found.group) and self._verdict in (None, found.judgement.verdict)

    def lessThan(self, left: QModelIndex, right: QModelIndex) -> bool:  # noqa: N802  (Qt's name)
        """Whether one row comes before another when sorted upwards."""
        one, other = (self._rows.data(index, _SORT) for index in (left, right))
        if isinstance(one, str):
            return bool(one < other)
        upwards = self.sortOrder() is Qt.SortOrder.AscendingOrder
        if isnan(one) or isnan(other):
            return isnan(other) and not isnan(one) if upwards else isnan(one) and not isnan(other)
        return bool(one < other)


class _Coloured(QStyledItemDelegate):
    """Leaves a cell its colour when its row is selected."""

    def initStyleOption(self, option: QStyleOptionViewItem | None, index: QModelIndex) -> None:  # noqa: N802  (Qt's name)
        """Take the colour of the text for the selection as well."""
        super().initStyleOption(option, index)
        colour = index.data(Qt.ItemDataRole.ForegroundRole)
        if option is not None and colour is not None:
            option.palette.setColor(QPalette.ColorRole.HighlightedText, colour)


class ComparisonTable(QTableView):
    """The table; tells which row is looked at.

    Attributes
    ----------
    looked_at : Signal
        Gives the Row, or None.
    """

    looked_at = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.rows = RowModel()
        self.shown = RowFilter(self.rows)
        self.setModel(self.shown)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        self.setItemDelegate(_Coloured(self))
        self._headers = QHeaderView(Qt.Orientation.Horizontal), QHeaderView(Qt.Orientation.Vertical)
        columns, lines = self._headers
        columns.setSectionsClickable(True)
        columns.setSectionsMovable(True)
        columns.setMinimumSectionSize(48)
        lines.hide()
        self.setHorizontalHeader(columns)
        self.setVerticalHeader(lines)
        self.setSortingEnabled(True)

    def show_rows(self, rows: Sequence[Row], truth_is_volume: bool) -> None:
        """Show the rows of a comparison in its order, the first of them looked at."""
        self.rows.show_rows(rows, truth_is_volume)
        self.sortByColumn(self.rows.columnCount() - 1, Qt.SortOrder.AscendingOrder)
        self.resizeColumnsToContents()
        self.setColumnWidth(0, _NAME_WIDTH)
        self.look()

    def show_only(self, group: Group | None, verdict: Verdict | None) -> None:
        """Show the rows of a group and of a verdict."""
        self.shown.show_only(group, verdict)
        if self.shown.row(self.currentIndex()) is None:
            self.look()

    def look(self) -> None:
        """Look at the first row."""
        self.selectRow(0)
        if not self.shown.rowCount():
            self.looked_at.emit(None)

    def currentChanged(self, current: QModelIndex, previous: QModelIndex) -> None:  # noqa: N802  (Qt's name)
        """Tell of the row that is looked at, by mouse or by keys."""
        super().currentChanged(current, previous)
        self.looked_at.emit(self.shown.row(current))
