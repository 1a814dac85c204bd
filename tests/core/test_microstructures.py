"""Materials that have the structure they claim, at every point alike."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

from napari_slicegan.core import microstructures
from napari_slicegan.core.microstructures import (
    BINDER_REACH,
    FIBRE_RADII,
    GRAIN_DISTANCE,
    GREY_LEVELS,
    NOISE,
    PARTICLE_FRACTION,
    SPHERE_RADII,
    cathode,
    fibres,
    polycrystal,
)
from napari_slicegan.core.randomness import Box, spaced_points

Cut = Callable[[Box, int], np.ndarray]
ALL = pytest.mark.parametrize("cut", [cathode, fibres, polycrystal])


@pytest.fixture(scope="module")
def electrode() -> np.ndarray:
    return cathode(Box((0, 0, 0), (128, 128, 128)), 100)


@pytest.fixture(scope="module")
def bundle() -> np.ndarray:
    return fibres(Box((0, 0, 0), (160, 160, 160)), 100)


def mean_chord(phase: np.ndarray, axis: int) -> float:
    """Mean length of the runs of a phase along an axis, in voxels."""
    phase = np.moveaxis(phase, axis, 0)
    return phase.sum() / (phase[:-1] & ~phase[1:]).sum()


def place(monkeypatch: pytest.MonkeyPatch, function: str, points: list, marks: list) -> None:
    """Put points where the test wants them."""
    found = np.array(points, float), np.array(marks, float)
    monkeypatch.setattr(microstructures, function, lambda *_args, **_keywords: found)


@ALL
@pytest.mark.parametrize("origin", [(0, 0, 0), (-45, 37, 1003)])
def test_boxes_agree_where_they_overlap_so_no_border_is_special(cut: Cut, origin):
    whole = cut(Box(origin, (30, 70, 80)), 4)
    part = cut(Box((origin[0] + 11, origin[1] + 20, origin[2] + 35), (9, 40, 30)), 4)
    np.testing.assert_array_equal(part, whole[11:20, 20:60, 35:65])
    assert len(np.unique(part)) > 1


@ALL
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 40, 50), (40, 1, 50), (7, 5, 1)])
def test_any_shape(cut: Cut, shape):
    volume = cut(Box((3, 4, 5), shape), 1)
    assert (volume.shape, volume.dtype) == (shape, np.uint8)


@ALL
def test_a_seed_is_a_piece(cut: Cut):
    box = Box((0, 0, 0), (3, 60, 60))
    np.testing.assert_array_equal(cut(box, 8), cut(box, 8))
    assert np.mean(cut(box, 8) != cut(box, 9)) > 0.2


def test_cathode_fractions(electrode: np.ndarray):
    pore, particle, binder = np.bincount(electrode.ravel()) / electrode.size
    assert 0.38 < pore < 0.50
    assert 0.42 < particle < 0.52
    assert 0.08 < binder < 0.13


def test_cathode_is_isotropic(electrode: np.ndarray):
    for phase in range(3):
        chords = [mean_chord(electrode == phase, axis) for axis in range(3)]
        assert max(chords) / min(chords) < 1.06, phase


def test_cathode_particles_follow_the_theory_of_overlapping_spheres():
    # Two points at a distance are both outside with a chance that is known exactly.
    outside = [cathode(Box((0, 0, 0), (64, 160, 160)), seed) != 1 for seed in range(200, 206)]
    radii = np.linspace(*SPHERE_RADII, 1001)
    volumes = 4 / 3 * np.pi * radii**3
    density = -math.log(1 - PARTICLE_FRACTION) / volumes.mean()
    for distance in (0, 4, 8, 16, 32):
        reach = np.minimum(distance, 2 * radii)
        shared = np.pi / 12 * (4 * radii + reach) * (2 * radii - reach) ** 2
        expected = math.exp(-density * (2 * volumes - shared).mean())
        last = 160 - distance
        both = np.mean([(part[:, :last] & part[:, distance:]).mean() for part in outside])
        assert both == pytest.approx(expected, abs=0.025), distance


def test_binder_is_close_to_particles_and_between_them(electrode: np.ndarray):
    to_particle = ndimage.distance_transform_edt(electrode != 1)
    inner = (slice(16, -16),) * 3
    assert to_particle[inner][electrode[inner] == 2].max() < 2 * BINDER_REACH
    assert to_particle[inner][electrode[inner] == 0].max() > 2 * BINDER_REACH
    touching = ndimage.binary_dilation(electrode == 1) & (electrode == 2)
    grown = ndimage.binary_propagation(touching, mask=electrode == 2)
    assert grown[inner].sum() > 0.99 * (electrode[inner] == 2).sum()


@pytest.mark.parametrize(("apart", "has_binder"), [(0, False), (18, True), (22, True), (40, False)])
def test_binder_is_only_at_contacts(monkeypatch: pytest.MonkeyPatch, apart: int, has_binder: bool):
    centres = [[32, 32, 32 - apart / 2], [32, 32, 32 + apart / 2]]
    place(monkeypatch, "poisson_points", centres, [[0.5], [0.5]])
    volume = cathode(Box((0, 0, 0), (64, 64, 80)), 0)
    z, y, x = np.nonzero(volume == 2)
    assert (len(z) > 50) == has_binder
    assert len(z) > 50 or len(z) == 0
    assert np.all(np.abs(x - 32) < 8)
    assert np.all(np.hypot(z - 32, y - 32) < 10)
    radius = np.mean(SPHERE_RADII)
    ball = np.hypot(np.hypot(*np.indices(volume.shape)[:2] - 32), np.indices(volume.shape)[2] - centres[0][2])
    assert np.all(volume[ball <= radius] == 1)


def test_fibre_fraction_and_direction(bundle: np.ndarray):
    assert 0.36 < bundle.mean() < 0.43
    z, y, x = (mean_chord(bundle == 1, axis) for axis in range(3))
    assert z > 5 * max(y, x)
    assert max(y, x) / min(y, x) < 1.06


def test_fibre_sections_are_round_and_keep_apart(bundle: np.ndarray):
    for section in bundle[::40]:
        parts, number = ndimage.label(section)
        inner = np.unique(parts[12:-12, 12:-12])[1:]
        assert number > 100
        areas = ndimage.sum_labels(section, parts, inner)
        low, high = (math.pi * radius**2 for radius in FIBRE_RADII)
        assert low < np.median(areas) < high
        assert np.mean((areas > low - 10) & (areas < high + 10)) > 0.7  # the others touch
        middles = ndimage.center_of_mass(section, parts, inner)
        nearest = cKDTree(middles).query(middles, k=2)[0][:, 1]
        assert np.quantile(nearest, 0.02) > 2 * FIBRE_RADII[0]


def test_fibres_tilt_by_less_than_15_degrees(monkeypatch: pytest.MonkeyPatch):
    tilts = []
    for seed in range(5):
        place(monkeypatch, "spaced_points", [[30, 30]], [0.5])
        fibre = fibres(Box((0, 0, 0), (150, 60, 60)), seed)
        middles = np.array([ndimage.center_of_mass(layer) for layer in fibre])
        moves = (middles[20:] - middles[:-20]) / 20
        tilts.append(np.degrees(np.arctan(np.hypot(*moves.T))))
        assert np.all(fibre.sum((1, 2)) > 70)
    assert 2 < np.mean(tilts) < 8
    assert np.max(tilts) < 15


def test_grains_have_the_size_and_many_levels():
    box = Box((0, 0, 0), (128, 128, 128))
    centres, marks = spaced_points(box, 100, GRAIN_DISTANCE, crowding=2)
    volume_of_one = np.prod(box.shape) / len(centres)
    assert 16 < (6 * volume_of_one / math.pi) ** (1 / 3) < 20
    grains = polycrystal(Box((0, 0, 0), (64, 64, 64)), 100)
    at_centres = centres[np.all(centres < 63, axis=1)]
    low, high = GREY_LEVELS
    expected = (low + (high - low) * marks)[np.all(centres < 63, axis=1)]
    seen = grains[tuple(np.rint(at_centres).astype(int).T)]
    assert np.mean(np.abs(seen - expected) < 4 * NOISE) > 0.9
    assert seen.std() > 40


def test_grains_are_isotropic():
    grains = polycrystal(Box((0, 0, 0), (96, 96, 96)), 100).astype(float)
    grains -= grains.mean()
    variance = grains.var()
    for distance in (3, 6, 9):
        along = []
        for axis in range(3):
            moved = np.moveaxis(grains, axis, 0)
            along.append((moved[distance:] * moved[:-distance]).mean() / variance)
        assert max(along) - min(along) < 0.06, distance


@pytest.mark.parametrize("marks", [(0.0, 1.0), (0.5, 0.5)])
def test_a_grain_boundary_is_a_thin_dark_line(monkeypatch: pytest.MonkeyPatch, marks):
    place(monkeypatch, "spaced_points", [[10, 20, 10], [10, 20, 30]], list(marks))
    grains = polycrystal(Box((0, 0, 0), (20, 40, 41)), 0)
    profile = grains.mean((0, 1))  # the boundary is at x = 20
    low, high = GREY_LEVELS
    left, right = (low + (high - low) * mark for mark in marks)
    np.testing.assert_allclose(profile[:17], left, atol=1)
    np.testing.assert_allclose(profile[24:], right, atol=1)
    assert profile[20] < 0.8 * (left + right) / 2
    assert grains[:, :, :15].std() == pytest.approx(NOISE, rel=0.05)
