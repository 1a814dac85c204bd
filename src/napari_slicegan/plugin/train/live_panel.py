"""How a training is going: numbers, slices beside the micrograph, and curves."""

from __future__ import annotations

from qtpy.QtCore import QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_slicegan.plugin.parts.curves_panel import CurvesPanel
from napari_slicegan.plugin.parts.slice_strip import SliceStrip
from napari_slicegan.plugin.parts.status_panel import StatusPanel
from napari_slicegan.plugin.work.job import Status
from napari_slicegan.plugin.work.run_view import RunView


class LivePanel(QWidget):
    """The numbers of a training, and the pictures of its run.

    Parameters
    ----------
    panel : StatusPanel
        Whose numbers are shown here; the rest of it stands elsewhere.
    """

    def __init__(self, panel: StatusPanel) -> None:
        super().__init__()
        self.panel, self.strip, self.curves = panel, SliceStrip(), CurvesPanel()
        self._view: RunView | None = None
        self._soon = QTimer(self)  # a preview is followed by many reports: one look is enough
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._show_slices)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (panel.numbers, self.strip, self.curves):
            layout.addWidget(widget)
        self.strip.hide()

    def show_status(self, status: Status, view: RunView | None) -> None:
        """Show a training as it is now."""
        self.panel.show_status(status)
        if view is not self._view:
            self._view = view
            self.curves.show_run(view)
        if not self._soon.isActive():
            self._soon.start(0)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Show what has come meanwhile."""
        super().showEvent(event)
        self._soon.start(0)

    def _show_slices(self) -> None:
        view = self._view
        if view is None or not self.isVisible():
            return
        self.strip.setVisible(view.micrograph is not None or view.preview is not None)
        self.strip.show_micrograph(view.micrograph, view.look)
        self.strip.show_volume(view.preview, view.look)
