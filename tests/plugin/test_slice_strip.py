"""The pictures beside each other: pixels, colours and sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.utils.colormaps import Colormap, DirectLabelColormap

from napari_slicegan.plugin.layers import Look
from napari_slicegan.plugin.parts.dock import Dock
from napari_slicegan.plugin.parts.slice_strip import SliceStrip, picture_of
from napari_slicegan.plugin.parts.status_panel import StatusPanel
from napari_slicegan.plugin.train.live_panel import LivePanel

pytestmark = pytest.mark.usefixtures("qapp")
LABELS = Look(DirectLabelColormap(color_dict={1: "#ff0000", 2: "#0000ff", None: "transparent"}))
GREENS = Look(Colormap([[0, 0, 0, 1], [0, 1, 0, 1]]), (0.0, 100.0))


def rgba(picture, row: int, column: int) -> tuple[int, ...]:
    return picture.pixelColor(column, row).getRgb()


def test_labels_have_the_colours_of_the_layer():
    picture = picture_of(np.array([[1, 2, 0]], np.uint8), LABELS)
    assert (picture.height(), picture.width()) == (1, 3)
    assert [rgba(picture, 0, column)[:3] for column in range(2)] == [(255, 0, 0), (0, 0, 255)]
    assert rgba(picture, 0, 2)[3] == 0


def test_intensities_have_the_limits_of_the_layer():
    picture = picture_of(np.array([[0, 50], [100, 200]], np.uint16), GREENS)
    assert [rgba(picture, *place)[1] for place in ((0, 0), (0, 1), (1, 0), (1, 1))] == [0, 128, 255, 255]


def test_a_colour_that_was_chosen_counts_more_than_the_grey_level():
    picture = picture_of(np.array([[50, 100]]), replace(GREENS, colours={50: "#ff0000"}))
    assert [picture.pixelColor(x, 0).name() for x in range(2)] == ["#ff0000", "#00ff00"]


def test_without_a_look():
    grey = picture_of(np.arange(256, dtype=np.uint8).reshape(16, 16), None)
    assert rgba(grey, 15, 15) == (255, 255, 255, 255)
    assert rgba(grey, 8, 0)[:3] == (128, 128, 128)
    labels = picture_of(np.array([[1, 2]], np.uint8), None)
    assert rgba(labels, 0, 0) != rgba(labels, 0, 1)
    colour = picture_of(np.full((2, 2, 3), (1, 2, 3), np.uint8), None)
    assert rgba(colour, 1, 1) == (1, 2, 3, 255)


def test_slices_are_the_middle_ones_and_the_micrograph_has_their_size():
    strip = SliceStrip()
    image = np.zeros((40, 30), np.uint8)
    image[18:22, 13:17] = 1
    strip.show_micrograph(image, LABELS)
    volume = np.zeros((4, 4, 4), np.uint8)
    volume[2], volume[0, 2, 1] = 1, 2
    strip.show_volume(volume, LABELS)
    micrograph, z, y, _ = strip._pictures
    assert (micrograph.width(), micrograph.height()) == (4, 4)
    assert all(rgba(micrograph, row, 0)[0] == 255 for row in range(4))
    assert all(rgba(z, row, 3)[0] == 255 for row in range(4))
    assert rgba(y, 0, 1)[2] == 255  # rows of the slice normal to y are z


def test_it_is_drawn_in_any_width(qtbot):
    strip = SliceStrip()
    qtbot.addWidget(strip)
    strip.show_volume(np.ones((4, 4, 4), np.uint8), LABELS)
    strip.resize(340, strip.heightForWidth(340))
    seen = strip.grab().toImage()
    red = [seen.pixelColor(column, 40).getRgb()[:3] == (255, 0, 0) for column in range(seen.width())]
    assert sum(red) > 200  # three pictures, side by side
    strip.show_volume(None)
    assert strip._pictures == [None] * 4


@pytest.mark.parametrize("width", [360, 620])
def test_captions_are_not_cut_off(qtbot, width):
    dock = Dock()
    qtbot.addWidget(dock)
    live = LivePanel(StatusPanel(numbers=True))
    dock.fill(live)
    live.strip.show()
    dock.resize(width, 700)
    dock.show()
    qtbot.wait(20)
    assert live.strip.height() == live.strip.heightForWidth(live.strip.width())
