"""Several at once: two napari on one folder of runs, two trainings for one directory, locks that the dead have held."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from napari_slicegan.core.config import TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.core.files import CONFIG
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.run import Run
from napari_slicegan.core.runs import RunState, list_runs, summary_of
from napari_slicegan.core.runs.lock import RunLock, is_locked
from tests.core.conftest import small_network

ROOT = Path(__file__).parents[2]
USER = """
import sys
from pathlib import Path
import napari
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from napari_slicegan.plugin.train import settings
from tests.plugin.conftest import tiny_presets, train_for, two_phases

tiny_presets()
viewer = napari.Viewer(show_welcome_screen=False)
viewer.add_labels(two_phases(), name="micrograph")
_, dock = viewer.window.add_plugin_dock_widget("napari-slicegan", "Train SliceGAN")
dock.settings.folder.value = Path(sys.argv[1])
train_for(dock, 20)
timer, left = QTimer(), 3

def watch():
    global left
    if not dock.jobs.training.status.state.is_busy:
        if not left:
            timer.stop()
            viewer.close()
        elif dock.start.enabled:
            left -= 1
            QTest.mouseClick(dock.start.native, Qt.MouseButton.LeftButton)

timer.timeout.connect(watch)
timer.start(20)
napari.run()
"""


def test_two_napari_train_into_one_folder(tmp_path):
    command = [sys.executable, "-c", USER, str(tmp_path)]
    users = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(2)]
    for user in users:
        _, said = user.communicate(timeout=300)
        assert user.returncode == 0, said
        assert "Traceback" not in said
    runs = list_runs(tmp_path)
    assert [run.state for run in runs] == [RunState.FINISHED] * 6
    assert {SliceGAN.load(run.path).info.provenance["iterations"] for run in runs} == {20}


MAKER = """
import sys, time
from pathlib import Path
import numpy as np
from napari_slicegan.core.config import TrainingConfig
from napari_slicegan.core.config import TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.core.run import Run
from tests.core.conftest import small_network

data = TrainingData.from_images(np.random.default_rng(int(sys.argv[2])).integers(0, 2, (64, 64)).astype(np.uint8))
for number in range(40):
    while time.time() < float(sys.argv[3]) + 0.05 * number:  # at the same moment as the other
        pass
    try:
        Run.create(Path(sys.argv[1]) / str(number), data, small_network(), TrainingConfig(), sys.argv[2])
    except SliceGANError:
        pass
"""


def test_of_two_that_make_one_run_at_once_only_one_does(tmp_path):
    command = [sys.executable, "-c", MAKER, str(tmp_path)]
    begin = str(time.time() + 5)
    makers = [subprocess.Popen([*command, who, begin], cwd=ROOT) for who in "12"]
    assert [maker.wait(timeout=120) for maker in makers] == [0, 0]
    for number in range(40):
        run = Run.open(tmp_path / str(number))
        assert run.data().fingerprint == run.fingerprint  # settings and images of one and the same
    assert {Run.open(tmp_path / str(number)).preset for number in range(40)} <= {"1", "2"}


HOLDER = """
import sys, time
from pathlib import Path
from napari_slicegan.core.runs.lock import RunLock
with RunLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_crash_leaves_no_lock_behind(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert is_locked(tmp_path)
        with pytest.raises(SliceGANError, match="is being trained"), RunLock(tmp_path):
            pass
        os.kill(holder.pid, signal.SIGKILL)
    assert is_locked(tmp_path) is False
    with RunLock(tmp_path):
        assert (tmp_path / "run.lock").exists()


def test_a_directory_with_nothing_but_a_lock_is_free(tmp_path):
    (tmp_path / "run.lock").touch()
    data = TrainingData.from_images(np.eye(32, dtype=np.uint8))
    Run.create(tmp_path, data, small_network(), TrainingConfig(), "quick")
    assert (tmp_path / CONFIG).is_file()
    assert summary_of(tmp_path).preset == "quick"
