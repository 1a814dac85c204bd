"""Choosing what to train on: the layer list, regions, pixel size, phases; no window is needed."""

from pathlib import Path
from threading import Event, current_thread, main_thread
from types import SimpleNamespace
from typing import Any

import dask.array
import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QEvent, QPoint
from qtpy.QtGui import QColor, QHelpEvent
from qtpy.QtWidgets import QApplication, QColorDialog

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.plugin.images import file_tags, looking
from napari_slicegan.plugin.images.chooser import LOOKING, NO_LAYER, Material, MaterialChooser
from napari_slicegan.plugin.images.finding import look_at
from napari_slicegan.plugin.layers import training_data
from napari_slicegan.plugin.parts.dock import Rows
from napari_slicegan.plugin.phases import names_of
from napari_slicegan.plugin.work.jobs import jobs_of
from tests.plugin.conftest import finish, text_of, two_phases

GREY = np.random.default_rng(0).choice([40, 120, 200], (32, 40)).astype(np.uint8)
GREY[:4] += np.arange(40, dtype=np.uint8)  # more than 8 values
RECTANGLE = np.array([[2, 4], [2, 23], [19, 23], [19, 4]])


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def chooser(viewer: ViewerModel, qtbot: Any) -> Any:
    made = chooser_of(viewer, qtbot)
    yield made
    finish(viewer, qtbot)


def chooser_of(viewer: ViewerModel, qtbot: Any) -> MaterialChooser:
    """A chooser that follows the layer list, as napari lets a dock do."""
    rows = Rows()
    qtbot.addWidget(rows)
    made = MaterialChooser(rows, viewer, lambda: 16)
    for group in made.groups:
        qtbot.addWidget(group)
    for event in (viewer.layers.events.inserted, viewer.layers.events.removed, viewer.layers.events.renamed):
        event.connect(lambda *_: made.reset_choices())
    made.reset_choices()
    return made


def test_a_shrunk_image_has_larger_pixels_and_needs_more_of_them(viewer, chooser):
    viewer.add_image(GREY, scale=(0.4, 0.4), units="um")
    chooser.shrink.value = 2
    assert "shrunk by a factor of 2" in chooser.found.value
    data = training_data(chooser.choice.images(), shrink=chooser.choice.shrink)
    assert (data.sources[0].shape[1:3], data.pixel_size) == ((16, 20), 0.8)
    chooser.shrink.value = 3
    assert "10 x 13 pixels is smaller than the 16 x 16 pixels of a training crop" in chooser.error
    assert chooser.error.endswith("or shrink it less.")


def names(chooser: MaterialChooser, place: int = 0) -> list[str]:
    return [getattr(layer, "name", None) for layer in chooser.images[place].choices]


def test_layers_that_are_added_renamed_and_removed(viewer: ViewerModel, chooser: MaterialChooser):
    assert chooser.error == NO_LAYER
    first = viewer.add_labels(two_phases(), name="first")
    assert (chooser.error, chooser.images[0].value) == ("", first)
    second = viewer.add_image(GREY, name="second", visible=False)
    viewer.add_points(np.zeros((1, 2)))
    assert names(chooser) == [None, "first", "second"]  # hidden ones as well, nothing but images
    assert chooser.images[0].value is first
    first.name = "renamed"
    assert names(chooser) == [None, "renamed", "second"]
    assert chooser.images[0].value is first
    viewer.layers.remove(first)
    assert chooser.images[0].value is second
    viewer.layers.clear()
    assert chooser.error == NO_LAYER
    assert chooser.found.value == "-"


def test_choosers_of_two_viewers_see_their_own_layers(viewer: ViewerModel, chooser: MaterialChooser, qtbot: Any):
    viewer.add_labels(two_phases(), name="mine")
    other = ViewerModel()
    other.add_labels(two_phases(), name="other")  # before its chooser
    theirs = chooser_of(other, qtbot)
    assert (names(chooser), names(theirs)) == ([None, "mine"], [None, "other"])


def test_endless_volumes_are_left_out(viewer: ViewerModel, chooser: MaterialChooser):
    viewer.add_labels(two_phases(), name="endless", metadata={"napari-slicegan": {"endless": True}})
    assert names(chooser) == [None]


