"""Events on their way from the trainer to the window, and the stop on its way back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QThread

from napari_slicegan.core.events import CheckpointSaved, Preview, Progress
from napari_slicegan.plugin import worker
from napari_slicegan.plugin.worker import CancelledError, Control, UnexpectedError, generate, load_model, throttled


class FakeTrainer:
    def __init__(self) -> None:
        self.stops = 0

    def stop(self) -> None:
        self.stops += 1


def report(iteration: int) -> Progress:
    return Progress(iteration, *[0.0] * 8)


def test_events_are_thinned_but_the_last_ones_arrive(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(worker.time, "monotonic", lambda: now[0])

    def events():
        for tick in range(100):  # 1 second
            now[0] = tick / 100
            yield report(tick)
            yield Preview(tick, np.zeros(1))
        yield CheckpointSaved(99, Path())

    seen = list(throttled(events()))
    reports = [event.iteration for event in seen if isinstance(event, Progress)]
    assert len(reports) <= 11
    assert reports[-1] == 99
    assert [event.iteration for event in seen if isinstance(event, Preview)] == [0, 99]
    assert sum(isinstance(event, CheckpointSaved) for event in seen) == 1


def test_a_stop_reaches_the_trainer_before_and_after_it_is_there():
    for order in ("stop attach", "attach stop"):
        control, trainer = Control(), FakeTrainer()
        for step in order.split():
            control.stop() if step == "stop" else control.attach(trainer)
        assert trainer.stops == 1
    control.detach()
    control.stop()
    assert trainer.stops == 1


class FakeModel:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def generate(self, shape: Any, _seed: int, _periodic: str, progress: Any) -> Any:
        if self.error:
            raise self.error
        for step in range(5):
            progress(step / 5)
        return np.zeros(shape)


def run(generator: Any) -> Any:
    """What a generator returns."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def test_generating_reports_and_can_be_cancelled():
    control, seen = Control(), []
    control.report = seen.append
    assert run(generate(FakeModel(), (1, 2, 3), 0, "", control)).shape == (1, 2, 3)
    assert seen
    control.report = lambda _: control.stop()
    with pytest.raises(CancelledError):
        run(generate(FakeModel(), (1, 2, 3), 0, "", control))


@pytest.mark.parametrize("error", [RuntimeError("x"), StopIteration("x"), KeyError("x")])
def test_no_defect_leaves_a_generator_as_a_runtime_error(error):
    with pytest.raises(UnexpectedError, match=type(error).__name__):
        run(generate(FakeModel(error), (1, 1, 1), 0, "", Control()))
    with pytest.raises(UnexpectedError, match="TypeError"):
        run(load_model(None, Control()))


def test_quit_is_cooperative_and_what_was_made_arrives(qtbot):
    control, got = Control(), []

    def work(control: Control):
        got.append(QThread.currentThread())
        while not control.is_stopped:
            yield 0
        return "made so far"

    started = worker.start_worker(work, control=control, description="test", returned=got.append)
    with qtbot.waitSignal(started.finished, timeout=10_000):
        started.quit()
    qtbot.waitUntil(lambda: len(got) == 2)
    assert got[0] is not QThread.currentThread()
    assert got[1] == "made so far"
