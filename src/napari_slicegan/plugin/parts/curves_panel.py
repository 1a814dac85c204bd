"""Live curves of a run: critic distance, gradient penalty, and held-out errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_slicegan.core.events import Evaluation, Progress
from napari_slicegan.plugin.work.job import State
from napari_slicegan.plugin.work.run_view import RunView

if TYPE_CHECKING:
    from napari_slicegan.plugin.parts.curve_lines import LinePlot

#: Milliseconds between two redraws at least, and how much of the time may go into drawing: 1 %, less a margin.
PAUSE, SHARE = 500, 0.007
_LONGEST = 10_000
_RESTS = (State.PAUSED, State.FINISHED, State.STOPPED, State.FAILED)
#: Legible on dark and on light ground.
_BLUE, _ORANGE, _GREEN, _VIOLET = "#3b82d0", "#e0662f", "#2f9e7a", "#a86bd0"


@dataclass(frozen=True)
class _Line:
    """A curve: what it is called, its colour, and where it is in an event."""

    name: str
    colour: str
    value: Callable[[Any], float]
    text: Callable[[float], str] = "{:.3g}".format


@dataclass(frozen=True)
class _Chart:
    """A plot of some curves of one kind of event."""

    kind: type
    tooltip: str
    lines: tuple[_Line, ...]


_CHARTS = (
    _Chart(
        Progress,
        "How far the critic can still tell slices of the volume from the micrograph; falls as the generator learns.",
        (_Line("critic distance", _BLUE, lambda event: event.critic_distance),),
    ),
    _Chart(
        Progress,
        "The gradient penalty, which keeps the critic smooth; a small number without spikes is good.",
        (_Line("gradient penalty", _ORANGE, lambda event: event.penalty),),
    ),
    _Chart(
        Evaluation,
        "Volumes of latent fields kept aside for this, against the micrograph: the mean difference of their two-point "
        "correlations (S2), and the largest difference of a volume fraction (of grey levels and colours, how far they "
        "have to move for the same histogram). Both should come near 0.",
        (
            _Line("S2 error", _GREEN, lambda event: event.correlation_error),
            _Line("fraction error", _VIOLET, lambda event: event.fraction_error, lambda value: f"{100 * value:.2g} %"),
        ),
    ),
)


class CurvesPanel(QWidget):
    """The curves of one run, redrawn when it changes: at most twice a second, and only where they can be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.view: RunView | None = None
        self.titles: list[QLabel] = []
        self.plots: list[LinePlot] = []  # made when there is something to draw, like their titles
        self._own, self._before, self._gap = 0.0, 0.0, PAUSE
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._redraw)

    @property
    def seconds(self) -> float:
        """Time spent on the curves so far."""
        return self._own + sum(plot.seconds for plot in self.plots)

    def show_run(self, view: RunView | None) -> None:
        """Show a run, or nothing."""
        if view is self.view:
            return
        if self.view is not None:
            self.view.changed.disconnect(self._wait)
        self.view = view
        if view is not None:
            view.changed.connect(self._wait)
        self._redraw()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Draw what has changed meanwhile."""
        super().showEvent(event)
        self._redraw()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802
        """Follow the theme."""
        super().changeEvent(event)
        if event is not None and event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self._ink()

    def _wait(self) -> None:
        """Redraw soon; what takes long is done less often, but what stays is shown at once."""
        if not self.isVisible():
            return
        if self.view is not None and self.view.state in _RESTS:
            self._pause.start(0)
        elif not self._pause.isActive():
            self._pause.start(self._gap)

    def _redraw(self) -> None:
        if not self.isVisible() or (self.view is None and not self.plots):
            return
        spent, self._before = self.seconds - self._before, self.seconds
        self._gap = round(min(max(PAUSE, 1000 * spent / SHARE), _LONGEST))
        if not self.plots:
            self._make_plots()
        start = time.perf_counter()
        for chart, title, plot in zip(_CHARTS, self.titles, self.plots, strict=True):
            self._draw(chart, title, plot)
        shown = [plot for plot in self.plots if not plot.isHidden()]
        for plot in shown:
            plot.name_axis("iterations" if plot is shown[-1] else "")
        self._own += time.perf_counter() - start

    def _draw(self, chart: _Chart, title: QLabel, plot: LinePlot) -> None:
        events = self._events(chart)
        x = np.array([event.iteration for event in events], float)
        plot.show_lines([(x, np.array([line.value(event) for event in events], float)) for line in chart.lines])
        title.setText(_caption(chart.lines, events[-1] if events else None))
        plot.setVisible(bool(events))
        title.setVisible(bool(events))

    def _events(self, chart: _Chart) -> Sequence[Any]:
        if self.view is None:
            return []
        return self.view.progress if chart.kind is Progress else self.view.evaluations

    def _make_plots(self) -> None:
        from napari_slicegan.plugin.parts.curve_lines import LinePlot  # pyqtgraph takes a moment

        for chart in _CHARTS:
            title = _title(chart)
            are_errors = chart.kind is Evaluation  # few, and best at 0
            plot = LinePlot([line.colour for line in chart.lines], has_symbols=are_errors, is_from_zero=are_errors)
            plot.setToolTip(chart.tooltip)
            self._layout.addWidget(title)
            self._layout.addWidget(plot)
            self.titles.append(title)
            self.plots.append(plot)
            if plot is not self.plots[0]:  # a plot linked to itself would not follow its curves
                plot.setXLink(self.plots[0])
        self._ink()

    def _ink(self) -> None:
        self.ensurePolished()
        for plot in getattr(self, "plots", []):
            plot.show_ink(self.palette().color(self.foregroundRole()))


def _title(chart: _Chart) -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setToolTip(chart.tooltip)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def _caption(lines: Sequence[_Line], last: Any) -> str:
    """The names of the curves in their colours, with their last values."""
    parts = [
        f'<span style="color:{line.colour}">■</span> {line.name}'
        + (f" <b>{line.text(line.value(last))}</b>" if last else "")
        for line in lines
    ]
    return "&nbsp;&nbsp;&nbsp;".join(parts)
