"""Browsing an endless volume in a real window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.volume.evaluation import Evaluation
from napari_slicegan.plugin.generate import endless
from napari_slicegan.plugin.generate.endless import box_in_view, browse, browser_of, plane_in_view
from napari_slicegan.plugin.models import ModelEntry
from napari_slicegan.plugin.volume_layers import placed, volume_layer
from tests.core.test_model import a_model

SIZE, HALF = 0.4, 8192


@pytest.fixture
def viewer(make_napari_viewer: Any, qtbot: Any) -> Any:
    """A viewer in a window that is shown; its endless volumes are closed with it."""
    viewer = make_napari_viewer(show=True)
    qtbot.wait(50)
    return viewer


def an_entry(**settings: Any) -> ModelEntry:
    return ModelEntry("demo", a_model(**settings), Path("demo"))


def until_shown(layer: Any, qtbot: Any) -> np.ndarray:
    """Wait until all that is in view is there, and give the slice that napari shows."""
    browser = browser_of(layer)
    assert browser is not None
    qtbot.wait(150)  # napari draws, the view is passed on
    qtbot.waitUntil(lambda: not browser.volume.message and not browser.message, timeout=60_000)
    qtbot.wait(150)
    return np.asarray(layer._slice.image.raw)


def check(viewer: Any, layer: Any, shown: np.ndarray, model: Any, seed: int) -> None:
    """Compare what napari shows with what `generate` makes."""
    view = plane_in_view(viewer, layer)
    assert view is not None
    origin, shape = box_in_view(viewer, layer, 1)
    assert origin[view.plane[0]] == view.plane[1] - HALF
    expected = model.generate(shape, seed, origin=origin).squeeze(view.plane[0])
    corner = layer.corner_pixels[0]
    spans = [range(*each) for each in ((along.start, along.stop) for along in (view.rows, view.columns))]
    axes = [axis for axis in range(3) if axis != view.plane[0]]
    rows, columns = (
        slice(span.start - corner[axis], span.stop - corner[axis]) for span, axis in zip(spans, axes, strict=True)
    )
    image = shown if list(viewer.dims.displayed) == axes else shown.swapaxes(0, 1)
    np.testing.assert_array_equal(image[rows, columns], expected)


def test_it_opens_at_its_origin(viewer: Any, qtbot: Any):
    viewer.add_image(np.zeros((64, 64)), name="micrograph")
    viewer.dims.ndisplay = 3
    entry = an_entry()
    layer = browse(viewer, entry, 5)
    assert isinstance(layer, Labels)
    assert viewer.layers.selection.active is layer
    assert [each.visible for each in viewer.layers] == [False, True]
    assert viewer.dims.ndisplay == 2
    assert not layer.editable
    assert [layer.data[0].shape, layer.data[-1].shape] == [(16384,) * 3, (64,) * 3]
    assert layer.name == "a endless volume, seed 5"
    np.testing.assert_allclose(layer.scale, SIZE)
    assert [str(unit) for unit in layer.units] == ["micrometer"] * 3
    assert layer.axis_labels == ("z", "y", "x")
    record = layer.metadata["napari-slicegan"]
    assert (record["seed"], record["model"], record["endless"]) == (5, "demo", True)
    shown = until_shown(layer, qtbot)
    view = plane_in_view(viewer, layer)
    assert view.plane == (0, HALF)
    assert 512 <= min(len(view.rows), len(view.columns)) <= 514
    assert abs(view.rows.start + view.rows.stop - 2 * HALF) <= 1
    check(viewer, layer, shown, entry.model, 5)


def test_the_slider_the_hand_and_the_wheel(viewer: Any, qtbot: Any):
    entry = an_entry()
    layer = browse(viewer, entry, 1)
    first = until_shown(layer, qtbot)
    moves = [
        lambda: viewer.dims.set_point(0, 7 * SIZE),
        lambda: setattr(viewer.scene.camera, "center", (0, 70, -30)),
        lambda: setattr(viewer.scene.camera, "zoom", viewer.scene.camera.zoom * 3),
        lambda: viewer.dims.set_point(0, 9 * SIZE),
        lambda: setattr(viewer.scene.camera, "zoom", viewer.scene.camera.zoom / 4),
    ]
    for move in moves:
        move()
        camera = viewer.scene.camera.center, viewer.scene.camera.zoom, viewer.dims.point
        shown = until_shown(layer, qtbot)
        check(viewer, layer, shown, entry.model, 1)
        assert camera == (viewer.scene.camera.center, viewer.scene.camera.zoom, viewer.dims.point)
    assert first.any()


def test_what_is_out_of_view_is_not_made(viewer: Any, qtbot: Any, monkeypatch: Any):
    layer = browse(viewer, an_entry(), 1)
    until_shown(layer, qtbot)
    viewer.scene.camera.zoom *= 8
    until_shown(layer, qtbot)
    made, box = [], Evaluation.box

    def recorded(self: Any, request: Any, wanted: Any, *rest: Any, **named: Any) -> Any:
        made.append(wanted)
        return box(self, request, wanted, *rest, **named)

    monkeypatch.setattr(Evaluation, "box", recorded)
    viewer.dims.set_point(0, 3 * SIZE)
    until_shown(layer, qtbot)
    view = plane_in_view(viewer, layer)
    count = sum((rows[1] - rows[0]) * (columns[1] - columns[0]) for _, rows, columns in made)
    assert count <= (len(view.rows) + 126) * (len(view.columns) + 126)
    assert {depth for depth, _, _ in made} == {(3, 4)}
    layer.visible = False
    made.clear()
    viewer.dims.set_point(0, 5 * SIZE)
    qtbot.wait(300)
    assert not made
    layer.visible = True
    until_shown(layer, qtbot)
    assert {depth for depth, _, _ in made} == {(5, 6)}


def test_rolling_and_transposing_keep_the_place(viewer: Any, qtbot: Any):
    entry = an_entry()
    layer = browse(viewer, entry, 2)
    viewer.dims.set_point(0, 12 * SIZE)
    viewer.scene.camera.center = (0, 20 * SIZE, 30 * SIZE)
    until_shown(layer, qtbot)
    zoom = viewer.scene.camera.zoom
    for turn in (viewer.dims.roll, viewer.dims.transpose, viewer.dims.roll, viewer.dims.roll):
        turn()
        shown = until_shown(layer, qtbot)
        check(viewer, layer, shown, entry.model, 2)
        view = plane_in_view(viewer, layer)
        middle = [(along.start + along.stop - 1) / 2 - HALF for along in (view.rows, view.columns)]
        middle.insert(view.plane[0], view.plane[1] - HALF)
        np.testing.assert_allclose(middle, (12, 20, 30), atol=1)
        assert viewer.scene.camera.zoom == zoom


def test_far_out_it_says_to_zoom_in(viewer: Any, qtbot: Any):
    layer = browse(viewer, an_entry(), 2)
    browser, texts = browser_of(layer), []
    assert browser is not None
    browser.changed.connect(texts.append)
    until_shown(layer, qtbot)
    made = browser.volume.made
    viewer.fit_to_view()
    qtbot.waitUntil(lambda: "Zoom in" in browser.message, timeout=10_000)
    qtbot.wait(200)
    assert browser.volume.made == made
    assert texts[-1] == browser.message
    viewer.scene.camera.zoom *= 30
    until_shown(layer, qtbot)
    assert browser.message == texts[-1] == ""


def test_3d_and_back(viewer: Any, qtbot: Any):
    entry = an_entry()
    layer = browse(viewer, entry, 2)
    until_shown(layer, qtbot)
    browser = browser_of(layer)
    viewer.dims.ndisplay = 3
    qtbot.waitUntil(lambda: "turn to 2D" in browser.message, timeout=10_000)
    assert not layer.editable
    with pytest.raises(ModelError, match="turn to 2D"):
        box_in_view(viewer, layer, 9)
    viewer.dims.ndisplay = 2
    shown = until_shown(layer, qtbot)
    assert not layer.editable
    assert len(plane_in_view(viewer, layer).rows) < 600
    check(viewer, layer, shown, entry.model, 2)


@pytest.mark.parametrize(("output", "channels"), [(OutputKind.GREY, 1), (OutputKind.COLOUR, 3)])
def test_images(output: OutputKind, channels: int, viewer: Any, qtbot: Any):
    layer = browse(viewer, an_entry(output=output, image_channels=channels), 2)
    assert isinstance(layer, Image)
    assert layer.rgb == (channels == 3)
    assert tuple(layer.contrast_limits) == (0, 255)
    shown = until_shown(layer, qtbot)
    assert np.ptp(shown) > 10
    layer.reset_contrast_limits()
    viewer.dims.ndisplay = 3
    qtbot.wait(200)
    viewer.dims.ndisplay = 2
    qtbot.wait(200)
    assert layer.get_value((0, 0, 0), world=True)[1] is not None


def test_what_napari_asks_beside_the_view(viewer: Any, qtbot: Any, monkeypatch: Any):
    layer = browse(viewer, an_entry(), 2)
    shown = until_shown(layer, qtbot)
    monkeypatch.setattr(Evaluation, "box", None)
    row, column = (HALF + 5) - layer.corner_pixels[0][1:]
    assert layer.get_value((0, 5 * SIZE, 5 * SIZE), world=True) == (0, shown[row, column])
    assert "seed 2" in layer.get_status((0, 0, 0), world=True)["layer_name"]
    layer.undo()
    layer.redo()
    layer._update_thumbnail()
    with pytest.raises(ModelError, match="smaller box"):
        np.asarray(layer.data[0])
    assert not browser_of(layer).message


def test_a_box_that_is_taken_lies_where_it_was_seen(viewer: Any, qtbot: Any):
    entry = an_entry()
    layer = browse(viewer, entry, 4)
    viewer.scene.camera.zoom *= 4
    viewer.scene.camera.center = (0, -50, 90)
    viewer.dims.set_point(0, -3 * SIZE)
    shown = until_shown(layer, qtbot)
    origin, shape = box_in_view(viewer, layer, 20)
    assert (origin[0], shape[0]) == (-13, 20)
    volume = entry.model.generate(shape, 4, origin=origin)
    data, details, kind = placed(volume_layer(volume, entry.model.info, "box", None), origin)
    assert kind == "labels"
    taken = viewer.add_labels(data, **details)
    qtbot.wait(200)
    np.testing.assert_allclose(taken.data_to_world((10, 0, 0))[0], -3 * SIZE, atol=1e-9)
    corner = np.array(origin[1:]) + HALF - layer.corner_pixels[0][1:]
    part = shown[corner[0] : corner[0] + shape[1], corner[1] : corner[1] + shape[2]]
    np.testing.assert_array_equal(taken._slice.image.raw, part)
    for point in ((-3 * SIZE, -50, 90), (-3 * SIZE, -40, 100)):
        assert taken.get_value(point, world=True) == layer.get_value(point, world=True)[1]


def test_boxes_end_with_the_array(viewer: Any, qtbot: Any):
    layer = browse(viewer, an_entry(), 4)
    viewer.dims.set_point(0, -8190 * SIZE)
    viewer.scene.camera.center = (0, -8192 * SIZE, 8192 * SIZE)
    until_shown(layer, qtbot)
    origin, shape = box_in_view(viewer, layer, 20)
    assert origin[:2] == (-8192, -8192)
    assert shape[0] == 20
    assert origin[2] + shape[2] == 8192
    viewer.scene.camera.center = (0, -9999 * SIZE, 0)
    with pytest.raises(ModelError, match="in view"):
        box_in_view(viewer, layer, 20)


def test_two_at_once(viewer: Any, qtbot: Any):
    entry = an_entry()
    layers = [browse(viewer, entry, seed) for seed in (1, 2)]
    assert [layer.visible for layer in layers] == [False, True]
    layers[0].visible = True
    planes = [until_shown(layer, qtbot) for layer in layers]
    assert (planes[0] != planes[1]).mean() > 0.1
    for seed, (layer, plane) in enumerate(zip(layers, planes, strict=True), start=1):
        check(viewer, layer, plane, entry.model, seed)


def test_beside_a_layer_in_another_unit(viewer: Any, qtbot: Any):
    viewer.add_image(np.zeros((300, 400)), scale=(50, 50), units=("nm", "nm"))
    entry = an_entry()
    layer = browse(viewer, entry, 1)
    shown = until_shown(layer, qtbot)
    assert layer.data_level == 0
    assert [str(unit) for unit in layer.units] == ["nanometer"] * 3
    np.testing.assert_allclose(layer.scale, 400)
    check(viewer, layer, shown, entry.model, 1)
    viewer.dims.set_point(0, 4000)
    check(viewer, layer, until_shown(layer, qtbot), entry.model, 1)
    assert plane_in_view(viewer, layer).plane == (0, HALF + 10)


def test_half_way_between_two_planes_napari_decides(viewer: Any, qtbot: Any, monkeypatch: Any):
    layer = browse(viewer, an_entry(), 1)
    until_shown(layer, qtbot)
    real = endless.plane_in_view

    def rounded_up(*args: Any) -> Any:
        view = real(*args)
        return replace(view, plane=(view.plane[0], view.plane[1] + 1))

    monkeypatch.setattr(endless, "plane_in_view", rounded_up)
    viewer.dims.set_point(0, 3 * SIZE)
    assert until_shown(layer, qtbot).any()


def test_removing_the_layer_ends_the_thread(viewer: Any, qtbot: Any):
    layer = browse(viewer, an_entry(), 1)
    until_shown(layer, qtbot)
    volume = browser_of(layer).volume
    viewer.dims.set_point(0, 5 * SIZE)
    qtbot.waitUntil(lambda: bool(volume.message), timeout=10_000)
    viewer.layers.remove(layer)
    assert volume.wait(30)
    assert volume._cache.nbytes == 0
    viewer.dims.ndisplay = 3
    qtbot.wait(100)


def test_closing_the_window_ends_the_thread(viewer: Any, qtbot: Any):
    layer = browse(viewer, an_entry(), 1)
    browser = browser_of(layer)
    qtbot.waitUntil(lambda: bool(browser.volume.message), timeout=10_000)
    viewer.close()
    assert browser.volume.wait(30)
