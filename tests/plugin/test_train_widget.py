"""The dock *Train SliceGAN*: its buttons are pressed in a real window."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from magicgui.widgets import Widget
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QWidget

from napari_slicegan.core.events import Preview
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.run import Run
from napari_slicegan.plugin import layers
from napari_slicegan.plugin.images.chooser import Material
from napari_slicegan.plugin.parts.dock import NO_WIDTH, WIDTH
from napari_slicegan.plugin.train import estimate_job
from napari_slicegan.plugin.work.job import State
from napari_slicegan.plugin.work.worker import PAUSES
from tests.plugin.conftest import click, job, text_of, train_for, two_phases, until_idle, until_trains

Open = Callable[..., Any]
NO_LAYER = "Open a micrograph (File > Open), or try it on a sample."


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is shown as an error notification."""
    shown: list[str] = []
    monkeypatch.setattr("napari_slicegan.plugin.work.job.show_error", shown.append)
    monkeypatch.setattr("napari_slicegan.plugin.train.widget.show_error", shown.append)
    return shown


def problem(dock: Any) -> str:
    """What the dock says in its footer, else in its hint."""
    return text_of(dock.panel.message) or dock.hint.label.text().replace(NO_WIDTH, "")


def test_from_a_micrograph_to_a_model(train_dock, viewer, qtbot):
    dock = train_dock
    assert text_of(dock.chooser.found) == "2 phases · pixel size unknown · 32 \u00d7 32 px"
    assert dock.start.enabled
    assert not dock.stop.enabled
    train_for(dock, 30)
    click(dock.start)
    assert job(dock).status.state is State.CHECKING
    assert not dock.start.enabled
    assert dock.stop.enabled
    status = until_idle(dock, qtbot)
    assert status.state is State.FINISHED, status.message
    assert dock.panel.state.value == "Finished"
    assert not dock.panel.bar.visible
    assert dock.start.enabled
    assert status.progress.iteration == 30
    assert text_of(dock.panel.rows["iteration"]).startswith("30 ")
    assert str(status.path) in problem(dock)
    (entry,) = dock.jobs.models.entries
    assert entry.model.info.phases == (1, 2)
    assert SliceGAN.load(status.path).info.provenance["images"] == ["micrograph"]


def test_the_preview_is_one_layer_refreshed_in_place(train_dock, viewer, qtbot, monkeypatch):
    monkeypatch.setitem(PAUSES, Preview, 0.0)
    micrograph = viewer.layers["micrograph"]
    viewer.scene.camera.zoom = 5.5
    camera = (viewer.scene.camera.zoom, viewer.scene.camera.center[1:])
    train_for(train_dock, 10**6)
    click(train_dock.start)
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=60_000)
    preview = viewer.layers[1]
    assert (viewer.scene.camera.zoom, viewer.scene.camera.center[1:]) == camera
    assert viewer.layers.selection.active is micrograph
    assert (preview.ndim, preview.data.shape, preview.data.dtype) == (3, (16, 16, 16), np.uint8)
    assert preview.axis_labels == ("z", "y", "x")
    assert tuple(preview.get_color(1)) == tuple(micrograph.get_color(1))

    qtbot.waitUntil(lambda: viewer.dims.point[0] == 8.0)  # its middle, of an axis that was not there before
    viewer.dims.set_point(0, 3.0)
    viewer.scene.camera.zoom, viewer.scene.camera.center = 7.0, (0.0, 5.0, 6.0)
    first = preview.data
    qtbot.waitUntil(lambda: preview.data is not first, timeout=60_000)
    assert len(viewer.layers) == 2
    assert viewer.layers.selection.active is micrograph
    assert viewer.scene.camera.zoom == 7.0
    assert viewer.scene.camera.center == (0.0, 5.0, 6.0)
    assert viewer.dims.point[0] == 3.0


def test_a_removed_preview_does_not_come_back(train_dock, viewer, qtbot, monkeypatch):
    monkeypatch.setitem(PAUSES, Preview, 0.0)
    train_for(train_dock, 10**6)
    click(train_dock.start)
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=60_000)
    viewer.layers.pop(1)
    before = job(train_dock).status.progress.iteration if job(train_dock).status.progress else 0
    qtbot.waitUntil(lambda: job(train_dock).status.progress.iteration > before + 10, timeout=60_000)
    assert len(viewer.layers) == 1
    assert train_dock.hint.button.text() == "Show preview"
    train_dock.hint.button.click()  # but when it is asked for
    assert viewer.dims.ndisplay == 3
    assert [layer.visible for layer in viewer.layers] == [False, True]
    assert train_dock.hint.button.text() == "Back to the micrograph"
    train_dock.hint.button.click()
    assert viewer.dims.ndisplay == 2
    assert viewer.layers[0].visible
    assert train_dock.hint.button.text() == "Show preview"


