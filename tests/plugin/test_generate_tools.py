"""The dock *Generate volume*: estimates, the best of several seeds, surfaces and endless volumes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog

from napari_slicegan.core.choices import OutputKind, Precision
from napari_slicegan.core.volume.selection import Candidate
from napari_slicegan.plugin.generate.choice_group import NO_PHASES
from napari_slicegan.plugin.generate.endless import box_in_view, browser_of
from napari_slicegan.plugin.generate.endless_group import NOT_SELECTED
from napari_slicegan.plugin.generate.form import NO_MODEL
from napari_slicegan.plugin.generate.output_rows import Output
from napari_slicegan.plugin.generate.surface_group import NO_VOLUME
from napari_slicegan.plugin.images.layer_combo import LayerCombo
from napari_slicegan.plugin.parts.dock import WIDTH
from napari_slicegan.plugin.work.job import State
from tests.plugin.conftest import click, text_of, train_for, until_idle, until_trains
from tests.plugin.generating import a_dock, a_model, set_shape, to_file, until_done
from tests.plugin.test_jobs import close_dock
from tests.plugin.test_train_widget import without_tooltip

Open = Callable[..., Any]


@pytest.fixture
def dock(viewer: Any, open_dock: Open, qtbot: Any) -> Any:
    """The dock with one model of two phases, and its groups open."""
    dock = a_dock(viewer, open_dock)
    for group in (dock.form.place.group, dock.choice.group, dock.endless.group, dock.surface.group):
        group.open()
    qtbot.wait(100)
    return dock


def until_measured(dock: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: dock.form.costs.value.startswith("about"), timeout=60_000)


# Estimates.


def test_the_time_is_measured_while_nothing_else_is_going_on(dock, qtbot):
    assert dock.form.costs.value.startswith("… · ")
    assert dock.jobs.calibration.status.state is State.IDLE
    until_measured(dock, qtbot)
    assert dock.jobs.calibration.is_done(dock.form.entry.model, Precision.EXACT)
    before = dock.form.costs.value
    set_shape(dock, 2000, 200, 200)
    assert dock.form.costs.value != before
    dock.form.place.precision.value = Precision.FAST
    assert dock.form.costs.value.startswith("…")
    until_measured(dock, qtbot)


def test_nothing_is_measured_while_it_trains(train_dock, viewer, open_dock: Open, qtbot):
    train_for(train_dock, 10**6)
    click(train_dock.start)
    until_trains(train_dock, qtbot)
    dock = a_dock(viewer, open_dock)
    qtbot.waitUntil(lambda: dock._idle.isActive(), timeout=10_000)
    qtbot.waitUntil(lambda: not dock._idle.isActive(), timeout=10_000)
    assert dock.isVisible()
    assert dock.jobs.calibration.status.state is State.IDLE
    click(train_dock.stop)
    until_idle(train_dock, qtbot)
    until_measured(dock, qtbot)


def test_generating_does_not_wait_for_the_measurement(dock, viewer, qtbot, monkeypatch):
    started, seen = threading.Event(), []

    def measure_for_ever(_model: object, _precision: object, check: Callable[[float], None]) -> float:
        started.set()
        seen.append(threading.current_thread())
        while True:
            check(0.5)

    monkeypatch.setattr("napari_slicegan.core.volume.estimate.calibrate", measure_for_ever)
    qtbot.waitUntil(started.is_set, timeout=60_000)
    assert seen[0] is not threading.main_thread()
    assert dock.generate.enabled
    monkeypatch.undo()
    click(dock.generate)
    assert until_done(dock, qtbot).state is State.FINISHED
    assert len(viewer.layers) == 1
    until_measured(dock, qtbot)


def test_a_measurement_that_fails_disturbs_nobody(dock, qtbot, monkeypatch):
    calls = []

    def fail(*args: object) -> float:
        calls.append(args)
        raise RuntimeError("no speed")

    monkeypatch.setattr("napari_slicegan.core.volume.estimate.calibrate", fail)
    qtbot.waitUntil(lambda: dock.jobs.calibration.status.state is State.STOPPED, timeout=60_000)
    qtbot.wait(1200)
    assert len(calls) == 1
    assert dock.form.costs.value.startswith("…")
    assert dock.generate.enabled
    assert not text_of(dock.panel.message)


def test_what_does_not_fit_cannot_be_started(dock, monkeypatch, tmp_path):
    free = [10**9]
    monkeypatch.setattr("napari_slicegan.core.memory.free_memory", lambda: free[0])
    assert not dock.form.costs.native.styleSheet()
    set_shape(dock, 1024, 1024, 1024)
    assert not dock.generate.enabled
    assert "let it be written to a file" in text_of(dock.panel.message)
    assert "color" in dock.form.costs.native.styleSheet()
    to_file(dock, tmp_path / "v.ome.zarr")
    assert dock.generate.enabled
    assert "on disk" in dock.form.costs.value
    assert not dock.form.costs.native.styleSheet()
    dock.form.output.output.value = Output.LAYER
    free[0] = 10**10
    click(dock.generate)  # not enabled
    assert dock.jobs.generation.status.state is State.IDLE
    set_shape(dock, 20, 20, 20)
    assert dock.generate.enabled


# The best of several seeds.


def find(dock: Any, qtbot: Any, seeds: str, percent: float) -> None:
    dock.choice.seeds.value = seeds
    dock.choice.percent.value = percent
    click(dock.choice.find)
    assert dock.jobs.selection.status.state is State.RUNNING
    qtbot.waitUntil(lambda: bool(dock.jobs.selection.candidates), timeout=60_000)
    until_done(dock, qtbot)


def test_the_best_seed_is_generated_and_kept(dock, viewer, qtbot):
    dock.choice.phase.value = 2
    find(dock, qtbot, "0-5", 30.0)
    shares = {seed: (a_model().generate((20, 24, 28), seed) == 2).mean() for seed in range(6)}
    ranking = sorted(shares, key=lambda seed: abs(shares[seed] - 0.3))
    table = dock.choice.table
    assert [int(table.item(place, 0).text()) for place in range(6)] == ranking
    assert table.item(0, 2).text() == f"{100 * shares[ranking[0]]:.2f} %"
    assert table.item(0, 3).text() == f"{100 * abs(shares[ranking[0]] - 0.3):.2f} %"
    assert table.isVisible()
    (layer,) = viewer.layers
    assert layer.metadata["napari-slicegan"]["seed"] == ranking[0]
    np.testing.assert_array_equal(layer.data, a_model().generate((20, 24, 28), ranking[0]))
    assert dock.form.seed.seeds == (ranking[0],)

    row = table.visualItemRect(table.item(3, 1)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=row)
    assert dock.form.seed.seeds == (ranking[3],)
    click(dock.generate)
    until_done(dock, qtbot)
    assert viewer.layers[-1].metadata["napari-slicegan"]["seed"] == ranking[3]


def test_a_dock_that_is_opened_again_shows_the_ranking(dock, viewer, open_dock: Open, qtbot):
    find(dock, qtbot, "0-2", 50.0)
    close_dock(dock)
    again = open_dock(viewer, "Generate volume")
    assert again.choice.table.rowCount() == 3


def test_a_choice_that_is_cancelled_generates_nothing(dock, viewer, qtbot):
    set_shape(dock, 256, 256, 256)
    dock.choice.seeds.value = "0-99"
    click(dock.choice.find)
    assert not dock.generate.enabled
    assert not dock.choice.find.enabled
    qtbot.waitUntil(lambda: (dock.jobs.selection.status.fraction or 0) > 0, timeout=60_000)
    click(dock.cancel)
    until_done(dock, qtbot)
    assert dock.jobs.selection.status.state is State.STOPPED
    qtbot.wait(50)
    assert not viewer.layers
    assert dock.choice.find.enabled


def test_a_choice_that_is_cancelled_at_its_very_end_generates_nothing(dock, viewer, qtbot, monkeypatch):
    def best_of(*_: object) -> list[Candidate]:
        dock.jobs.selection._control.stop()
        return [Candidate(3, {1: 0.5, 2: 0.5}, 0.0)]

    monkeypatch.setattr("napari_slicegan.core.volume.selection.best_of", best_of)
    click(dock.choice.find)
    until_done(dock, qtbot)
    assert dock.jobs.selection.status.state is State.STOPPED
    assert dock.jobs.generation.status.state is State.IDLE


def test_what_cannot_be_chosen_among(dock, viewer, open_dock: Open):
    dock.choice.seeds.value = "x"
    assert "cannot be read" in dock.choice.note.value
    assert not dock.choice.find.enabled
    assert dock.generate.enabled
    close_dock(dock)
    grey = a_dock(viewer, open_dock, OutputKind.GREY)
    grey.choice.group.open()
    assert grey.choice.note.value == NO_PHASES
    assert not grey.choice.find.enabled


# Surfaces.


def export(dock: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch, path: Path, kind: str = "") -> Any:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), kind))
    click(dock.surface.export)
    until_done(dock, qtbot)
    return dock.jobs.surface.status


@pytest.mark.parametrize(("name", "kind", "suffix"), [("s.ply", "", ".ply"), ("s", "STL (*.stl)", ".stl")])
def test_the_surface_of_a_generated_layer(dock, viewer, qtbot, monkeypatch, tmp_path, name, kind, suffix):
    click(dock.generate)
    until_done(dock, qtbot)
    assert dock.surface.layer.value is viewer.layers[0]
    dock.surface.phase.value = 2
    status = export(dock, qtbot, monkeypatch, tmp_path / name, kind)
    path = (tmp_path / name).with_suffix(suffix)
    assert status.state is State.FINISHED
    assert text_of(dock.panel.message) == f"Wrote {path}."
    mesh = trimesh.load(path)
    fraction = (viewer.layers[0].data == 2).mean()
    assert mesh.volume == pytest.approx(fraction * 10 * 12 * 14, rel=0.2)  # cubic micrometres
    assert mesh.is_watertight


def test_the_surface_of_any_layer_of_labels(dock, viewer, qtbot, monkeypatch, tmp_path):
    assert not dock.surface.export.enabled
    assert dock.surface.note.value == NO_VOLUME
    viewer.add_labels(np.zeros((5, 5), np.uint8))
    viewer.add_image(np.zeros((5, 5, 5), np.uint8))
    assert dock.surface.layer.value is None
    layer = viewer.add_labels(np.ones((6, 6, 6), np.uint8), scale=(2, 2, 2), units="nm")
    assert dock.surface.layer.value is layer
    assert dock.surface.export.enabled
    export(dock, qtbot, monkeypatch, tmp_path / "s.stl")
    assert b"nm" in (tmp_path / "s.stl").read_bytes()[:80]
    np.testing.assert_allclose(trimesh.load(tmp_path / "s.stl").extents, 12.0, atol=1.0)
    layer.scale = (2, 2, 3)
    viewer.layers.remove(layer)
    assert not dock.surface.export.enabled
    viewer.add_labels(np.ones((6, 6, 6), np.uint8), scale=(2, 2, 3))
    assert "not square" in dock.surface.note.value


def test_phases_with_names_are_chosen_by_them(dock, viewer):
    surface = dock.surface
    plain = viewer.add_labels(np.ones((6, 6, 6), np.uint8))
    assert surface.named.native.isHidden()
    names = {"index": [0, 128, 255], "name": ["pore", "binder", "grain"]}
    surface.layer.value = viewer.add_labels(np.full((6, 6, 6), 255, np.uint8), features=names)
    assert not surface.named.native.isHidden()
    assert surface.named.native.count() == 4
    assert surface.named.value is None  # there is no phase 1
    surface.named.value = 255
    assert surface.phase.value == 255
    surface.phase.value = 128
    assert surface.named.native.currentText() == "128 binder"
    surface.layer.value = plain
    assert surface.named.native.isHidden()
    assert surface.phase.value == 128


def test_a_phase_that_is_not_there(dock, viewer, qtbot, monkeypatch, tmp_path):
    viewer.add_labels(np.ones((6, 6, 6), np.uint8))
    dock.surface.phase.value = 5
    assert export(dock, qtbot, monkeypatch, tmp_path / "s.stl").state is State.FAILED
    assert "no phase 5" in text_of(dock.panel.message)
    assert not list(tmp_path.glob("s*"))


def test_an_export_can_be_cancelled(dock, viewer, qtbot, monkeypatch, tmp_path):
    viewer.add_labels(np.random.default_rng(0).integers(0, 2, (400, 400, 400), np.uint8))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "s.stl"), ""))
    click(dock.surface.export)
    assert dock.cancel.enabled
    click(dock.cancel)
    until_done(dock, qtbot)
    assert dock.jobs.surface.status.state is State.STOPPED
    assert not list(tmp_path.glob("s*"))


# Endless volumes.


def test_a_box_of_the_endless_volume(dock, viewer, qtbot):
    assert not dock.endless.take.enabled
    assert dock.endless.status.value == NOT_SELECTED
    dock.form.seed.text.value = "5"
    dock.form.size.periodic_axes[0].value = True
    click(dock.endless.browse)
    (endless,) = viewer.layers
    assert isinstance(endless, Labels)
    assert viewer.dims.ndisplay == 2
    assert dock.endless.take.enabled
    assert dock.endless.status.value != NOT_SELECTED
    qtbot.waitUntil(lambda: dock.endless.status.value == "", timeout=60_000)
    dock.endless.depth.value = 9
    viewer.scene.camera.zoom *= 8
    viewer.scene.camera.center = (0.0, 100.0, -70.0)
    viewer.dims.set_point(0, 30.0)
    qtbot.wait(100)
    origin, shape = box_in_view(viewer, endless, 9)
    assert min(origin) < 0 < max(origin)
    dock.form.output.in_3d.value = False
    click(dock.endless.take)
    assert until_done(dock, qtbot).state is State.FINISHED
    box = viewer.layers[-1]
    record = box.metadata["napari-slicegan"]
    assert record["seed"] == 5
    assert record["periodic"] == ""
    assert box.data.shape[0] == 9
    assert box.data.shape == shape == tuple(record["shape"]) == dock.form.size.shape
    assert origin == tuple(record["origin"]) == dock.form.place.origin
    expected = a_model().generate(shape, 5, origin=origin)
    np.testing.assert_array_equal(box.data, expected)
    # A voxel is at the same place of the world in both layers.
    middle = np.array(box.data.shape) // 2
    there = np.round(endless.world_to_data(box.data_to_world(middle))).astype(int)
    browser = browser_of(endless)
    assert browser is not None
    np.testing.assert_array_equal(there + browser.volume.origin, middle + origin)


def test_only_the_endless_volume_of_the_model_is_taken_from(dock, viewer, qtbot):
    click(dock.endless.browse)
    endless = viewer.layers[0]
    other = viewer.add_labels(np.zeros((5, 5, 5), np.uint8))
    assert not dock.endless.take.enabled
    assert dock.endless.status.value == NOT_SELECTED
    assert [layer for layer in dock.surface.layer.choices if layer] == [other]
    viewer.layers.selection.active = endless
    assert dock.endless.take.enabled
    viewer.layers.selection.active = other
    assert not dock.endless.take.enabled


def test_an_endless_volume_ends_with_the_window(dock, viewer):
    click(dock.endless.browse)
    browser = browser_of(viewer.layers[0])
    dock.jobs.abandon()
    assert browser.volume.wait(30)
    assert browser.volume.message == ""


def test_an_endless_volume_is_nothing_to_train_on(dock, viewer):
    click(dock.endless.browse)
    image = viewer.add_image(np.zeros((70, 70)))
    combo = LayerCombo(viewer, 0)
    assert [layer for layer in combo.choices if layer is not None] == [image]


def test_a_box_goes_to_a_file(dock, viewer, qtbot, tmp_path):
    to_file(dock, tmp_path / "v.ome.zarr")
    click(dock.endless.browse)
    viewer.scene.camera.zoom *= 16
    dock.endless.depth.value = 4
    qtbot.wait(100)
    click(dock.endless.take)
    assert until_done(dock, qtbot).state is State.FINISHED
    assert (tmp_path / "v.ome.zarr").is_dir()
    assert viewer.layers[-1].data.shape[0] == 4


# The dock itself.


def test_everything_fits_into_the_column_and_explains_itself(dock, viewer, qtbot):
    dock.form.output.output.value = Output.FILE
    dock.form.size.unit.value = "µm"
    qtbot.wait(50)
    assert dock.widget().minimumSizeHint().width() <= WIDTH - dock.area.verticalScrollBar().sizeHint().width()
    assert not without_tooltip(dock)


def test_without_a_model_nothing_is_offered(viewer, open_dock: Open):
    dock = open_dock(viewer, "Generate volume")
    assert text_of(dock.panel.message) == NO_MODEL
    assert dock.form.costs.value == "-"
    assert not dock.endless.browse.enabled
    assert not dock.choice.find.enabled
