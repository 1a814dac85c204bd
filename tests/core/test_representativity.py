"""What an image knows of a phase fraction: against fields whose fraction is known."""

import numpy as np
import pytest
from scipy import ndimage, stats

from napari_slicegan.core.statistics.representativity import few_pieces, representativity


def field(size, fraction, width, seed=0):
    """A Gaussian random field on a torus, cut so that its points are true with a known chance."""
    noise = np.random.default_rng(seed).normal(size=(size, size))
    smooth = ndimage.gaussian_filter(noise, width, mode="wrap")
    kernel = ndimage.gaussian_filter(np.eye(1, size * size).reshape(size, size), width, mode="wrap")
    return smooth / np.sqrt((kernel**2).sum()) > stats.norm.isf(fraction)


def images(fraction, width, edge, count=200, fields=8, size=768):
    """Images cut at random from large fields."""
    rng = np.random.default_rng(1)
    whole = [field(size, fraction, width, seed) for seed in range(fields)]
    corners = rng.integers(0, size - edge, (count, 2))
    return [whole[n % fields][None, y : y + edge, x : x + edge] for n, (y, x) in enumerate(corners)]


@pytest.mark.parametrize(("fraction", "width"), [(0.5, 5), (0.1, 4)])
def test_19_of_20_intervals_hold_the_fraction_of_the_material(fraction, width):
    found = [representativity(image) for image in images(fraction, width, edge=128)]
    held = np.mean([each.interval[0] <= fraction <= each.interval[1] for each in found])
    assert 0.90 <= held <= 0.98
    scatter = np.std([each.fraction for each in found])
    # Enlarged for few pieces, but not by much.
    assert 0.9 * scatter < np.median([each.uncertainty for each in found]) < 1.5 * scatter


def test_pixels_that_know_nothing_of_each_other_are_a_sample_each():
    image = np.random.default_rng(0).random((1, 200, 300)) < 0.3
    found = representativity(image)
    assert found.integral_range == pytest.approx(1, abs=0.3)
    assert found.uncertainty == pytest.approx(np.sqrt(0.21 / 60000), rel=0.2)


def test_blocks_of_equal_pixels_are_a_sample_each():
    blocks = np.random.default_rng(0).random((1, 60, 60)) < 0.4
    found = representativity(blocks.repeat(6, 1).repeat(6, 2))
    assert found.integral_range == pytest.approx(36, rel=0.2)
    assert found.uncertainty == pytest.approx(np.sqrt(0.24 / 3600), rel=0.15)


def test_several_images_know_more_than_one():
    four = np.stack([field(256, 0.4, 5, seed)[:200, :200] for seed in range(4)])
    one = np.mean([representativity(image[None]).uncertainty for image in four])
    assert representativity(four).uncertainty == pytest.approx(one / 2, rel=0.2)


def test_the_size_that_is_needed_is_that_of_an_image_that_knows_enough():
    error = 0.1
    needed = representativity(field(512, 0.5, 5)[None]).needed_edge(error)
    edge = round(needed)
    scatter = np.std([image.mean() for image in images(0.5, 5, edge, count=100, size=2 * edge)])
    assert 1.96 * scatter == pytest.approx(error * 0.5, rel=0.25)


def test_intervals_of_rare_phases_stay_above_zero():
    found = representativity(field(256, 0.02, 6)[None, :96, :96])
    assert 0 < found.interval[0] < found.fraction < found.interval[1] < 1
    assert found.interval[1] - found.fraction > found.fraction - found.interval[0]


def test_grey_levels_have_a_mean_that_is_known_as_well():
    noise = np.random.default_rng(0).normal(100, 20, (1, 150, 150))
    found = representativity(noise)
    assert found.fraction == pytest.approx(100, abs=1)
    assert found.uncertainty == pytest.approx(20 / 150, rel=0.2)


def test_one_value_tells_nothing():
    found = representativity(np.ones((1, 40, 40), bool))
    assert found.fraction == 1
    assert np.isnan(found.uncertainty)
    assert np.isnan(found.needed_edge(0.05))
    assert not found.is_reliable


def test_an_image_of_half_a_structure_says_that_it_is_too_small():
    half = np.zeros((1, 64, 64), bool)
    half[:, :30] = True
    assert not representativity(half).is_reliable


def test_few_pieces_make_an_uncertainty_larger():
    assert few_pieces(1000) == pytest.approx(1, abs=0.01)
    assert few_pieces(2) == pytest.approx(stats.t.ppf(0.975, 4) / stats.norm.ppf(0.975))
    assert few_pieces(0) == few_pieces(0.5)  # no more than it can tell
