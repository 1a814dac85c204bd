"""Phase fractions and two-point correlations, against counting and exact answers."""

import numpy as np
import pytest

from napari_slicegan.core.comparison.sections import micrograph_correlations
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.statistics.correlation import correlations, two_point_correlation
from napari_slicegan.core.statistics.fractions import phase_fractions
from tests.core.conftest import blobs


def counted(indicator: np.ndarray, axis: int, reach: int) -> list[float]:
    """The same by counting every pair."""
    lines = np.moveaxis(indicator, axis, -1)
    return [(lines[..., : lines.shape[-1] - r] & lines[..., r:]).mean() for r in range(reach + 1)]


def test_fractions_are_in_the_order_asked_for():
    assert phase_fractions(np.array([[7, 7], [9, 7]]), (9, 7, 5)) == (0.25, 0.75, 0.0)


@pytest.mark.parametrize("shape", [(37,), (20, 31), (9, 12, 17)])
def test_two_points_are_counted_along_every_axis(shape):
    indicator = np.random.default_rng(0).random(shape) < 0.3
    for axis in range(len(shape)):
        reach = shape[axis] - 1
        result = two_point_correlation(indicator, axis, reach)
        np.testing.assert_allclose(result, counted(indicator, axis, reach), atol=1e-7)


def test_stripes_come_and_go_across_and_stay_along():
    stripes = np.zeros((12, 8), bool)
    stripes[::2] = True
    np.testing.assert_allclose(two_point_correlation(stripes, 0, 4), [0.5, 0, 0.5, 0, 0.5], atol=1e-7)
    np.testing.assert_allclose(two_point_correlation(stripes, 1, 4), [0.5] * 5, atol=1e-7)


def test_the_ends_of_the_array_are_not_neighbours():
    ends = np.zeros(10, bool)
    ends[[0, 9]] = True
    expected = [0.2] + [0] * 8 + [1]
    np.testing.assert_allclose(two_point_correlation(ends, 0, 9), expected, atol=1e-6)


@pytest.mark.parametrize("reach", [-1, 8])
def test_points_that_do_not_fit_are_refused(reach):
    with pytest.raises(ValueError, match="do not fit into 8 voxels"):
        two_point_correlation(np.ones(8, bool), 0, reach)


def test_correlations_have_axes_then_phases_then_distances():
    labels = blobs((14, 15, 16), phases=3) * 4
    result = correlations(labels, (0, 4, 8), 6)
    assert result.shape == (3, 3, 7)
    np.testing.assert_allclose(result[1, 2], counted(labels == 8, 1, 6), atol=1e-7)
    np.testing.assert_allclose(result[:, :, 0].sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(correlations(labels, (0, 4, 8), 6, axes=(2,))[0], result[2])


def test_one_micrograph_speaks_for_all_directions_alike():
    image = blobs((40, 50), phases=3)
    result = micrograph_correlations(TrainingData.from_labels(image), 9)
    expected = correlations(image, (0, 1, 2), 9, axes=(0, 1)).mean(axis=0)
    np.testing.assert_allclose(result, [expected] * 3)


@pytest.mark.parametrize("axis", "zyx")
def test_the_rows_of_a_side_view_lie_along_the_special_axis(axis):
    face, side = blobs((40, 40)), blobs((40, 10), seed=1).repeat(4, axis=1)
    result = micrograph_correlations(TrainingData.from_labels(face, side, axis=axis), 9)
    down, across = correlations(side, (0, 1), 9, axes=(0, 1))
    rows, columns = correlations(face, (0, 1), 9, axes=(0, 1))
    special = "zyx".index(axis)
    first, second = (other for other in range(3) if other != special)
    np.testing.assert_allclose(result[special], down)
    np.testing.assert_allclose(result[first], (rows + across) / 2)
    np.testing.assert_allclose(result[second], (columns + across) / 2)


def test_a_stack_asks_for_what_it_is():
    stack = blobs((30, 32, 34))
    result = micrograph_correlations(TrainingData.from_labels(stack), 9)
    np.testing.assert_allclose(result, correlations(stack, (0, 1), 9))
