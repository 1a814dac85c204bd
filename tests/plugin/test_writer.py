"""Layers saved and opened again: what travels, and what is refused. No window is needed."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from threading import Thread, current_thread
from types import SimpleNamespace
from typing import Any

import dask.array
import numpy as np
import pytest
import tifffile
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap

from napari_slicegan.core.errors import DataError
from napari_slicegan.plugin.files import writer
from napari_slicegan.plugin.files.layer_record import details_of
from napari_slicegan.plugin.files.reader import get_reader
from napari_slicegan.plugin.layers import image_of, training_data
from napari_slicegan.plugin.phases import set_colour, set_name
from napari_slicegan.plugin.volume_layers import OURS

RNG = np.random.default_rng(0)
PHASES = RNG.integers(0, 3, (5, 20, 30), np.uint8)
GREY = RNG.integers(0, 200, (5, 20, 30), np.uint8)
COLOUR = RNG.integers(0, 256, (5, 20, 30, 3), np.uint8)
COLOURS = DirectLabelColormap(color_dict={0: "transparent", 1: "red", 2: (0.1, 0.2, 0.3, 0.4), None: "transparent"})
HISTORY = {"model": "m", "seed": 3, "origin": [1, 2, 3], "versions": {"torch": "2"}, "phase_names": ["pore", "B", "µ"]}
SUFFIXES = [".tif", ".ome.tif", ".ome.zarr"]
LAYERS: dict[str, Any] = {
    "phases": (Labels, PHASES, {"colormap": COLOURS, "features": {"index": [0, 2, 1], "name": ["pore", "µ", "B"]}}),
    "labels in napari's colours": (Labels, PHASES.astype(np.int64) * 70_000, {"opacity": 0.3}),
    "flat labels": (Labels, PHASES[0], {"rendering": "translucent"}),
    "grey": (Image, GREY, {"colormap": "viridis", "contrast_limits": (10, 180), "gamma": 0.5, "rendering": "iso"}),
    "flat grey": (Image, GREY[0] / 7, {}),
    "signed": (Image, GREY.astype(np.int16) - 100, {}),
    "bits": (Image, GREY[0] > 100, {}),
    "a plane": (Labels, PHASES[:1], {}),
    "colour": (Image, COLOUR, {"rgb": True}),
    "flat colour": (Image, COLOUR[0], {"rgb": True}),
    "lazy": (Labels, dask.array.from_array(PHASES, chunks=(2, 7, 30)), {}),
    "levels": (Image, [GREY, GREY[:, ::2, ::2]], {"multiscale": True}),
}


def a_layer(kind: str = "phases", **changes: Any) -> Layer:
    """A layer that lies somewhere, with a history."""
    make, data, details = LAYERS[kind]
    axes = 2 if "flat" in kind or kind == "bits" else 3
    place = {
        "scale": (0.5, 0.4, 0.4)[-axes:],
        "translate": (-1, 2, 3)[-axes:],
        "units": ("um",) * axes,
        "axis_labels": ("z", "y", "x")[-axes:],
        "metadata": {OURS: HISTORY},
    }
    return make(data, name=f"my {kind}", **(place | details | changes))


def save(layer: Layer, path: Path) -> Path:
    """Save as napari's dialog does when our writer is chosen in it."""
    data, meta, kind = layer.as_layer_data_tuple()
    form = "ome_zarr" if path.name.endswith(".ome.zarr") else "tiff"
    (written,) = getattr(writer, f"write_{kind}_{form}")(str(path), data, meta)
    return Path(written)


def read(path: Path) -> Layer:
    """Open a file with our reader."""
    reader = get_reader(str(path))
    assert reader is not None
    (layer,) = reader(str(path))
    return Layer.create(*layer)


