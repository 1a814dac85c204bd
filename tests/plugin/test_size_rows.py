"""Sizes in voxels and in the model's unit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from napari_slicegan.plugin.generate.size_rows import VOXELS, SizeRows
from napari_slicegan.plugin.models import ModelEntry
from napari_slicegan.plugin.parts.dock import Rows
from tests.core.test_model import a_model

MICROMETRES = "µm"


def an_entry(voxel_size: float = 0.4, unit: str = "um") -> ModelEntry:
    """A model with voxels of this size; a period is a multiple of 32 of them."""
    from dataclasses import replace

    model = a_model()
    model.info = replace(model.info, voxel_size=voxel_size, unit=unit)
    return ModelEntry("m", model, Path("m"))


@pytest.fixture
def form(qtbot: Any) -> Any:
    """The rows, of a model with voxels of 0.4 µm."""
    rows = Rows()
    qtbot.addWidget(rows)
    size = SizeRows(rows)
    size.kept = rows
    size.show_model(an_entry())
    rows.show()
    return size


def lengths(form: SizeRows) -> list[float]:
    return [box.value for box in form.lengths]


def test_switching_the_unit_converts(form):
    form.show_box((100, 33, 1))
    assert form.extent.value == "40 x 13.2 x 0.4 µm, 0.0033 million voxels"
    assert list(form.unit.choices) == [VOXELS, MICROMETRES]
    form.unit.value = MICROMETRES
    assert lengths(form) == [40.0, 13.2, 0.4]
    assert form.lengths[0].visible
    assert not form.voxels[0].visible
    assert form.extent.value == "100 x 33 x 1 = 0.0033 million voxels"
    form.lengths[1].value = 20.1
    assert form.shape == (100, 50, 1)
    assert lengths(form)[1] == 20.1  # as it was typed
    form.unit.value = VOXELS
    assert form.shape == (100, 50, 1)
    assert form.voxels[0].visible
    form.unit.value = MICROMETRES
    assert lengths(form) == [40.0, 20.0, 0.4]


@pytest.mark.parametrize("voxel_size", [0.0123, 0.4, 65.0, 1.7e-5, 333.25])
def test_no_voxel_is_lost_on_the_way(form, voxel_size):
    form.show_model(an_entry(voxel_size))
    form.show_box((1, 777, 4096))
    form.unit.value = MICROMETRES
    for box in form.lengths:
        box.changed.emit(box.value)
    assert form.shape == (1, 777, 4096)


def test_a_length_below_a_voxel_is_one(form):
    form.unit.value = MICROMETRES
    form.lengths[0].value = 0.0
    assert form.shape[0] == 1


def test_another_model_keeps_the_voxels(form):
    form.show_box((100, 100, 100))
    form.unit.value = MICROMETRES
    form.show_model(an_entry(0.1))
    assert form.shape == (100, 100, 100)
    assert lengths(form) == [10.0] * 3
    form.show_model(an_entry(2.0, "nm"))
    assert form.unit.value == "nm"
    form.show_model(an_entry(1.0, "pixel"))
    assert form.unit.value == VOXELS
    assert not form.unit.enabled
    assert form.extent.value == "1 million voxels"
    form.show_model(None)
    assert form.shape == (100, 100, 100)


def test_periodic_sizes(form):
    form.show_box((100, 100, 96))
    assert not form.error()
    for box in form.periodic_axes:
        box.value = True
    assert form.periodic == "zyx"
    assert form.error() == "Periodic sizes are multiples of 32 voxels: set z to 96 and y to 96."
    form.unit.value = MICROMETRES
    assert form.error() == "Periodic sizes are multiples of 32 voxels (12.8 µm): set z to 38.4 µm and y to 38.4 µm."
    for box in form.lengths[:2]:
        box.value = 38.4
    assert not form.error()
    assert form.shape == (96, 96, 96)


def test_every_change_is_told_once(form):
    told = []
    form.changed.connect(lambda: told.append(form.shape))
    form.voxels[0].value = 5
    form.show_box((1, 2, 3))
    form.unit.value = MICROMETRES
    form.lengths[0].value = 4.0
    form.periodic_axes[0].value = True
    assert len(told) == 5


def test_large_numbers_have_words(form):
    form.show_box((4000, 4000, 4000))
    assert form.extent.value.endswith("64 billion voxels")
    form.show_box((2**20, 2**20, 2**20))
    assert form.extent.value.endswith("trillion voxels")


def test_a_box_does_not_repeat(form):
    form.periodic_axes[2].value = True
    form.show_box((5, 6, 7))
    assert (form.shape, form.periodic) == ((5, 6, 7), "")
