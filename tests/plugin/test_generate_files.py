"""The dock *Generate volume* streams to files, of several seeds, and goes on with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Image, Labels
from qtpy.QtWidgets import QFileDialog

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.output.places import journal_of, part_of
from napari_slicegan.core.output.stores import Level
from napari_slicegan.plugin.files import opening
from napari_slicegan.plugin.generate.output_rows import Output
from napari_slicegan.plugin.work.job import State
from tests.plugin.conftest import click, text_of
from tests.plugin.generating import a_dock, a_model, set_shape, to_file, until_done
from tests.plugin.test_jobs import close_dock

Open = Callable[..., Any]


@pytest.fixture
def dock(viewer: Any, open_dock: Open) -> Any:
    """The dock with one model of two phases."""
    return a_dock(viewer, open_dock)


@pytest.fixture
def large(dock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The dock, about to write a volume of 27 tiles."""
    monkeypatch.setattr("napari_slicegan.core.output.unfinished.SECONDS_BETWEEN_RECORDS", 0.0)
    set_shape(dock, 384, 384, 384)
    to_file(dock, tmp_path / "v.ome.zarr")
    return dock


def message(dock: Any) -> str:
    return text_of(dock.panel.message)


def cancel_half_way(dock: Any, qtbot: Any) -> None:
    """Cancel after some tiles, and wait for the end."""
    job = dock.jobs.generation
    qtbot.waitUntil(lambda: (job.status.fraction or 0) > 0.2 or not job.status.state.is_busy, timeout=60_000)
    assert job.status.state is State.RUNNING
    click(dock.cancel)
    assert until_done(dock, qtbot).state is State.STOPPED


def test_a_store_opens_as_a_lazy_layer_of_several_levels(large, viewer, qtbot, monkeypatch):
    monkeypatch.setattr(opening, "MOST_IN_3D", 100**3)
    set_shape(large, 130, 140, 150)
    click(large.generate)
    status = until_done(large, qtbot)
    assert status.state is State.FINISHED
    assert "v.ome.zarr" in message(large)
    (layer,) = viewer.layers
    assert isinstance(layer, Labels)
    assert layer.multiscale
    assert [level.shape for level in layer.data] == [(130, 140, 150), (65, 70, 75)]
    assert isinstance(layer.data[0], Level)
    np.testing.assert_allclose(layer.scale, 0.5)
    assert {str(unit) for unit in layer.units} == {"micrometer"}
    assert viewer.dims.ndisplay == 3
    assert layer.data_level == 1
    assert layer._data_view.shape == (65, 70, 75)
    np.testing.assert_array_equal(layer.data[0][7], a_model().generate((130, 140, 150))[7])
    viewer.dims.ndisplay = 2
    viewer.screenshot(flash=False)
    record = layer.metadata["napari-slicegan"]
    assert (record["seed"], record["file"]) == (0, str(large.form.output.template))


@pytest.mark.parametrize("kind", [OutputKind.GREY, OutputKind.COLOUR])
def test_intensities_open_as_an_image(viewer, open_dock: Open, qtbot, tmp_path, kind):
    dock = a_dock(viewer, open_dock, kind)
    to_file(dock, tmp_path / "v.ome.zarr")
    click(dock.generate)
    assert until_done(dock, qtbot).state is State.FINISHED
    (layer,) = viewer.layers
    assert isinstance(layer, Image)
    assert layer.rgb is (kind is OutputKind.COLOUR)
    assert layer.ndim == 3
    np.testing.assert_array_equal(np.asarray(layer.data), a_model(kind).generate((20, 24, 28)))
    viewer.screenshot(flash=False)


@pytest.mark.parametrize("name", ["v.tif", "v.npy", "v.raw"])
def test_other_formats_are_opened_where_they_lie(dock, viewer, qtbot, tmp_path, name):
    to_file(dock, tmp_path / name)
    click(dock.generate)
    until_done(dock, qtbot)
    assert name in message(dock)
    assert isinstance(viewer.layers[0].data, np.memmap)


