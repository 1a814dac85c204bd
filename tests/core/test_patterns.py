"""Patterns of pixels whose shares are known."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from napari_slicegan.core.patterns import SPACINGS, divergence, pattern_counts, pattern_shares


def shares(image: np.ndarray, spacing: int) -> np.ndarray:
    return pattern_shares(pattern_counts(torch.from_numpy(np.ascontiguousarray(image)), spacing)).numpy()


def test_patterns_follow_their_definition():
    image = np.random.default_rng(0).random((2, 12, 14)) < 0.4
    expected = np.zeros(512, int)
    for plane in image:
        for row in range(12 - 6):
            for column in range(14 - 6):
                points = plane[row : row + 7 : 3, column : column + 7 : 3].ravel()
                expected[sum(int(is_there) << bit for bit, is_there in enumerate(points))] += 1
    assert pattern_counts(torch.from_numpy(image), 3).tolist() == expected.tolist()


def test_stripes_have_two_patterns_of_each_direction():
    stripes = (np.indices((40, 41))[1] % 2).astype(bool)
    found = shares(stripes, 1)
    across = sum(1 << bit for bit in (1, 4, 7)), sum(1 << bit for bit in (0, 2, 3, 5, 6, 8))
    down = sum(1 << bit for bit in (3, 4, 5)), sum(1 << bit for bit in (0, 1, 2, 6, 7, 8))
    assert np.flatnonzero(found).tolist() == sorted([*across, *down])
    assert found[list(across + down)] == pytest.approx([0.25] * 4, abs=0.01)
    assert shares(stripes, 2)[[0, 511]] == pytest.approx([0.5, 0.5], abs=0.02)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_turned_and_mirrored_images_have_the_same_shares(spacing):
    image = gaussian_filter(np.random.default_rng(0).normal(size=(60, 60)), (1, 4)) > 0
    assert shares(image, spacing).sum() == pytest.approx(1)
    for other in (image.T, image[::-1], np.rot90(image)):
        np.testing.assert_allclose(shares(other, spacing), shares(image, spacing), atol=1e-12)


def test_the_divergence_is_one_bit_where_nothing_is_common():
    one, other = torch.eye(2, dtype=torch.float64)
    assert divergence(one, other).item() == pytest.approx(1)
    assert divergence(one, one).item() == 0
    expected = (np.log2(4 / 3) + 0.5 * np.log2(4 / 3)) / 2
    assert divergence(one, (one + other) / 2).item() == pytest.approx(expected)


def test_shapes_are_told_apart_that_have_the_same_correlations():
    """Discs, and a field with their fraction and their correlations."""
    rng = np.random.default_rng(0)
    centres = rng.random((4, 256, 256)) < 0.003
    kernel = np.hypot(*np.ogrid[-128:128, -128:128]) < 8
    spectrum = np.fft.rfft2(np.fft.ifftshift(kernel))
    discs = np.fft.irfft2(np.fft.rfft2(centres) * spectrum) > 0.5
    power = np.sqrt(np.mean(np.abs(np.fft.rfft2(discs - discs.mean())) ** 2, axis=0))
    smooth = np.fft.irfft2(np.fft.rfft2(rng.normal(size=discs.shape)) * power)
    fields = smooth > np.quantile(smooth, 1 - discs.mean())
    seen, others, made = (
        torch.stack([torch.from_numpy(shares(part, spacing)) for spacing in SPACINGS])
        for part in (discs[2:], discs[:2], fields[:2])
    )
    assert divergence(made, seen).mean() > 4 * divergence(others, seen).mean()
