"""Sums over boxes of planes: that they add up, count right, and agree with exact answers."""

from itertools import combinations, pairwise, product
from types import SimpleNamespace

import numpy as np
import pytest

from napari_slicegan.core.statistics import chords, correlation, fractions, interfaces
from tests.core import exact

WHOLE = (slice(0, 3), slice(0, 17), slice(0, 13))
SUMS = {
    "fractions": lambda planes, box: [fractions.count_sums(planes, 4, box)],
    "pairs": lambda planes, box: correlation.phase_pair_sums(planes, 4, box, 12),
    "runs": lambda planes, box: chords.run_sums(planes, 4, box),
    "interfaces": lambda planes, box: interfaces.interface_sums(planes, 4, box),
}


def whole(planes: np.ndarray) -> tuple[slice, slice, slice]:
    return tuple(slice(0, size) for size in planes.shape)


def tiles(shape: tuple[int, ...], rng: np.random.Generator) -> list[tuple[slice, ...]]:
    """Boxes of random edges that fill a shape."""
    cuts = [sorted({0, size, *rng.integers(1, size, 2).tolist()}) for size in shape]
    return list(product(*([slice(*ends) for ends in pairwise(cut)] for cut in cuts)))


def close(values: np.ndarray, expected: np.ndarray, sigmas: float = 4.5) -> None:
    """Means over independent pieces agree with what is expected, as far as their spread can tell."""
    error = np.std(values, axis=0, ddof=1) / np.sqrt(len(values))
    assert np.all(np.abs(np.mean(values, axis=0) - expected) <= sigmas * error + 1e-12)


@pytest.fixture(scope="module")
def boolean() -> SimpleNamespace:
    """Independent pieces of overlapping spheres, half of the volume."""
    model = exact.spheres(0.5, 6.0)
    return SimpleNamespace(model=model, pieces=[model.draw((64, 64, 64), seed).astype(np.uint8) for seed in range(12)])


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("seed", range(3))
def test_sums_over_boxes_that_fill_the_planes_are_the_sum_over_the_whole(name, seed):
    rng = np.random.default_rng(seed)
    planes = rng.integers(0, 4, (3, 17, 13), dtype=np.uint8) * (rng.random((3, 17, 13)) < 0.6).astype(np.uint8)
    parts = [SUMS[name](planes, box) for box in tiles(planes.shape, rng)]
    assert len(parts) > 8
    for field, expected in enumerate(SUMS[name](planes, WHOLE)):
        np.testing.assert_array_equal(sum(part[field] for part in parts), expected)


def counted_pairs(planes: np.ndarray, box: tuple, first: int, other: int, reach: int) -> np.ndarray:
    """Points of two phases in either order, one by one, and the pairs looked at: each (4, reach + 1)."""
    sums = np.zeros((2, 4, reach + 1))
    lags = range(-reach, reach + 1)
    for n, y, x in product(*(range(part.start, part.stop) for part in box)):
        for down, across in product(lags, lags):
            if not (0 <= y + down < planes.shape[1] and 0 <= x + across < planes.shape[2]):
                continue
            here, there = int(planes[n, y, x]), int(planes[n, y + down, x + across])
            hit = ((here == first and there == other) + (here == other and there == first)) / 2
            readings = [(3, round(np.hypot(down, across)))]
            readings += [(0, down)] * (across == 0 <= down) + [(1, across)] * (down == 0 <= across)
            readings += [(2, down)] * ((0 <= down == across) + (0 <= down == -across))
            for reading, r in readings:
                if r <= reach:
                    sums[:, reading, r] += hit, 1
    return sums


