"""Patches: distances that are known, materials that are told apart, and planes at 45 degrees."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.stats import wasserstein_distance

from napari_slicegan.core.errors import DataError
from napari_slicegan.core.statistics.diagonals import diagonal_planes, stretched
from napari_slicegan.core.statistics.patches import (
    PatchConfig,
    PatchReference,
    patch_features,
    principal_directions,
    sliced_wasserstein,
)

QUICK = PatchConfig(count=512, draws=6)
BLOCK = 40


def material(seed: int, *shape: int, sigma: float | tuple[float, ...] = 2.0, phases: int = 2) -> np.ndarray:
    """A Gaussian field that is cut into phases; isotropic unless sigma says otherwise."""
    noise = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    field = ndimage.gaussian_filter(noise, sigma, mode="wrap")
    return np.digitize(field, np.quantile(field, np.arange(1, phases) / phases)).astype(np.uint8)


def excess(reference: PatchReference, others: np.ndarray) -> np.ndarray:
    """How far the others lie beyond the truth itself at each scale, in standard deviations of a draw."""
    itself, other = reference.self_distances(), reference.distances(others)
    return (other.mean(0) - itself.mean(0)) / np.hypot(itself.std(0, ddof=1), other.std(0, ddof=1))


@pytest.fixture(scope="module")
def volume() -> np.ndarray:
    return material(1, 96, 96, 96)


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    """A plane of a volume of its own, since a filtered plane is no plane of a filtered volume."""
    return material(3, 24, 240, 240)[:1]


def test_features_are_box_means_of_one_hot_patches():
    planes = np.random.default_rng(0).integers(0, 3, (1, 8, 8), dtype=np.uint8)
    (patch,) = patch_features(planes, 4, 1, np.random.default_rng(1), phases=3, edge=2)
    expected = [
        [(planes[0, y : y + 4, x : x + 4] == p).mean() for y in (0, 4) for x in (0, 4)] for p in range(3)
    ]  # 8 pixels hold only one patch of 2 x 2 boxes of 4
    np.testing.assert_allclose(patch, np.ravel(expected), rtol=1e-6)


def test_features_of_colour_are_levels_from_0_to_1():
    planes = np.random.default_rng(0).integers(0, 256, (1, 7, 7, 3), dtype=np.uint8)
    (patch,) = patch_features(planes, 1, 1, np.random.default_rng(1))
    np.testing.assert_allclose(patch.reshape(3, 7, 7), np.moveaxis(planes[0], -1, 0) / 255, rtol=1e-6)


def test_patches_come_from_everywhere():
    planes = np.arange(2 * 9 * 10, dtype=np.uint8).reshape(2, 9, 10, 1)
    corners = patch_features(planes, 1, 2000, np.random.default_rng(0))[:, 0] * 255
    expected = planes[:, :3, :4].ravel()
    np.testing.assert_array_equal(np.unique(np.rint(corners)), np.sort(expected))


def test_patches_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="28 x 28"):
        patch_features(np.zeros((1, 27, 40), np.uint8), 4, 5, np.random.default_rng(0), phases=2)


def test_the_distance_is_the_mean_of_wasserstein_distances():
    rng = np.random.default_rng(0)
    first, second, directions = rng.normal(size=(50, 4)), rng.normal(1, 2, (50, 4)), rng.normal(size=(4, 5))
    expected = [wasserstein_distance(first @ along, second @ along) for along in directions.T]
    assert sliced_wasserstein(first, second, directions) == pytest.approx(np.mean(expected))
    assert sliced_wasserstein(first, first[::-1], directions) == pytest.approx(0)
    with pytest.raises(ValueError, match="as many points"):
        sliced_wasserstein(first, second[:-1], directions)


def test_a_shift_by_a_tenth_of_the_spread_along_all_axes_counts_a_tenth():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(400, 3)) * [5, 1, 0.3] @ np.linalg.qr(rng.normal(size=(3, 3)))[0]
    directions = principal_directions(points)
    np.testing.assert_allclose((points @ directions).std(0, ddof=1), 1, rtol=1e-5)
    shift = np.linalg.solve(directions.T, np.full(3, 0.1))
    assert sliced_wasserstein(points, points + shift, directions) == pytest.approx(0.1, rel=1e-4)


def test_directions_without_spread_are_left_out():
    points = np.random.default_rng(0).normal(size=(100, 3)) * [1, 0.5, 1e-3]
    assert principal_directions(points).shape == (3, 2)
    with pytest.raises(DataError, match="no structure"):
        principal_directions(np.ones((10, 3)))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_another_volume_of_the_material_is_as_close_as_the_micrograph_to_itself(truth, volume, axis):
    found = excess(PatchReference(truth, BLOCK, 2, QUICK), np.moveaxis(volume, axis, 0))
    assert np.abs(found).max() < 1.5


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_at_45_degrees_as_well(truth, volume, axis):
    found = excess(PatchReference(stretched(truth), BLOCK, 2, QUICK), diagonal_planes(volume, axis))
    assert np.abs(found).max() < 1.5


def test_random_smoothed_and_coarser_volumes_are_told_from_the_truth(truth, volume):
    reference = PatchReference(truth, BLOCK, 2, QUICK)
    random = np.random.default_rng(0).permutation(volume.ravel()).reshape(volume.shape)
    assert excess(reference, random).min() > 5
    assert excess(reference, ndimage.median_filter(volume, (1, 7, 7))).max() > 3
    assert excess(reference, material(4, 96, 96, 96, sigma=2.6)).max() > 3


def test_lattice_planes_at_45_degrees_are_told_from_stretched_ones(truth, volume):
    """Without stretching, 45 degrees would look wrong in a volume that is right."""
    assert excess(PatchReference(truth, BLOCK, 2, QUICK), diagonal_planes(volume, 0)).max() > 3


def test_what_is_right_along_the_axes_only_is_told_at_45_degrees():
    z, y, x = np.meshgrid(*(np.arange(96),) * 3, indexing="ij")
    volume = (np.sin(0.8 * z) + np.sin(0.8 * (y + x)) > 0).astype(np.uint8)  # alike along y and x, not between them
    truth = (np.sin(0.8 * np.arange(240)[:, None]) + np.sin(0.8 * np.arange(240)) > 0).astype(np.uint8)[None]
    assert excess(PatchReference(truth, BLOCK, 2, QUICK), np.moveaxis(volume, 2, 0)).max() < 2
    assert excess(PatchReference(stretched(truth), BLOCK, 2, QUICK), diagonal_planes(volume, 0)).max() > 5


def test_grey_is_told_from_blurred_grey():
    noise = np.random.default_rng(5).normal(size=(2, 160, 160))
    sharp, blurred = (ndimage.gaussian_filter(noise, (0, s, s)) for s in (1.5, 2.0))
    levels = [np.clip(128 + 40 * each / each.std(), 0, 255).astype(np.uint8)[..., None] for each in (sharp, blurred)]
    reference = PatchReference(levels[0][:1], BLOCK, 0, QUICK)
    assert np.abs(excess(reference, levels[0][1:])).max() < 1.5
    assert excess(reference, levels[1][1:]).max() > 3


def test_the_same_is_found_again(truth, volume):
    reference = PatchReference(truth, BLOCK, 2, QUICK)
    np.testing.assert_array_equal(reference.distances(volume), reference.distances(volume))
    assert reference.self_distances().shape == (6, 3)


def test_small_images_are_cut_into_smaller_blocks_and_smallest_refused():
    image = material(0, 1, 60, 80)
    assert PatchReference(image, 64, 2, QUICK).self_distances().shape == (6, 3)
    with pytest.raises(DataError, match="45 x 50 pixels is too small"):
        PatchReference(image[:, :45, :50], 64, 2, QUICK)
    with pytest.raises(DataError, match="30 x 40 voxels is smaller than the blocks of 40"):
        PatchReference(image, 64, 2, QUICK).distances(image[:, :30, :40])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_diagonal_planes_hold_the_voxels_of_the_diagonals(axis):
    shape = (5, 7, 8)
    places = np.moveaxis(np.indices(shape), 0, -1).astype(np.uint8)  # (Z, Y, X, 3): each voxel says where it is
    planes = diagonal_planes(places, axis).astype(int)
    one, other = (a for a in range(3) if a != axis)
    width = min(shape[one], shape[other]) // 2
    assert planes.shape == (2 * (shape[one] + shape[other] - 2 * width + 1), shape[axis], width, 3)
    assert (np.diff(planes, axis=1)[..., axis] == 1).all()
    assert (np.diff(planes, axis=2)[..., axis] == 0).all()
    steps = np.diff(planes, axis=2)[..., [one, other]]
    half = len(planes) // 2
    assert (steps[:half] == [1, 1]).all()
    assert (steps[half:] == [1, -1]).all()


def test_stretched_planes_hold_the_nearest_pixels():
    columns = np.arange(20).reshape(1, 1, 20)
    np.testing.assert_array_equal(stretched(columns)[0, 0], [0, 1, 3, 4, 6, 7, 8, 10, 11, 13, 14, 16, 17, 18])
