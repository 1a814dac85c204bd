"""The group *Image check* of the dock *Train SliceGAN*, in a real window."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage

from napari_slicegan.core.check.checks import check
from napari_slicegan.core.check.result import Snap
from napari_slicegan.core.events import Progress
from napari_slicegan.plugin.check import image_part
from napari_slicegan.plugin.check import panel as check_panel
from napari_slicegan.plugin.check import task as check_task
from napari_slicegan.plugin.check.job import OfferJob
from napari_slicegan.plugin.images.chooser import Material
from napari_slicegan.plugin.parts.dock import WIDTH
from napari_slicegan.plugin.work.job import State, Status
from tests.plugin.conftest import click, text_of, two_phases

Open = Callable[..., Any]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_panel, "_PAUSE", 20)


def answered(dock: Any, qtbot: Any) -> Any:
    """Wait for the answer on what is chosen now, and give its panel."""
    panel = dock.check
    qtbot.waitUntil(lambda: panel.lines != [] or "no warnings" in title(panel), timeout=30_000)
    return panel


def title(panel: Any) -> str:
    return str(panel.group.text())


def sentences(panel: Any) -> str:
    return " ".join(text_of(line) for line in panel.lines)


def smooth(edge: int = 96, seed: int = 0) -> np.ndarray:
    """A grey image of structures of about 10 pixels."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(edge, edge)), 3)
    return np.clip(128 + 40 * noise / noise.std(), 1, 254).astype(np.uint8)


def test_phases_are_shown_with_their_colours_and_uncertainties(train_dock, viewer, qtbot):
    panel = answered(train_dock, qtbot)
    found = train_dock.jobs.check.found
    red, green, blue = (round(255 * part) for part in viewer.layers["micrograph"].get_color(1)[:3])
    assert f'<span style="color:rgb({red},{green},{blue})">■</span> 1: ' in panel.summary.value
    assert f"{100 * found.phases[0].fraction:.0f} ± " in panel.summary.value
    assert "Largest structures" in panel.summary.value
    assert f"Crop that shows two of them: {found.recommended_edge} pixels" in panel.summary.value
    assert found.edge == 16  # of the preset that is chosen


def test_a_check_waits_while_a_training_begins(train_dock, viewer, qtbot):
    answered(train_dock, qtbot)
    training, key = train_dock.jobs.training, train_dock.jobs.check.key
    viewer.add_image(smooth(), name="grey")
    training.status = Status(State.CHECKING)
    train_dock.chooser.images[0].value = viewer.layers["grey"]
    qtbot.wait(300)
    assert train_dock.jobs.check.key == key
    training.status = Status(State.TRAINING, progress=Progress(1, 1.0, 0.1, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0))
    qtbot.waitUntil(lambda: train_dock.jobs.check.key != key, timeout=10_000)
    training.status = Status()


def test_a_layer_that_is_chosen_later_is_checked_too(train_dock, viewer, qtbot):
    answered(train_dock, qtbot)
    viewer.add_image(smooth(), name="grey")
    train_dock.chooser.images[0].value = viewer.layers["grey"]
    assert title(train_dock.check) == "Image check: …"
    qtbot.waitUntil(lambda: title(train_dock.check) != "Image check: …", timeout=30_000)
    assert train_dock.jobs.check.found.kind == "grey"
    assert "■" not in train_dock.check.summary.value


def test_only_the_last_of_several_choices_is_answered(viewer, open_dock, qtbot, monkeypatch):
    go_on, edges = threading.Event(), []

    def slow(data: Any, *args: Any, **details: Any) -> Any:
        edges.append(data.sources[0].shape[1])
        go_on.wait(30)
        return check(data, *args, **details)

    monkeypatch.setattr(check_task, "check", slow)
    viewer.add_labels(two_phases())
    dock = open_dock(viewer)
    qtbot.waitUntil(lambda: edges == [32], timeout=30_000)
    for edge in (48, 64):
        dock.chooser.images[0].value = viewer.add_labels(two_phases(edge))
        qtbot.wait(100)
    go_on.set()
    panel = answered(dock, qtbot)
    assert edges == [32, 64]
    assert dock.jobs.check.found.shapes == ((64, 64),)
    assert panel.summary.value