def voxels(layer: Layer) -> np.ndarray:
    """The finest level."""
    return np.asarray(layer.data[0] if layer.multiscale else layer.data)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_comes_back_as_it_was(kind, suffix, tmp_path):
    layer = a_layer(kind)
    found = read(save(layer, tmp_path / f"v{suffix}"))
    assert type(found) is type(layer)
    np.testing.assert_array_equal(voxels(found), voxels(layer))
    for name in ("name", "units", "axis_labels", "metadata", "rendering", "opacity"):
        assert getattr(found, name) == getattr(layer, name), name
    for name in ("scale", "translate"):
        np.testing.assert_allclose(getattr(found, name), getattr(layer, name))
    if isinstance(layer, Labels):
        for label in np.unique(voxels(layer)):
            np.testing.assert_allclose(found.colormap.map(int(label)), layer.colormap.map(int(label)), atol=1e-6)
    elif not layer.rgb:
        assert found.colormap.name == layer.colormap.name
        assert (found.contrast_limits, found.gamma) == (layer.contrast_limits, layer.gamma)
    assert [path.name for path in tmp_path.iterdir()] == [f"v{suffix}"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_phases_keep_their_names(suffix, tmp_path):
    features = read(save(a_layer(), tmp_path / f"v{suffix}")).features
    assert dict(zip(features["index"], features["name"], strict=True)) == {0: "pore", 1: "B", 2: "µ"}


def test_a_name_that_was_edited_counts_more_than_the_features(tmp_path):
    layer = Labels(np.array([[1, 2]], np.uint8), features={"index": [1, 2, np.nan], "name": ["a", "b", "c"]})
    layer.metadata["phase_names"] = {1: "Ni & Co", 2: "b"}
    features = read(save(layer, tmp_path / "v.tif")).features
    assert dict(zip(features["index"], features["name"], strict=True)) == {1: "Ni & Co", 2: "b"}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("ours", [{}, {OURS: HISTORY}])
def test_an_image_of_phases_keeps_their_names_and_colours(suffix, ours, tmp_path):
    layer = Image(np.where(GREY[0] > 100, 255, 0).astype(np.uint8), metadata=dict(ours))
    set_name(layer, 0, "pore")
    set_name(layer, 255, "Ni & Co")
    set_colour(layer, 255, "#12ab34", {})
    found = read(save(layer, tmp_path / f"v{suffix}"))
    assert isinstance(found, Image)
    assert found.metadata == ours | {"phase_names": {0: "pore", 255: "Ni & Co"}, "phase_colours": {255: "#12ab34"}}
    data = training_data([image_of(found)])
    assert (data.phase_names, data.phase_colours[1]) == (("pore", "Ni & Co"), "#12ab34")


def test_other_programs_find_size_and_range(tmp_path):
    with tifffile.TiffFile(save(a_layer(), tmp_path / "v.tif")) as tif:
        meta = tif.imagej_metadata
        assert (meta["unit"], meta["spacing"], meta["min"], meta["max"]) == ("um", 0.5, 0, 2)
        record = json.loads(meta["Info"])
    assert record["phase_colours"] == ["#000000", "#ff0000", "#1a334c"]
    assert (record["seed"], record["phases"]) == (3, [0, 1, 2])


def test_what_another_program_changed_counts(tmp_path):
    path = save(a_layer(), tmp_path / "v.tif")
    with tifffile.TiffFile(path) as tif:
        array, info = tif.asarray()[1:], tif.imagej_metadata["Info"]
    meta = {"axes": "ZYX", "unit": "nm", "spacing": 7.0, "Info": info}
    tifffile.imwrite(path, array, imagej=True, metadata=meta, resolution=(1 / 9, 1 / 9))
    layer = read(path)
    np.testing.assert_allclose(layer.scale, (7, 9, 9))
    assert {str(unit) for unit in layer.units} == {"nanometer"}
    np.testing.assert_allclose(layer.translate, 0)
    assert layer.colormap.map(1).ravel().tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize(
    ("units", "size", "unit"),
    [(("nm", "um", "um"), 0.0005, "um"), (("second", "um", "um"), 0.5, "pixel"), (("pixel",) * 3, 0.5, "pixel")],
)
def test_units_that_are_not_one_length_come_back_too(units, size, unit, tmp_path, recwarn):
    layer = a_layer(units=units)
    path = save(layer, tmp_path / "v.tif")
    with tifffile.TiffFile(path) as tif:
        assert (tif.imagej_metadata["spacing"], tif.imagej_metadata["unit"]) == (pytest.approx(size), unit)
    found = read(path)
    assert found.units == layer.units
    np.testing.assert_allclose(found.scale, layer.scale)


def test_what_no_file_keeps_is_told(tmp_path, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_info", told.append)
    save(a_layer(), tmp_path / "v.tif")
    assert told == []
    save(a_layer("flat labels", rotate=10, units=("second", "um")), tmp_path / "v.tif")
    assert [sentence.partition(" with")[0] for sentence in told] == ["Saved my flat labels"] * 2
    assert "rotation" in told[0]
    assert "no length" in told[1]


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (a_layer(metadata={OURS: {"endless": True}}), "endless: take the box in view"),
        (Image(np.zeros((2, 3, 4, 5)), name="t"), "t has 4 dimensions"),
    ],
)
def test_what_cannot_be_saved_is_refused_with_a_sentence(layer, words, tmp_path):
    for suffix in SUFFIXES:
        with pytest.raises(DataError, match=words):
            save(layer, tmp_path / f"v{suffix}")
    assert not list(tmp_path.iterdir())


def test_endings_that_are_missing_are_added(tmp_path):
    data, meta, _ = a_layer().as_layer_data_tuple()
    assert writer.write_labels_tiff(str(tmp_path / "v1.2"), data, meta) == [str(tmp_path / "v1.2.tif")]
    assert writer.write_labels_ome_zarr(str(tmp_path / "w"), data, meta) == [str(tmp_path / "w.ome.zarr")]
    assert writer.write_labels_tiff(str(tmp_path / "A.TIFF"), data, meta) == [str(tmp_path / "A.TIFF")]


