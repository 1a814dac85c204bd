"""What is opened: models into the dock, volumes and images of all makers with what they know of themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.layers import Image, Labels, Layer
from safetensors.numpy import save_file

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.errors import DataError, ModelError
from napari_slicegan.core.output.stores import Level
from napari_slicegan.core.output.streaming import stream
from napari_slicegan.core.volume.request import VolumeRequest
from napari_slicegan.plugin.files import volume_files
from napari_slicegan.plugin.files.reader import NO_LAYER, get_reader
from napari_slicegan.plugin.volume_layers import placed, volume_layer
from tests.core.test_arrays import old_store
from tests.plugin.conftest import finish
from tests.plugin.generating import a_model

GREY = np.random.default_rng(0).integers(0, 200, (5, 20, 30), np.uint8)
COLOUR = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
REQUEST = VolumeRequest((18, 20, 22), 3, (4, 0, -6))


def named_model(kind: OutputKind = OutputKind.PHASES) -> Any:
    """A model whose phases have names and colours, if it has phases."""
    model = a_model(kind)
    if kind is OutputKind.PHASES:
        names = {"phase_names": ("pore", "µ"), "phase_colours": ("#ff0000", "#00ff40")}
        model.info = replace(model.info, **names)
    return model


def read(*paths: Path) -> Layer:
    """Open with our reader, as napari does."""
    found: Any = str(paths[0]) if len(paths) == 1 else [str(path) for path in paths]
    reader = get_reader(found)
    assert reader is not None
    (layer,) = reader(found)
    return Layer.create(*layer)


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif", ".ome.zarr"])
@pytest.mark.parametrize("kind", OutputKind)
def test_a_volume_from_the_command_line_looks_like_one_from_the_dock(kind, suffix, tmp_path):
    model = named_model(kind)
    stream(model, REQUEST, tmp_path / f"v{suffix}")
    found = read(tmp_path / f"v{suffix}")
    made = Layer.create(
        *placed(
            volume_layer(model.generate(REQUEST.shape, REQUEST.seed, origin=REQUEST.origin), model.info, "v", None),
            REQUEST.origin,
        )
    )
    assert type(found) is type(made)
    np.testing.assert_array_equal(np.asarray(found.data), made.data)
    for name in ("name", "units", "axis_labels", "rendering", "opacity"):
        assert getattr(found, name) == getattr(made, name), name
    np.testing.assert_allclose(found.scale, made.scale)
    np.testing.assert_allclose(found.translate, made.translate)
    history = found.metadata["napari-slicegan"]
    assert (history["request"]["seed"], history["model"]) == (3, model.fingerprint)
    assert set(history["versions"]) == {"napari-slicegan", "torch"}
    if kind is OutputKind.PHASES:
        assert list(found.features["name"]) == list(made.features["name"]) == ["pore", "µ"]
        for phase in model.info.phases:
            assert found.colormap.map(phase).ravel().tolist() == made.colormap.map(phase).ravel().tolist()
    elif kind is OutputKind.GREY:
        assert found.contrast_limits == made.contrast_limits


@pytest.mark.parametrize(
    ("options", "scale", "unit"),
    [
        ({}, (1, 1, 1), "pixel"),
        (
            {"imagej": True, "metadata": {"axes": "ZYX", "unit": "um", "spacing": 2.0}, "resolution": (4, 4)},
            (2, 0.25, 0.25),
            "micrometer",
        ),
        (
            {"imagej": True, "metadata": {"axes": "ZYX", "unit": "nm"}, "resolution": (4, 4)},
            (0.25, 0.25, 0.25),
            "nanometer",
        ),
        ({"ome": True, "metadata": {"axes": "ZYX", "PhysicalSizeX": 3, "PhysicalSizeY": 2}}, (3, 2, 3), "micrometer"),
        ({"resolution": (300, 300), "resolutionunit": "INCH"}, (1, 1, 1), "pixel"),
        ({"resolution": (2e5, 2e5), "resolutionunit": "CENTIMETER"}, (5e-5,) * 3, "millimeter"),
    ],
)
def test_stacks_of_all_makers_have_their_voxel_size(options, scale, unit, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, photometric="minisblack", **options)
    layer = read(tmp_path / "a.tif")
    assert isinstance(layer, Image)
    np.testing.assert_allclose(layer.scale, scale)
    assert {str(each) for each in layer.units} == {unit}
    assert (layer.name, layer.axis_labels, layer.metadata) == ("a", ("z", "y", "x"), {})
    np.testing.assert_array_equal(layer.data, GREY)


@pytest.mark.parametrize(
    ("array", "options", "shape", "rgb", "labels"),
    [
        (COLOUR, {"photometric": "rgb"}, (20, 30, 3), True, ("y", "x")),
        (np.moveaxis(COLOUR, -1, 0), {"photometric": "rgb", "planarconfig": "separate"}, (20, 30, 3), True, ("y", "x")),
        (GREY[0], {}, (20, 30), False, ("y", "x")),
        (GREY[:1], {}, (20, 30), False, ("y", "x")),
        (np.zeros((2, 5, 9, 8), np.uint8), {"imagej": True, "metadata": {"axes": "TZYX"}}, (2, 5, 9, 8), False, "tzyx"),
        (np.zeros((5, 3, 9, 8), np.uint8), {"imagej": True, "metadata": {"axes": "ZCYX"}}, (5, 3, 9, 8), False, "zcyx"),
    ],
)
def test_axes_and_colours_are_understood(array, options, shape, rgb, labels, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", array, **options)
    layer = read(tmp_path / "a.tif")
    assert (layer.data.shape, layer.rgb, layer.axis_labels) == (shape, rgb, tuple(labels))


def test_several_images_become_a_stack(tmp_path):
    paths = [tmp_path / f"{number}.tif" for number in range(3)]
    for path, image in zip(paths, GREY, strict=False):
        tifffile.imwrite(path, image, imagej=True, metadata={"unit": "um"}, resolution=(2, 2))
    layer = read(*paths)
    np.testing.assert_array_equal(layer.data, GREY[:3])
    np.testing.assert_allclose(layer.scale, 0.5)
    tifffile.imwrite(paths[1], GREY[0, 1:])
    with pytest.raises(DataError, match="different sizes, so they are no stack"):
        read(*paths)


def test_a_large_file_is_mapped_and_not_read(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", GREY)
    assert not isinstance(read(tmp_path / "a.tif").data, np.memmap)
    monkeypatch.setattr(volume_files, "_LARGE", GREY.nbytes)
    assert isinstance(read(tmp_path / "a.tif").data, np.memmap)
    tifffile.imwrite(tmp_path / "b.tif", GREY, compression="zlib")
    np.testing.assert_array_equal(read(tmp_path / "b.tif").data, GREY)


def test_a_damaged_file_is_refused_with_a_sentence_so_that_napari_offers_other_readers(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", GREY)
    (tmp_path / "a.tif").write_bytes((tmp_path / "a.tif").read_bytes()[:-500])
    told: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_error", told.append)
    with pytest.raises(DataError, match=r"cut short|cannot be read"):
        read(tmp_path / "a.tif")
    assert len(told) == 1


def test_channels_of_a_store_become_layers(tmp_path):
    from napari.components import ViewerModel

    old_store(tmp_path / "v.zarr")
    reader = get_reader(str(tmp_path / "v.zarr"))
    ((data, details, _),) = reader(str(tmp_path / "v.zarr"))
    assert isinstance(data, Level)
    layers = ViewerModel().add_image(data, **details)
    assert len(layers) == 2
    for layer in layers:
        assert (layer.scale.tolist(), layer.translate.tolist(), layer.axis_labels) == ([20, 30], [10, 10], ("y", "x"))


def a_file(folder: Path, kind: str) -> Path:
    """A path that is not for us."""
    path = folder / kind
    if kind == "model.safetensors":
        save_file({"a": np.zeros(3)}, path, metadata={"format": "pt"})
    elif kind == "broken.safetensors":
        path.write_bytes(b"\xff" * 100)
    elif kind == "empty.safetensors":
        path.write_bytes(b"")
    elif kind in ("folder", "store.ome.zarr"):
        path.mkdir()
        (path / "zarr.json").write_text("{}")
    else:
        path.write_text("text")
    return path


@pytest.mark.parametrize(
    "kind",
    ["model.safetensors", "broken.safetensors", "empty.safetensors", "folder", "store.ome.zarr", "a.png", "b.pt"],
)
def test_what_is_not_for_us_is_left_to_others(kind, tmp_path):
    assert get_reader(str(a_file(tmp_path, kind))) is None
    assert get_reader(str(tmp_path / "missing.tif")) is None
    assert get_reader([str(a_file(tmp_path, "c.png")), str(a_file(tmp_path, "d.png"))]) is None


def test_without_a_window_a_model_cannot_be_opened(tmp_path, monkeypatch):
    monkeypatch.setattr("napari.current_viewer", lambda: None)
    named_model().save(tmp_path / "m.safetensors")
    reader = get_reader(str(tmp_path / "m.safetensors"))
    with pytest.raises(ModelError, match="A model is no layer: open it in a napari window"):
        reader(str(tmp_path / "m.safetensors"))


def test_models_and_runs_that_are_dropped_go_to_the_dock(viewer, qtbot, tmp_path, monkeypatch):
    from napari_slicegan.plugin.work.jobs import jobs_of

    run = tmp_path / "my run"
    run.mkdir()
    (run / "config.json").write_text("{}")
    model = named_model()
    model.save(run / "model.safetensors")
    model.save(tmp_path / "mine.safetensors")
    models, told = jobs_of(viewer).models, []
    monkeypatch.setattr("napari.utils.notifications.show_error", told.append)
    for path in (tmp_path / "mine.safetensors", run):
        viewer.window._qt_viewer._qt_open([str(path)], stack=False, plugin="napari-slicegan" if path == run else None)
        finish_loading(viewer, qtbot)
        assert models.entries[-1].path == path
    assert [entry.name for entry in models.entries] == ["mine", "my run"]
    assert len(viewer.layers) == 0
    (dock,) = [widget for name, widget in viewer.window.dock_widgets.items() if "Generate" in name]
    assert dock.form.entry is models.entries[-1]
    assert viewer.open(run, plugin="napari-slicegan") == []
    assert viewer.open(tmp_path / "mine.safetensors", plugin="napari-slicegan") == []
    assert [sentence.partition(":")[0] for sentence in told] == ["The dock Generate volume is busy"]
    finish(viewer, qtbot)


def finish_loading(viewer: Any, qtbot: Any) -> None:
    """Wait for the model."""
    from napari_slicegan.plugin.work.jobs import jobs_of

    qtbot.waitUntil(lambda: not jobs_of(viewer).loading.status.state.is_busy, timeout=60_000)


def test_a_volume_is_opened_by_napari(tmp_path):
    from napari.components import ViewerModel

    viewer = ViewerModel()
    stream(named_model(), REQUEST, tmp_path / "v.ome.zarr")
    (layer,) = viewer.open(tmp_path / "v.ome.zarr", plugin="napari-slicegan")
    assert isinstance(layer, Labels)
    assert layer.source.reader_plugin == "napari-slicegan"
    assert NO_LAYER == [(None,)]