def test_nothing_is_checked_while_nothing_can_be_trained_on(viewer, open_dock, qtbot):
    dock = open_dock(viewer)
    assert dock.check.group.isHidden()
    viewer.add_labels(two_phases())
    assert not dock.check.group.isHidden()
    answered(dock, qtbot)
    dock.chooser.material.value = Material.TRANSVERSE
    assert dock.check.group.isHidden()


def test_a_dock_that_is_opened_again_shows_what_was_found(train_dock, viewer, qtbot, open_dock, monkeypatch):
    answered(train_dock, qtbot)
    monkeypatch.setattr(check_task, "check", None)
    viewer.window.remove_dock_widget(train_dock)
    again = open_dock(viewer)
    assert again.check.summary.value
    assert title(again.check) != "Image check: …"


def test_an_image_of_large_structures_is_trained_on_shrunk(viewer, open_dock, qtbot):
    large = np.kron(two_phases(64), np.ones((3, 3), np.uint8))
    viewer.add_labels(large, scale=(0.5, 0.5), units="um")
    dock = open_dock(viewer)
    panel = answered(dock, qtbot)
    (button,) = [line for line in panel.lines if getattr(line, "text", "").startswith("Shrink by ")]
    click(button)
    times = dock.chooser.shrink.value
    assert button.text == f"Shrink by {times}"
    qtbot.waitUntil(lambda: dock.jobs.check.found is not None and dock.jobs.check.found.edge == 16 * times)
    qtbot.waitUntil(lambda: title(panel) != "Image check: …", timeout=30_000)
    assert "Shrink" not in " ".join(getattr(line, "text", "") for line in panel.lines)
    inquiry = dock._inquiry()
    assert inquiry.data.pixel_size == 0.5 * times
    assert np.array_equal(viewer.layers[0].data, large)


def test_snapping_adds_labels_to_train_on(viewer, open_dock, qtbot):
    image = ndimage.zoom(np.kron(two_phases(48, values=(0, 200)), np.ones((2, 2), np.uint8)), 1.5, order=1)
    layer = viewer.add_image(image, name="resized", scale=(0.5, 0.5), translate=(3, 4), units="um")
    dock = open_dock(viewer)
    panel = answered(dock, qtbot)
    button = panel.lines[-1]
    assert button.text == "Snap to 2 phases"
    click(button)
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=30_000)
    snapped = viewer.layers["resized snapped"]
    assert np.array_equal(np.unique(snapped.data), [0, 1])
    assert snapped.data.shape == image.shape
    assert np.mean((snapped.data == 1) != (image > 100)) < 0.01
    assert tuple(snapped.scale) == (0.5, 0.5)
    assert tuple(snapped.translate) == (3, 4)
    assert snapped.units == layer.units
    assert dock.chooser.images[0].value is snapped
    assert text_of(dock.chooser.found).startswith("2 phases")


def test_a_data_bar_can_be_left_out(viewer, open_dock, qtbot):
    image = np.vstack([np.zeros((20, 96), np.uint8), smooth()])
    layer = viewer.add_image(image, name="sem", scale=(0.5, 0.5), units="um", colormap="magma")
    dock = open_dock(viewer)
    panel = answered(dock, qtbot)
    (button,) = [line for line in panel.lines if getattr(line, "text", "") == "Use the region without it"]
    click(button)
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=30_000)
    cropped = viewer.layers["sem cropped"]
    top = image.shape[0] - cropped.data.shape[0]
    assert 20 <= top <= 28
    assert np.array_equal(cropped.data, image[top:])
    assert tuple(cropped.translate) == (0.5 * top, 0)
    assert (cropped.units, cropped.colormap.name) == (layer.units, "magma")
    assert dock.chooser.images[0].value is cropped
    assert layer.data.shape == image.shape