def test_stop_is_acknowledged_at_once_and_keeps_the_model(train_dock, qtbot):
    train_for(train_dock, 10**6)
    click(train_dock.start)
    until_trains(train_dock, qtbot)
    click(train_dock.stop)
    assert job(train_dock).status.state is State.STOPPING
    assert train_dock.panel.state.value.startswith("Stopping")
    assert not train_dock.stop.enabled
    status = until_idle(train_dock, qtbot)
    assert status.state is State.STOPPED
    assert (status.path / "checkpoint.pt").is_file()
    assert len(train_dock.jobs.models.entries) == 1


def test_stop_before_torch_is_there(train_dock, qtbot, monkeypatch):
    was_stopped = threading.Event()

    def images_after_the_stop(*args: Any) -> Any:
        assert was_stopped.wait(60)
        return layers.training_data(*args)

    # The trainer is made, and torch loaded, of these.
    monkeypatch.setattr(estimate_job, "training_data", images_after_the_stop)
    train_for(train_dock, 10**6)
    click(train_dock.start)
    click(train_dock.stop)
    assert job(train_dock).status.state is State.STOPPING
    was_stopped.set()
    assert until_idle(train_dock, qtbot).state is State.STOPPED
    assert "nothing has been learnt" in job(train_dock).status.message
    assert not train_dock.jobs.models.entries


def test_a_run_goes_on_from_its_directory_alone(train_dock, viewer, qtbot):
    train_for(train_dock, 8)
    click(train_dock.start)
    path = until_idle(train_dock, qtbot).path
    viewer.layers.clear()
    job(train_dock).proceed_run(path, iterations=12)
    assert job(train_dock).status.state is State.CHECKING
    status = until_idle(train_dock, qtbot)
    assert (status.state, status.path, status.progress.iteration) == (State.FINISHED, path, 20)
    assert job(train_dock).view.progress[0].iteration <= 8  # what was written before is shown, too
    assert len(train_dock.jobs.models.entries) == 1
    iterations = [line["iteration"] for line in Run.open(path).log() if line["event"] == "end"]
    assert iterations == [8, 20]


def test_what_is_no_run_is_said(train_dock, qtbot, tmp_path, errors):
    job(train_dock).proceed_run(tmp_path)
    assert "There is no run at" in until_idle(train_dock, qtbot).message
    assert len(errors) == 1


def test_pause_and_resume(train_dock, qtbot):
    train_for(train_dock, 10**6)
    assert not train_dock.pause.enabled
    click(train_dock.start)
    until_trains(train_dock, qtbot)
    click(train_dock.pause)
    assert train_dock.panel.state.value.startswith("Paused")  # at once
    assert train_dock.pause.text == "Res&ume"
    qtbot.waitUntil(lambda: "what it has made is saved" in problem(train_dock), timeout=5_000)
    status = job(train_dock).status
    assert (status.path / "checkpoint.pt").is_file()
    assert "Press Resume" in train_dock.hint.label.text()
    qtbot.wait(200)
    assert job(train_dock).status.progress == status.progress
    click(train_dock.pause)
    assert train_dock.panel.state.value.startswith("Training on")
    qtbot.waitUntil(lambda: job(train_dock).status.progress.iteration > status.progress.iteration, timeout=5_000)
    click(train_dock.pause)
    click(train_dock.stop)  # also while it waits
    assert until_idle(train_dock, qtbot).state is State.STOPPED


def test_the_dock_shows_what_the_run_has_learnt(train_dock, viewer, qtbot):
    dock = train_dock
    assert dock.setup.is_open
    assert "Press Train" in dock.hint.label.text()
    train_for(dock, 24)
    click(dock.start)
    assert not dock.setup.is_open
    assert dock.panel.state.value == "Checking"
    assert until_idle(dock, qtbot).state is State.FINISHED
    qtbot.waitUntil(lambda: dock.live.strip.isVisible() and None not in dock.live.strip._pictures, timeout=5_000)
    distance, _, errors = dock.live.curves.plots
    qtbot.waitUntil(lambda: distance.curves[0].getData()[0].tolist()[-1:] == [24], timeout=15_000)
    assert errors.curves[0].getData()[1].size  # at least of the end
    assert "in fractions" in text_of(dock.panel.rows["errors"])
    assert "is ready" in dock.hint.label.text()
    assert viewer.layers[-1].metadata["napari-slicegan"]["iterations"] == 24


