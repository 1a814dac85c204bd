"""A real window, networks that train in a blink, and hands to press buttons with."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.presets import PRESETS
from napari_slicegan.plugin import preferences
from napari_slicegan.plugin.train import settings
from napari_slicegan.plugin.work.jobs import jobs_of

os.environ["NAPARI_ENSURE_PLUGIN_MAIN_THREAD"] = "1"  # a layer that is touched from a worker is an error
os.environ["NAPARI_STRICT_QT"] = "1"  # what is left of a window when it has gone is an error

PLUGIN = "napari-slicegan"


def tiny_presets() -> None:
    """Make 'quick' a network of 16 pixels."""
    network = NetworkConfig(
        kernel=(4, 4, 4),
        stride=(2, 2, 2),
        padding=(2, 2, 3),
        channels=(4, 4),
        latent_channels=2,
        discriminator_channels=(4, 4),
    )
    quick = PRESETS["quick"]
    training = replace(
        quick.training, report_seconds=0.05, preview_seconds=0.05, minutes=10.0, iterations=0, patience=0
    )
    PRESETS["quick"] = replace(quick, network=network, training=training)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Train tiny networks, whatever the computer, and keep runs out of the home directory."""
    monkeypatch.setattr("napari.settings._PLUGIN_SETTINGS", {})  # preferences end with the test
    monkeypatch.setitem(PRESETS, "quick", PRESETS["quick"])  # to be put back
    tiny_presets()
    monkeypatch.setattr(settings, "likely_device", lambda: "cpu")
    preferences.set_preference("own_process", False)  # what tests put in the way of a training is in this process
    for module in (settings, preferences):
        monkeypatch.setattr(module, "default_folder", lambda: tmp_path / "runs")
    monkeypatch.setattr(settings, "preferences", lambda: preferences.Preferences(preview_seconds=0.3))


@pytest.fixture
def viewer(make_napari_viewer: Any, qtbot: Any) -> Iterator[Any]:
    """A viewer in a window that is shown; what it still works on at the end is stopped."""
    viewer = make_napari_viewer(show=True)
    yield viewer
    finish(viewer, qtbot)


@pytest.fixture
def open_dock(qtbot: Any) -> Iterator[Callable[..., Any]]:
    """Opens a dock of the plugin as the menu does, and gives its widget; a fixture must not keep one that is closed."""
    opened: list[weakref.ref[Any]] = []

    def open_it(viewer: Any, name: str = "Train SliceGAN") -> Any:
        _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, name)
        opened.append(weakref.ref(widget))
        return widget

    yield open_it
    for reference in opened:
        with suppress(AttributeError, RuntimeError):  # it has gone, or its window has
            if reference().parent() is None:
                reference().deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def train_dock(viewer: Any, open_dock: Callable[..., Any]) -> Any:
    """The dock *Train SliceGAN* with a two-phase image to train on."""
    viewer.add_labels(two_phases(), name="micrograph")
    return open_dock(viewer)


def two_phases(edge: int = 32, seed: int = 0, values: tuple[int, int] = (1, 2)) -> np.ndarray:
    """A labels image of blocks of 4 x 4 pixels."""
    blocks = np.random.default_rng(seed).integers(0, 2, (edge // 4, edge // 4))
    return np.array(values, np.uint8)[np.kron(blocks, np.ones((4, 4), int))]


def click(button: Any) -> None:
    """Press a button with the left mouse button."""
    QTest.mouseClick(button.native, Qt.MouseButton.LeftButton)


def train_for(dock: Any, iterations: int) -> None:
    """Set the length in iterations."""
    dock.settings.length_unit.value = "iterations"
    dock.settings.length.value = iterations


def job(dock: Any) -> Any:
    """The training that a dock shows."""
    return dock.jobs.training


def until_idle(dock: Any, qtbot: Any) -> Any:
    """Wait for the end of the training and give its status."""
    qtbot.waitUntil(lambda: not job(dock).status.state.is_busy, timeout=60_000)
    return job(dock).status


def until_trains(dock: Any, qtbot: Any) -> None:
    """Wait for the first report."""
    qtbot.waitUntil(lambda: job(dock).status.progress is not None or not job(dock).status.state.is_busy, timeout=60_000)
    assert job(dock).status.progress is not None, job(dock).status


def text_of(label: Any) -> str:
    """What a label says, without the places where a line may break or must not."""
    return str(label.value).replace("\u200b", "").replace("\u00a0", " ")


def finish(viewer: Any, qtbot: Any) -> None:
    """Stop what a viewer is doing and wait for it."""
    jobs = jobs_of(viewer)
    for work in jobs.all:
        work.stop()
        qtbot.waitUntil(lambda work=work: not work.status.state.is_busy, timeout=60_000)
    qtbot.wait(20)
