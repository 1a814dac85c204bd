"""Images of coarser pixels: exact by hand, fractions that stay, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.shrinking import MOST_TIMES, shrunk
from napari_slicegan.core.synthetic import make_micrographs

PHASES = np.array([[0, 0, 1, 1, 2], [0, 1, 2, 2, 2], [2, 2, 0, 1, 1], [0, 0, 1, 0, 0], [1, 1, 1, 1, 1]], np.uint8)


def test_phases_become_the_most_frequent_and_of_equals_that_of_the_first_pixel():
    made = shrunk(TrainingData.from_labels(PHASES, pixel_size=0.4, unit="um", phase_names=("a", "b", "c")), 2)
    np.testing.assert_array_equal(made.sources[0][0], [[0, 1], [2, 0]])
    assert (made.pixel_size, made.unit, made.phases, made.phase_names) == (0.8, "um", (0, 1, 2), ("a", "b", "c"))
    tied = np.hstack([[[2, 0, 1], [0, 1, 0], [1, 1, 0]], np.ones((3, 3)), np.full((3, 3), 2)]).astype(np.uint8)
    made = shrunk(TrainingData.from_labels(tied), 3)
    np.testing.assert_array_equal(made.sources[0][0], [[0, 1, 2]])  # of 0 and 1, as many, since the first is neither


@pytest.mark.parametrize(("times", "most"), [(2, 0.004), (3, 0.008)])
def test_phase_fractions_stay(times, most):
    image = (make_micrographs("cathode")[0] == 1).astype(np.uint8)
    data = TrainingData.from_labels(image)
    assert abs(shrunk(data, times).sources[0].mean() - image.mean()) < most


def test_intensities_become_their_mean():
    grey = np.arange(36, dtype=np.uint8).reshape(6, 6)
    made = shrunk(TrainingData.from_greyscale(grey), 3)
    np.testing.assert_array_equal(made.sources[0][0, ..., 0], [[7, 10], [25, 28]])
    colour = np.stack([grey, grey + 1, grey + 2], axis=-1)
    made = shrunk(TrainingData.from_colour(colour), 2)
    np.testing.assert_array_equal(made.sources[0][0, 0, 0], [4, 4, 6])  # of 3.5, 4.5 and 5.5 the even neighbour
    assert made.sources[0].shape == (1, 3, 3, 3)


def test_a_stack_is_shrunk_along_all_axes_and_slices_of_one_are_not():
    stack = np.random.default_rng(0).integers(0, 2, (6, 8, 10)).astype(np.uint8)
    made = shrunk(TrainingData.from_labels(stack), 2)
    assert made.is_stack
    with pytest.raises(DataError, match="A stack of 6 x 8 x 10 pixels is too small to be shrunk by a factor of 7"):
        shrunk(TrainingData.from_labels(stack), 7)
    assert [source.shape for source in made.sources] == [(3, 4, 5), (4, 3, 5), (5, 3, 4)]
    assert shrunk(TrainingData.from_labels(stack, slices="z"), 2).sources[0].shape == (6, 4, 5)


def test_regions_hold_the_pixels_that_lie_within_the_old_ones():
    image = np.zeros((40, 60), np.uint8)
    image[:, ::4] = 1
    image[:, 1::4] = 1
    made = shrunk(TrainingData.from_labels(image, regions=[[(3, 2, 21, 40)]]), 2)
    assert made.regions == (((2, 1, 10, 20),),)
    with pytest.raises(
        DataError, match="A region of 3 x 38 pixels is too small to be shrunk by a factor of 3: shrink it less"
    ):
        shrunk(TrainingData.from_labels(image, regions=[[(4, 2, 7, 40)]]), 3)


def test_nothing_changes_where_nothing_is_to_shrink():
    data = TrainingData.from_labels(PHASES)
    assert shrunk(data, 1) is data


@pytest.mark.parametrize("times", [0, -2, MOST_TIMES + 1])
def test_a_number_out_of_range_is_refused(times):
    with pytest.raises(DataError, match=f"shrunk by a factor of {times}: give a whole number from 1 to 16"):
        shrunk(TrainingData.from_labels(PHASES), times)


def test_what_would_be_lost_is_refused():
    with pytest.raises(DataError, match="An image of 5 x 5 pixels is too small to be shrunk by a factor of 6"):
        shrunk(TrainingData.from_labels(PHASES), 6)
    image = np.zeros((12, 12), np.uint8)
    image[5, :], image[6:] = 2, 1
    with pytest.raises(
        DataError, match="Nothing is left of phase 2 when the images are shrunk by a factor of 3, for it is too thin"
    ):
        shrunk(TrainingData.from_labels(image), 3)
    with pytest.raises(DataError, match="Nothing is left of film"):
        shrunk(TrainingData.from_labels(image, phase_names=("pore", "particle", "film")), 3)
