"""The part of a large image that a check reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.layers import Image

from napari_slicegan.core.check.result import Crop
from napari_slicegan.plugin.check import image_part
from napari_slicegan.plugin.check.image_part import Part, part_of
from napari_slicegan.plugin.check.task import Question, check_images
from napari_slicegan.plugin.layers import image_of
from napari_slicegan.plugin.work.worker import CancelledError, Control
from tests.plugin.conftest import two_phases


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_part, "MOST_PIXELS", 64 * 64)
    monkeypatch.setattr(image_part, "_MOST_BYTES", 0)


def part(array: Any) -> Part:
    return part_of(image_of(Image(array, name="a"), copy=False), Control())


@pytest.mark.parametrize("shape", [(64, 64), (16, 16, 16), (64, 64, 3)])
def test_small_images_are_read_in_whole(shape):
    array = np.arange(np.prod(shape)).reshape(shape).astype(np.uint8)
    assert np.array_equal(part(array).image.array, array)
    assert not part(array).note


def test_of_large_images_the_middle_is_read():
    rows, columns = np.mgrid[:100, :200]
    found = part(rows * 1000.0 + columns)
    assert found.image.array.shape == (64, 64)
    assert found.image.array[0, 0] == 18 * 1000 + 68
    assert found.placed(Crop(0, 4, 0, 64, 60)) == Crop(0, 22, 0, 100, 128)


def test_of_large_stacks_some_slices_are_read():
    found = part(np.broadcast_to(np.arange(80.0)[:, None, None], (80, 32, 32)))
    assert found.image.array[:, 0, 0].tolist() == [10, 30, 50, 70]
    assert found.image.array.shape == (4, 32, 32)
    assert part(np.zeros((80, 200, 200))).image.array.shape == (2, 45, 45)


def test_a_stack_is_checked_by_its_slices_and_can_be_stopped():
    stack = np.stack([two_phases(48, seed) for seed in range(40)])
    question = Question((image_of(Image(stack), copy=False),), "auto", "z", 16, (0,))
    control = Control()
    work = check_images(question, control)
    next(work)
    with pytest.raises(StopIteration) as end:
        next(work)
    assert end.value.value.found.shapes == ((45, 45),)
    assert "2 slices" in end.value.value.note
    work = check_images(question, control)
    next(work)
    control.stop()
    with pytest.raises(CancelledError):
        next(work)
