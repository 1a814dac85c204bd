"""Trainings of the window in processes of their own: no torch here, deaths are sentences, and they are found again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.runs import RunState, summary_of
from napari_slicegan.plugin import preferences
from napari_slicegan.plugin.train import unfinished
from napari_slicegan.plugin.work.job import State
from tests.plugin.conftest import click, finish, job, text_of, train_for, two_phases, until_idle, until_trains

Open = Callable[..., Any]


@pytest.fixture(autouse=True)
def apart(tiny: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As napari is without the tests' wishes; runs are offered that other tests have settled."""
    preferences.set_preference("own_process", True)
    monkeypatch.setattr(unfinished, "_settled", unfinished._Settled())


def test_from_a_micrograph_to_a_volume(train_dock, viewer, open_dock: Open, qtbot):
    dock = train_dock
    train_for(dock, 30)
    click(dock.start)
    assert job(dock).status.state is State.CHECKING
    status = until_idle(dock, qtbot)
    assert status.state is State.FINISHED, status.message
    assert status.device.startswith("CPU")
    assert status.progress.iteration == 30
    assert [layer.name for layer in viewer.layers] == ["micrograph", "micrograph preview"]
    (entry,) = dock.jobs.models.entries
    assert entry.loaded is None
    assert entry.model.info.phases == (1, 2)
    assert entry.look is not None

    generate = open_dock(viewer, "Generate volume")
    assert generate.form.entry is entry
    assert not generate.files.save.enabled
    for box in generate.form.size.voxels:
        box.value = 20
    assert generate.generate.enabled
    click(generate.generate)  # it loads the model first
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=60_000)
    assert viewer.layers[-1].data.shape == (20, 20, 20)
    assert set(viewer.layers[-1].data.ravel()) <= {1, 2}
    (entry,) = dock.jobs.models.entries
    assert entry.loaded is not None
    assert generate.files.save.enabled


def test_a_model_is_loaded_as_soon_as_someone_looks_and_tried_once(train_dock, viewer, open_dock: Open, qtbot):
    train_for(train_dock, 3)
    click(train_dock.start)
    path = until_idle(train_dock, qtbot).path
    (path / "model.safetensors").rename(path / "elsewhere")
    (path / "checkpoint.pt").rename(path / "as well")
    generate = open_dock(viewer, "Generate volume")
    qtbot.waitUntil(lambda: generate.jobs.loading.status.state is State.FAILED, timeout=60_000)
    assert "model" in text_of(generate.panel.message)
    generate._calibrate()
    assert generate.jobs.loading.status.state is State.FAILED
    (path / "elsewhere").rename(path / "model.safetensors")
    again = open_dock(viewer, "Generate volume")
    assert again.form.entry.loaded is None
    generate._tried.clear()
    generate._calibrate()
    qtbot.waitUntil(lambda: generate.form.entry.loaded is not None, timeout=60_000)


def test_costs_are_measured_and_the_process_trains(train_dock, qtbot):
    dock = train_dock
    qtbot.waitUntil(lambda: "memory" in text_of(dock.costs.takes), timeout=60_000)
    waiting = dock.jobs.spare._process
    assert waiting.is_alive
    train_for(dock, 3)
    click(dock.start)
    qtbot.waitUntil(lambda: dock.jobs.spare._process is not waiting)
    assert until_idle(dock, qtbot).state is State.FINISHED
    assert not waiting.is_alive


def test_pause_resume_and_stop(train_dock, qtbot):
    train_for(train_dock, 10**6)
    click(train_dock.start)
    until_trains(train_dock, qtbot)
    click(train_dock.pause)
    assert job(train_dock).status.state is State.PAUSED  # at once
    qtbot.waitUntil(lambda: "It waits after" in job(train_dock).status.message, timeout=60_000)
    click(train_dock.pause)
    before = job(train_dock).status.progress.iteration
    qtbot.waitUntil(lambda: job(train_dock).status.progress.iteration > before, timeout=60_000)
    click(train_dock.stop)
    assert job(train_dock).status.state is State.STOPPING
    status = until_idle(train_dock, qtbot)
    assert status.state is State.STOPPED
    assert SliceGAN.load(status.path).info.provenance["iterations"] > before


