"""The whole story in a real window with the real buttons: from a sample to a volume that is judged, and on later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_slicegan.core.model import SliceGAN
from napari_slicegan.plugin.compare.form import Judged
from napari_slicegan.plugin.parts.docks import COMPARE, GENERATE, RUNS
from napari_slicegan.plugin.runs import actions
from napari_slicegan.plugin.runs.dialogs import Further
from napari_slicegan.plugin.work.job import TRAINS, State
from tests.plugin.conftest import PLUGIN, click, finish, job, train_for

ITERATIONS = 200


def view_of(viewer: Any) -> tuple[Any, ...]:
    """All that a preview must leave alone."""
    camera = viewer.scene.camera
    shown = {layer.name: layer.visible for layer in viewer.layers if not layer.name.endswith(" preview")}
    return tuple(camera.center), camera.zoom, viewer.dims.ndisplay, set(viewer.layers.selection), shown


def train_with_a_pause(dock: Any, viewer: Any, qtbot: Any) -> int:
    """Train, pause, resume, stop; gives the iterations that were made."""
    train_for(dock, ITERATIONS)
    training = job(dock)
    click(dock.start)
    assert training.status.state is State.CHECKING
    qtbot.waitUntil(lambda: training.preview.is_there, timeout=60_000)
    before = view_of(viewer)
    click(dock.pause)
    assert training.status.state is State.PAUSED
    qtbot.waitUntil(lambda: "It waits" in training.status.message, timeout=10_000)
    made = training.status.progress.iteration
    qtbot.wait(300)
    assert training.status.progress.iteration == made
    click(dock.pause)
    qtbot.waitUntil(lambda: training.status.progress.iteration > made, timeout=20_000)
    click(dock.stop)
    assert training.status.state in (State.STOPPING, State.STOPPED)
    qtbot.waitUntil(lambda: training.status.state is State.STOPPED, timeout=20_000)
    assert view_of(viewer) == before
    assert made < training.status.progress.iteration < ITERATIONS
    return int(training.status.progress.iteration)


def generate_and_save(viewer: Any, open_dock: Any, qtbot: Any, path: Path) -> None:
    """Generate a volume, compare it with the micrograph, save it."""
    micrograph = viewer.layers["cathode"]
    dock = open_dock(viewer, GENERATE)
    dock.form.output.in_3d.value = False
    for box, edge in zip(dock.form.size.voxels, (24, 32, 40), strict=True):
        box.value = edge
    click(dock.generate)
    qtbot.waitUntil(lambda: dock.jobs.generation.status.state is State.FINISHED, timeout=30_000)
    volume = viewer.layers[-1]
    assert volume.data.shape == (24, 32, 40)
    np.testing.assert_allclose(volume.scale, (micrograph.scale[0],) * 3)
    assert [str(unit) for unit in volume.units] == [str(micrograph.units[0])] * 3
    np.testing.assert_allclose(volume.colormap.map(1), micrograph.colormap.map(1), atol=0.01)

    dock = open_dock(viewer, COMPARE)
    dock.form.judged.value = Judged.LAYERS
    dock.form.slow.value = False
    click(dock.compare)
    qtbot.waitUntil(lambda: dock.jobs.comparison.status.state is State.FINISHED, timeout=60_000)
    assert dock.view.comparison.rows

    viewer.layers.selection = {volume}
    assert viewer.layers.save(str(path), selected=True, plugin=PLUGIN) == [str(path)]
    (again,) = viewer.open(str(path), plugin=PLUGIN)
    np.testing.assert_array_equal(again.data, volume.data)
    np.testing.assert_allclose(again.scale, volume.scale)
    viewer.layers.remove(again)


def continue_later(viewer: Any, open_dock: Any, qtbot: Any, made: int) -> None:
    """Find the run in a window that knows nothing of it, and go on with it."""
    dock = open_dock(viewer, RUNS)
    qtbot.waitUntil(lambda: dock.table.run is not None, timeout=10_000)
    assert dock.table.run.iterations == made
    button = dock.buttons.buttons["continue"]
    qtbot.waitUntil(button.isEnabled, timeout=10_000)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    training = dock.jobs.training
    qtbot.waitUntil(lambda: training.status.state not in (*TRAINS, State.IDLE), timeout=60_000)
    assert training.status.state is State.FINISHED, training.status.message
    assert SliceGAN.load(training.status.path).info.provenance["iterations"] == made + 30
    assert len(training.view.progress) > 1  # the curves of the whole run


def test_from_a_sample_to_a_volume_and_on_later(
    make_napari_viewer: Any, open_dock: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.open_sample(PLUGIN, "cathode")
    made = train_with_a_pause(open_dock(viewer), viewer, qtbot)
    generate_and_save(viewer, open_dock, qtbot, tmp_path / "volume.tif")
    finish(viewer, qtbot)
    viewer.close()

    later = make_napari_viewer(show=True)
    monkeypatch.setattr(actions, "ask_further", lambda *_: Further(0.0, 30))  # a dialog waits for its answer
    continue_later(later, open_dock, qtbot, made)
    finish(later, qtbot)