def test_rectangles_limit_what_is_trained_on(viewer: ViewerModel, chooser: MaterialChooser, qtbot: Any):
    image = viewer.add_image(GREY, name="photo", scale=(0.5, 0.5), units="um")
    assert chooser.region is not None
    assert chooser.region.layer is None
    chooser.region.draw.native.click()
    shapes = viewer.layers["training region"]
    assert (shapes.mode, viewer.layers.selection.active) == ("add_rectangle", shapes)
    np.testing.assert_array_equal(shapes.scale, image.scale)
    assert chooser.error.startswith("Draw a rectangle")
    shapes.add_rectangles(RECTANGLE)
    qtbot.waitUntil(lambda: "1 region, 18 \u00d7 20 px" in text_of(chooser.found))
    shapes.add_rectangles(RECTANGLE + 8)
    qtbot.waitUntil(lambda: "2 regions, 18 \u00d7 20, 18 \u00d7 20 px" in text_of(chooser.found))
    data = training_data(chooser.choice.images())
    assert data.regions == (((0, 0, 18, 20), (8, 8, 26, 28)),)
    chooser.region.draw.native.click()
    assert len(viewer.layers) == 2  # goes on in the same layer
    viewer.layers.remove(shapes)
    assert text_of(chooser.found).endswith("32 \u00d7 40 px")


def test_rectangles_hold_for_every_image_that_they_lie_on(viewer: ViewerModel, chooser: MaterialChooser):
    viewer.add_labels(two_phases(), name="a")
    viewer.add_labels(two_phases(seed=1), name="b", translate=(0, 8))
    shapes = viewer.add_shapes([RECTANGLE + np.array([0, 8])], name="parts")
    chooser.region.combo.value = shapes
    chooser.material.value = Material.TRANSVERSE
    assert not chooser.region.widget.native.isHidden()
    first, second = chooser.choice.images()
    assert (first.regions, second.regions) == (((2, 12, 20, 32),), ((2, 4, 20, 24),))
    assert text_of(chooser.found).endswith("1 region, 18 \u00d7 20 px")
    data = training_data(chooser.choice.images(), axis="z")
    assert [source.shape[1:3] for source in data.sources] == [(18, 20), (18, 20)]
    viewer.layers["b"].translate = (0, 100)
    chooser.look()
    assert chooser.error == "The shapes of parts are not on b: draw a rectangle on the image."