def test_a_run_starts_from_another(train_dock, qtbot):
    train_for(train_dock, 4)
    train_dock.settings.network.channels.value = "5, 6"
    click(train_dock.start)
    first = until_idle(train_dock, qtbot).path
    train_dock.settings.network.channels.value = "4, 4"
    train_dock.set_start_from(first)
    assert train_dock.hint.label.text().replace(NO_WIDTH, "") == f"Press Train: it goes on from {first.name}."
    assert train_dock.settings.network_config().channels == (5, 6)
    assert first.name in train_dock.start_from.label.text().replace("\u200b", "")
    click(train_dock.start)
    status = until_idle(train_dock, qtbot)
    assert status.state is State.FINISHED, status.message
    assert first.name in Run.open(status.path).started_from
    train_dock.start_from.close_button.click()
    assert train_dock.start_from.isHidden()


def test_the_sample_is_a_button_away(viewer, open_dock: Open, qtbot):
    dock = open_dock(viewer)
    assert dock.hint.button.text() == "Open a sample"
    dock.hint.button.click()
    assert [layer.name for layer in viewer.layers] == ["cathode"]
    assert dock.hint.button.isHidden()


def test_without_a_layer(viewer, open_dock: Open):
    dock = open_dock(viewer)
    assert (problem(dock), dock.hint.button.text()) == (NO_LAYER, "Open a sample")
    assert not dock.start.enabled
    click(dock.start)
    assert job(dock).status.state is State.IDLE
    viewer.add_labels(two_phases())
    assert dock.start.enabled
    assert problem(dock).startswith("Press Train")
    viewer.layers.clear()
    assert problem(dock) == NO_LAYER
    assert not dock.start.enabled


def nan_image() -> np.ndarray:
    image = np.random.default_rng(0).random((32, 32))
    image[3, 4] = np.nan
    return image


@pytest.mark.parametrize(
    ("image", "kind", "sentence"),
    [
        (two_phases(12), "auto", "smaller than the 16 x 16 pixels"),
        (np.ones((32, 32), np.uint8), "auto", "a single value"),
        (np.ones((32, 32)), "auto", "a single value"),
        (nan_image(), "auto", "NaN"),
        (np.arange(32 * 32, dtype=np.uint16).reshape(32, 32), "phases", "1024 values"),
        (np.zeros((32, 32), np.uint8) + np.arange(32, dtype=np.uint8) % 2, "colour", "colour"),
        (np.zeros((2, 3, 32, 32), np.uint8), "auto", "4 dimensions"),
        (np.zeros((32, 32, 4), np.uint8), "auto", "4 pixels wide"),
    ],
)
def test_images_that_cannot_be_trained_on(viewer, open_dock: Open, image, kind, sentence):
    viewer.add_image(image, rgb=False)
    dock = open_dock(viewer)
    dock.chooser.kind.value = kind
    assert sentence in problem(dock)
    assert not dock.start.enabled
    click(dock.start)
    assert job(dock).status.state is State.IDLE


def test_an_image_of_exactly_the_crop_edge(viewer, open_dock: Open, qtbot):
    viewer.add_labels(two_phases(16))
    dock = open_dock(viewer)
    train_for(dock, 2)
    click(dock.start)
    assert until_idle(dock, qtbot).state is State.FINISHED


def three(viewer: Any, open_dock: Open, *images: np.ndarray, **details: Any) -> Any:
    """The dock with three layers as three directions."""
    for image in images:
        viewer.add_image(image, rgb=image.ndim == 3, **details)
    dock = open_dock(viewer)
    dock.chooser.material.value = Material.ANISOTROPIC
    return dock


def test_three_images_are_offered_in_order_and_train(viewer, open_dock: Open, qtbot):
    dock = three(viewer, open_dock, *(two_phases(seed=seed) for seed in range(3)))
    assert [combo.value.name for combo in dock.chooser.images] == [layer.name for layer in viewer.layers]
    train_for(dock, 2)
    click(dock.start)
    status = until_idle(dock, qtbot)
    assert status.state is State.FINISHED, status.message
    names = dock.jobs.models.entries[0].model.info.provenance["images"]
    assert names == [layer.name for layer in viewer.layers][:3]


@pytest.mark.parametrize(
    ("third", "sentence"),
    [
        (two_phases(values=(3, 4)), "same phases"),
        (np.random.default_rng(0).random((32, 32)), "different kinds"),
        (np.random.default_rng(0).random((32, 32, 3)), "different kinds"),
    ],
)
def test_three_images_that_do_not_belong_together(viewer, open_dock: Open, third, sentence):
    dock = three(viewer, open_dock, two_phases(seed=0), two_phases(seed=1), third)
    assert sentence in problem(dock)
    assert not dock.start.enabled


