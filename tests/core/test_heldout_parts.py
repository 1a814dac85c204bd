"""What held-out errors of surfaces and of patterns are."""

import threading
from itertools import product

import numpy as np
import pytest
import torch

from napari_slicegan.core import heldout_patterns, thinning
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.directions import along_axes, of_planes, of_views
from napari_slicegan.core.heldout_patterns import HeldOutPatterns
from napari_slicegan.core.heldout_surfaces import RARE, HeldOutSurfaces
from napari_slicegan.core.interruption import Interrupted
from napari_slicegan.core.patterns import SPACINGS, divergence, pattern_counts, pattern_shares
from tests.core.conftest import blobs

EDGE = 64


def indicators(labels: np.ndarray, phases: int) -> torch.Tensor:
    """Where each phase is, (1, P, Z, Y, X)."""
    return torch.from_numpy(np.stack([labels == phase for phase in range(phases)])[None].astype(np.float32))


def surface_error(data: TrainingData, volume: np.ndarray) -> float:
    surfaces = HeldOutSurfaces(data, None)
    return surfaces.error(surfaces.of_volumes(indicators(volume, data.channels)))


def pattern_error(data: TrainingData, channels: torch.Tensor) -> float:
    patterns = HeldOutPatterns(data, EDGE, None)
    return patterns.error(patterns.of_volumes(channels))


def faces(labels: np.ndarray, one: int, other: int) -> np.ndarray:
    """Share of neighbours that are of two phases, along each axis."""
    shares = []
    for axis in range(labels.ndim):
        here, there = (np.moveaxis(labels, axis, 0)[part] for part in (slice(-1), slice(1, None)))
        shares.append((((here == one) & (there == other)) | ((here == other) & (there == one))).mean())
    return np.array(shares)


def test_the_surface_error_is_that_of_the_faces_between_two_phases():
    volume = blobs((EDGE,) * 3, 3, seed=3)
    image = blobs((60, 70), 3)
    image[::9] = (image[::9] + 1) % 3  # so that all phases touch each other
    true, made = ([faces(labels, *pair) for pair in ((0, 1), (0, 2), (1, 2))] for labels in (image, volume))
    expected = [np.abs(one / other.mean() - 1).mean() for one, other in zip(made, true, strict=True)]
    assert surface_error(TrainingData.from_labels(image), volume) == pytest.approx(max(expected))


def test_faces_that_are_rare_count_as_if_they_were_not():
    image = blobs((60, 70), 3)
    image[2, 2:5] = [0, 2, 0]  # phases 0 and 2 hardly touch
    surfaces = HeldOutSurfaces(TrainingData.from_labels(image), None)
    pairs = np.array([faces(image, *pair).mean() for pair in ((0, 1), (0, 2), (1, 2))])
    assert 0 < pairs[1] < RARE / 2 * pairs.sum()
    assert surfaces.error(np.tile(pairs, (3, 1))) == pytest.approx(0, abs=1e-3)  # rows and columns differ in number
    without = surfaces.error(np.tile(pairs * [1, 0, 1], (3, 1)))
    assert without == pytest.approx(pairs[1] / (RARE * pairs.sum()), rel=0.02)


def test_planes_across_an_axis_lie_along_the_others():
    assert of_planes(np.array([10.0, 11.0, 12.0])).tolist() == [[11, 12], [10, 12], [10, 11]]


def test_what_is_found_in_planes_belongs_to_the_axes_along_which_they_lie():
    along = np.array([10.0, 11.0, 12.0])
    views = [(0, False), (1, False), (1, True)]
    assert along_axes(of_planes(along), views).tolist() == along.tolist()
    assert along_axes(of_planes(along), [(0, False)] * 3).tolist() == [11, 11, 11]
    only = np.zeros((3, 2))
    only[2, 0] = 1  # across x, along z
    assert along_axes(only, views).tolist() == [0.5, 0, 0]


