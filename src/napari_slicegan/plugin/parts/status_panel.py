"""The rows that show how a job is going."""

from __future__ import annotations

from magicgui.widgets import Label, ProgressBar
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_slicegan.core.events import Evaluation
from napari_slicegan.core.words import duration
from napari_slicegan.plugin.parts.details import bug_report
from napari_slicegan.plugin.parts.dock import Rows, breakable, button, wrapped
from napari_slicegan.plugin.work.job import State, Status

_STEPS = 1000
_NEW = 0.2  # how much a report counts for the speed that is shown
_ROWS = {
    "iteration": ("Iteration", "Generator updates made since the start of the run."),
    "time": ("Time", "Time spent training, and the expected time to the end."),
    "errors": (
        "Likeness",
        "How far volumes kept aside for this are from the micrograph: in two-point correlations (S2) and in fractions.",
    ),
}


class StatusPanel(QWidget):
    """State, progress bar, numbers and message of a job.

    Parameters
    ----------
    numbers : bool
        Whether to show the numbers of a training.
    """

    def __init__(self, *, numbers: bool) -> None:
        super().__init__()
        self.state = Label(value=_titled(State.IDLE), tooltip="What this dock is doing.")
        self.bar = ProgressBar(min=0, max=_STEPS, value=0, tooltip="How much is done.")
        self.message = Label(tooltip="What happened, or what is missing.")
        self.rows = {name: Label(label=label, tooltip=tip) for name, (label, tip) in _ROWS.items()} if numbers else {}
        self.copy = button("Copy details", "Copy versions, settings, log and traceback, for a bug report.", self._copy)
        self._status = Status()
        self._rate = 0.0  # iterations per second, smoothed
        self.numbers = Rows(*map(wrapped, self.rows.values()))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.state.native, self.bar.native, self.numbers, wrapped(self.message).native):
            layout.addWidget(widget)
        layout.addWidget(self.copy.native, alignment=Qt.AlignmentFlag.AlignLeft)
        self.copy.native.hide()
        self.state.native.setStyleSheet("font-weight: bold")
        self.numbers.hide()

    def show_status(self, status: Status) -> None:
        """Show a job as it is now."""
        self._smooth(status)
        self._status = status
        where = f" on {status.device}" if status.device and status.state is State.TRAINING else ""
        self.state.value = f"{_titled(status.state)}{where}"
        self.bar.visible = status.state.is_busy or (status.state is State.STOPPED and bool(status.fraction))
        self.bar.native.setRange(0, 0 if status.fraction is None and status.state.is_busy else _STEPS)
        self.bar.value = round((status.fraction or 0) * _STEPS)
        self.show_message(status.message)
        self.numbers.setVisible(bool(self.rows) and status.progress is not None)
        if status.progress is not None and self.rows:
            self._show_numbers(status)
        self.copy.native.setVisible(status.state is State.FAILED)

    def show_message(self, text: str) -> None:
        """Show a sentence."""
        self.message.value = breakable(text)
        self.message.visible = bool(text)

    def _copy(self) -> None:
        """Put what a bug report needs on the clipboard."""
        if (clipboard := QGuiApplication.clipboard()) is not None:
            clipboard.setText(bug_report(self._status))

    def _show_numbers(self, status: Status) -> None:
        report, errors = status.progress, status.evaluation
        if report is None:
            return
        left = f", {duration(report.eta_seconds)} left" if status.state.is_busy else ""
        texts = {
            "iteration": f"{report.iteration:,}{self._rate_in_words(status)}",
            "time": f"{duration(report.seconds)}{left}",
            "errors": _in_words(errors) if errors else "",
        }
        for name, text in texts.items():
            self.rows[name].value = text
        self.numbers.show_row(self.rows["errors"], bool(errors))

    def _smooth(self, status: Status) -> None:
        """Follow the speed, which leaps from report to report."""
        report, last = status.progress, self._status.progress
        if report is None or last is None or report.iteration < last.iteration:
            self._rate = report.iterations_per_second if report else 0.0
        elif report is not last:
            self._rate += _NEW * (report.iterations_per_second - self._rate)

    def _rate_in_words(self, status: Status) -> str:
        """The speed now, or at the end that of the whole training; none of a training that waits."""
        report = status.progress
        if report is None or status.state is State.PAUSED:
            return ""
        rate = self._rate if status.state.is_busy else report.iteration / max(report.seconds, 1e-9)
        return f"  ({rate:.0f} per second)" if rate >= 10 else f"  ({rate:.2g} per second)"


def _titled(state: State) -> str:
    return str(state).capitalize()


def _in_words(errors: Evaluation) -> str:
    """Held-out errors, for people."""
    return f"off by {errors.correlation_error:.2g} in S2, {100 * errors.fraction_error:.2g} % in fractions"
