"""Randomness that is the same wherever a box is cut from space."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from napari_slicegan.core.randomness import Box, noise, poisson_points, spaced_points, waves

CUBE = Box((-70, 10, 40), (100, 110, 120))
PART = Box((-20, 40, 50), (40, 50, 60))


def inside(box: Box, points: np.ndarray) -> np.ndarray:
    """The points of a box in an order of their own."""
    kept = points[np.all((points >= box.origin) & (points < box.end), axis=1)]
    return kept[np.lexsort(kept.T)]


def test_boxes():
    assert PART.end == (20, 90, 110)
    assert PART.grown(3) == Box((-23, 37, 47), (46, 56, 66))


@pytest.mark.parametrize("draw", ["poisson", "spaced"])
@pytest.mark.parametrize("seed", range(4))
def test_boxes_agree_on_points_where_they_overlap(draw: str, seed: int):
    def points(box: Box, seed: int) -> np.ndarray:
        if draw == "poisson":
            return poisson_points(box, seed, 1e-3, marks=1)[0]
        return spaced_points(box, seed, 11.0, crowding=2)[0]

    part = inside(PART, points(PART, seed))
    assert len(part) > 20
    np.testing.assert_array_equal(part, inside(PART, points(CUBE, seed)))
    assert not np.array_equal(part, inside(PART, points(PART, seed + 100)))


def test_poisson_points_have_their_density_everywhere():
    points, marks = poisson_points(CUBE, 0, 5e-3, marks=2)
    expected = 5e-3 * np.prod(CUBE.shape)
    assert abs(len(points) - expected) < 4 * np.sqrt(expected)
    assert marks.shape == (len(points), 2)
    for axis in range(3):
        share = np.histogram(points[:, axis], 5, (CUBE.origin[axis], CUBE.end[axis]))[0]
        assert np.all(np.abs(share - expected / 5) < 4.5 * np.sqrt(expected / 5))
    assert np.all(np.abs(np.histogram(marks, 5, (0, 1))[0] / marks.size - 0.2) < 0.02)


@pytest.mark.parametrize(("box", "crowding"), [(CUBE, 4), (Box((-100, 30), (300, 200)), 12)])
def test_spaced_points_keep_their_distance_and_fill_space(box: Box, crowding: float):
    points, marks = spaced_points(box, 3, 9.0, crowding)
    assert cKDTree(points).query(points, k=2)[0][:, 1].min() >= 9
    middle = Box(box.origin, box.shape).grown(-10)
    tries = np.random.default_rng(0).uniform(middle.origin, middle.end, (2000, len(box.shape)))
    room = cKDTree(points).query(tries)[0] > 9
    assert room.mean() < 0.06
    assert abs(marks.mean() - 0.5) < 0.05


def test_noise_is_white_and_normal():
    whole = noise(CUBE, 5)
    inner = tuple(slice(p - c, p - c + n) for p, c, n in zip(PART.origin, CUBE.origin, PART.shape, strict=True))
    np.testing.assert_array_equal(noise(PART, 5), whole[inner])
    assert not np.array_equal(noise(PART, 6), noise(PART, 5))
    assert abs(whole.mean()) < 0.01
    assert abs(whole.std() - 1) < 0.01
    for axis in range(3):
        moved = np.roll(whole, 1, axis)
        assert abs(np.mean(whole * moved)) < 0.01


def test_waves_have_their_slope_and_no_height_is_special():
    points = np.random.default_rng(0).uniform(0, 1000, (300, 2))
    heights = np.arange(-500, 500)
    shifts = waves(heights, points, 1, (170, 330), (110, 260), slope=0.075)
    slopes = np.diff(shifts, axis=0)
    assert np.sqrt(np.mean(slopes**2)) == pytest.approx(0.075, rel=0.1)
    alone = waves(heights[700:701], points[:5], 1, (170, 330), (110, 260), slope=0.075)
    np.testing.assert_allclose(alone[0], shifts[700, :5], atol=1e-9)
    assert not np.allclose(waves(heights[:1], points, 2, (170, 330), (110, 260), 0.075), shifts[:1])


def test_waves_hardly_thin_or_crowd_the_points():
    here = np.random.default_rng(0).uniform(0, 1000, (300, 2))
    step = 1e-3
    shifts = [
        waves(np.zeros(1), here + move, 1, (170, 330), (110, 260), 0.075)[0]
        for move in (np.zeros(2), np.array([step, 0]), np.array([0, step]))
    ]
    growth = (shifts[1] - shifts[0])[:, 0] + (shifts[2] - shifts[0])[:, 1]
    assert np.abs(growth / step).max() < 1e-4
