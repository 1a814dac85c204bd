"""Coarser levels: against the plainest computation there is, voxel by voxel."""

import numpy as np
import pytest

from napari_slicegan.core.output.sinks.pyramid import Level, blocks_of, levels_of, majority, mean, source_of

SHAPES = [(6, 4, 8), (7, 5, 9), (1, 5, 6), (5, 1, 1), (2, 3, 1)]


def plain(volume, rule):
    """The next level of (Z, Y, X), each voxel from those of the 2 x 2 x 2 that are there."""
    result = np.empty([-(-size // 2) for size in volume.shape], volume.dtype)
    for k, j, i in np.ndindex(result.shape):
        result[k, j, i] = rule(volume[2 * k : 2 * k + 2, 2 * j : 2 * j + 2, 2 * i : 2 * i + 2])
    return result


def commonest(voxels):
    labels, counts = np.unique(voxels, return_counts=True)
    return labels[counts.argmax()]  # the first of equals, and labels ascend


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("phases", [(0, 1, 2), (-3, 7, 300), (5,)])
def test_labels_become_the_commonest_one(shape, phases):
    volume = np.random.default_rng(0).choice(np.array(phases, np.int16), shape)
    coarse = majority(volume, Level(shape).factors, phases)
    assert coarse.dtype == volume.dtype
    np.testing.assert_array_equal(coarse, plain(volume, commonest))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("labels", [0, 100])
def test_labels_that_nobody_has_counted_become_the_commonest_one(shape, labels):
    volume = np.random.default_rng(0).integers(-5, 6, shape, np.int32)
    coarse = majority(volume, Level(shape).factors, range(-5, labels - 5))
    assert coarse.dtype == volume.dtype
    np.testing.assert_array_equal(coarse, plain(volume, commonest))


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int16, np.int32, np.int64])
def test_whole_numbers_become_their_mean_rounded(dtype):
    ends = np.iinfo(dtype if np.dtype(dtype).itemsize < 8 else np.int32)
    volume = np.random.default_rng(0).integers(ends.min, ends.max, (7, 5, 9)).astype(dtype)
    coarse = mean(volume, (2, 2, 2))
    assert coarse.dtype == dtype
    np.testing.assert_array_equal(coarse, plain(volume, lambda voxels: np.floor(voxels.mean(dtype=float) + 0.5)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_become_their_mean(dtype):
    volume = np.random.default_rng(0).normal(size=(7, 5, 9)).astype(dtype)
    coarse = mean(volume, (2, 2, 2))
    assert coarse.dtype == dtype
    np.testing.assert_allclose(coarse, plain(volume, np.mean), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_intensities_become_their_mean(shape):
    volume = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    coarse = mean(volume, Level(shape).factors)
    assert coarse.dtype == np.uint8
    np.testing.assert_array_equal(coarse, plain(volume, lambda voxels: int(np.floor(voxels.mean() + 0.5))))


def test_channels_stay_apart():
    volume = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 6), np.uint8)
    together = mean(volume, (2, 2, 2))
    np.testing.assert_array_equal(together, np.stack([mean(channel, (2, 2, 2)) for channel in volume]))


def test_levels_end_where_a_viewer_holds_them():
    assert [level.shape for level in levels_of((300, 128, 1))] == [(300, 128, 1), (150, 64, 1), (75, 32, 1)]
    assert [level.step for level in levels_of((300, 128, 1))] == [(1, 1, 1), (2, 2, 1), (4, 4, 1)]
    assert len(levels_of((128, 128, 128))) == 1
    assert len(levels_of((129, 1, 1))) == 2


def test_centres_move_with_the_levels():
    """The centre of the first coarse voxel is the mean of the centres of those that it stands for."""
    assert [level.shift for level in levels_of((520, 520, 1))] == [
        (0, 0, 0),
        (0.5, 0.5, 0),
        (1.5, 1.5, 0),
        (3.5, 3.5, 0),
    ]


@pytest.mark.parametrize("edge", [2, 3, 4, 100])
def test_block_by_block_is_the_same(edge):
    volume = np.random.default_rng(0).integers(0, 4, (9, 10, 11), np.uint8)
    finer = Level(volume.shape)
    whole = np.full(finer.coarser.shape, 99, np.uint8)
    for block in blocks_of(whole.shape, edge):
        assert all(part.stop - part.start <= edge for part in block)
        whole[block] = majority(volume[source_of(block, finer)], finer.factors, range(4))
    np.testing.assert_array_equal(whole, majority(volume, finer.factors, range(4)))
