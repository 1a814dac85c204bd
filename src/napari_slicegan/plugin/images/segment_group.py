"""The group *Segment into phases* of the *Train* dock: a grey image becomes phases by its histogram."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from magicgui.widgets import Label, SpinBox
from psygnal import Signal
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_slicegan.core.data import MAX_PHASES
from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.core.regions import Regions
from napari_slicegan.core.segmentation import MOST_SMOOTHING
from napari_slicegan.plugin.check.task import Segmentation
from napari_slicegan.plugin.parts.dock import Rows, button, collapsed, row, wrapped

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_slicegan.plugin.check.job import OfferJob
    from napari_slicegan.plugin.work.job import Status

TITLE = "Segment into phases"
_TOOLTIP = (
    "Turn the grey image into phases, from dark to bright, by thresholds between the peaks of its histogram "
    "(multi-Otsu)."
)
_PAUSE = 300  # milliseconds after the last change of a number


class SegmentGroup:
    """Number of phases and smoothing, a preview as a layer, and a button to train on it.

    Parameters
    ----------
    job : OfferJob
        Of the viewer.

    Attributes
    ----------
    group : Fold
        The widget; hidden while the chosen image is neither grey nor made here.
    chosen : Signal
        Gives the layer of phases that is to be trained on.
    """

    chosen = Signal(object)

    def __init__(self, job: OfferJob) -> None:
        self._job = job
        self._layer: weakref.ref[Layer] | None = None
        self._regions: Regions = ()
        self.phases = SpinBox(
            value=2, min=2, max=MAX_PHASES, label="Phases", tooltip="How many phases, the darkest becomes 0."
        )
        self.smoothing = SpinBox(
            value=0,
            min=0,
            max=MOST_SMOOTHING,
            label="Smoothing (px)",
            tooltip="Radius of a median filter before the segmentation, against noise; 0 for none.",
        )
        self.preview = button("Preview", "Show the phases as a Labels layer on the image.", self._ask)
        self.use = button(
            "Train on these phases", "Choose the layer of phases for training instead of the image.", self._use
        )
        self.message = wrapped(Label(tooltip="What the segmentation says."))
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (
            Rows(self.phases, self.smoothing),
            row(self.preview, self.use).native,
            self.message.native,
        ):
            layout.addWidget(widget)
        self.group = collapsed(TITLE, _TOOLTIP, content)
        self.group.hide()
        self._timer = QTimer(self.group)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self._ask)
        for box in (self.phases, self.smoothing):
            box.changed.connect(self._wait)
        job.changed.connect(self._show)
        job.segmented.connect(self._refresh)
        self._refresh()

    def show_layer(self, layer: Layer | None, regions: Regions = ()) -> None:
        """Offer to segment a layer.

        Parameters
        ----------
        layer : Layer, optional
            None if there is none, or it is not grey.
        regions : tuple of (top, left, bottom, right)
            What is trained on of it; the thresholds are those of these pixels.
        """
        self._regions = regions
        self._layer = None if layer is None else weakref.ref(layer)
        self.group.setVisible(layer is not None)
        if layer is None:
            self._timer.stop()
        self._refresh()

    @property
    def _made(self) -> Layer | None:
        return self._job.phases_of(self._layer() if self._layer else None)

    def smooth_more(self) -> None:
        """Smooth by one pixel more, and make the phases again."""
        self.smoothing.value = min(int(self.smoothing.value) + 1, MOST_SMOOTHING)

    @property
    def can_smooth(self) -> bool:
        """Whether what is trained on was made here and can be made smoother."""
        return self._made is not None and int(self.smoothing.value) < MOST_SMOOTHING

    def _wait(self, *_: object) -> None:
        """Renew what is shown once the numbers stay; nothing is shown unasked."""
        if self._made is not None:
            self._timer.start()

    def _ask(self) -> None:
        layer = self._layer() if self._layer else None
        if layer is None:
            return
        try:
            how = Segmentation(int(self.phases.value), int(self.smoothing.value), self._regions)
            self._job.start(layer, how)
        except SliceGANError as error:
            self._say(str(error))

    def _use(self) -> None:
        if (layer := self._made) is not None:
            self.chosen.emit(layer)

    def _show(self, status: Status) -> None:
        self._say(status.message)

    def _say(self, text: str) -> None:
        self.message.value = text
        self.message.visible = bool(text)
        self._refresh()

    def _refresh(self, *_: object) -> None:
        self.use.enabled = self._made is not None and not self._job.status.state.is_busy
