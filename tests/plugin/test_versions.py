"""Layers whose pixels change."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from napari.layers import Labels

from napari_slicegan.plugin.check.versions import Versions
from tests.plugin.conftest import two_phases


def followed(layer: Labels) -> tuple[Versions, list[int]]:
    versions, told = Versions(), []
    versions.follow([layer])
    versions.changed.connect(lambda: told.append(1))
    return versions, told


def in_place(layer: Labels) -> None:
    layer.data[5:] = 4
    layer.refresh()


def undone(layer: Labels) -> None:
    layer.data_setitem((np.array([1]),) * 2, 4)
    layer.undo()


@pytest.mark.parametrize(
    "change",
    [
        lambda layer: layer.paint((3, 3), 4),
        lambda layer: layer.fill((3, 3), 4),
        lambda layer: setattr(layer, "data", layer.data.copy()),
        in_place,
        undone,
    ],
)
def test_other_pixels_have_another_version(change: Callable[[Labels], None]):
    layer = Labels(two_phases())
    versions, told = followed(layer)
    before = versions.of([layer])
    change(layer)
    versions.settle()
    assert told
    assert versions.of([layer]) != before


def test_equal_pixels_keep_their_version():
    layer = Labels(two_phases())
    versions, _ = followed(layer)
    before = versions.of([layer])
    layer.refresh()
    layer.opacity = 0.5
    versions.settle()
    versions.follow([layer])
    assert versions.of([layer]) == before


def test_a_layer_that_is_left_and_taken_again_is_another_and_not_listened_to_in_between():
    one, two = Labels(two_phases()), Labels(two_phases())
    versions, told = followed(one)
    before = versions.of([one])
    versions.follow([two])
    one.paint((3, 3), 4)
    one.refresh()
    assert not told
    versions.follow([one])
    assert versions.of([one]) != before
