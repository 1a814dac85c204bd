"""The dock *Compare volumes*: its buttons are pressed, mostly without a viewer around it; comparing is a stand-in."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dask.array
import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_slicegan.core.comparison import compare, report
from napari_slicegan.core.comparison.config import ComparisonConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError
from napari_slicegan.plugin.compare.form import NO_VOLUME, Judged
from napari_slicegan.plugin.compare.job import RECORD
from napari_slicegan.plugin.compare.widget import CompareWidget
from napari_slicegan.plugin.generate.form import NO_MODEL
from napari_slicegan.plugin.models import ModelEntry
from napari_slicegan.plugin.parts.dock import WIDTH
from napari_slicegan.plugin.work.job import State
from tests.core.comparisons import a_comparison
from tests.plugin.conftest import click, finish, text_of, two_phases
from tests.plugin.generating import a_model
from tests.plugin.test_train_widget import without_tooltip

Open = Callable[..., Any]
NAME = "Compare volumes"


@dataclass
class Comparing:
    """A stand-in for the comparison: it keeps what it was given, and waits where it is told to."""

    error: Exception | None = None
    go_on: threading.Event = field(default_factory=threading.Event)
    calls: list[Any] = field(default_factory=list)
    reports: list[Any] = field(default_factory=list)

    def compare(self, truth: Any, volumes: Any, config: Any, progress: Any, names: Any = ()) -> Any:
        self.calls.append(SimpleNamespace(truth=truth, volumes=volumes, config=config, names=names))
        progress(0.5, "Two-point correlation")
        while not self.go_on.wait(0.02):
            progress(0.5, "Two-point correlation")
        if self.error:
            raise self.error
        return a_comparison()

    def write_report(self, comparison: Any, directory: Path) -> Path:
        self.reports.append((comparison, directory))
        return directory / "report.html"


@pytest.fixture
def comparing(monkeypatch: pytest.MonkeyPatch) -> Comparing:
    """The stand-in, which goes on at once."""
    made = Comparing()
    made.go_on.set()
    monkeypatch.setattr(compare, "compare", made.compare)
    monkeypatch.setattr(report, "write_report", made.write_report)
    return made


@pytest.fixture
def layers(qtbot: Any) -> Iterator[ViewerModel]:
    """A viewer without a window."""
    model = ViewerModel()
    yield model
    finish(model, qtbot)


@pytest.fixture
def dock(layers: ViewerModel, qtbot: Any) -> CompareWidget:
    """The dock with a micrograph and two volumes, the newer of which is checked."""
    add_layers(layers)
    return a_dock(layers, qtbot)


def a_dock(layers: ViewerModel, qtbot: Any) -> CompareWidget:
    """The dock as a window of its own."""
    made = CompareWidget(layers)
    qtbot.addWidget(made)
    made.show()
    layers.layers.events.inserted.connect(made.reset_choices)
    layers.layers.events.removed.connect(made.reset_choices)
    return made


def add_layers(viewer: Any) -> None:
    """A micrograph and two volumes."""
    viewer.add_labels(two_phases(64), name="micrograph", scale=(0.5, 0.5), units="um")
    for seed in range(2):
        volume = np.random.default_rng(seed).integers(1, 3, (20, 20, 20), np.uint8)
        history = {"napari-slicegan": {"seed": seed}}
        viewer.add_labels(volume, name=f"seed {seed}", scale=(0.5,) * 3, units="um", metadata=history)


def until_done(dock: Any, qtbot: Any) -> Any:
    """Wait for the end and give the status of the comparison."""
    qtbot.waitUntil(lambda: not any(job.status.state.is_busy for job in dock.jobs.of_compare), timeout=30_000)
    return dock.jobs.comparison.status


def check(dock: Any, place: int, checked: bool = True) -> None:
    """Check a volume in the list, as a click does."""
    state = Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked
    dock.form.volumes.native.item(place).setCheckState(state)


def test_volumes_of_layers_are_compared(dock, layers, comparing, qtbot):
    assert [layer.name for layer in dock.form.layers] == ["seed 1"]
    check(dock, 0)
    dock.form.others["reach"].value = 24
    dock.form.slow.value = False
    assert not dock.export.enabled
    dock.compare.native.click()
    assert not dock.compare.enabled
    assert not dock.panel.bar.native.visibleRegion().isEmpty()
    assert until_done(dock, qtbot).state is State.FINISHED
    (call,) = comparing.calls
    assert isinstance(call.truth, TrainingData)
    assert (call.truth.names, call.truth.pixel_size, call.truth.unit) == (("micrograph",), 0.5, "um")
    assert call.config == ComparisonConfig(reach=24, slow=False)
    first, second = call.volumes
    assert first.voxels is layers.layers["seed 0"].data
    assert (second.name, second.voxel_size, second.unit, second.provenance) == ("seed 1", 0.5, "um", {"seed": 1})
    assert dock.view.isVisible()
    assert dock.view.table.model().rowCount() == 17
    assert text_of(dock.panel.message).startswith("Compared in 0:0")
    assert [RECORD in layer.metadata for layer in layers.layers] == [False, True, True]
    record = layers.layers["seed 0"].metadata[RECORD]
    rows = json.loads(json.dumps(record))["rows"]
    assert len(rows) == 17
    assert any(row["volumes"] and row["volumes"]["curve"] for row in rows)
    assert not any(row["volumes"] and row["volumes"]["low"] for row in rows)
    assert record == layers.layers["seed 1"].metadata[RECORD]
    assert record["rows"][0] is not layers.layers["seed 1"].metadata[RECORD]["rows"][0]
    assert layers.layers["seed 1"].metadata["napari-slicegan"] == {"seed": 1}
    assert dock.compare.enabled
    assert dock.export.enabled


def test_the_micrograph_can_be_shrunk_as_it_was_for_the_training(dock, layers, comparing, qtbot):
    dock.form.chooser.shrink.value = 2
    dock.compare.native.click()
    assert until_done(dock, qtbot).state is State.FINISHED
    (call,) = comparing.calls
    assert (call.truth.sources[0].shape, call.truth.pixel_size) == ((1, 32, 32), 1.0)
    dock.form.chooser.images[0].value = layers.layers["seed 0"]  # a volume is compared with as it is
    assert dock.form.chooser.choice.shrink == 1


def test_volumes_of_a_model(dock, layers, comparing, qtbot):
    dock.form.judged.value = Judged.MODEL
    assert text_of(dock.panel.message) == NO_MODEL
    assert not dock.compare.enabled
    entry = ModelEntry("mine", a_model(), Path("model"))
    dock.jobs.models.add(entry)
    dock.form.config["seeds"].value = 3
    for box, size in zip(dock.form.sizes, (32, 40, 48), strict=True):
        box.value = size
    click(dock.compare)
    until_done(dock, qtbot)
    (call,) = comparing.calls
    assert (call.config.seeds, call.config.shape) == (3, (32, 40, 48))
    assert len(call.volumes) == 3
    assert not any(RECORD in layer.metadata for layer in layers.layers)


class Lazy:
    """A volume that is not in memory, and must not be read in the window's own thread."""

    shape, ndim, dtype, size = (20, 20, 20), 3, np.dtype(np.uint8), 8000

    def __getitem__(self, key: Any) -> Any:
        return np.ones(self.shape, np.uint8)[key]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise AssertionError("All of it was read.")