def test_a_killed_training_is_a_sentence_and_goes_on(train_dock, viewer, qtbot, monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr("napari_slicegan.plugin.work.job.show_error", shown.append)
    dock = train_dock
    train_for(dock, 10**6)
    click(dock.start)
    until_trains(dock, qtbot)
    click(dock.pause)  # which saves
    qtbot.waitUntil(lambda: "It waits after" in job(dock).status.message, timeout=60_000)
    click(dock.pause)
    path = job(dock).status.path
    os.kill(json_pid(path), signal.SIGKILL)
    status = until_idle(dock, qtbot)
    assert status.state is State.FAILED
    assert "most likely by the system because memory ran out" in status.message
    assert f"The last checkpoint is in {path}" in status.message
    assert shown == [status.message]
    assert dock.start.enabled
    last = summary_of(path).iterations
    job(dock).proceed_run(path, iterations=5)
    assert until_idle(dock, qtbot).state is State.FINISHED
    assert summary_of(path).state is RunState.FINISHED
    assert summary_of(path).iterations >= 5
    assert last > 0


def json_pid(path: Path) -> int:
    """The process that trains a run."""
    return int(json.loads((path / "status.json").read_text())["pid"])


def test_it_outlives_its_window_and_is_found_again(make_napari_viewer, open_dock: Open, qtbot, tmp_path):
    first = make_napari_viewer(show=True)
    first.add_labels(two_phases(), name="micrograph")
    dock = open_dock(first)
    dock.settings.outlives.value = True
    train_for(dock, 10**6)
    click(dock.start)
    until_trains(dock, qtbot)
    training = job(dock)
    path = training.status.path
    del dock
    first.close()
    qtbot.waitUntil(lambda: not training.status.state.is_busy, timeout=60_000)
    assert summary_of(path).is_live

    unfinished._settled.paths.clear()  # as in another napari
    second = make_napari_viewer(show=True)
    dock = open_dock(second)
    qtbot.waitUntil(dock.offer.isVisible, timeout=60_000)
    assert "is being trained by another process" in dock.offer.label.text().replace("\u200b", "")
    assert dock.offer.go.text() == "&Watch"
    dock.offer.go.click()
    until_trains(dock, qtbot)
    assert job(dock).status.state is State.TRAINING
    assert job(dock).status.path == path
    qtbot.waitUntil(lambda: len(second.layers) == 1, timeout=60_000)  # its preview
    assert job(dock).view.micrograph is not None
    assert text_of(dock.panel.message).startswith("Another process trains it")
    click(dock.pause)
    qtbot.waitUntil(lambda: "It waits after" in job(dock).status.message, timeout=60_000)
    click(dock.stop)
    assert until_idle(dock, qtbot).state is State.STOPPED
    assert len(dock.jobs.models.entries) == 1
    assert summary_of(path).state is RunState.STOPPED
    finish(second, qtbot)


def test_a_window_that_only_watches_stops_nothing(make_napari_viewer, open_dock: Open, qtbot):
    one = make_napari_viewer(show=True)
    one.add_labels(two_phases())
    docks = [open_dock(one)]
    train_for(docks[0], 10**6)
    click(docks[0].start)  # before there is the other: napari takes work for that of the window in front
    until_trains(docks[0], qtbot)
    two = make_napari_viewer(show=True)
    docks.append(open_dock(two))
    watching = job(docks[1])
    docks[1].jobs.watch(docks[1])
    watching.watch_run(job(docks[0]).status.path)
    until_trains(docks[1], qtbot)
    docks.pop()
    two.close()
    qtbot.waitUntil(lambda: not watching.status.state.is_busy, timeout=60_000)
    before = job(docks[0]).status.progress.iteration
    qtbot.waitUntil(lambda: job(docks[0]).status.progress.iteration > before, timeout=60_000)
    finish(one, qtbot)
    assert job(docks[0]).status.state is State.STOPPED


USER = """
import sys
from pathlib import Path
import napari
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from tests.plugin.conftest import tiny_presets, two_phases

tiny_presets()
viewer = napari.Viewer(show_welcome_screen=False)
viewer.add_labels(two_phases())
_, dock = viewer.window.add_plugin_dock_widget("napari-slicegan", "Train SliceGAN")
dock.settings.folder.value = Path(sys.argv[1])
dock.settings.outlives.value = sys.argv[2] == "outlives"
timer = QTimer()

def watch():
    status = dock.jobs.training.status
    if dock.jobs.estimate._known and not dock.jobs.estimate.status.state.is_busy and not status.path:
        QTest.mouseClick(dock.start.native, Qt.MouseButton.LeftButton)
    if status.progress is not None and len(viewer.layers) == 2:
        timer.stop()
        print("torch" in sys.modules, dock.costs.takes.value != "-", flush=True)
        if sys.argv[2] == "dies":
            import os, signal
            os.kill(os.getpid(), signal.SIGKILL)
        dock.window().close()

timer.timeout.connect(watch)
timer.start(20)
napari.run()
"""
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("how", "code"), [("closes", 0), ("outlives", 0), ("dies", -9)])
def test_napari_never_loads_torch_to_train_and_may_end_in_any_way(tmp_path, qtbot, how, code):
    result = subprocess.run(
        [sys.executable, "-c", USER, str(tmp_path), how],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=ROOT,
    )
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout.split() == ["False", "True"]
    (path,) = tmp_path.iterdir()
    if how == "outlives":
        assert summary_of(path).is_live
        os.kill(json_pid(path), signal.SIGTERM)
    qtbot.waitUntil(lambda: summary_of(path).state is RunState.STOPPED, timeout=60_000)
    assert SliceGAN.load(path).info.provenance["iterations"] > 0


def test_the_own_process_of_napari_still_trains(train_dock, qtbot):
    preferences.set_preference("own_process", False)
    train_for(train_dock, 3)
    click(train_dock.start)
    status = until_idle(train_dock, qtbot)
    assert status.state is State.FINISHED
    assert json_pid(status.path) == os.getpid()
    (entry,) = train_dock.jobs.models.entries
    assert entry.loaded is not None