def test_a_region_that_is_too_small_is_said_inline(viewer: ViewerModel, chooser: MaterialChooser):
    viewer.add_labels(two_phases())
    chooser.region.combo.value = viewer.add_shapes([RECTANGLE // 2])
    assert "A region of 9 x 10 pixels is smaller" in chooser.error


def enter(chooser: MaterialChooser, text: str) -> None:
    chooser.pixel_size.size.value = text
    chooser.pixel_size.size.native.editingFinished.emit()


def test_the_pixel_size_is_shown_and_written_to_the_layers(viewer: ViewerModel, chooser: MaterialChooser):
    image = viewer.add_labels(two_phases(), translate=(2, 4))
    shapes = viewer.add_shapes([RECTANGLE])
    chooser.region.combo.value = shapes
    row = chooser.pixel_size
    assert (row.size.value, row.unit.value) == ("1", "pixel")
    center, zoom = np.array(viewer.scene.camera.center), viewer.scene.camera.zoom
    region = chooser.choice.images()[0].regions
    row.unit.value = "um"
    enter(chooser, "0,25")
    np.testing.assert_allclose([*image.scale, *shapes.scale], 0.25)
    np.testing.assert_allclose(image.translate, (0.5, 1))
    assert {str(unit) for unit in (*image.units, *shapes.units)} == {"micrometer"}
    assert "0.25 µm/px" in chooser.found.value
    assert chooser.choice.images()[0].regions == region
    np.testing.assert_allclose(viewer.scene.camera.center, center / 4)  # so that nothing seems to move
    assert viewer.scene.camera.zoom == pytest.approx(zoom * 4)


@pytest.mark.parametrize("text", ["", "thick", "-1", "0", "inf", "nan"])
def test_what_is_no_pixel_size_is_put_back(viewer: ViewerModel, chooser: MaterialChooser, text: str):
    image = viewer.add_labels(two_phases(), scale=(0.4, 0.4), units="um")
    enter(chooser, text)
    assert chooser.pixel_size.size.value == "0.4"
    np.testing.assert_allclose(image.scale, 0.4)


def test_pixels_that_are_not_square_can_be_corrected(viewer: ViewerModel, chooser: MaterialChooser):
    viewer.add_labels(two_phases(), scale=(1, 2))
    assert "not square" in chooser.error
    assert chooser.pixel_size.size.value == ""
    enter(chooser, "3")
    assert chooser.error == ""


def from_file(path: Path, image: np.ndarray, **tags: Any) -> Layer:
    """A layer as napari's own reader makes it, which drops the pixel size."""
    tifffile.imwrite(path, image, **tags)
    layer = Labels(image)
    layer._set_source(type(layer.source)(path=str(path)))
    return layer


def test_the_tags_of_the_file_tell_the_pixel_size(
    viewer: ViewerModel, chooser: MaterialChooser, qtbot: Any, tmp_path: Path
):
    calibrated = {"imagej": True, "resolution": (4.0, 4.0), "metadata": {"unit": "um"}}
    layer = viewer.add_layer(from_file(tmp_path / "a.tif", two_phases(), **calibrated))
    qtbot.waitUntil(lambda: "tags" in chooser.found.value)
    np.testing.assert_allclose(layer.scale, 0.25)
    assert str(layer.units[0]) == "micrometer"
    assert chooser.pixel_size.size.value == "0.25"
    assert chooser.found.value.endswith("pixel size from the file's tags")
    chooser.pixel_size.unit.value = "pixel"  # the user knows better
    enter(chooser, "1")
    chooser.reset_choices()
    assert not chooser.pixel_size._reading.is_busy
    np.testing.assert_allclose(layer.scale, 1)
    assert "tags" not in chooser.found.value


def test_a_slow_file_holds_nothing_up(
    viewer: ViewerModel, chooser: MaterialChooser, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    go_on, readers = Event(), []

    def slowly(_path: Path) -> tuple[float, str]:
        readers.append(current_thread())
        go_on.wait(60)
        return 0.25, "um"

    monkeypatch.setattr(file_tags, "_read", slowly)
    first, second, third = (viewer.add_layer(from_file(tmp_path / f"{n}.tif", two_phases())) for n in range(3))
    for layer in (first, second, third):
        chooser.images[0].value = layer
    assert (chooser.error, text_of(chooser.found)) == ("", "2 phases · pixel size unknown · 32 \u00d7 32 px")
    third.scale = (2, 2)  # the user is quicker than the disk
    go_on.set()
    qtbot.waitUntil(lambda: not chooser.pixel_size._reading.is_busy)
    assert main_thread() not in readers
    np.testing.assert_allclose([*first.scale, *second.scale, *third.scale], [1, 1, 1, 1, 2, 2])
    chooser.images[0].value = first  # was not chosen when its file had been read
    qtbot.waitUntil(lambda: "tags" in chooser.found.value)
    np.testing.assert_allclose([*first.scale, *second.scale], [0.25, 0.25, 1, 1])


def test_files_without_tags_and_layers_with_a_size_are_left_alone(
    viewer: ViewerModel, chooser: MaterialChooser, qtbot: Any, tmp_path: Path
):
    plain = viewer.add_layer(from_file(tmp_path / "plain.tif", two_phases()))
    (tmp_path / "damaged.tif").write_bytes(b"II*\0\xff\xff\xff\xff")
    damaged = Labels(two_phases())
    damaged._set_source(type(damaged.source)(path=str(tmp_path / "damaged.tif")))
    chooser.images[0].value = viewer.add_layer(damaged)
    sized = from_file(tmp_path / "a.tif", two_phases(), imagej=True, resolution=(4.0, 4.0), metadata={"unit": "um"})
    sized.scale, sized.units = (0.7, 0.7), ("um", "um")
    chooser.images[0].value = viewer.add_layer(sized)
    qtbot.waitUntil(lambda: not chooser.pixel_size._reading.is_busy)
    for layer, size in ((plain, 1), (damaged, 1), (sized, 0.7)):
        np.testing.assert_allclose(layer.scale, size)


def cells(chooser: MaterialChooser) -> list[list[str]]:
    table = chooser.below.phases
    return [[table.item(row, column).text() for column in range(1, 3)] for row in range(table.rowCount())]


def test_phases_are_listed_with_names(viewer: ViewerModel, chooser: MaterialChooser):
    image = np.where(np.arange(32 * 32).reshape(32, 32) < 256, 0, 5)
    layer = viewer.add_labels(image, features={"index": [0, 5], "name": ["pore", "grain"]})
    table = chooser.below.phases
    assert cells(chooser) == [["0", "pore"], ["5", "grain"]]
    assert table.item(1, 0).background().color() == QColor.fromRgbF(*map(float, layer.get_color(5)))
    assert table.group.text() == "Phases: pore, grain"
    chooser.images[0].value = viewer.add_image(GREY)
    assert table.group.isHidden()


def test_names_and_colours_are_edited(viewer: ViewerModel, chooser: MaterialChooser, monkeypatch: pytest.MonkeyPatch):
    layer = viewer.add_labels(two_phases())
    table = chooser.below.phases
    table.item(1, 2).setText("pore")
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor("#123456"))
    table.cellClicked.emit(0, 0)
    data = training_data(chooser.choice.images())
    assert data.phase_names == ("", "pore")
    assert data.phase_colours[0] == "#123456"
    np.testing.assert_allclose(layer.get_color(1), QColor("#123456").getRgbF(), atol=1e-3)
    assert table.item(0, 0).background().color() == QColor("#123456")
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor())  # cancelled
    table.cellClicked.emit(1, 0)
    table.cellClicked.emit(1, 1)
    assert training_data(chooser.choice.images()).phase_colours == data.phase_colours


def test_grey_is_segmented_on_the_spot(viewer: ViewerModel, chooser: MaterialChooser, qtbot: Any):
    image = viewer.add_image(GREY, name="photo", scale=(0.5, 0.5), units="um", translate=(3, 4))
    group = chooser.below.segment
    assert not group.group.isHidden()
    assert not group.use.enabled
    group.phases.value = 3
    assert len(viewer.layers) == 1  # nothing is shown unasked
    group.preview.native.click()
    qtbot.waitUntil(lambda: group.use.enabled)
    phases = viewer.layers["photo phases"]
    assert (type(phases), phases.data.dtype, phases.data.max()) == (Labels, np.uint8, 2)
    for name in ("scale", "translate", "units"):
        np.testing.assert_array_equal(getattr(phases, name), getattr(image, name))
    assert set(viewer.layers.selection) == {image}
    group.phases.value = 2
    qtbot.waitUntil(lambda: phases.data.max() == 1)
    assert len(viewer.layers) == 2
    qtbot.waitUntil(lambda: group.use.enabled)
    chooser.kind.value = str(OutputKind.GREY)
    group.use.native.click()
    assert (chooser.images[0].value, chooser.kind.value) == (phases, "auto")
    assert text_of(chooser.found).startswith("2 phases · ")
    assert not group.group.isHidden()  # smoothing can still be changed
    assert group.can_smooth
    before = phases.data.copy()
    group.smooth_more()
    assert group.smoothing.value == 1
    qtbot.waitUntil(lambda: (phases.data != before).any())
    assert chooser.images[0].value is phases
    viewer.layers.remove(image)
    assert group.group.isHidden()  # nothing is left to make it of


def test_slices_of_a_flat_stack_are_images(viewer: ViewerModel, chooser: MaterialChooser):
    stack = np.random.default_rng(0).integers(1, 3, (6, 40, 48))
    layer = viewer.add_labels(stack.astype(np.uint8), name="flat", scale=(3, 0.5, 0.5), units="um")
    assert chooser.error.endswith("Or choose Slices: normal to z.")
    assert not chooser.slices.native.isHidden()
    chooser.slices.value = "z"
    assert (chooser.error, text_of(chooser.found)) == ("", "2 phases · 0.5 µm/px · 6 slices of 40 \u00d7 48 px")
    data = training_data(chooser.choice.images(copy=False))
    assert [source.shape for source in data.sources] == [(6, 40, 48)]
    assert (data.names, data.pixel_size) == (("flat, slices normal to z",), 0.5)
    np.testing.assert_array_equal(data.sources[0], stack - 1)
    enter(chooser, "1")
    np.testing.assert_array_equal(layer.scale, (6, 1, 1))  # the distance of the slices is kept in proportion
    layer.scale = (1, 1, 1)
    chooser.slices.value = ""
    assert "choose Slices: normal to z" in chooser.error
    assert chooser.below.cube.isHidden() is False
    viewer.layers.remove(layer)
    viewer.add_labels(two_phases())
    assert (chooser.slices.native.isHidden(), chooser.choice.slices) == (True, "")


def test_a_stack_among_several_images_says_which_rows_to_change(viewer: ViewerModel, chooser: MaterialChooser):
    viewer.add_labels(np.stack([two_phases()] * 32), name="stack")
    viewer.add_labels(two_phases())
    chooser.material.value = Material.TRANSVERSE
    assert "stack is a 3D stack" in chooser.error
    assert "Material: isotropic: 1 image" in chooser.error
    assert "the row Slices" in chooser.error
    chooser.material.value = Material.ISOTROPIC
    assert chooser.error == ""


def test_regions_belong_to_slices_normal_to_z(viewer: ViewerModel, chooser: MaterialChooser):
    stack = np.random.default_rng(0).integers(1, 3, (20, 40, 48))
    viewer.add_labels(stack.astype(np.uint8))
    chooser.region.combo.value = viewer.add_shapes([RECTANGLE])
    chooser.slices.value = "z"
    (image,) = chooser.choice.images(copy=False)
    ((top, left, bottom, right),) = image.regions
    (source,) = training_data([image]).sources
    np.testing.assert_array_equal(source, stack[:, top:bottom, left:right] - 1)
    chooser.slices.value = "y"
    assert "drawn on the slices normal to z" in chooser.error


def test_a_segmentation_goes_by_the_regions(viewer: ViewerModel, chooser: MaterialChooser, qtbot: Any):
    barred = 40 + GREY // 5
    barred[24:] = 255  # of three phases of the whole, two would be left for what is above
    viewer.add_image(barred, name="photo")
    chooser.region.combo.value = viewer.add_shapes([[[0, 0], [0, 39], [23, 39], [23, 0]]])
    group = chooser.below.segment
    group.phases.value = 3
    group.preview.native.click()
    qtbot.waitUntil(lambda: group.use.enabled)
    assert set(np.unique(viewer.layers["photo phases"].data[4:24])) == {0, 1, 2}


def test_only_the_last_of_several_segmentations_is_made(viewer: ViewerModel, chooser: MaterialChooser, qtbot: Any):
    viewer.add_image(GREY, name="photo")
    group = chooser.below.segment
    for number in (2, 3, 4):
        group.phases.value = number
        group.preview.native.click()
    offer = jobs_of(viewer).offer
    qtbot.waitUntil(lambda: group.use.enabled and not offer.status.state.is_busy)
    assert [layer.name for layer in viewer.layers] == ["photo", "photo phases"]
    assert viewer.layers[1].data.max() == 3


def test_an_image_that_cannot_be_segmented_says_why(viewer: ViewerModel, chooser: MaterialChooser, qtbot: Any):
    viewer.add_image(two_phases().astype(float))
    group = chooser.below.segment
    group.phases.value = 5
    group.preview.native.click()
    qtbot.waitUntil(lambda: "choose fewer phases" in str(group.message.value))
    assert not group.use.enabled


def test_three_images_are_drawn_on_their_faces(viewer: ViewerModel, chooser: MaterialChooser):
    for seed in range(3):
        viewer.add_labels(two_phases(seed=seed))
    cube = chooser.below.cube
    assert cube.isHidden()
    chooser.material.value = Material.ANISOTROPIC
    assert not cube.isHidden()
    assert all(face is not None for face in cube.faces.values())
    chooser.images[1].value = None
    assert cube.faces["y"] is None
    chooser.material.value = Material.ISOTROPIC
    chooser.images[0].value = viewer.add_image(np.stack([GREY[:, :32]] * 32))
    assert not cube.isHidden()


def test_the_comparison_has_the_rows_of_the_images_alone(viewer: ViewerModel, qtbot: Any):
    rows = Rows()
    qtbot.addWidget(rows)
    plain = MaterialChooser(rows, viewer, lambda: 1, is_full=False)
    viewer.add_layer(Image(GREY))
    plain.reset_choices()
    assert plain.groups == []
    assert plain.error == ""
    viewer.layers.clear()
    viewer.add_labels(np.stack([two_phases()] * 6), scale=(3, 1, 1))
    plain.reset_choices()
    assert "not square" in plain.error
    assert "Slices" not in plain.error  # there is no such row


def test_regions_are_drawn_on_the_grid_of_the_image(viewer: ViewerModel, chooser: MaterialChooser):
    details = {"scale": (0.5, 0.5), "units": ("um", "um"), "axis_labels": ("y", "x"), "translate": (3, 4)}
    image = viewer.add_labels(two_phases(), **details)
    chooser.region.draw.native.click()
    shapes = viewer.layers["training region"]
    for name in ("scale", "translate", "units", "axis_labels"):
        np.testing.assert_array_equal(getattr(shapes, name), getattr(image, name))


# What takes longer than a moment is looked at beside the window.

LARGE = np.kron(two_phases(256, values=(1, 3)), np.ones((3, 4), np.uint8))


class Watched:
    """An array that is not in memory; it notes where it is read, and waits until it may."""

    def __init__(self, array: np.ndarray, error: str = "") -> None:
        self._array, self._error = array, error
        self.shape, self.dtype, self.ndim, self.size = array.shape, array.dtype, array.ndim, array.size
        self.go_on, self.readers = Event(), []

    def __getitem__(self, key: Any) -> Any:
        return self._array[key]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        self.readers.append(current_thread())
        self.go_on.wait(60)
        if self._error:
            raise OSError(self._error)
        return self._array


def lazy_layer(viewer: ViewerModel, array: Watched, name: str = "lazy") -> Layer:
    """A layer that has not been read but where napari itself shows it."""
    array.readers.clear()
    return viewer.add_layer(Labels(array, name=name))


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Looks beside the window wait until they may go on."""
    made = SimpleNamespace(go_on=Event(), threads=[])

    def slowly(*arguments: Any) -> Any:
        made.threads.append(current_thread())
        if current_thread() is not main_thread():
            made.go_on.wait(60)
        return look_at(*arguments)

    monkeypatch.setattr(looking, "look_at", slowly)
    yield made
    made.go_on.set()


def test_a_large_image_is_looked_at_beside_the_window(
    viewer: ViewerModel, chooser: MaterialChooser, looks: Any, qtbot: Any
):
    layer = viewer.add_labels(LARGE.copy())
    assert (chooser.error, text_of(chooser.found)) == ("", f"{LOOKING} · pixel size unknown · 768 \u00d7 1024 px")
    assert chooser.below.phases.group.isHidden()
    with qtbot.waitSignal(chooser.changed):
        looks.go_on.set()
    assert text_of(chooser.found) == "2 phases · pixel size unknown · 768 \u00d7 1024 px"
    assert cells(chooser) == [["1", ""], ["3", ""]]
    looks.go_on.clear()
    chooser.look()
    assert cells(chooser) == [["1", ""], ["3", ""]]  # until more is known
    layer.data[:, :8] = 7
    looks.go_on.set()
    chooser.look()
    qtbot.waitUntil(lambda: "3 phases" in chooser.found.value)
    assert main_thread() not in looks.threads


def test_only_the_last_of_several_looks_counts(viewer: ViewerModel, chooser: MaterialChooser, looks: Any, qtbot: Any):
    first, second = viewer.add_labels(LARGE), viewer.add_labels(LARGE.copy())
    second.data[:8] = 5
    seen = []
    chooser.changed.connect(lambda: seen.append(text_of(chooser.found).split(" ·")[0]))
    chooser.images[0].value = second
    small = viewer.add_labels(two_phases())
    chooser.images[0].value = small
    chooser.images[0].value = first
    chooser.images[0].value = second
    looks.go_on.set()
    qtbot.waitUntil(lambda: "3 phases" in chooser.found.value)
    assert set(seen[: seen.index("2 phases")]) == {LOOKING}  # of the small one
    assert seen.count("2 phases") == 1
    assert seen.count("3 phases") == 1
    assert set(seen) == {LOOKING, "2 phases", "3 phases"}


def test_what_is_wrong_is_said_when_it_is_known(viewer: ViewerModel, chooser: MaterialChooser, qtbot: Any):
    viewer.add_labels(dask.array.full((64, 64), 3))
    assert chooser.error == ""
    qtbot.waitUntil(lambda: "single value" in chooser.error)
    assert chooser.found.value == "-"
    chooser.images[0].value = viewer.add_labels(two_phases())
    assert chooser.error == ""


def test_what_is_not_in_memory_is_read_once_beside_the_window(
    viewer: ViewerModel, chooser: MaterialChooser, qtbot: Any
):
    array = Watched(two_phases())
    layer = lazy_layer(viewer, array)
    assert text_of(chooser.found).startswith(LOOKING)
    array.go_on.set()
    qtbot.waitUntil(lambda: text_of(chooser.found).startswith("2 phases"))
    assert cells(chooser) == [["1", ""], ["2", ""]]
    chooser.below.phases.item(0, 2).setText("pore")
    assert (names_of(layer), cells(chooser)[0]) == ({1: "pore"}, ["1", "pore"])
    chooser.look()
    qtbot.wait(100)
    assert len(array.readers) == 1
    assert main_thread() not in array.readers
    layer.data = two_phases()
    chooser.look()
    assert text_of(chooser.found).startswith("2 phases · ")


def test_of_what_is_large_and_not_in_memory_a_part_is_read(viewer: ViewerModel, chooser: MaterialChooser, qtbot: Any):
    blocks = dask.array.from_array(two_phases(1024))
    viewer.add_labels(dask.array.tile(blocks, (6, 6)), name="lazy")
    qtbot.waitUntil(lambda: text_of(chooser.found).startswith("2 phases in the part that was read · "))
    assert cells(chooser) == [["1", ""], ["2", ""]]


def test_a_file_that_is_mapped_counts_as_not_in_memory(
    viewer: ViewerModel, chooser: MaterialChooser, looks: Any, qtbot: Any, tmp_path: Path
):
    np.save(tmp_path / "v.npy", np.stack([two_phases()] * 32))
    viewer.add_labels(np.load(tmp_path / "v.npy", mmap_mode="r"))
    assert chooser.below.cube.faces == dict.fromkeys("zyx")
    looks.go_on.set()
    qtbot.waitUntil(lambda: text_of(chooser.found).startswith("2 phases"))
    assert main_thread() not in looks.threads


def test_what_cannot_be_read_says_so_and_is_tried_again(viewer: ViewerModel, chooser: MaterialChooser, qtbot: Any):
    array = Watched(two_phases(), "the disk has gone")
    lazy_layer(viewer, array)
    array.go_on.set()
    qtbot.waitUntil(lambda: "lazy cannot be read (the disk has gone): open it again" in chooser.error)
    array._error = ""
    chooser.look()
    qtbot.waitUntil(lambda: text_of(chooser.found).startswith("2 phases"))
    assert chooser.error == ""


def test_a_dock_that_goes_while_something_is_looked_at(viewer: ViewerModel, looks: Any, qtbot: Any):
    rows, told = Rows(), []
    made = MaterialChooser(rows, viewer, lambda: 16, is_full=False)
    viewer.add_labels(LARGE)
    made.reset_choices()
    made.changed.connect(lambda: told.append(made.error))
    rows.deleteLater()
    qtbot.wait(50)
    looks.go_on.set()
    qtbot.wait(150)
    assert told == []


def test_a_layer_of_a_long_name_has_it_in_the_tooltip(viewer: ViewerModel, chooser: MaterialChooser):
    viewer.add_labels(two_phases(), name="a very long name, " * 20)
    combo = chooser.images[0].native
    combo.setFixedWidth(200)
    QApplication.sendEvent(combo, QHelpEvent(QEvent.Type.ToolTip, QPoint(), QPoint()))
    assert combo.toolTip().startswith(viewer.layers[0].name)
