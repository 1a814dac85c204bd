"""The grid of a published resize-convolution, and endless volumes of networks that have one."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_slicegan.core.choices import OutputKind, Upsampling
from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import ConfigError, ModelError
from napari_slicegan.core.layers import stretched
from napari_slicegan.core.sample import Sample
from napari_slicegan.core.stretching import Stretch
from napari_slicegan.core.training import Trainer
from napari_slicegan.core.volume import tiles
from napari_slicegan.core.volume.latent import latent_field
from napari_slicegan.core.volume.request import VolumeRequest
from tests.core.conftest import blobs, small_network
from tests.core.test_generation import cut, one_pass
from tests.core.test_model import a_model

GEOMETRY = NetworkConfig(upsampling="stretch").geometry


def stretched_model():
    return a_model("resize", output=OutputKind.GREY, image_channels=1, upsampling="stretch")


@pytest.mark.parametrize("cells", [2, 3, 10, 34])
def test_a_block_is_interpolated_as_torch_does(cells):
    grid, values = Stretch(cells), torch.randn(1, 2, cells, 5, 3)
    expected = torch.nn.functional.interpolate(values, (grid.points, 5, 3), mode="trilinear", align_corners=False)
    torch.testing.assert_close(stretched(values, grid, 2, range(grid.points)), expected, atol=1e-6, rtol=0)


def test_blocks_stand_side_by_side_and_any_part_of_them_can_be_made_alone():
    grid, values = Stretch(5), torch.randn(1, 1, 4 * 5, 2, 2)
    whole = stretched(values, grid, 2, range(4 * grid.points))
    alone = [stretched(block, grid, 2, range(grid.points)) for block in values.split(5, 2)]
    torch.testing.assert_close(whole, torch.cat(alone, 2))
    for low, high in [(0, 1), (3, 9), (7, 8), (8, 25)]:
        first, last = grid.cell(low), grid.cell(high - 1) + 1
        part = stretched(values[:, :, first : last + 1], grid, 2, range(low, high), first)
        torch.testing.assert_close(part, whole[:, :, low:high])
    assert grid.cell(-1) == -2  # the block before ends between its last two cells


@pytest.mark.parametrize("cells", range(1, 40))
def test_points_are_counted_as_far_as_there_is_a_cell_behind_them(cells):
    grid = Stretch(7)
    count = grid.points_between(cells)
    assert count == 0 or grid.cell(count - 1) + 1 < cells
    assert grid.cell(count) + 1 >= cells


def test_the_published_layers_make_a_training_cube_of_the_same_size_and_then_a_little_less():
    assert (GEOMETRY.latent_edge, GEOMETRY.edge, GEOMETRY.stretch) == (4, 64, Stretch(34))
    assert [GEOMETRY.voxels(cells) for cells in (3, 4, 4 + 17)] == [32, 64, 64 + 528]
    assert GEOMETRY.period == (528, 17)
    for voxels in (33, 64, 65, 300, 1000):
        cells = GEOMETRY.cells(voxels)
        assert GEOMETRY.voxels(cells - 1) < voxels <= GEOMETRY.voxels(cells)


def test_tiles_make_the_volume_of_the_large_pass():
    model = stretched_model()
    field = latent_field(5, (0, 0, 0), (7, 5, 4), model.info.network.latent_channels)
    expected = one_pass(model, field)
    assert expected.shape == tuple(GEOMETRY.voxels(cells) for cells in (7, 5, 4))
    volume = model.generate(expected.shape, seed=5).astype(int)
    difference = np.abs(volume - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3  # rounding at the edge of a grey level
    assert volume.std() > 2


def test_a_voxel_is_the_same_in_every_box(monkeypatch):
    monkeypatch.setattr(tiles, "TILE", 64)  # the same grid, quicker
    model, rng = stretched_model(), np.random.default_rng(2)
    low, high = np.array([-75, -20, -10]), np.array([85, 75, 65])
    whole = model.generate(tuple(high - low), seed=3, origin=tuple(low))
    assert whole.std() > 2
    for number in range(20):
        start = rng.integers(low, high - 1)
        shape = np.minimum(rng.integers(1, (2, 30, 160)[number % 3], size=3), high - start)
        box = model.generate(tuple(shape), seed=3, origin=tuple(start))
        np.testing.assert_array_equal(box, cut(whole, [*zip(start, start + shape, strict=True)], low))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_plane_made_alone_is_the_plane_of_the_volume(axis):
    model = stretched_model()
    volume = model.generate((90, 80, 100), seed=4, origin=(-20, 0, -30)).astype(int)
    evaluation, request = model.evaluation("exact"), VolumeRequest((1, 1, 1), seed=4)
    for place in (0, 31, 63, 64, 65):
        box = [(-20, 70), (0, 80), (-30, 70)]
        box[axis] = (place, place + 1)
        plane = evaluation.box(request, tuple(box), thin=axis).astype(int)
        difference = np.abs(plane - cut(volume, box, (-20, 0, -30)))
        assert difference.max() <= 1
        assert (difference > 0).mean() < 1e-3


def test_a_period_is_as_long_as_blocks_and_cells_come_out_even():
    model = stretched_model()
    volume = model.generate((528, 2, 3), periodic="z")
    field = latent_field(0, (0, 0, 0), (17, 3, 3), model.info.network.latent_channels)
    expected = one_pass(model, np.concatenate([field, field[:, :4]], axis=1))[:528, :2, :3]
    assert np.abs(volume - expected).max() <= 1
    with pytest.raises(ModelError, match="multiple of 528 voxels long, but z has 64: choose 528"):
        model.generate((64, 64, 64), periodic="z")


def test_they_can_be_trained_on_with_all_that_looks_at_volumes(recipe, tmp_path):
    network = small_network(upsampling="stretch")
    assert Sample(network, 2).edge == network.geometry.voxels(network.geometry.cells(64))
    data = TrainingData.from_labels(blobs((80, 96)))
    training = replace(recipe, iterations=2, wide_share=1.0, evaluation_iterations=1, balance_volumes=2)
    assert [*Trainer(data, network, training, device="cpu")]


def test_a_last_layer_that_it_cannot_stand_in_for_is_refused():
    with pytest.raises(ConfigError, match="stands in for a last layer with kernel 4, stride 2, padding 3"):
        NetworkConfig(padding=(2,) * 5, upsampling=Upsampling.STRETCH)
