"""The dock *Generate volume*: its buttons are pressed in a real window."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from napari.layers import Image, Labels
from qtpy.QtWidgets import QFileDialog

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.plugin.generate.form import NO_MODEL
from napari_slicegan.plugin.parts.dock import WIDTH
from napari_slicegan.plugin.work.job import State
from tests.plugin.conftest import click, text_of, train_for, two_phases, until_idle
from tests.plugin.generating import a_dock, a_model, set_shape, until_done
from tests.plugin.test_train_widget import without_tooltip

Open = Callable[..., Any]


@pytest.fixture
def dock(viewer: Any, open_dock: Open) -> Any:
    """The dock with one model of two phases."""
    return a_dock(viewer, open_dock)


def until_loaded(dock: Any, qtbot: Any) -> Any:
    qtbot.waitUntil(lambda: not dock.jobs.loading.status.state.is_busy, timeout=60_000)
    return dock.jobs.loading.status


def test_a_volume_of_phases(dock, viewer, qtbot):
    assert dock.form.about.value == "2 phases: 1, 2 · 0.5 µm/voxel · 1,234 iterations"
    assert dock.form.size.extent.value.startswith("10 x 12 x 14 µm")
    dock.form.seed.text.value = "7"
    click(dock.generate)
    assert not dock.generate.enabled
    assert dock.cancel.enabled
    assert until_done(dock, qtbot).state is State.FINISHED
    (layer,) = viewer.layers
    assert isinstance(layer, Labels)
    expected = dock.form.entry.model.generate((20, 24, 28), 7)
    np.testing.assert_array_equal(layer.data, expected)
    assert layer.data.dtype == np.uint8
    np.testing.assert_allclose(layer.scale, 0.5)
    assert {str(unit) for unit in layer.units} == {"micrometer"}
    assert layer.axis_labels == ("z", "y", "x")
    assert layer.rendering == "iso_categorical"
    record = layer.metadata["napari-slicegan"]
    assert (record["model"], record["shape"], record["seed"], record["periodic"]) == ("model", [20, 24, 28], 7, "")
    assert record["training"]["iterations"] == 1234
    assert record["versions"]["torch"] == torch.__version__
    json.dumps(record)


@pytest.mark.parametrize("kind", [OutputKind.GREY, OutputKind.COLOUR])
@pytest.mark.parametrize("in_3d", [False, True])
def test_a_volume_of_intensities(viewer, open_dock: Open, qtbot, kind, in_3d):
    dock = a_dock(viewer, open_dock, kind)
    set_shape(dock, 20, 24, 4)
    dock.form.output.in_3d.value = in_3d
    click(dock.generate)
    until_done(dock, qtbot)
    (layer,) = viewer.layers
    assert isinstance(layer, Image)
    assert layer.rgb is (kind is OutputKind.COLOUR)
    assert layer.ndim == 3
    assert viewer.dims.ndisplay == (3 if in_3d else 2)


def test_it_is_shown_in_3d_alone_and_in_view(dock, viewer, qtbot):
    micrograph = viewer.add_labels(two_phases(320), scale=(5, 5))
    dock.form.output.in_3d.value = True
    click(dock.generate)
    until_done(dock, qtbot)
    volume = viewer.layers[-1]
    assert viewer.dims.ndisplay == 3
    assert (volume.visible, micrograph.visible) == (True, False)
    np.testing.assert_allclose(viewer.scene.camera.center, volume.extent.world.mean(axis=0), atol=1)
    picture = viewer.screenshot(flash=False)[..., :3].astype(int)
    background = picture[2, 2]
    filled = (np.abs(picture - background).sum(axis=-1) > 20).mean()
    assert 0.1 < filled < 0.9


def test_a_view_that_is_not_to_change(dock, viewer, qtbot):
    micrograph = viewer.add_labels(two_phases())
    dock.form.output.in_3d.value = False
    click(dock.generate)
    until_done(dock, qtbot)
    assert viewer.dims.ndisplay == 2
    assert micrograph.visible


def test_periodic_sizes_are_checked_and_reach_the_model(dock, viewer, qtbot):
    dock.form.size.periodic_axes[1].value = True
    assert dock.generate.enabled
    dock.form.size.voxels[1].value = 25
    assert text_of(dock.panel.message) == "Periodic sizes are multiples of 8 voxels: set y to 24."
    assert not dock.generate.enabled
    dock.form.size.voxels[1].value = 24
    click(dock.generate)
    until_done(dock, qtbot)
    volume = viewer.layers[-1].data
    expected = dock.form.entry.model.generate((20, 24, 28), 0, periodic="y")
    np.testing.assert_array_equal(volume, expected)
    assert viewer.layers[-1].metadata["napari-slicegan"]["periodic"] == "y"


def test_the_same_seed_the_same_volume_and_random_seeds(dock, viewer, qtbot):
    for _ in range(2):
        click(dock.generate)
        until_done(dock, qtbot)
    np.testing.assert_array_equal(viewer.layers[0].data, viewer.layers[1].data)
    seeds = set()
    for _ in range(3):
        click(dock.form.seed.random)
        seeds.add(dock.form.seed.seeds[0])
    assert len(seeds) > 1


def test_cancel(dock, viewer, qtbot):
    set_shape(dock, 400, 400, 400)
    click(dock.generate)
    qtbot.waitUntil(lambda: (dock.jobs.generation.status.fraction or 0) > 0, timeout=60_000)
    click(dock.cancel)
    assert dock.jobs.generation.status.state is State.STOPPING
    assert until_done(dock, qtbot).state is State.STOPPED
    assert not viewer.layers
    assert dock.generate.enabled


def test_a_volume_that_does_not_fit_into_memory(dock, viewer, qtbot, monkeypatch):
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("napari_slicegan.core.volume.evaluation.latent_field", fail)
    click(dock.generate)
    status = until_done(dock, qtbot)
    assert status.state is State.FAILED
    assert "does not fit into memory: end other programs" in text_of(dock.panel.message)
    assert dock.generate.enabled
    assert not viewer.layers


def test_without_a_model(viewer, open_dock: Open):
    dock = open_dock(viewer, "Generate volume")
    assert text_of(dock.panel.message) == NO_MODEL
    assert not dock.generate.enabled


def load(dock: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch, path: Path) -> Any:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    click(dock.load)
    return until_loaded(dock, qtbot)


def test_a_model_from_a_file(viewer, open_dock: Open, qtbot, monkeypatch, tmp_path):
    dock = open_dock(viewer, "Generate volume")
    a_model().save(tmp_path / "mine.safetensors")
    loaded = load(dock, qtbot, monkeypatch, tmp_path / "mine.safetensors")
    assert (loaded.state, loaded.message, loaded.fraction) == (State.IDLE, "Loaded mine.", 0.0)
    assert dock.form.model.current_choice == "mine"
    assert dock.generate.enabled
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    click(dock.load)
    assert dock.jobs.loading.status is loaded


def newer_model(path: Path) -> None:
    a_model().save(path)
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    inner = json.loads(header["__metadata__"]["napari-slicegan"])
    header["__metadata__"]["napari-slicegan"] = json.dumps(inner | {"format": 99})
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])


class Harmful:
    """Would make a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    ("name", "write", "sentence"),
    [
        ("text.safetensors", lambda path: path.write_text("no model"), "is not a model"),
        ("empty.safetensors", lambda path: path.write_bytes(b""), "is not a model"),
        ("newer.safetensors", newer_model, "format 99"),
        ("pickle.pt", lambda path: torch.save(Harmful(path.with_name("harm")), path), "is not a checkpoint"),
    ],
)
def test_files_that_are_no_model(dock, qtbot, monkeypatch, tmp_path, name, write, sentence):
    write(tmp_path / name)
    assert load(dock, qtbot, monkeypatch, tmp_path / name).state is State.FAILED
    assert sentence in text_of(dock.panel.message)
    assert len(dock.jobs.models.entries) == 1
    assert dock.generate.enabled
    assert dock.load.enabled
    assert not (tmp_path / "harm").exists()


def test_a_trained_model_is_offered_in_the_colours_of_its_layer(train_dock, viewer, open_dock: Open, qtbot):
    dock = open_dock(viewer, "Generate volume")
    micrograph = viewer.layers["micrograph"]
    micrograph.colormap = {1: "#ff8800", 2: "#0088ff", None: "transparent"}
    train_for(train_dock, 3)
    click(train_dock.start)
    until_idle(train_dock, qtbot)
    assert dock.form.entry is dock.jobs.models.entries[0]
    set_shape(dock, 16, 16, 16)
    click(dock.generate)
    until_done(dock, qtbot)
    volume = viewer.layers[-1]
    for phase in (1, 2):
        np.testing.assert_allclose(volume.get_color(phase), micrograph.get_color(phase))


def test_the_dock_is_narrow_and_explains_itself(dock, qtbot):
    qtbot.wait(50)
    assert dock.widget().minimumSizeHint().width() <= WIDTH
    assert not without_tooltip(dock)