@pytest.mark.parametrize("box", [((0, 2), (0, 7), (0, 9)), ((1, 2), (2, 5), (4, 9))])
@pytest.mark.parametrize("reach", [0, 4, 10])
def test_pairs_of_points_are_those_counted_one_by_one(box, reach):
    planes = np.random.default_rng(1).integers(0, 3, (2, 7, 9), dtype=np.uint8)
    box = tuple(slice(*ends) for ends in box)
    sums = correlation.phase_pair_sums(planes, 3, box, reach)
    assert correlation.phase_pairs(3) == [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    for (first, other), pairs in zip(correlation.phase_pairs(3), sums.pairs, strict=True):
        expected, counts = counted_pairs(planes, box, first, other, reach)
        np.testing.assert_array_equal(pairs, expected)
        np.testing.assert_array_equal(sums.counts, counts)


def test_pairs_of_real_channels_are_products_and_leave_out_others_if_asked():
    rng = np.random.default_rng(2)
    red, blue = rng.normal(size=(2, 2, 9, 8))
    box = (slice(0, 2), slice(3, 9), slice(0, 5))
    sums = correlation.pair_sums([red, blue], box, 3)
    np.testing.assert_allclose(sums.pairs[0, 1, 2], (red[:, 3:, :5] * red[:, 3:, 2:7]).sum(), rtol=1e-5)
    both = (red[:, 3:8, :5] * blue[:, 4:9, :5] + blue[:, 3:8, :5] * red[:, 4:9, :5]).sum() / 2
    np.testing.assert_allclose(sums.pairs[1, 0, 1], both, rtol=1e-4)
    alone = correlation.pair_sums([red, blue], box, 3, cross=False)
    np.testing.assert_allclose(alone.pairs, sums.pairs[[0, 2]], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(alone.counts, sums.counts)


@pytest.mark.parametrize("shape", [(1, 1500, 1400), (300, 120, 130)])
def test_counts_of_many_pairs_are_exact(shape):
    planes = np.ones(shape, np.uint8)
    planes[:, 60:70] = 0
    count, height, width = shape
    sums = correlation.phase_pair_sums(planes, 2, whole(planes), 20)
    expected = [(height - 10) * width] + [(height - r - 10 - min(r, 10)) * width for r in range(1, 21)]
    np.testing.assert_array_equal(sums.pairs[2, 0], count * np.array(expected))


def test_distances_that_no_plane_holds_are_nan():
    curves = correlation.correlation_curves(
        correlation.phase_pair_sums(np.zeros((1, 4, 9), np.uint8), 2, (slice(0, 1), slice(0, 4), slice(0, 9)), 5)
    )
    np.testing.assert_array_equal(curves[0, :3], [[1] * 4 + [np.nan] * 2, [1] * 6, [1] * 4 + [np.nan] * 2])


def test_two_points_of_overlapping_spheres_are_as_the_formula_says(boolean):
    distances = np.arange(21)
    curves = [
        correlation.correlation_curves(correlation.phase_pair_sums(piece, 2, whole(piece), 20))
        for piece in boolean.pieces
    ]
    void = boolean.model.void
    for reading, stretch in ((0, 1), (1, 1), (2, np.sqrt(2))):
        expected = boolean.model.pairs(distances * stretch)
        both = np.stack([expected, void - expected, 1 - 2 * void + expected])  # (Q, R + 1)
        close(np.array(curves)[:, :, reading], both)
    lags = np.arange(-22, 23)
    apart = np.hypot(lags[:, None], lags)
    rings = [boolean.model.pairs(apart[np.rint(apart) == r]).mean() for r in distances]
    close(np.array(curves)[:, 0, 3], np.array(rings))


def test_paths_in_the_void_between_spheres_are_as_the_formula_says(boolean):
    steps = np.arange(25)
    paths = [chords.lineal_path(sums.down, sums.voxels, 24)[0] for sums in _runs(boolean.pieces)]
    close(np.array(paths), boolean.model.path(steps))
    np.testing.assert_allclose(boolean.model.path(steps), boolean.model.path(steps, continuous=True), rtol=0.02)


def test_surfaces_of_spheres_are_as_the_formula_says(boolean):
    model = boolean.model
    step = np.sqrt([1, 2, 3])
    crossings = 2 * (model.void - model.pairs(step)) / step  # of voxels, which do not see what is between them
    flat = [interfaces.specific_surface(interfaces.interface_sums(piece, 2, whole(piece))) for piece in boolean.pieces]
    close(np.array(flat)[:, 0], crossings[0] + crossings[1])
    solid = [interfaces.surface_3d(piece, 2) for piece in boolean.pieces]
    close(np.array(solid)[:, 0], 2 * exact.LATTICE @ crossings)
    np.testing.assert_allclose(2 * exact.LATTICE @ crossings, model.surface, rtol=0.065)


def _runs(pieces: list[np.ndarray]) -> list[chords.RunSums]:
    return [chords.run_sums(piece, 2, whole(piece)) for piece in pieces]


def test_mean_chords_are_the_share_of_a_phase_by_its_ends(boolean):
    model = boolean.model
    ends = np.array([chords.mean_chord(sums.across) for sums in _runs(boolean.pieces)])
    shares = np.array([[1 - piece.mean(), piece.mean()] for piece in boolean.pieces])
    close(shares / ends, np.full(2, model.void - model.pairs(1)))  # a chord begins where a step enters the phase
    assert model.void - model.pairs(1) == pytest.approx(model.surface / 4, rel=0.05)


def test_chords_in_noise_are_distributed_without_bias_in_short_lines():
    planes = exact.noise((4000, 12, 12), (0.7, 0.3), 3)
    sums = chords.run_sums(planes, 2, whole(planes))
    lengths = np.arange(1, 11)
    for phase, share in enumerate((0.7, 0.3)):
        for runs in (sums.down, sums.across):
            expected = (1 - share) * share ** (lengths - 1)
            counts = 4000 * 12 * (11 - lengths) * (1 - share) * expected * share
            error = expected / np.sqrt(counts) + 2e-3 * expected
            assert np.all(np.abs(chords.chord_density(runs)[phase, 1:11] - expected) < 4.5 * error)
            assert chords.mean_chord(runs)[phase] == pytest.approx(1 / (1 - share), rel=0.01)


def test_paths_of_short_lines_are_all_positions_of_the_segment():
    planes = exact.noise((2, 6, 9), (0.6, 0.4), 4)
    sums = chords.run_sums(planes, 2, whole(planes))
    for reach in range(9):
        inside = np.lib.stride_tricks.sliding_window_view(planes == 0, reach + 1, axis=2).all(axis=-1)
        assert chords.lineal_path(sums.across, sums.voxels, 8)[0, reach] == pytest.approx(inside.mean())
    with pytest.raises(ValueError, match="6 steps does not fit into 6 pixels"):
        chords.lineal_path(sums.down, sums.voxels, 6)


def test_layers_have_chords_of_their_thickness():
    planes = exact.layers((3, 40, 20), 1, (5, 3))
    sums = chords.run_sums(planes, 3, whole(planes))
    assert sums.down[0, :, 5].tolist() == [4 * 60, 60]  # the first one begins at the border
    assert sums.across[1, :, 20].tolist() == [0, 3 * 15]
    density = chords.chord_density(sums.down)
    assert density[0].argmax() == 5
    assert density[1].argmax() == 3
    np.testing.assert_allclose(chords.lineal_path(sums.across, sums.voxels, 19)[:, 19], [0.625, 0.375, 0])
    assert chords.mean_chord(sums.across)[:2].tolist() == [np.inf, np.inf]
    assert np.isnan(chords.mean_chord(sums.across)[2])


def test_interfaces_of_noise_are_those_of_independent_pixels():
    shares = (0.4, 0.3, 0.2, 0.1)
    planes = exact.noise((40, 100, 100), shares, 5)
    sums = interfaces.interface_sums(planes, 4, whole(planes))
    np.testing.assert_array_equal(sums.steps, [40 * 99 * 100] * 2 + [40 * 99 * 99] * 2)
    for (first, other), crossings in zip(combinations(shares, 2), sums.crossings / sums.steps, strict=True):
        np.testing.assert_allclose(crossings, 2 * first * other, rtol=0.02)
    for triple, points in zip(combinations(range(4), 3), sums.points / sums.vertices, strict=True):
        held = [set(square) for square in product(range(4), repeat=4)]
        chance = [np.prod([shares[phase] for phase in square]) for square in product(range(4), repeat=4)]
        expected = sum(p * {3: 1, 4: 0.5}.get(len(s), 0) for s, p in zip(held, chance, strict=True) if s >= set(triple))
        assert points == pytest.approx(expected, rel=0.02)


def test_triple_points_of_grains_are_their_corners():
    from scipy.spatial import Voronoi, cKDTree

    rng, edge = np.random.default_rng(8), 300
    seeds = rng.uniform(-40, edge + 40, (900, 2))
    phase = rng.integers(0, 3, len(seeds), dtype=np.uint8)
    pixels = np.stack(np.mgrid[:edge, :edge], axis=-1)
    planes = phase[cKDTree(seeds).query(pixels)[1]][None]
    grains = Voronoi(seeds)
    around: list[set[int]] = [set() for _ in grains.vertices]
    for seed, region in enumerate(grains.point_region):
        for corner in grains.regions[region]:
            around[corner].add(int(phase[seed]))
    inside = ((grains.vertices > 0) & (grains.vertices < edge - 1)).all(axis=1)
    corners = sum(len(around[corner]) == 3 for corner in np.flatnonzero(inside))
    sums = interfaces.interface_sums(planes, 3, whole(planes))
    assert corners > 200
    assert sums.points[0] == pytest.approx(corners, rel=0.02)
    assert interfaces.triple_line_density(sums)[0] == 2 * sums.points[0] / 299**2


@pytest.mark.parametrize(("radius", "bias", "spread"), [(4, -0.011, 0.012), (10, -0.0016, 0.003), (30, -0.0003, 0.001)])
def test_the_surface_of_a_sphere_has_the_bias_that_is_stated(radius, bias, spread):
    edge, rng = 2 * radius + 6, np.random.default_rng(6)
    weights = {1: 0.2746673, 2: 0.4437676, 3: 0.2815651}  # Lehmann & Legland's, of all 3, 6 and 4 directions
    border = sum(
        weight * (edge / (edge - 1)) ** axes for axes, weight in weights.items()
    )  # pairs are fewer than voxels
    found = []
    for _ in range(8):
        labels = exact.ball(edge, radius, (edge - 1) / 2 + rng.uniform(-0.5, 0.5)).astype(np.uint8)
        found.append(interfaces.surface_3d(labels, 2)[0] * edge**3 / border / (4 * np.pi * radius**2) - 1)
    assert np.mean(found) == pytest.approx(bias, abs=2 * spread / np.sqrt(8) + 0.001)


def test_marching_cubes_are_too_large_around_binary_voxels():
    from skimage.measure import marching_cubes, mesh_surface_area

    vertices, faces, *_ = marching_cubes(exact.ball(50, 20).astype(np.float32), 0.5)
    assert mesh_surface_area(vertices, faces) / (4 * np.pi * 20**2) == pytest.approx(1.09, abs=0.015)


def test_crossings_give_the_perimeter_that_scikit_image_gives():
    from skimage.measure import perimeter_crofton

    image = exact.spheres(0.3, 9.0).draw((1, 120, 120), 7)
    image[0, [0, -1]] = image[0, :, [0, -1]] = False
    sums = interfaces.interface_sums(image.astype(np.uint8), 2, whole(image))
    lengths = sums.crossings[0] * [1, 1, np.sqrt(0.5), np.sqrt(0.5)]
    assert np.pi / 2 * lengths.mean() == pytest.approx(perimeter_crofton(image[0], 4), rel=0.001)
    np.testing.assert_allclose(interfaces.crossings_per_length(sums)[0] * 120**2, lengths, rtol=0.02)


def test_two_phases_have_no_triple_points_and_one_has_no_interfaces():
    planes = np.zeros((1, 5, 5), np.uint8)
    sums = interfaces.interface_sums(planes, 1, whole(planes))
    assert [field.size for field in sums] == [0, 4, 0, 1]
    sums = interfaces.interface_sums(planes, 2, whole(planes))
    assert interfaces.specific_surface(sums).tolist() == [0]
    assert interfaces.triple_line_density(sums).size == 0
