"""Planes of a volume whose every voxel is known."""

import pytest
import torch

from napari_slicegan.core.slicing import planes

VOLUME = torch.arange(2 * 3 * 4 * 5 * 6).reshape(2, 3, 4, 5, 6)  # (B, C, Z, Y, X)


@pytest.mark.parametrize(("axis", "count", "shape"), [(0, 4, (5, 6)), (1, 5, (4, 6)), (2, 6, (4, 5))])
def test_every_plane_along_an_axis(axis, count, shape):
    images = planes(VOLUME, axis)
    assert images.shape == (2 * count, 3, *shape)
    for volume in range(2):
        for position in range(count):
            expected = VOLUME[volume].select(1 + axis, position)
            assert torch.equal(images[volume * count + position], expected)


def test_transposed_planes_exchange_rows_and_columns():
    assert torch.equal(planes(VOLUME, 2, transpose=True), planes(VOLUME, 2).transpose(2, 3))


def test_defect_02_subsets_are_random_and_reach_every_position():
    volume = torch.arange(16.0).reshape(1, 1, 16, 1, 1)
    rng = torch.Generator().manual_seed(0)
    draws = [planes(volume, 0, 4, rng=rng).flatten().tolist() for _ in range(400)]
    assert all(len(set(draw)) == 4 for draw in draws)
    counts = torch.bincount(torch.tensor(draws).long().flatten(), minlength=16)
    assert counts.min() > 60  # 100 are expected at each position
    assert counts.max() < 140


def test_each_volume_gets_its_own_subset():
    volumes = torch.arange(64.0).reshape(1, 1, 64, 1, 1).expand(8, 1, 64, 1, 1)
    chosen = planes(volumes, 0, 5, rng=torch.Generator().manual_seed(0)).reshape(8, 5)
    assert len({tuple(row.tolist()) for row in chosen}) == 8