def test_a_volume_as_truth_and_layers_that_are_not_copied(layers, comparing, qtbot):
    levels = [np.random.default_rng(0).integers(0, 255, (edge,) * 3, np.uint8) for edge in (32, 16)]
    truth = layers.add_image(levels, name="truth")
    lazy = layers.add_labels(Lazy(), name="lazy")
    dock = a_dock(layers, qtbot)
    click(dock.compare)
    assert until_done(dock, qtbot).state is State.FINISHED, dock.jobs.comparison.status
    (call,) = comparing.calls
    assert call.truth.voxels is truth.data[0]
    assert (call.truth.name, call.truth.voxel_size, call.truth.unit) == ("truth", 1.0, "pixel")
    assert call.volumes[0].voxels is lazy.data


def test_the_phases_are_called_as_in_the_layer_that_is_the_truth(layers, comparing, qtbot):
    volume = np.random.default_rng(0).integers(0, 3, (20, 20, 20), np.uint8) * 100
    named = {"index": [200, 0, 7], "name": ["grain", "pore", "dirt"]}
    for lazy in (False, True):
        truth = layers.add_labels(dask.array.from_array(volume) if lazy else volume, name="truth", features=named)
        layers.add_labels(volume, name="judged")
        dock = a_dock(layers, qtbot)
        click(dock.compare)
        assert until_done(dock, qtbot).state is State.FINISHED, dock.jobs.comparison.status
        assert comparing.calls[-1].truth.voxels is truth.data
        assert comparing.calls[-1].names == ("pore", "phase 100", "grain")
        layers.layers.clear()


