"""The group *Phases* of the *Train* dock: colour, value and name of each phase; *Image check* tells its share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QColorDialog, QHeaderView, QTableWidget, QTableWidgetItem

from napari_slicegan.plugin.layers import Look, hex_colour
from napari_slicegan.plugin.parts.dock import collapsed
from napari_slicegan.plugin.phases import LONGEST_NAME, names_of, set_colour, set_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari.layers import Layer

    from napari_slicegan.plugin.images.finding import Found

TITLE = "Phases"
_TOOLTIP = (
    "The phases of the chosen images. Click a colour to change it (or press Enter), double-click a name to edit it "
    "(or press F2); the layers, the volumes and the models keep both."
)
_COLOUR, _VALUE, _NAME = range(3)
_HEADER = ("Colour", "Value", "Name")
_BORDER = 4
_FIXED = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


class PhaseTable(QTableWidget):
    """The phases of layers; what is changed is written to the layers.

    Attributes
    ----------
    changed : Signal
        A name or a colour was changed.
    group : Fold
        The table under its title; hidden while there are no phases.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__(0, len(_HEADER))
        self._layers: tuple[Layer, ...] = ()
        self._phases: tuple[int, ...] = ()
        self._look = Look()
        self.setToolTip(_TOOLTIP)
        self.setHorizontalHeaderLabels(_HEADER)
        self._columns, self._rows = QHeaderView(Qt.Orientation.Horizontal), QHeaderView(Qt.Orientation.Vertical)
        self.setHorizontalHeader(self._columns)
        self.setVerticalHeader(self._rows)
        self._rows.hide()
        for column in (_COLOUR, _VALUE):
            self._columns.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self._columns.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)  # Tab leaves the table, arrow keys move within
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.itemChanged.connect(self._rename)
        self.cellClicked.connect(self._pick)
        self.cellActivated.connect(self._pick)
        self.group = collapsed(TITLE, _TOOLTIP, self)
        self.group.hide()

    def clear_phases(self) -> None:
        """Show nothing."""
        self.show_phases((), Look(), None)

    def show_phases(self, layers: Sequence[Layer], look: Look, found: Found | None) -> None:
        """Show the phases that were found in layers.

        Parameters
        ----------
        layers : sequence of Layer
            Those that are chosen; the first says names and colours.
        look : Look
            How the first is coloured.
        found : Found or None
            What they are; None hides the table.
        """
        phases = found.phases if found else ()
        self.group.setVisible(bool(phases))
        self._layers, self._phases, self._look = tuple(layers) if phases else (), phases, look
        if found is None or not phases:
            return
        names = names_of(layers[0])
        self.group.set_text(f"{TITLE}: {_summary(phases, names)}")
        self.blockSignals(True)
        self.setRowCount(len(phases))
        for place, phase in enumerate(phases):
            self.setItem(place, _COLOUR, _swatch(look.colour(phase)))
            item = QTableWidgetItem(str(phase))
            item.setFlags(_FIXED)
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.setItem(place, _VALUE, item)
            self.setItem(place, _NAME, QTableWidgetItem(names.get(phase, "")))
        self.blockSignals(False)
        rows = sum(self.rowHeight(place) for place in range(len(phases)))
        self.setFixedHeight(rows + self._columns.sizeHint().height() + _BORDER)

    def _rename(self, item: QTableWidgetItem) -> None:
        if item.column() != _NAME or not self._phases:
            return
        name = item.text().strip()[:LONGEST_NAME]
        for layer in self._layers:
            set_name(layer, self._phases[item.row()], name)
        self.changed.emit()

    def _pick(self, row: int, column: int) -> None:
        """Let the user choose the colour of a phase."""
        if column != _COLOUR:
            return
        phase = self._phases[row]
        before = QColor(hex_colour(self._look.colour(phase)))
        chosen = QColorDialog.getColor(before, self, f"The colour of phase {phase}")
        if not chosen.isValid():
            return
        shown = {each: hex_colour(colour) for each in self._phases if (colour := self._look.colour(each))[3]}
        for layer in self._layers:
            set_colour(layer, phase, chosen.name(), shown)
        self.changed.emit()


def _swatch(colour: Sequence[float]) -> QTableWidgetItem:
    """A cell of a colour; one that is not drawn is hollow."""
    item = QTableWidgetItem("" if colour[3] else "□")
    item.setFlags(_FIXED)
    item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
    if colour[3]:
        item.setBackground(QColor(hex_colour(colour)))
    item.setToolTip("Click to change the colour." if colour[3] else "Not drawn in napari. Click to choose a colour.")
    return item


def _summary(phases: Sequence[int], names: Mapping[int, str]) -> str:
    """The names, or how many there are."""
    given = [names[phase] for phase in phases if phase in names]
    return ", ".join(given) if len(given) == len(phases) and len(", ".join(given)) <= 40 else str(len(phases))