def test_the_excess_is_signed_and_along_each_axis():
    layers = np.repeat(np.arange(EDGE) // 8 % 2, EDGE).reshape(EDGE, EDGE).astype(np.uint8)  # down the rows
    data = TrainingData.from_labels(blobs((EDGE, EDGE)), layers, layers)
    surfaces = HeldOutSurfaces(data, None)
    per_row, noise = faces(layers, 0, 1)[0], faces(blobs((EDGE, EDGE)), 0, 1)
    rare = RARE * max(*noise, per_row)  # along the layers there are no faces
    assert surfaces.scale[:, 0] == pytest.approx([per_row, *((each + rare) / 2 for each in noise)])
    for change in (0.5, -0.5):
        found = surfaces.excess(surfaces.scale * [[1 + change], [1], [1]])[:, 0]
        assert found[0] == pytest.approx(change)


def test_each_axis_is_compared_with_the_image_that_shows_its_planes():
    first, second = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    two = [(0, False), (1, False), (1, True)]
    assert of_views([first, second], two).tolist() == [[1, 2], [3, 5], [5, 3]]
    assert of_views([second], [(0, False)] * 3).tolist() == [[4, 4]] * 3


@pytest.mark.parametrize("shape", [(1, 200, 300), (20, 50, 60)])
def test_of_large_images_a_part_is_enough(shape, monkeypatch):
    stack = np.stack([blobs(shape[1:], seed=seed) for seed in range(shape[0])])
    data = TrainingData.from_labels(blobs((30, 30)))
    object.__setattr__(data, "sources", (stack,))
    volume = blobs((EDGE,) * 3, seed=1)
    whole = surface_error(data, volume), pattern_error(data, indicators(volume, 2))
    monkeypatch.setattr(thinning, "MOST_PIXELS", 20_000)
    part = surface_error(data, volume), pattern_error(data, indicators(volume, 2))
    assert all(one != other for one, other in zip(part, whole, strict=True))
    assert part[0] == pytest.approx(whole[0], abs=0.03)
    assert part[1] == pytest.approx(whole[1], abs=0.01)


def test_other_shapes_have_other_patterns():
    image, volume = blobs((80, 80), 3), blobs((EDGE,) * 3, 3, seed=1)
    data = TrainingData.from_labels(image)
    alike = pattern_error(data, indicators(volume, 3))
    noise = np.random.default_rng(0).permuted(volume.ravel()).reshape(volume.shape)
    assert pattern_error(data, indicators(noise, 3)) > 2 * alike


def test_the_pattern_error_is_the_mean_divergence():
    image, volume = blobs((90, 100), 3), blobs((EDGE,) * 3, 3, seed=1)
    expected = []
    for phase, spacing in product(range(3), SPACINGS):
        true = pattern_shares(pattern_counts(torch.from_numpy(image == phase), spacing))
        for axis in range(3):
            planes = np.moveaxis(volume == phase, axis, 0)[3::7].copy()
            expected.append(divergence(pattern_shares(pattern_counts(torch.from_numpy(planes), spacing)), true))
    found = pattern_error(TrainingData.from_labels(image), indicators(volume, 3))
    assert found == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("first", range(8))
def test_planes_of_all_lattice_places_are_looked_at(first):
    """Every eighth plane across z is emptied, and no plane that is cut across it is looked at."""
    patterns = HeldOutPatterns(TrainingData.from_labels(blobs((80, 80))), EDGE, None)
    volume = blobs((EDGE,) * 3, seed=1)
    emptied = volume.copy()
    emptied[first::8] = 0
    before, after = (patterns.of_volumes(indicators(each, 2))[0] for each in (volume, emptied))
    assert not torch.equal(before, after)


@pytest.mark.parametrize("kind", ["dark", "constant"])
def test_what_is_black_in_the_image_need_not_be_quite_black_in_volumes(kind):
    bright = np.where(blobs((80, 80)) + blobs((80, 80), seed=2) == 2, 180, 0).astype(np.uint8)  # a quarter of it
    colours = np.stack([bright, bright[::-1], 0 * bright], axis=-1)
    data = TrainingData.from_greyscale(bright) if kind == "dark" else TrainingData.from_colour(colours)
    volumes = [blobs((EDGE,) * 3, seed=one) + blobs((EDGE,) * 3, seed=one + 1) == 2 for one in (1, 3)]
    channels = np.stack([*volumes, np.zeros((EDGE,) * 3)][:: 1 if kind == "constant" else 3][: data.channels])
    black = torch.from_numpy((channels * 180.0 / data.levels[1]).clip(0, 0.97).astype(np.float32)[None])
    noisy = black + 0.02 + torch.from_numpy(np.random.default_rng(0).normal(0, 0.002, black.shape).astype(np.float32))
    assert pattern_error(data, noisy) == pytest.approx(pattern_error(data, black))
    surfaces = HeldOutSurfaces(data, None)
    assert surfaces.error(surfaces.of_volumes(noisy)) < 0.3


def test_intensities_have_the_patterns_of_what_is_above_their_mean():
    image = blobs((80, 80)).astype(np.float64)
    grey = (100 * image + 50 + np.random.default_rng(0).normal(0, 3, image.shape)).clip(0, 255).astype(np.uint8)
    data = TrainingData.from_greyscale(grey)
    low, high = data.levels
    volume = blobs((EDGE,) * 3, seed=1)
    bright = torch.from_numpy(((100.0 * volume + 50 - low) / (high - low)).astype(np.float32))[None, None]
    assert pattern_error(data, bright) < 0.5 * pattern_error(data, torch.rand(bright.shape))


def test_planes_that_are_too_short_have_no_patterns():
    data = TrainingData.from_labels(blobs((30, 30)))
    patterns = HeldOutPatterns(data, 4, None)
    assert patterns.error(patterns.of_volumes(indicators(blobs((4,) * 3), 2))) == 0


def test_of_large_micrographs_a_few_rows_are_looked_at_one_spacing_after_the_other(monkeypatch):
    looks = []

    class Flag:
        def is_set(self):
            looks.append(1)
            return False

    seen: list[int] = []
    monkeypatch.setattr(thinning, "MOST_PIXELS", 20_000)
    monkeypatch.setattr(
        heldout_patterns, "image_channels", lambda _, stack: seen.append(stack.size) or [stack == 1] * 2
    )
    HeldOutPatterns(TrainingData.from_labels(np.tile(blobs((500, 500)), (4, 4))), EDGE, Flag())
    assert len(looks) == 4
    assert max(seen) <= 20_000


@pytest.mark.parametrize("part", [HeldOutSurfaces, lambda data, flag: HeldOutPatterns(data, EDGE, flag)])
def test_nobody_waits_for_large_micrographs(part):
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        part(TrainingData.from_labels(blobs((40, 40))), stop)