def test_what_no_layer_can_show_is_said_to_be_there(dock, viewer, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "MOST_IN_3D", 10)
    to_file(dock, tmp_path / "v.npy")
    click(dock.generate)
    assert until_done(dock, qtbot).state is State.FINISHED
    assert not viewer.layers
    assert message(dock).startswith(f"Wrote {tmp_path / 'v.npy'}.\n")
    assert not dock.generate.enabled
    assert (tmp_path / "v.npy").is_file()


def test_cancel_keeps_what_is_complete_and_resume_goes_on(large, viewer, qtbot, tmp_path):
    assert not large.form.output.resume.visible
    click(large.generate)
    cancel_half_way(large, qtbot)
    assert not viewer.layers
    path = tmp_path / "v.ome.zarr"
    assert part_of(path).is_dir()
    assert not path.exists()
    assert message(large) == f"What was made of {path} is kept: choose Resume and generate to go on from there."
    assert not large.generate.enabled
    assert large.form.output.resume.visible
    large.form.output.path.value += " "
    assert "is unfinished: choose Resume" in message(large)
    large.form.output.resume.value = True
    assert large.generate.enabled
    done = len(journal_of(path).read_text().splitlines())
    assert done > 1
    click(large.generate)
    qtbot.waitUntil(lambda: (large.jobs.generation.status.fraction or 0) > 0, timeout=60_000)
    assert large.jobs.generation.status.fraction > 0.1  # begins where it ended
    assert until_done(large, qtbot).state is State.FINISHED
    np.testing.assert_array_equal(viewer.layers[0].data[200], a_model().generate((1, 384, 384), origin=(200, 0, 0))[0])
    assert not part_of(path).exists()
    assert message(large).splitlines()[0] == f"Wrote {path}."
    assert "exists" in message(large)
    assert not large.form.output.resume.visible


def test_a_dock_opened_again_shows_the_generation_and_cancels_it(large, viewer, open_dock: Open, qtbot, tmp_path):
    click(large.generate)
    close_dock(large)
    again = open_dock(viewer, "Generate volume")
    assert again.panel.state.value == "Running"
    assert not again.generate.enabled
    cancel_half_way(again, qtbot)
    assert part_of(tmp_path / "v.ome.zarr").is_dir()
    assert "is kept" in message(again)


