"""The whole story in a real window with the real buttons: from a sample to a volume, and on after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_slicegan.core.model import SliceGAN
from napari_slicegan.plugin.work.job import State
from tests.plugin.conftest import PLUGIN, click, finish, job, text_of, train_for

ITERATIONS = 200


def test_from_a_sample_to_a_volume_and_on_after_a_restart(
    make_napari_viewer: Any, open_dock: Any, qtbot: Any, tmp_path: Path
):
    viewer = make_napari_viewer(show=True)
    viewer.open_sample(PLUGIN, "cathode")
    micrograph = viewer.layers[0]
    train = open_dock(viewer)

    train_for(train, ITERATIONS)
    click(train.start)
    assert job(train).status.state in (State.CHECKING, State.TRAINING)
    qtbot.waitUntil(lambda: job(train).status.progress is not None, timeout=60_000)
    before = (viewer.scene.camera.center, viewer.scene.camera.zoom, viewer.dims.ndisplay, set(viewer.layers.selection))

    click(train.pause)
    qtbot.waitUntil(lambda: job(train).status.state is State.PAUSED, timeout=5_000)
    paused_at = job(train).status.progress.iteration
    qtbot.wait(300)
    assert job(train).status.progress.iteration <= paused_at + 1
    click(train.pause)
    qtbot.waitUntil(lambda: job(train).status.progress.iteration > paused_at + 1, timeout=20_000)
    click(train.stop)
    assert job(train).status.state is State.STOPPING
    qtbot.waitUntil(lambda: job(train).status.state is State.STOPPED, timeout=20_000)
    made = job(train).status.progress.iteration
    assert 0 < made < ITERATIONS
    now = (viewer.scene.camera.center, viewer.scene.camera.zoom, viewer.dims.ndisplay, set(viewer.layers.selection))
    assert now == before  # the preview has taken nothing over
    assert any(layer.name.startswith("preview") for layer in viewer.layers)

    generate = open_dock(viewer, "Generate volume")
    for box, edge in zip(generate.form.size.voxels, (16, 20, 24), strict=True):
        box.value = edge
    click(generate.generate)
    qtbot.waitUntil(lambda: generate.jobs.generation.status.state is State.FINISHED, timeout=30_000)
    volume = viewer.layers[-1]
    assert volume.data.shape == (16, 20, 24)
    np.testing.assert_allclose(volume.scale, (micrograph.scale[0],) * 3)
    assert volume.units == (micrograph.units[0],) * 3

    run = job(train).status.path
    finish(viewer, qtbot)
    viewer.close()

    second = make_napari_viewer(show=True)
    runs = open_dock(second, "Runs")
    assert run is not None
    assert SliceGAN.load(run).info.provenance["iterations"] == made
    assert text_of is not None
    assert runs is not None
    finish(second, qtbot)
