"""The rows of the *Train* dock that say where it will train and what that takes, and warn when it is too much."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from magicgui.widgets import Label
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLabel, QPushButton, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from napari_slicegan.core.words import size_in_words
from napari_slicegan.plugin.parts.dock import Rows, button, row, wrapped
from napari_slicegan.plugin.train.estimate_job import Inquiry
from napari_slicegan.plugin.train.hardware import likely_device

if TYPE_CHECKING:
    from napari_slicegan.core.training_costs import TrainingCosts
    from napari_slicegan.plugin.work.jobs import Jobs

_PAUSE = 500  # milliseconds without a change before it is measured
_GLANCE = 100  # milliseconds in which the dock is drawn first
_WHERE = "Where it trains; Advanced has the choice."
_AMBER = "#d9a03f"
_LONG = 24 * 3600.0
_DEVICES = {"cpu": "CPU", "cuda": "GPU", "mps": "Apple GPU"}


class CostRows:
    """Device, time and memory, measured while someone looks and nothing else goes on.

    Parameters
    ----------
    rows : Rows
        Where the rows are added.
    jobs : Jobs
        Of the viewer.
    inquire : callable
        Gives what is chosen, or None while it cannot be trained on.
    use_quick : callable
        Chooses the quick preset.

    Attributes
    ----------
    warning : QWidget
        Says that a training would take days; hidden otherwise.
    problem : str
        Why the training cannot be started on this computer; empty if it can.
    """

    def __init__(
        self, rows: Rows, jobs: Jobs, inquire: Callable[[], Inquiry | None], use_quick: Callable[[], None]
    ) -> None:
        self._jobs, self._inquire = jobs, inquire
        self.problem = ""
        self.device = Label(tooltip=_WHERE)
        self.help = button("?", _WHERE, self._show_advice)
        self.takes = wrapped(Label(label="Takes", tooltip="Expected time and memory, measured on this computer."))
        rows.add(row(wrapped(self.device), self.help, label="Device", tooltip=_WHERE), self.takes)
        self.help.native.setFixedWidth(24)
        self.warning_text = QLabel()
        self.warning_text.setWordWrap(True)
        self.warning_text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.quick = QPushButton("Use the quick preset")
        self.quick.setToolTip("Narrower networks, which give a first volume within minutes.")
        self.quick.clicked.connect(lambda *_: use_quick())
        self.warning = QWidget()
        layout = QVBoxLayout(self.warning)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.warning_text)
        layout.addWidget(self.quick)
        self._first = self._timer_of(_GLANCE, self._prepare)
        self._timer = self._timer_of(_PAUSE, self._measure)

    def _timer_of(self, interval: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self.warning)
        timer.setSingleShot(True)
        timer.setInterval(interval)
        timer.timeout.connect(slot)
        return timer

    def refresh(self) -> None:
        """Show what is known of the present choice, and measure it soon if nothing is."""
        inquiry = self._inquire()
        costs = self._jobs.estimate.costs(inquiry) if inquiry else None
        self.problem = costs.problem if costs else ""
        self._show_device(inquiry, costs)
        self._show_costs(inquiry, costs)
        if inquiry is not None and not self._jobs.estimate.is_known(inquiry):
            self._timer.start()
            self._first.start()

    def _prepare(self) -> None:
        """Load what a training needs while someone looks at its settings: it takes seconds."""
        if self.takes.native.isVisible() and not self._jobs.training.status.state.is_busy:
            self._jobs.watch(self.takes.native)
            self._jobs.estimate.prepare()

    def _measure(self) -> None:
        """Measure, or wait on for a quiet moment."""
        inquiry = self._inquire()
        if inquiry is None or not self.takes.native.isVisible() or self._jobs.training.status.state.is_busy:
            return
        if any(job.status.state.is_busy for job in self._jobs.all):
            self._timer.start()
        elif not self._jobs.estimate.is_known(inquiry):
            self._jobs.watch(self.takes.native)
            self._jobs.estimate.start(inquiry)
            self.takes.value = "measuring …"

    def _show_device(self, inquiry: Inquiry | None, costs: TrainingCosts | None) -> None:
        wish = inquiry.device if inquiry else "auto"
        guess = _DEVICES[likely_device() if wish == "auto" else wish]
        self.device.value = costs.device if costs else guess
        advice = costs.advice if costs else ""
        self.help.visible = bool(advice)
        self.help.tooltip = self.device.tooltip = advice or _WHERE

    def _show_costs(self, inquiry: Inquiry | None, costs: TrainingCosts | None) -> None:
        seconds = costs.seconds(inquiry.training) if costs and inquiry else None
        if costs is None or seconds is None:
            is_measuring = self._jobs.estimate.status.state.is_busy
            self.takes.value = "measuring …" if is_measuring else "-" if inquiry is None else "…"
            self.warning.hide()
            return
        memory = size_in_words(costs.memory_bytes)
        free = size_in_words(costs.free_bytes)
        self.takes.value = f"about {in_words(seconds)} · {memory} of memory ({free} free)"
        is_long = seconds > _LONG and not costs.problem
        sentence = f"This would take about {in_words(seconds)} on this computer."
        self.warning_text.setText(f'<span style="color:{_AMBER}">▲</span> {sentence}')
        self.warning.setVisible(is_long)

    def _show_advice(self) -> None:
        native = self.help.native
        QToolTip.showText(native.mapToGlobal(native.rect().bottomLeft()), self.help.tooltip, native)


def in_words(seconds: float) -> str:
    """A time as people say it: "40 s", "4 min", "3 hours", "9 days"."""
    for unit, length, most in (("s", 1.0, 90), ("min", 60.0, 90), ("hours", 3600.0, 36)):
        if seconds < most * length:
            return f"{max(1, round(seconds / length))} {unit}"
    return f"{round(seconds / 86400):,} days"