def test_the_same_layer_for_two_directions(viewer, open_dock: Open):
    dock = three(viewer, open_dock, *(two_phases(seed=seed) for seed in range(3)))
    dock.chooser.images[1].value = dock.chooser.images[0].value
    assert problem(dock) == "Choose a different layer for each direction."


def test_too_few_layers_for_three_directions(train_dock):
    train_dock.chooser.material.value = Material.ANISOTROPIC
    assert problem(train_dock) == "Choose 3 layers."
    train_dock.chooser.material.value = Material.ISOTROPIC
    assert train_dock.start.enabled


def test_two_directions_with_a_special_axis(viewer, open_dock: Open, qtbot):
    for seed in range(2):
        viewer.add_labels(two_phases(seed=seed))
    dock = open_dock(viewer)
    dock.chooser.material.value = Material.TRANSVERSE
    dock.chooser.axis.value = "x"
    train_for(dock, 2)
    click(dock.start)
    assert until_idle(dock, qtbot).state is State.FINISHED
    choice = dock.chooser.choice
    assert (choice.axis, len(choice.layers)) == ("x", 2)


def test_a_stack_gives_its_slices(viewer, open_dock: Open, qtbot):
    viewer.add_labels(np.stack([two_phases(20, seed) for seed in range(20)]))
    dock = open_dock(viewer)
    assert text_of(dock.chooser.found).endswith("20 \u00d7 20 \u00d7 20 px")
    train_for(dock, 2)
    click(dock.start)
    assert until_idle(dock, qtbot).state is State.FINISHED


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("x"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_out_of_memory(train_dock, qtbot, monkeypatch, errors, error):
    def fail(self):
        raise error

    monkeypatch.setattr(GAN, "update_generator", fail)
    click(train_dock.start)
    status = until_idle(train_dock, qtbot)
    assert status.state is State.FAILED
    assert "does not fit into memory" in problem(train_dock)
    assert errors == [status.message]
    assert train_dock.start.enabled
    assert not train_dock.stop.enabled


def test_a_training_that_breaks_later_says_where_its_work_is(train_dock, qtbot, monkeypatch, errors, tmp_path):
    update = GAN.update_generator

    def fail_at_last(self):
        if list(tmp_path.rglob("checkpoint.pt")):
            raise torch.OutOfMemoryError("x")
        return update(self)

    monkeypatch.setattr(GAN, "update_generator", fail_at_last)
    train_for(train_dock, 10**6)
    train_dock.settings.training.checkpoint_minutes.value = 0.01
    click(train_dock.start)
    status = until_idle(train_dock, qtbot)
    assert status.state is State.FAILED
    assert f"The last checkpoint is in {status.path}" in errors[0]


def test_a_defect_is_reported_and_leaves_the_dock_idle(train_dock, qtbot, monkeypatch, errors, caplog):
    def fail(self, trainer):
        raise RuntimeError("a defect")
        yield

    monkeypatch.setattr(Run, "record", fail)
    click(train_dock.start)
    assert until_idle(train_dock, qtbot).state is State.FAILED
    assert errors == ["The training failed: RuntimeError: a defect. The log has the details."]
    assert "a defect" in caplog.text
    assert train_dock.panel.copy.native.isVisible()
    click(train_dock.panel.copy)
    report = QGuiApplication.clipboard().text()
    assert "RuntimeError: a defect" in report
    assert 'raise RuntimeError("a defect")' in report  # with the traceback
    assert "torch " in report
    assert train_dock.start.enabled


def test_a_folder_that_cannot_be_written(train_dock, qtbot, tmp_path, errors):
    (tmp_path / "file").write_text("in the way")
    train_dock.settings.folder.value = tmp_path / "file"
    click(train_dock.start)
    assert until_idle(train_dock, qtbot).state is State.FAILED
    assert problem(train_dock).endswith("cannot be made: Not a directory. Choose another folder: Advanced > Save in.")
    assert text_of(train_dock.panel.message) == ""  # the hint says it
    assert errors
    assert train_dock.setup.is_open
    assert train_dock.settings.advanced.is_open
    line = train_dock.settings.folder.line_edit.native
    qtbot.waitUntil(lambda: not line.visibleRegion().isEmpty(), timeout=5_000)
    qtbot.waitUntil(lambda: train_dock.window().focusWidget() is line, timeout=5_000)
    assert str(tmp_path / "file") in line.toolTip()
    train_dock.hint.close_button.click()
    assert "cannot be made" in text_of(train_dock.panel.message)


def test_a_setting_that_cannot_work_is_named(train_dock):
    train_dock.settings.network.channels.value = "4, four"
    assert "channels is '4, four'" in problem(train_dock)
    assert not train_dock.start.enabled
    train_dock.settings.network.channels.value = "4"
    assert "layers do not match" in problem(train_dock)
    train_dock.settings.network.channels.value = "5, 6"
    assert train_dock.start.enabled
    assert train_dock.settings.network_config().channels == (5, 6)


def test_settings_reach_the_run(train_dock, qtbot, tmp_path):
    dock = train_dock
    assert Path(dock.settings.folder.value) == tmp_path / "runs"
    dock.settings.training.seed.value = 17
    dock.settings.length.value = 0.01
    click(dock.start)
    run = Run.open(until_idle(dock, qtbot).path)
    assert (run.training.seed, run.training.minutes, run.training.iterations) == (17, 0.01, 0)
    assert run.preset == "quick"
    assert run.path.parent == tmp_path / "runs"


def test_the_preset_fills_the_form(train_dock):
    settings = train_dock.settings
    settings.preset.value = "paper"
    assert (settings.length_unit.value, settings.length.value) == ("iterations", 5400)
    assert settings.training.learning_rate.value == 1e-4
    assert "as published" in settings.about.value
    assert "smaller than the 64 x 64" in problem(train_dock)
    settings.length.value = 77
    settings.length_unit.value = "minutes"
    settings.length.value = 2.25
    settings.length_unit.value = "iterations"
    assert settings.length.native.text() == "77"  # as it was
    settings.length_unit.value = "minutes"
    assert settings.length.value == 2.25
    settings.preset.value = "quick"
    assert settings.length_unit.value == "minutes"
    assert train_dock.start.enabled


def test_a_layer_that_is_painted_renamed_and_removed_while_it_trains(train_dock, viewer, qtbot):
    layer = viewer.layers["micrograph"]
    train_for(train_dock, 10**6)
    click(train_dock.start)
    layer.data[:] = 1
    layer.name = "renamed"
    until_trains(train_dock, qtbot)
    viewer.layers.remove(layer)
    before = job(train_dock).status.progress.iteration
    qtbot.waitUntil(lambda: job(train_dock).status.progress.iteration > before, timeout=60_000)
    click(train_dock.stop)
    status = until_idle(train_dock, qtbot)
    assert status.state is State.STOPPED
    assert SliceGAN.load(status.path).info.phases == (1, 2)


def test_the_choice_stays_with_its_layer(viewer, open_dock: Open):
    first, second = viewer.add_labels(two_phases(), name="first"), viewer.add_labels(two_phases(), name="second")
    dock = open_dock(viewer)
    combo = dock.chooser.images[0]
    assert combo.value is first
    combo.value = second
    second.name = "another"
    assert combo.value is second
    viewer.layers.move(1, 0)
    viewer.add_labels(two_phases(), name="third")
    assert combo.value is second
    viewer.layers.remove(second)
    assert combo.value is first


def test_the_dock_is_narrow_and_explains_itself(train_dock, viewer, qtbot):
    train_dock.chooser.material.value = Material.ANISOTROPIC
    train_dock.settings.advanced.open()
    qtbot.wait(50)
    assert train_dock.widget().minimumSizeHint().width() <= WIDTH
    assert not without_tooltip(train_dock)


def without_tooltip(dock: Any) -> list[str]:
    """Controls of a dock that do not say what they are for."""
    natives = [child for child in dock.findChildren(QWidget) if hasattr(child, "_magic_widget")]
    widgets: list[Widget] = [child._magic_widget for child in natives]
    return [repr(widget) for widget in widgets if not widget.tooltip and not hasattr(widget, "margins")]


def test_the_activity_dock_shows_the_progress(train_dock, qtbot):
    train_for(train_dock, 10**4)
    click(train_dock.start)
    until_trains(train_dock, qtbot)
    bar = job(train_dock)._worker.pbar
    assert bar.total > 0
    assert bar.desc.startswith("Training SliceGAN")
    qtbot.waitUntil(lambda: bar.n > 0, timeout=60_000)


def test_the_record_of_a_run_is_plain(train_dock, qtbot):
    train_for(train_dock, 2)
    click(train_dock.start)
    status = until_idle(train_dock, qtbot)
    assert status.state is State.FINISHED, status.message or problem(train_dock)
    assert json.loads((status.path / "config.json").read_text())["images"] == ["micrograph"]
