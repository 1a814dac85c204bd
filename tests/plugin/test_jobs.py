"""Work outlives a closed dock, ends with its window, and belongs to one viewer."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDockWidget

from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.run import Run
from napari_slicegan.core.training import Trainer
from napari_slicegan.plugin.work.job import State
from napari_slicegan.plugin.work.jobs import jobs_of
from tests.plugin.conftest import click, finish, job, text_of, train_for, two_phases, until_idle, until_trains

Open = Callable[..., Any]
ROOT = Path(__file__).parents[2]


def close_dock(widget: Any) -> None:
    """Press the cross in the title bar of a dock."""
    dock = widget.parent()
    assert isinstance(dock, QDockWidget)
    QTest.mouseClick(dock.title.close_button, Qt.MouseButton.LeftButton)


def test_a_dock_closed_and_opened_again_shows_the_training(viewer, open_dock: Open, qtbot):
    viewer.add_labels(two_phases())
    first = open_dock(viewer)
    train_for(first, 10**6)
    click(first.start)
    until_trains(first, qtbot)
    close_dock(first)
    qtbot.wait(50)
    training = job(first)
    before = training.status.progress.iteration
    qtbot.waitUntil(lambda: training.status.progress.iteration > before, timeout=60_000)

    again = open_dock(viewer)
    assert again is not first
    del first  # else it would outlive the window
    assert again.panel.state.value.startswith("Training on")
    assert not again.start.enabled
    assert again.live.curves.view is job(again).view
    assert not again.setup.is_open
    assert again.stop.enabled
    before = text_of(again.panel.rows["iteration"])
    qtbot.waitUntil(lambda: text_of(again.panel.rows["iteration"]) != before, timeout=60_000)
    click(again.stop)
    assert until_idle(again, qtbot).state is State.STOPPED
    assert again.panel.state.value == "Stopped"
    assert len(again.jobs.models.entries) == 1


@pytest.mark.parametrize("name", ["Train SliceGAN", "Generate volume"])
def test_a_closed_dock_goes(viewer, open_dock: Open, qtbot, name):
    viewer.add_labels(two_phases())
    widget = open_dock(viewer, name)
    dead = weakref.ref(widget)
    close_dock(widget)
    del widget
    qtbot.wait(100)
    gc.collect()
    assert dead() is None


def test_two_viewers_train_apart(make_napari_viewer, open_dock: Open, qtbot):
    viewers = [make_napari_viewer(show=True) for _ in range(2)]
    for viewer in viewers:
        viewer.add_labels(two_phases())
    one, two = (open_dock(viewer) for viewer in viewers)
    train_for(one, 10**6)
    train_for(two, 3)
    click(one.start)
    until_trains(one, qtbot)
    assert job(two).status.state is State.IDLE
    click(two.start)
    assert until_idle(two, qtbot).state is State.FINISHED
    assert job(one).status.state is State.TRAINING
    assert not one.jobs.models.entries
    assert len(two.jobs.models.entries) == 1
    finish(viewers[0], qtbot)
    assert [len(viewer.layers) for viewer in viewers] == [2, 2]


def test_closing_the_viewer_stops_the_training_and_keeps_it(make_napari_viewer, open_dock: Open, qtbot):
    viewer = make_napari_viewer(show=True)
    viewer.add_labels(two_phases())
    dock = open_dock(viewer)
    train_for(dock, 10**6)
    click(dock.start)
    until_trains(dock, qtbot)
    training = job(dock)
    viewer.close()
    qtbot.waitUntil(lambda: not training.status.state.is_busy, timeout=60_000)
    assert training.status.state is State.STOPPED
    assert SliceGAN.load(training.status.path / "checkpoint.pt")
    qtbot.wait(50)


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
timer = QTimer()

def watch():
    if dock.jobs.training.status.progress is not None:
        timer.stop()
        dock.window().close()

timer.timeout.connect(watch)
timer.start(20)
QTimer.singleShot(0, lambda: QTest.mouseClick(dock.start.native, Qt.MouseButton.LeftButton))
napari.run()
"""


def test_quitting_napari_while_it_trains_leaves_a_model(tmp_path):
    result = subprocess.run(
        [sys.executable, "-c", USER, str(tmp_path)], capture_output=True, text=True, check=False, timeout=120, cwd=ROOT
    )
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    (path,) = tmp_path.iterdir()
    assert SliceGAN.load(path).info.provenance["iterations"] > 0
    assert Run.open(path).log()[-1]["reason"] == "stopped"


def living_trainers() -> set[int]:
    """Trainers that something still holds."""
    gc.collect()
    return {id(thing) for thing in gc.get_objects() if type(thing) is Trainer}


def test_a_finished_training_leaves_the_trainer_to_the_collector(train_dock, qtbot):
    before = living_trainers()  # of other tests
    train_for(train_dock, 2)
    click(train_dock.start)
    until_idle(train_dock, qtbot)
    qtbot.wait(50)
    assert living_trainers() <= before


def test_jobs_belong_to_a_viewer_and_do_not_keep_it():
    one, two = ViewerModel(), ViewerModel()
    assert jobs_of(one) is jobs_of(one)
    assert jobs_of(one) is not jobs_of(two)
    dead = weakref.ref(two)
    del two
    gc.collect()
    assert dead() is None


def test_opening_the_docks_imports_no_torch():
    code = """
import sys, napari
viewer = napari.Viewer(show_welcome_screen=False)
viewer.open_sample("napari-slicegan", "cathode")
for name in ("Train SliceGAN", "Generate volume"):
    viewer.window.add_plugin_dock_widget("napari-slicegan", name)
assert "torch" not in sys.modules
viewer.close()
print("light")
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert result.stdout.strip().endswith("light"), result.stderr


@pytest.mark.parametrize(("where", "said"), [("apart", "True False 0"), ("here", "False True 0")])
def test_an_open_dock_loads_torch_before_it_measures(where, said):
    """Whoever looks at the settings for a moment does not wait for it later."""
    code = """
import sys, napari
from qtpy.QtTest import QTest
from napari_slicegan.plugin.preferences import set_preference
from napari_slicegan.plugin.train import cost_rows
cost_rows._PAUSE = 10**9  # nothing is measured
viewer = napari.Viewer(show_welcome_screen=False)
viewer.open_sample("napari-slicegan", "cathode")
_, dock = viewer.window.add_plugin_dock_widget("napari-slicegan", "Train SliceGAN")
if sys.argv[1] == "here":
    set_preference("own_process", False)
estimate, spare = dock.jobs.estimate, dock.jobs.spare
for _ in range(600):
    QTest.qWait(100)
    if "torch" in sys.modules and not estimate.status.state.is_busy or spare.is_there:
        break
print(spare.is_there, "torch" in sys.modules, len(estimate._known))
viewer.close()
"""
    result = subprocess.run(
        [sys.executable, "-c", code, where], capture_output=True, text=True, check=False, timeout=120
    )
    assert result.stdout.strip() == said, result.stderr
