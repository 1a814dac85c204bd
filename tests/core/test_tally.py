"""Counts of pieces add up to those of the whole."""

import numpy as np
import pytest

from napari_slicegan.core.output.tally import Tally

RNG = np.random.default_rng(3)


def in_pieces(volume, phases):
    """The tally of a volume as the sum of those of its planes."""
    return sum((Tally.of(plane[None], phases) for plane in volume), Tally())


@pytest.mark.parametrize("phases", [(0, 1, 2), (-1, 3, 70_000)])
def test_fractions_of_phases(phases):
    volume = np.array(phases)[RNG.integers(0, 3, (5, 6, 7))]
    tally = in_pieces(volume, phases)
    assert tally == Tally.of(volume, phases)
    assert tally.voxels == volume.size
    assert tally.fractions == tuple((volume == phase).mean() for phase in phases)


def test_mean_and_deviation_of_grey_and_colour():
    volume = RNG.integers(0, 256, (5, 6, 7, 3), dtype=np.uint8)
    tally = in_pieces(volume, ())
    assert tally == Tally.of(volume, ())
    expected = [(volume[..., channel].mean(), volume[..., channel].std()) for channel in range(3)]
    np.testing.assert_allclose(tally.moments, expected, rtol=1e-12)
    grey = in_pieces(volume[..., 1], ())
    np.testing.assert_allclose(grey.moments, expected[1:2], rtol=1e-12)


def test_equal_values_deviate_by_nothing():
    assert Tally.of(np.full((50, 50, 50), 255, np.uint8), ()).moments == ((255.0, 0.0),)


def test_nothing_adds_nothing():
    tally = Tally(3, (1, 2))
    assert Tally() + tally == tally
