"""The list of open volumes, of which some are judged."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem

from napari_slicegan.plugin.volume_layers import is_endless

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

_MOST_ROWS = 4
_ROW, _BORDER = 24, 6  # pixels
#: Of a grey that shows on a dark and on a light ground; a checked box is drawn as everywhere.
_EMPTY_BOX = "QListWidget::indicator:unchecked { border: 1px solid #8a8f98; width: 11px; height: 11px }"


class VolumeList:
    """A list of the 3D layers, each with a checkbox; it looks like a widget of magicgui to `Rows`.

    Endless volumes are left out: a box of one has to be taken before.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers are offered.
    """

    changed = Signal()
    label = "Volumes"
    tooltip = "The volumes to be judged: open Image or Labels layers in 3D. Check one or more."

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layers: list[weakref.ref[Layer]] = []
        self._is_chosen = False  # by the user
        self.native = QListWidget()
        self.native.setToolTip(self.tooltip)
        self.native.setStyleSheet(_EMPTY_BOX)
        self.native.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.native.itemChanged.connect(self._choose)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The checked layers."""
        layers = [layer() for layer, checked in zip(self._layers, self._checks(), strict=True) if checked]
        return tuple(layer for layer in layers if layer is not None)

    @property
    def visible(self) -> bool:
        """Whether it is shown."""
        return self.native.isVisible()

    @visible.setter
    def visible(self, visible: bool) -> None:
        """Show or hide it."""
        self.native.setVisible(visible)

    def show_layers(self, others: Sequence[Layer]) -> None:
        """Follow the layer list; until the user has chosen, the newest volume that is none of the others is checked."""
        before, found = self.layers, self._found()
        new = [layer for layer in found if layer not in others][-1:]
        checked = before if self._is_chosen else tuple(new)
        self.native.blockSignals(True)
        self.native.clear()
        for layer in found:
            item = QListWidgetItem(layer.name, self.native)
            item.setToolTip(layer.name)
            item.setSizeHint(QSize(0, _ROW))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if layer in checked else Qt.CheckState.Unchecked)
        self.native.blockSignals(False)
        self._layers = [weakref.ref(layer) for layer in found]
        height = max(self.native.sizeHintForRow(0), _ROW)
        self.native.setFixedHeight(height * min(max(len(found), 1), _MOST_ROWS) + _BORDER)
        self.changed.emit()

    def _found(self) -> list[Layer]:
        from napari.layers import Image, Labels

        layers = [getattr(layer, "__wrapped__", layer) for layer in self._viewer.layers]
        return [
            layer for layer in layers if isinstance(layer, Image | Labels) and layer.ndim == 3 and not is_endless(layer)
        ]

    def _checks(self) -> list[bool]:
        items = [self.native.item(place) for place in range(self.native.count())]
        return [item is not None and item.checkState() is Qt.CheckState.Checked for item in items]

    def _choose(self, _item: object) -> None:
        self._is_chosen = True
        self.changed.emit()
