"""What people do in the docks of napari, in a window with the real buttons; run by tests/test_network.py."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import napari
from qtpy.QtWidgets import QApplication

from napari_slicegan.plugin import preferences
from napari_slicegan.plugin.compare.form import Judged
from napari_slicegan.plugin.parts.docks import COMPARE, GENERATE, RUNS, TRAIN, open_dock
from napari_slicegan.plugin.train import settings
from napari_slicegan.plugin.work.job import State
from tests.plugin.conftest import click, job, tiny_presets, train_for, two_phases

PATIENCE = 120
"""Seconds that one thing may take."""


def wait_until(condition: Callable[[], bool]) -> None:
    """Let the window live until something is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it takes for ever"
        QApplication.processEvents()
        time.sleep(0.05)


def train_generate_and_look(viewer: napari.Viewer) -> None:
    """Train in a process of its own, generate a volume, look at the runs, compare."""
    viewer.add_labels(two_phases(), name="micrograph")
    train = open_dock(viewer, TRAIN)
    train_for(train, 3)
    click(train.start)
    wait_until(lambda: not job(train).status.state.is_busy)
    assert job(train).status.state is State.FINISHED, job(train).status.message

    generate = open_dock(viewer, GENERATE)
    for box in generate.form.size.voxels:
        box.value = 24
    click(generate.generate)
    wait_until(lambda: generate.jobs.generation.status.state is State.FINISHED)

    runs = open_dock(viewer, RUNS)
    wait_until(lambda: runs.table.run is not None)

    compare = open_dock(viewer, COMPARE)
    compare.form.judged.value = Judged.LAYERS
    compare.form.slow.value = False
    click(compare.compare)
    wait_until(lambda: compare.jobs.comparison.status.state is State.FINISHED)


if __name__ == "__main__":
    tiny_presets()
    settings.likely_device = lambda: "cpu"
    for module in (settings, preferences):
        module.default_folder = lambda: Path("runs").absolute()
    window = napari.Viewer()
    train_generate_and_look(window)
    window.close()
