"""What the footer of a dock and the numbers of a training say in each state."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_slicegan.core.events import Progress
from napari_slicegan.plugin.parts.status_panel import StatusPanel
from napari_slicegan.plugin.work.job import State, Status

REPORT = Progress(30, 60.0, 0.5, 12.345, 60.0, 1.0, 0.1, 0.0, 0.0)
RUN = Status(State.TRAINING, fraction=0.5, progress=REPORT, device="CPU, 2 threads")


@pytest.fixture
def panel(qtbot):
    panel = StatusPanel(numbers=True)
    qtbot.addWidget(panel)
    return panel


@pytest.mark.parametrize(
    ("status", "title", "has_bar", "iteration"),
    [
        (RUN, "Training on CPU, 2 threads", True, "30  (12 per second)"),
        (replace(RUN, state=State.PAUSED), "Paused", True, "30"),
        (replace(RUN, state=State.STOPPING), "Stopping", True, "30  (12 per second)"),
        (replace(RUN, state=State.STOPPED), "Stopped", True, "30  (0.5 per second)"),
        (replace(RUN, state=State.FINISHED, fraction=1.0), "Finished", False, "30  (0.5 per second)"),
        (replace(RUN, state=State.FAILED), "Failed", False, "30  (0.5 per second)"),
        (Status(State.CHECKING, fraction=None), "Checking", True, None),
        (Status(State.STOPPED), "Stopped", False, None),
        (Status(), "Idle", False, None),
    ],
)
def test_states(panel, status, title, has_bar, iteration):
    panel.show()
    panel.show_status(status)
    assert panel.state.value == title
    assert panel.bar.visible is has_bar
    if iteration is not None:
        assert panel.rows["iteration"].value == iteration


def test_the_speed_does_not_leap(panel):
    panel.show_status(RUN)
    for number, speed in enumerate((2.0, 22.0) * 10):
        panel.show_status(replace(RUN, progress=replace(REPORT, iteration=31 + number, iterations_per_second=speed)))
        panel.show_status(panel._status)  # the same report again counts once
    assert 9 < panel._rate < 15
    panel.show_status(replace(RUN, progress=replace(REPORT, iteration=1, iterations_per_second=0.0456)))  # another run
    assert panel.rows["iteration"].value == "1  (0.046 per second)"
