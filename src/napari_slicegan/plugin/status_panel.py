"""The rows that show how a job is going."""

from __future__ import annotations

from magicgui.widgets import Label, ProgressBar
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_slicegan.core.events import Progress
from napari_slicegan.core.words import duration
from napari_slicegan.plugin.dock import Rows, breakable, wrapped
from napari_slicegan.plugin.job import State, Status

_STEPS = 1000
_ROWS = {
    "iteration": ("Iteration", "Generator updates made since the start of the run."),
    "time": ("Time", "Time spent training, and the expected time to the end."),
    "distance": (
        "Distance",
        "How far the critic can still tell slices of the volume from the micrograph; falls as the generator learns.",
    ),
    "losses": ("Losses", "Of the critic, of the generator, and the gradient penalty."),
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
        self.state = Label(value=State.IDLE, tooltip="What this dock is doing.")
        self.bar = ProgressBar(min=0, max=_STEPS, value=0, tooltip="How much is done.")
        self.message = Label(tooltip="What happened, or what is missing.")
        self.rows = {name: Label(label=label, tooltip=tip) for name, (label, tip) in _ROWS.items()} if numbers else {}
        self.numbers = Rows(*map(wrapped, self.rows.values()))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.state.native, self.bar.native, self.numbers, wrapped(self.message).native):
            layout.addWidget(widget)
        self.state.native.setStyleSheet("font-weight: bold")
        self.numbers.hide()

    def show_status(self, status: Status) -> None:
        """Show a job as it is now."""
        where = f" on {status.device}" if status.device and status.state.is_busy else ""
        self.state.value = f"{status.state}{where}"
        self.bar.native.setRange(0, 0 if status.fraction is None and status.state.is_busy else _STEPS)
        self.bar.value = round((status.fraction or 0) * _STEPS)
        self.show_message(status.message)
        self.numbers.setVisible(bool(self.rows) and status.progress is not None)
        if status.progress is not None and self.rows:
            self._show_numbers(status.progress)

    def show_message(self, text: str) -> None:
        """Show a sentence."""
        self.message.value = breakable(text)
        self.message.visible = bool(text)

    def _show_numbers(self, report: Progress) -> None:
        texts = {
            "iteration": f"{report.iteration:,}  ({report.iterations_per_second:.3g} per second)",
            "time": f"{duration(report.seconds)}, {duration(report.eta_seconds)} left",
            "distance": f"{report.critic_distance:.3g}",
            "losses": f"critic {report.discriminator_loss:.3g}, generator {report.generator_loss:.3g}, "
            f"penalty {report.penalty:.3g}",
        }
        for name, text in texts.items():
            self.rows[name].value = text
