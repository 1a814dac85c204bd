"""Grey images to phases."""

import numpy as np
import pytest
from skimage.filters import threshold_multiotsu
from skimage.filters.rank import median
from skimage.morphology import disk

from napari_slicegan.core.errors import DataError
from napari_slicegan.core.segmentation import segment, thresholds

LEVELS = np.array([30, 60, 95, 130, 160, 190, 215, 240])


def noisy(phases: int, sigma: float = 3, shape: tuple[int, ...] = (96, 80)) -> tuple[np.ndarray, np.ndarray]:
    """True phases, and a grey image of them."""
    rng = np.random.default_rng(phases)
    truth = rng.integers(0, phases, shape)
    return truth, (LEVELS[truth] + rng.normal(0, sigma, shape)).clip(0, 255)


@pytest.mark.parametrize("phases", range(2, 9))
def test_phases_that_stand_apart_are_found(phases: int):
    truth, image = noisy(phases)
    found = segment(image.astype(np.uint8), phases)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, truth)


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32, np.float64])
def test_intensities_of_any_type(dtype: type):
    truth, image = noisy(3)
    np.testing.assert_array_equal(
        segment((image * 100 - 4000).astype(dtype) if dtype != np.uint16 else (image * 100).astype(dtype), 3), truth
    )


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_thresholds_are_those_of_scikit_image(classes: int):
    rng = np.random.default_rng(classes)
    histogram = np.bincount(rng.normal(128, 40, 20_000).clip(0, 255).astype(int), minlength=256)
    histogram[40:60] = 0  # a gap: any threshold within it gives the same classes
    found = thresholds(histogram, classes)
    expected = threshold_multiotsu(hist=(histogram, np.arange(256)), classes=classes)
    counts = [np.diff([0, *np.cumsum(histogram)[ends], histogram.sum()]) for ends in (found, expected)]
    np.testing.assert_array_equal(*counts)


def test_smoothing_is_the_median_of_each_plane():
    _, image = noisy(2, 30, (3, 300, 40))  # more rows than are smoothed at once
    image = image.astype(np.uint8)
    planes = np.stack([median(plane, disk(2)) for plane in image])
    np.testing.assert_array_equal(segment(image, 2, 2), segment(planes, 2))


def test_thresholds_are_those_of_the_regions():
    truth, image = noisy(3)
    barred = image.astype(np.uint8)
    barred[80:] = 255  # a data bar, which would be a phase of its own
    regions = ((0, 0, 50, 80), (50, 0, 80, 80))
    np.testing.assert_array_equal(segment(barred, 3, regions=regions)[:80], truth[:80])
    assert (segment(barred, 3)[:80] != truth[:80]).any()
    stack, turned = np.stack([barred.T] * 2), tuple((le, t, r, b) for t, le, b, r in regions)
    np.testing.assert_array_equal(segment(stack, 3, regions=turned)[1, :, :80], truth[:80].T)


def test_colours_are_segmented_by_their_mean():
    truth, image = noisy(2)
    np.testing.assert_array_equal(segment(np.stack([image.astype(np.uint8)] * 3, axis=-1), 2), truth)


@pytest.mark.parametrize(
    ("image", "phases", "smoothing", "words"),
    [
        (np.zeros((8, 8), np.uint8), 2, 0, "only 1 different"),
        (np.eye(8), 3, 0, "choose fewer phases"),
        (np.full((8, 8), np.nan), 2, 0, "NaN"),
        (np.eye(8), 9, 0, "2 to 8"),
        (np.eye(8), 1, 0, "2 to 8"),
        (np.eye(8), 2, 4, "0 to 3"),
        (np.zeros((0, 8)), 2, 0, "empty"),
    ],
)
def test_what_cannot_be_segmented(image: np.ndarray, phases: int, smoothing: int, words: str):
    with pytest.raises(DataError, match=words):
        segment(image, phases, smoothing)


def test_it_can_be_stopped_at_any_slice():
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        segment(noisy(2, shape=(20, 30, 30))[1].astype(np.uint8), 2, 1, check=check)
    assert calls == 5