def test_names_are_no_markup_and_long_sentences_fit(viewer, open_dock, qtbot):
    noise = np.random.default_rng(0).random((2, 96, 96)) < 0.02
    for name, noisy in zip("ab", noise, strict=True):
        viewer.add_labels(two_phases(96) ^ noisy, name=f"<b>{name}</b>_{'x' * 60}")
    dock = open_dock(viewer)
    dock.chooser.material.value = Material.TRANSVERSE
    dock.chooser.images[0].value, dock.chooser.images[1].value = viewer.layers
    panel = answered(dock, qtbot)
    assert "&lt;b&gt;a&lt;/b&gt;" in text_of(panel.lines[0])
    assert dock.widget().minimumSizeHint().width() <= WIDTH
    assert "speck" in sentences(panel)


def test_a_check_that_fails_disturbs_nobody(viewer, open_dock, qtbot, monkeypatch):
    def broken(*_: Any, **__: Any) -> None:
        raise ValueError("defect")

    shown: list[str] = []
    monkeypatch.setattr(check_task, "check", broken)
    monkeypatch.setattr("napari_slicegan.plugin.work.job.show_error", shown.append)
    viewer.add_labels(two_phases())
    dock = open_dock(viewer)
    qtbot.waitUntil(lambda: "defect" in dock.check.summary.value, timeout=30_000)
    assert shown == []
    assert dock.start.enabled


def test_of_large_layers_only_a_part_is_read(viewer, open_dock, qtbot, monkeypatch):
    read: list[int] = []

    def block(pixels: Any) -> Any:
        read.append(pixels.size)
        return pixels

    monkeypatch.setattr(image_part, "MOST_PIXELS", 32 * 32)
    monkeypatch.setattr(image_part, "_MOST_BYTES", 0)
    viewer.add_labels(da.from_array(two_phases(96), chunks=16).map_blocks(block, dtype=np.uint8), name="lazy")
    read.clear()
    dock = open_dock(viewer)
    panel = answered(dock, qtbot)
    assert "Only the middle of lazy was looked at, 32 x 32 pixels." in text_of(panel.summary)
    assert dock.jobs.check.found.shapes == ((32, 32),)
    assert sum(read) < 96 * 96


def test_a_check_ends_with_the_window(make_napari_viewer, open_dock, qtbot, monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr(check_task, "check", lambda *_, **__: go_on.wait(30))
    viewer = make_napari_viewer(show=True)
    viewer.add_labels(two_phases())
    dock = open_dock(viewer)
    job = dock.jobs.check
    qtbot.waitUntil(lambda: job.status.state.is_busy, timeout=30_000)
    viewer.close()
    qtbot.waitUntil(lambda: job._is_abandoned, timeout=5000)
    go_on.set()
    qtbot.waitUntil(lambda: not job.status.state.is_busy, timeout=30_000)


def test_an_offer_ends_with_the_window(train_dock, qtbot, monkeypatch):
    answered(train_dock, qtbot)
    train_dock.jobs._is_watching = False  # as if the check had been another window's
    monkeypatch.setattr(OfferJob, "start", lambda *_: None)
    click(train_dock.check._button(Snap(0, ((1.0,), (2.0,)))))
    assert train_dock.jobs._is_watching


def test_what_is_painted_on_or_replaced_is_checked_again(train_dock, viewer, qtbot):
    answered(train_dock, qtbot)
    layer, job = viewer.layers["micrograph"], train_dock.jobs.check
    layer.paint((3, 3), 3)
    qtbot.waitUntil(lambda: job.found is not None and len(job.found.phases) == 3, timeout=30_000)
    assert text_of(train_dock.chooser.found).startswith("3 phases")
    layer.data = two_phases(48)
    qtbot.waitUntil(lambda: job.found is not None and job.found.shapes == ((48, 48),), timeout=30_000)
    layer.scale, layer.units = (0.5, 0.5), ("um", "um")
    qtbot.waitUntil(lambda: job.found is not None and job.found.unit == "um", timeout=30_000)
    assert "0.5 µm/px" in text_of(train_dock.chooser.found)


def test_what_leaves_the_pixels_alone_asks_for_no_check(train_dock, viewer, qtbot):
    answered(train_dock, qtbot)
    before = train_dock.jobs.check.found
    viewer.layers["micrograph"].refresh()
    viewer.layers["micrograph"].opacity = 0.5
    qtbot.wait(150)
    assert train_dock.jobs.check.found is before