def test_transparency_and_bright_colours_become_plain_colours(tmp_path):
    colours = np.stack([np.linspace(-0.5, 1.5, 20).reshape(4, 5)] * 4, -1)
    found = read(save(Image(colours, rgb=True), tmp_path / "v.tif"))
    np.testing.assert_array_equal(found.data, np.round(np.clip(colours[..., :3], 0, 1) * 255))


def test_numbers_that_tiff_has_no_room_for_are_refused(tmp_path):
    with pytest.raises(Exception, match="TIFF values have 32 bits"):
        save(Image(np.array([[0, 2**40]])), tmp_path / "v.tif")
    assert voxels(read(save(Image(np.array([[0, 2**40]])), tmp_path / "v.ome.zarr"))).max() == 2**40
    assert voxels(read(save(Image(np.array([[0, 2**32 - 1]])), tmp_path / "v.tif"))).max() == 2**32 - 1


def test_a_thread_saves_without_a_bar(tmp_path):
    thread = Thread(target=save, args=(a_layer(), tmp_path / "v.tif"))
    thread.start()
    thread.join()
    np.testing.assert_array_equal(read(tmp_path / "v.tif").data, PHASES)


HOSTILE: dict[str, Any] = {
    "scale": [[0, 1, 1], ["a", 1, 1], [float("nan"), 1, 1], [1, 1], 3, [1e400, 1, 1]],
    "units": [["9**9**9**9**9", "um", "um"], ["um"], [1, 2, 3], ["parrot", "um", "um"]],
    "axis_labels": [["x" * 10_000, "y", "x"], [None] * 3],
    "rendering": ["of accounts", 3],
    "blending": ["in"],
    "labels": [3, {"cycle": []}, {"cycle": [[2, 0, 0, 0]]}, {"colours": {"a": [0, 0, 0, 1]}, "others": [0, 0, 0, 0]}],
    "colormap": [{"name": "no such"}, {"name": 3}, {"name": "n", "colours": [[0, 0, 0, 1]] * 2, "controls": [1, 0]}],
    "contrast_limits": [[3, 3], ["a", "b"], [1], [float("nan"), 1]],
    "opacity": ["much", -3, True],
    "name": ["", "n" * 10**6, 3],
}


@pytest.mark.parametrize(("topic", "values"), HOSTILE.items())
def test_nonsense_about_the_look_is_left_out(topic, values):
    kind = "image" if topic in ("colormap", "contrast_limits") else "labels"
    for value in values:
        details = details_of(kind, 3, {"scale": [1.0, 2.0, 3.0]}, {"name": "n"} | {topic: value})
        layer = Layer.create(np.zeros((2, 3, 4), np.uint8), details, kind)
        assert (layer.name, layer.scale.tolist()) == ("n" if topic != "name" else layer.name, [1, 2, 3])
        assert len(layer.name) < 100


NONSENSE = [
    {"layer": 3},
    {"request": 3},
    {"phases": ["a"]},
    {"phase_names": [1]},
    {"phase_colours": ["red"]},
    *({"layer": {"shape": shape}} for shape in ([1e30, 1, 1], "x", [-1, -1, -1], [0])),
    *({"layer": {"metadata": metadata}} for metadata in (3, [[]], {"a": 1})),
    *({"layer": {"type": kind}} for kind in (3, "points", None)),
    *({"layer": {"type": "image", "phase_names": names}} for names in (3, {"a": "b"}, {"1": 3}, ["a"] * 10**5)),
    *({"layer": {"type": "image", "phase_colours": colours}} for colours in ("red", {"1": "red"}, {"1e999": 3})),
]


def test_nonsense_in_a_file_does_no_harm(tmp_path):
    path = save(a_layer(), tmp_path / "v.tif")
    with tifffile.TiffFile(path) as tif:
        array, record = tif.asarray(), json.loads(tif.imagej_metadata["Info"])
    for change in NONSENSE:
        tifffile.imwrite(path, array, imagej=True, metadata={"Info": json.dumps(record | change)})
        np.testing.assert_array_equal(voxels(read(path)), array)


def test_a_bar_is_made_in_the_main_thread_alone(tmp_path, monkeypatch):
    made = []

    def bar(**_details):
        made.append(current_thread())
        return nullcontext(SimpleNamespace(n=0, update=lambda _steps: None))

    monkeypatch.setattr("napari.utils.progress", bar)
    save(a_layer(), tmp_path / "a.tif")
    thread = Thread(target=save, args=(a_layer(), tmp_path / "b.tif"))
    thread.start()
    thread.join()
    assert made == [current_thread()]
