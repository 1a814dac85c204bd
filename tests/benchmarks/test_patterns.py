"""Patterns of pixels whose shares are known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

# A source distribution holds no benchmarks.
patterns = pytest.importorskip("patterns")


def test_stripes_have_two_patterns_of_each_direction():
    stripes = (np.indices((40, 41))[1] % 2).astype(bool)
    shares = patterns.pattern_shares([stripes], 1)
    across = sum(1 << bit for bit in (1, 4, 7)), sum(1 << bit for bit in (0, 2, 3, 5, 6, 8))
    down = sum(1 << bit for bit in (3, 4, 5)), sum(1 << bit for bit in (0, 1, 2, 6, 7, 8))
    assert np.flatnonzero(shares).tolist() == sorted([*across, *down])
    assert shares[list(across + down)] == pytest.approx([0.25] * 4, abs=0.01)
    every_second = patterns.pattern_shares([stripes], 2)
    assert every_second[[0, 511]] == pytest.approx([0.5, 0.5], abs=0.02)


@pytest.mark.parametrize("spacing", patterns.SPACINGS)
def test_turned_and_mirrored_images_have_the_same_shares(spacing):
    image = gaussian_filter(np.random.default_rng(0).normal(size=(60, 60)), (1, 4)) > 0
    shares = patterns.pattern_shares([image], spacing)
    assert shares.sum() == pytest.approx(1)
    for other in (image.T, image[::-1], np.rot90(image)):
        np.testing.assert_allclose(patterns.pattern_shares([other], spacing), shares, atol=1e-12)


def test_places_of_all_planes_count():
    one, other = np.zeros((9, 9), bool), np.ones((17, 17), bool)
    shares = patterns.pattern_shares([one, other], 4)
    assert (shares[0], shares[511]) == pytest.approx((1 / 82, 81 / 82))


def test_the_divergence_is_one_bit_where_nothing_is_common():
    one, other = np.eye(2)
    assert patterns.divergence(one, other) == pytest.approx(1)
    assert patterns.divergence(one, one) == 0
    assert patterns.divergence(one, (one + other) / 2) == pytest.approx((np.log2(4 / 3) + 0.5 * np.log2(4 / 3)) / 2)


def test_shapes_are_told_apart_that_have_the_same_correlations():
    """Discs, and a field with their fraction and their correlations."""
    rng = np.random.default_rng(0)
    centres = rng.random((4, 256, 256)) < 0.003
    kernel = np.hypot(*np.ogrid[-128:128, -128:128]) < 8
    spectrum = np.fft.rfft2(np.fft.ifftshift(kernel))
    discs = (np.fft.irfft2(np.fft.rfft2(centres) * spectrum) > 0.5).astype(np.uint8)
    power = np.sqrt(np.mean(np.abs(np.fft.rfft2(discs - discs.mean())) ** 2, axis=0))
    smooth = np.fft.irfft2(np.fft.rfft2(rng.normal(size=discs.shape)) * power)
    fields = (smooth > np.quantile(smooth, 1 - discs.mean())).astype(np.uint8)
    chance = patterns.pattern_difference(discs[:2], discs[2:], 2)
    assert patterns.pattern_difference(fields[:2], discs[2:], 2) > 4 * chance
