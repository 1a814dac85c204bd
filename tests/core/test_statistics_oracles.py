"""The same statistics by porespy."""

import numpy as np
import porespy
import pytest

from napari_slicegan.core.statistics import chords, correlation, thickness
from tests.core import exact

WHOLE = (slice(0, 30), slice(0, 33), slice(0, 36))


@pytest.fixture(scope="module")
def solid() -> np.ndarray:
    return exact.spheres(0.4, 4.0).draw((30, 33, 36), 3)


def test_two_points_in_all_directions_of_a_plane(solid):
    reach = 12
    theirs = porespy.metrics.two_point_correlation(solid[0], bins=np.arange(reach + 2) - 0.5)
    box = (slice(0, 1), *WHOLE[1:])
    curves = correlation.correlation_curves(correlation.phase_pair_sums(solid.astype(np.uint8), 2, box, reach))
    ours = curves[2, 3] / curves[2, 3, 0]
    np.testing.assert_allclose(ours, theirs.probability, rtol=0.01)  # theirs is a mean of means


def test_paths(solid):
    steps = porespy.filters.distance_transform_lin(solid, axis=1, mode="forward")  # pixels of the run so far
    sums = chords.run_sums(solid.astype(np.uint8), 2, WHOLE)
    theirs = [np.count_nonzero(steps > r) / (30 * 36 * (33 - r)) for r in range(20)]
    np.testing.assert_allclose(chords.lineal_path(sums.down, sums.voxels, 19)[1], theirs)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_chords_that_end_inside(solid):
    lines = porespy.filters.apply_chords(solid, axis=1, spacing=1, trim_edges=True)  # every other line
    theirs = np.bincount(porespy.metrics.chord_counts(lines), minlength=34)
    planes = solid[2:-2:2, :, 2:-2:2].astype(np.uint8)  # it trims all faces
    ours = chords.run_sums(planes, 2, tuple(slice(0, size) for size in planes.shape)).down
    np.testing.assert_array_equal(ours[1, 0], theirs)


def test_thickness(solid, monkeypatch):
    monkeypatch.setattr(thickness, "_STEPS", 10000)
    ours = thickness.local_thickness(~solid)
    theirs = 2 * porespy.filters.local_thickness(~solid, method="dt")  # whole radii only: smaller by half a voxel
    assert np.all(ours >= theirs - 1e-9)
    assert np.mean((ours - theirs)[~solid]) == pytest.approx(2 * 0.5, abs=0.3)
