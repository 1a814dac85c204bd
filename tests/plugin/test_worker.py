"""Events on their way from the trainer to the window, and the stop on its way back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QThread

from napari_slicegan.core.errors import DefectError, SliceGANError
from napari_slicegan.core.events import CheckpointSaved, Preview, Progress
from napari_slicegan.plugin.train import task
from napari_slicegan.plugin.work import worker
from napari_slicegan.plugin.work.worker import CancelledError, Control, no_defects, reporter, throttled


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


def test_a_training_rests_once_while_the_layer_of_its_previews_is_added(monkeypatch):
    rests = []
    monkeypatch.setattr(task.time, "sleep", rests.append)
    events = [report(1), Preview(1, np.zeros(1)), report(2), Preview(2, np.zeros(1)), report(3)]
    seen = task.gently(iter(events))
    assert (next(seen), next(seen), rests) == (*events[:2], [])  # the window has it before
    assert (list(seen), len(rests)) == (events[2:], 1)


def test_a_stop_reaches_the_trainer_before_and_after_it_is_there():
    for order in ("stop attach", "attach stop"):
        control, trainer = Control(), FakeTrainer()
        for step in order.split():
            control.stop() if step == "stop" else control.attach(trainer)
        assert trainer.stops == 1
    control.close()
    control.stop()
    assert trainer.stops == 1


def test_progress_is_that_of_all_pieces_thinned_and_ends_when_stopped(monkeypatch):
    now = [1.0]
    monkeypatch.setattr(worker.time, "monotonic", lambda: now[0])
    control, seen = Control(), []
    control.report = seen.append
    progress = reporter(control, done=1, count=4)
    for step in range(11):
        now[0] += 0.05
        progress(step / 10)
    assert seen[0] == 0.25
    assert 4 <= len(seen) <= 6
    assert 0.4 < seen[-1] <= 0.5
    control.stop()
    with pytest.raises(CancelledError):
        progress(1.0)


@pytest.mark.parametrize("error", [RuntimeError("x"), StopIteration("x"), KeyError("x")])
def test_no_defect_leaves_as_a_runtime_error(error):
    with pytest.raises(DefectError, match=f"It failed: {type(error).__name__}"), no_defects("It"):
        raise error


def test_that_memory_ran_out_is_no_defect():
    with (
        pytest.raises(SliceGANError, match="It does not fit into memory: end other programs") as raised,
        no_defects("It"),
    ):
        raise MemoryError
    assert not isinstance(raised.value, DefectError)


def test_errors_for_users_pass():
    with pytest.raises(CancelledError), no_defects("It"):
        raise CancelledError("x")


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


def test_the_end_of_the_process_waits_for_work(qtbot):
    done = []

    def work(control: Control):
        while not control.is_stopped:
            yield None
        done.append(True)

    made = worker.start_worker(work, control=Control(), description="waiting")
    qtbot.waitUntil(lambda: made.is_running)
    worker.end_all()
    assert done == [True]
