"""The latent field: golden values, a distribution, and cells that depend on their place alone."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

from napari_slicegan.core.volume.latent import latent_field, normals


def test_golden_values():
    """These never change: they define what a seed means, for every device and version."""
    cell = latent_field(7, (-1, 2, 3), (1, 1, 1), 5)
    assert cell.dtype == np.float32
    expected = [2.1817421913146973, 0.0650361180305481, 0.7637516260147095, -1.289737343788147, 0.015784792602062225]
    assert cell.ravel().tolist() == expected
    far = latent_field(2**63 - 1, (2**59, -(2**59), -1), (1, 1, 1), 3)
    assert far.ravel().tolist() == [-1.0317294597625732, -0.6142396926879883, 1.0254254341125488]


def test_the_words_are_those_of_philox_with_the_place_as_counter():
    generator = np.random.Philox(key=11, counter=np.array([0, 2**64 - 3, 4, 2**64 - 1], np.uint64))
    raw = [int(number) for number in generator.random_raw(2)]
    words = np.array([raw[0] & 0xFFFFFFFF, raw[0] >> 32, raw[1] & 0xFFFFFFFF], np.uint32)
    np.testing.assert_array_equal(latent_field(11, (-1, 4, -3), (1, 1, 1), 3).ravel(), normals(words))


def test_words_become_normal_numbers_to_the_last_bit():
    rng = np.random.default_rng(0)
    words = rng.integers(0, 2**32, 300_000, dtype=np.uint64).astype(np.uint32)
    words[:5] = 0, 1, 2**31, 2**32 - 1, 2**31 - 1
    expected = ndtri((words + 0.5) / 2**32).astype(np.float32)
    np.testing.assert_array_max_ulp(normals(words), expected, maxulp=1)
    assert (normals(words) == expected).mean() > 0.9999
    np.testing.assert_array_equal(normals(words), -normals(~words))


def test_the_field_is_standard_normal_and_uncorrelated():
    field = latent_field(3, (0, 0, 0), (12, 12, 12), 16)
    assert stats.kstest(field.ravel(), "norm").pvalue > 0.01
    rows = np.stack([field[:, :-1].ravel(), field[:, 1:].ravel(), latent_field(4, (0,) * 3, (11, 12, 12), 16).ravel()])
    assert np.abs(np.corrcoef(rows) - np.eye(3)).max() < 0.03


@pytest.mark.parametrize("start", [(0, 0, 0), (-3, 5, -7), (2**40, -(2**40), 1)])
def test_a_cell_is_the_same_in_every_box(start):
    box = latent_field(5, start, (4, 3, 5), 6)
    part = latent_field(5, (start[0] + 2, start[1] + 1, start[2] + 3), (2, 2, 1), 6)
    np.testing.assert_array_equal(box[:, 2:4, 1:3, 3:4], part)
    np.testing.assert_array_equal(box[:3], latent_field(5, start, (4, 3, 5), 3))
    cells = box.reshape(6, -1).T
    assert len(np.unique(cells, axis=0)) == len(cells)


def test_a_period_repeats_the_field():
    field = latent_field(5, (-2, -3, 0), (7, 5, 4), 2, period=(3, None, 2))
    plain = latent_field(5, (0, -3, 0), (3, 5, 2), 2)
    np.testing.assert_array_equal(field, plain[:, [1, 2, 0, 1, 2, 0, 1]][:, :, :, [0, 1, 0, 1]])
