"""Streamed volumes as data of layers."""

from __future__ import annotations

import numpy as np
import pytest

from napari_slicegan.core.output.stores import Level
from napari_slicegan.core.output.streaming import stream
from napari_slicegan.core.volume.request import VolumeRequest
from napari_slicegan.plugin.files import opening
from napari_slicegan.plugin.files.opening import ChannelsLast, fits_in_3d, layer_data
from tests.core.test_model import a_model

SHAPE = (40, 150, 300)


@pytest.fixture
def small_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """A graphics card that takes edges up to 150 voxels."""
    monkeypatch.setattr(opening, "_largest_texture", lambda: 150)


def test_a_store_has_levels_down_to_the_one_for_3d(tmp_path, small_card):
    stream(a_model(), VolumeRequest(SHAPE), tmp_path / "v.ome.zarr")
    levels = layer_data(tmp_path / "v.ome.zarr")
    assert [level.shape for level in levels] == [SHAPE, (20, 75, 150)]
    assert all(isinstance(level, Level) for level in levels)
    np.testing.assert_array_equal(levels[0][3], a_model().generate(SHAPE)[3])


def test_a_store_that_fits_into_3d_has_one_level(tmp_path):
    stream(a_model(), VolumeRequest(SHAPE), tmp_path / "v.ome.zarr")
    assert layer_data(tmp_path / "v.ome.zarr").shape == SHAPE


def test_colours_are_last(tmp_path):
    model = a_model(phases=(), output="colour", image_channels=3)
    shape = (9, 20, 30)
    stream(model, VolumeRequest(shape), tmp_path / "v.ome.zarr")
    data, expected = layer_data(tmp_path / "v.ome.zarr"), model.generate(shape)
    assert isinstance(data, ChannelsLast)
    assert (data.shape, data.ndim, data.dtype, data.size) == (expected.shape, 4, np.uint8, expected.size)
    np.testing.assert_array_equal(np.asarray(data), expected)
    for key in [3, slice(2, 4), (2, slice(None), 5), (slice(0, 9, 2), 3), (..., 1)[1:], (1, 2, 3, 1)]:
        np.testing.assert_array_equal(data[key], expected[key])


@pytest.mark.parametrize("suffix", [".npy", ".tif", ".ome.tif", ".raw"])
def test_other_files_are_mapped(tmp_path, suffix):
    stream(a_model(), VolumeRequest((20, 30, 40)), tmp_path / f"v{suffix}")
    data = layer_data(tmp_path / f"v{suffix}")
    assert isinstance(data, np.memmap)
    np.testing.assert_array_equal(data, a_model().generate((20, 30, 40)))


def test_other_files_are_left_alone_where_3d_has_no_room_for_them(tmp_path, small_card):
    stream(a_model(), VolumeRequest((2, 30, 151)), tmp_path / "v.npy")
    assert layer_data(tmp_path / "v.npy") is None


def test_what_fits():
    assert fits_in_3d((512, 512, 512))
    assert fits_in_3d((512, 512, 512, 3))
    assert not fits_in_3d((513, 512, 512))
    assert not fits_in_3d((10**5, 1, 1))