def test_closing_the_window_keeps_what_is_written(make_napari_viewer, open_dock: Open, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_slicegan.core.output.unfinished.SECONDS_BETWEEN_RECORDS", 0.0)
    viewer = make_napari_viewer(show=True)
    dock = a_dock(viewer, open_dock)
    set_shape(dock, 384, 384, 384)
    to_file(dock, tmp_path / "v.npy")
    click(dock.generate)
    job = dock.jobs.generation
    qtbot.waitUntil(lambda: (job.status.fraction or 0) > 0.2 or not job.status.state.is_busy, timeout=60_000)
    viewer.close()
    qtbot.waitUntil(lambda: not job.status.state.is_busy, timeout=60_000)
    assert part_of(tmp_path / "v.npy").is_file()
    assert not (tmp_path / "v.npy").exists()
    qtbot.wait(50)


def test_a_file_that_cannot_be_opened_ends_the_job(dock, qtbot, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise ValueError("not mappable")

    monkeypatch.setattr("napari_slicegan.plugin.generate.job.layer_data", fail)
    to_file(dock, tmp_path / "v.tif")
    with qtbot.capture_exceptions() as errors:
        click(dock.generate)
        assert until_done(dock, qtbot).state is State.FINISHED
    assert "not mappable" in str(errors[0][1])
    assert "v.tif" in message(dock)


def test_an_unfinished_file_of_another_volume_is_not_gone_on_with(large, qtbot):
    click(large.generate)
    cancel_half_way(large, qtbot)
    large.form.output.resume.value = True
    large.form.seed.text.value = "1"
    click(large.generate)
    assert until_done(large, qtbot).state is State.FAILED
    assert "seed 0, not 1" in message(large)


def test_several_seeds_are_several_layers(dock, viewer, qtbot):
    dock.form.seed.text.value = "3, 7-8"
    click(dock.generate)
    assert until_done(dock, qtbot).state is State.FINISHED
    assert [layer.metadata["napari-slicegan"]["seed"] for layer in viewer.layers] == [3, 7, 8]
    for layer, seed in zip(viewer.layers, (3, 7, 8), strict=True):
        assert layer.name == f"a volume, seed {seed}"
        np.testing.assert_array_equal(layer.data, a_model().generate((20, 24, 28), seed))
    assert message(dock) == "Made 3 volumes."


def test_several_seeds_are_several_files(dock, viewer, qtbot, tmp_path):
    dock.form.seed.text.value = "3, 7"
    to_file(dock, tmp_path / "v.ome.zarr")
    click(dock.generate)
    until_done(dock, qtbot)
    assert sorted(path.name for path in tmp_path.glob("v*")) == ["v_3.ome.zarr", "v_7.ome.zarr"]
    assert len(viewer.layers) == 2
    assert not dock.generate.enabled
    assert f"{tmp_path / 'v_3.ome.zarr'} exists" in message(dock)


def test_cancel_keeps_the_volumes_that_are_complete(dock, viewer, qtbot):
    set_shape(dock, 256, 256, 256)
    dock.form.seed.text.value = "0-9"
    click(dock.generate)
    qtbot.waitUntil(lambda: len(viewer.layers) == 1, timeout=60_000)
    click(dock.cancel)
    assert until_done(dock, qtbot).state is State.STOPPED
    count = len(viewer.layers)
    assert 1 <= count < 10
    assert message(dock) == f"{count} of 10 volumes are complete."


@pytest.mark.parametrize(
    ("seeds", "sentence"),
    [("x", "The seeds 'x' cannot be read"), ("0-5000", "more than 1000")],
)
def test_seeds_that_cannot_be_read(dock, seeds, sentence):
    dock.form.seed.text.value = seeds
    assert sentence in message(dock)
    assert not dock.generate.enabled
    assert not dock.choice.find.enabled


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("", "Choose a file"), ("v", "must end in"), ("nowhere/v.tif", "no folder"), ("taken.tif", "exists")],
)
def test_files_that_cannot_be_written(dock, tmp_path, name, sentence):
    (tmp_path / "taken.tif").touch()
    dock.form.output.output.value = Output.FILE
    dock.form.output.path.value = str(tmp_path / name) if name else ""
    assert sentence in message(dock)
    assert not dock.generate.enabled
    dock.form.output.output.value = Output.LAYER
    assert dock.generate.enabled


def test_choosing_a_file(dock, tmp_path, monkeypatch):
    dock.form.output.output.value = Output.FILE
    for chosen, kind, expected in [
        ("v", "OME-Zarr (*.ome.zarr)", "v.ome.zarr"),
        ("v", "NPY (*.npy)", "v.npy"),
        ("v.tif", "NPY (*.npy)", "v.tif"),
    ]:
        monkeypatch.setattr(
            QFileDialog, "getSaveFileName", lambda *_, chosen=chosen, kind=kind, **__: (str(tmp_path / chosen), kind)
        )
        click(dock.form.output.choose)
        assert dock.form.output.path.value == str(tmp_path / expected)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: ("", ""))
    click(dock.form.output.choose)
    assert dock.form.output.path.value == str(tmp_path / "v.tif")


def test_a_box_elsewhere_lies_where_it_belongs(dock, viewer, qtbot):
    for box, start in zip(dock.form.place.origin_axes, (-10, 0, 24), strict=True):
        box.value = start
    click(dock.generate)
    until_done(dock, qtbot)
    (layer,) = viewer.layers
    np.testing.assert_array_equal(layer.data, a_model().generate((20, 24, 28), origin=(-10, 0, 24)))
    np.testing.assert_allclose(layer.translate, (-5.0, 0.0, 12.0))
    assert layer.metadata["napari-slicegan"]["origin"] == [-10, 0, 24]


def test_the_precision_reaches_the_model(dock, viewer, qtbot):
    dock.form.place.precision.value = "fast"
    click(dock.generate)
    until_done(dock, qtbot)
    np.testing.assert_array_equal(viewer.layers[0].data, a_model().generate((20, 24, 28), precision="fast"))
    assert viewer.layers[0].metadata["napari-slicegan"]["precision"] == "fast"