def test_a_truth_without_names_or_phases_has_none(layers, comparing, qtbot):
    grey = np.random.default_rng(0).integers(0, 255, (20, 20, 20), np.uint8)
    layers.add_image(grey, name="truth", metadata={"phase_names": {0: "pore"}})
    layers.add_image(grey.copy(), name="judged")
    dock = a_dock(layers, qtbot)
    click(dock.compare)
    assert until_done(dock, qtbot).state is State.FINISHED, dock.jobs.comparison.status
    assert comparing.calls[-1].names == ()


def test_what_cannot_be_compared_is_said(dock, layers):
    check(dock, 1, checked=False)
    assert text_of(dock.panel.message) == NO_VOLUME
    assert not dock.compare.enabled
    check(dock, 0)
    assert dock.compare.enabled
    dock.form.chooser.images[0].value = layers.layers["seed 0"]
    assert "seed 0 is what is compared with" in text_of(dock.panel.message)
    check(dock, 1)
    check(dock, 0, checked=False)
    assert dock.compare.enabled
    layers.layers["seed 1"].scale = (1, 2, 2)
    dock.reset_choices()
    assert "The pixels of seed 1 are not square" in text_of(dock.panel.message)


@pytest.mark.parametrize(
    ("volume", "details", "sentence"),
    [
        (np.ones((20, 12, 20), np.uint8), {"units": "um"}, "a comparison needs at least 16 along each axis"),
        (np.ones((20, 20, 20), np.uint8), {}, "unknown for v: give both sides a size"),
        (np.ones((20, 20, 20)), {"units": "um"}, "v holds float64 values: segment it"),
        (np.ones((20, 20, 20, 3), np.uint8), {"units": "um", "rgb": True}, "v is in colour, and micrograph is not"),
    ],
)
def test_what_shapes_types_and_sizes_forbid_is_said_at_once(layers, qtbot, volume, details, sentence):
    layers.add_labels(two_phases(64), name="micrograph", scale=(0.5, 0.5), units="um")
    layers.add_image(volume, name="v", scale=(0.5,) * 3, **details)
    dock = a_dock(layers, qtbot)
    dock.form.chooser.images[0].value = layers.layers["micrograph"]
    dock.reset_choices()
    assert sentence in text_of(dock.panel.message)
    assert not dock.compare.enabled


def test_the_list_follows_the_layers_and_keeps_what_was_checked(dock, layers):
    check(dock, 0)
    check(dock, 1, checked=False)
    layers.add_labels(np.ones((8, 8, 8), np.uint8), name="newest")
    layers.add_image(np.ones((8, 8, 8)), name="endless", metadata={"napari-slicegan": {"endless": True}})
    names = [dock.form.volumes.native.item(place).text() for place in range(dock.form.volumes.native.count())]
    assert names == ["seed 0", "seed 1", "newest"]
    assert [layer.name for layer in dock.form.layers] == ["seed 0"]
    layers.layers.remove("seed 0")
    assert dock.form.layers == ()


