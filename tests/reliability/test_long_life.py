"""One napari for weeks: trainings begin, show previews and are stopped, docks are closed; nothing is left of them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil
import pytest
from qtpy.QtWidgets import QApplication

from napari_slicegan.plugin import preferences
from napari_slicegan.plugin.work.job import State
from napari_slicegan.plugin.work.worker import CooperativeWorker
from tests.plugin.conftest import click, job, train_for, two_phases, until_idle, until_trains

Open = Callable[..., Any]
MOST_MEGABYTES = 100.0


@dataclass(frozen=True)
class Held:
    """What this process holds: memory, threads, open files, processes of its own, workers and widgets."""

    megabytes: float
    threads: int
    files: int
    children: int
    workers: int
    widgets: int

    @classmethod
    def now(cls) -> Held:
        gc.collect()
        process = psutil.Process()
        return cls(
            process.memory_info().rss / 2**20,
            process.num_threads(),
            process.num_fds() if hasattr(process, "num_fds") else process.num_handles(),
            len(process.children(recursive=True)),
            sum(type(thing) is CooperativeWorker for thing in gc.get_objects()),
            len(QApplication.allWidgets()),
        )


def check(begin: Held, end: Held) -> None:
    """Nothing has grown but memory, and that by less than what is stated in docs/reliability.md."""
    print(begin, end, sep="\n")
    assert end.megabytes - begin.megabytes < MOST_MEGABYTES
    assert end.threads <= begin.threads + 2  # Qt's pool keeps some for a while
    assert end.files <= begin.files + 2
    assert end.children <= begin.children
    assert end.workers <= begin.workers
    assert end.widgets <= begin.widgets


def cycle(viewer: Any, open_dock: Open, qtbot: Any) -> None:
    """Open the dock, train until a preview is there, stop, remove it and close the dock."""
    dock = open_dock(viewer)
    train_for(dock, 10**6)
    qtbot.waitUntil(lambda: dock.start.enabled, timeout=60_000)
    click(dock.start)
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=60_000)
    click(dock.stop)
    assert until_idle(dock, qtbot).state is State.STOPPED
    viewer.layers.pop(1)
    dock.jobs.models.entries.clear()  # which are the user's
    dock.jobs.spare.close()
    dock.jobs.spare = dock.jobs.training._spare = dock.jobs.estimate._spare = type(dock.jobs.spare)()
    viewer.window.remove_dock_widget(dock)
    qtbot.wait(20)


@pytest.mark.parametrize(
    ("own_process", "cycles"),
    [
        (False, 6),
        (True, 3),
        pytest.param(False, 500, marks=pytest.mark.long),
        pytest.param(True, 100, marks=pytest.mark.long),
    ],
)
def test_trainings_leave_nothing_behind(viewer, open_dock: Open, qtbot, own_process, cycles):
    preferences.set_preference("own_process", own_process)
    viewer.add_labels(two_phases(), name="micrograph")
    warm_up = max(2, cycles // 10)
    for _ in range(warm_up):
        cycle(viewer, open_dock, qtbot)
    begin = Held.now()
    for _ in range(cycles - warm_up):
        cycle(viewer, open_dock, qtbot)
    check(begin, Held.now())


@pytest.mark.parametrize(
    ("own_process", "seconds"),
    [
        (True, 5),
        pytest.param(False, 1200, marks=pytest.mark.long),
        pytest.param(True, 1200, marks=pytest.mark.long),
    ],
)
def test_a_long_training_does_not_grow(train_dock, qtbot, own_process, seconds):
    preferences.set_preference("own_process", own_process)
    train_for(train_dock, 10**6)
    click(train_dock.start)
    until_trains(train_dock, qtbot)
    qtbot.wait(seconds * 1000 // 10)
    begin, others = Held.now(), family()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        qtbot.wait(500)
    assert job(train_dock).status.state is State.TRAINING
    check(begin, Held.now())
    print(others, family())
    assert family() - others < MOST_MEGABYTES
    click(train_dock.stop)
    until_idle(train_dock, qtbot)


def family() -> float:
    """Megabytes of the processes that this one has started."""
    return sum(child.memory_info().rss for child in psutil.Process().children(recursive=True)) / 2**20