def test_a_hint_says_what_to_do_next(dock, layers, comparing, qtbot, monkeypatch):
    opened: list[str] = []
    monkeypatch.setattr("napari_slicegan.plugin.compare.widget.open_dock", lambda _, name: opened.append(name))
    hint = dock.hint.label.text
    assert hint().startswith("Press Compare")
    click(dock.compare)
    assert not hint()
    until_done(dock, qtbot)
    assert hint().startswith("Choose a row")
    for place in range(2):
        check(dock, place, checked=False)
    assert hint().startswith("Generate a volume")
    dock.hint.button.click()
    assert opened == ["Generate volume"]
    layers.layers.clear()
    assert hint().startswith("Open the micrograph")


def test_cancel_keeps_the_last_result(dock, comparing, qtbot):
    click(dock.compare)
    until_done(dock, qtbot)
    found = dock.jobs.comparison.result
    comparing.go_on.clear()
    click(dock.compare)
    qtbot.waitUntil(lambda: "Two-point correlation" in dock.panel.message.value, timeout=30_000)
    assert " left" in dock.panel.message.value
    click(dock.cancel)
    assert not dock.cancel.enabled
    assert until_done(dock, qtbot).state is State.STOPPED
    assert dock.jobs.comparison.result is found
    assert dock.view.comparison is found
    assert dock.compare.enabled


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (DataError("The layer <i>a</i> has other phases."), "The layer <i>a</i> has other phases."),
        (RuntimeError("shape"), "The comparison failed: RuntimeError: shape. The log has the details."),
    ],
)
def test_errors_arrive(dock, comparing, qtbot, error, sentence):
    comparing.error = error
    click(dock.compare)
    assert until_done(dock, qtbot).state is State.FAILED
    assert text_of(dock.panel.message) == sentence
    assert dock.panel.message.native.textFormat() is Qt.TextFormat.PlainText
    assert not dock.view.isVisible()
    assert dock.compare.enabled


def test_a_dock_that_is_opened_again_shows_the_job_and_its_result(viewer, open_dock: Open, comparing, qtbot):
    add_layers(viewer)
    dock = open_dock(viewer, NAME)
    comparing.go_on.clear()
    click(dock.compare)
    viewer.window.remove_dock_widget(dock)
    again = open_dock(viewer, NAME)
    assert again.panel.state.value == "Running"
    assert again.cancel.enabled
    assert not again.compare.enabled
    comparing.go_on.set()
    until_done(again, qtbot)
    assert again.view.table.model().rowCount() == 17
    viewer.window.remove_dock_widget(again)
    third = open_dock(viewer, NAME)
    assert not third.view.isHidden()
    assert third.export.enabled


def test_the_report_goes_into_a_new_directory(dock, comparing, qtbot, monkeypatch, tmp_path):
    click(dock.compare)
    until_done(dock, qtbot)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    click(dock.export)
    assert not comparing.reports
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    click(dock.export)
    until_done(dock, qtbot)
    ((comparison, directory),) = comparing.reports
    assert comparison is dock.jobs.comparison.result
    assert directory.parent == tmp_path
    assert not directory.exists()
    assert text_of(dock.panel.message) == f"Wrote {directory / 'report.html'}."


def test_the_dock_is_narrow_turns_when_it_is_wide_and_explains_itself(viewer, open_dock: Open, comparing, qtbot):
    add_layers(viewer)
    dock = open_dock(viewer, NAME)
    click(dock.compare)
    until_done(dock, qtbot)
    qtbot.wait(50)
    assert dock.minimumSizeHint().width() <= WIDTH
    assert not without_tooltip(dock)
    assert dock.orientation() is Qt.Orientation.Vertical
    frame = next(each for each in viewer.window._qt_window.findChildren(type(dock.parent())) if each is dock.parent())
    viewer.window._qt_window.resize(1200, 900)
    viewer.window._qt_window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, frame)
    qtbot.waitUntil(lambda: dock.orientation() is Qt.Orientation.Horizontal, timeout=5000)
    qtbot.wait(50)
    assert dock.view.split.orientation() is Qt.Orientation.Horizontal
