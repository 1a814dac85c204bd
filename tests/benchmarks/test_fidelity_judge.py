"""The rows of the fidelity benchmark on volumes whose numbers are known."""

import math

import materials
import numpy as np
import pytest
import rows

from napari_slicegan.core.data import TrainingData

EDGE = 16
NAMES = ("a", "b")
THREE = ("a", "b", "c")


def checkerboard(edge=EDGE):
    return (np.indices((edge,) * 3).sum(axis=0) % 2).astype(np.uint8)


def layers(axis, thickness, edge=EDGE):
    return (np.indices((edge,) * 3)[axis] // thickness % 2).astype(np.uint8)


def rough(seed, size, fraction=0.4):
    """Blobs without a lattice."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(np.random.default_rng(seed).normal(size=(size,) * 3), 3, mode="wrap")
    return (smooth > np.quantile(smooth, 1 - fraction)).astype(np.uint8)


def test_a_checkerboard():
    found = rows.measure(checkerboard(), NAMES)
    assert found[rows.Key("volume fraction", "a")] == pytest.approx([0.5])
    alternating = -np.array([(-1.0) ** r for r in range(EDGE // 2)])
    for axis in "zyx":
        assert found[rows.Key("faces", f"a | b along {axis}")] == pytest.approx([1])
        assert found[rows.Key("mean chord", f"b along {axis}")] == pytest.approx([1])
        assert found[rows.Key("lineal path", f"a along {axis}")] == pytest.approx([0.5] + [0] * (EDGE // 2), abs=1e-9)
        assert found[rows.Key("S2", f"b along {axis}")] == pytest.approx(alternating, abs=1e-6)
        assert found[rows.Key("S2 at 45 degrees", f"b normal to {axis}")] == pytest.approx(np.ones(5), abs=1e-6)
    assert found[rows.Key("largest cluster", "a")] == pytest.approx([2 / EDGE**3])


@pytest.mark.parametrize("axis", range(3))
def test_layers_along_each_axis(axis):
    found = rows.measure(layers(axis, 4), NAMES)
    across, *along = sorted("zyx", key=lambda letter: letter != "zyx"[axis])
    assert found[rows.Key("faces", f"a | b along {across}")] == pytest.approx([3 / 15])
    assert found[rows.Key("lineal path", f"a along {across}")][3] == pytest.approx(2 / 13)
    assert found[rows.Key("S2", f"a along {across}")][3] == pytest.approx(-1, abs=1e-6)
    assert found[rows.Key("S2 at 45 degrees", f"a normal to {across}")] == pytest.approx(np.ones(5), abs=1e-6)
    for letter in along:
        assert found[rows.Key("faces", f"a | b along {letter}")] == [0]
        assert math.isinf(found[rows.Key("mean chord", f"a along {letter}")][0])
        assert found[rows.Key("S2", f"a along {letter}")] == pytest.approx(np.ones(EDGE // 2), abs=1e-6)
        assert found[rows.Key("S2 at 45 degrees", f"a normal to {letter}")][3] < -0.9
    assert found[rows.Key("largest cluster", "a")] == pytest.approx([0.5])


def test_a_straight_triple_line():
    block = np.zeros((EDGE,) * 3, np.uint8)
    block[:, 8:] = 1
    block[:, 8:, 8:] = 2
    found = rows.measure(block, THREE)
    assert found[rows.Key("triple lines", "a | b | c")] == pytest.approx([1 / 15**2])
    assert found[rows.Key("faces", "a | c along y")] == pytest.approx([1 / 15 / 2])
    assert {key.group for key in found} == set(rows.GROUPS) - {"diffusivity"}


def test_two_halves_of_which_one_has_a_hole():
    block = np.zeros((EDGE,) * 3, np.uint8)
    block[8:] = 1
    block[3, 3, 3] = 1
    found = rows.measure(block, NAMES)
    half = EDGE**3 / 2
    assert found[rows.Key("largest cluster", "a")] == pytest.approx([1])
    assert found[rows.Key("largest cluster", "b")] == pytest.approx([half / (half + 1)])
    assert found[rows.Key("volume fraction", "b")] == pytest.approx([(half + 1) / EDGE**3])
    assert found[rows.Key("faces", "a | b along z")] == pytest.approx([(EDGE**2 + 2) / (EDGE**2 * 15)])


def test_blocks_are_disjoint_and_whole():
    volume = np.arange(5 * 7 * 4).reshape(5, 7, 4)
    blocks = rows.blocks_of(volume, 2)
    assert {block.shape for block in blocks} == {(2, 2, 2)}
    assert len(np.unique(blocks)) == 8 * len(blocks) == 8 * 2 * 3 * 2


def test_a_row_is_a_difference_of_means_in_spreads():
    number, curve = rows.Key("faces", "number"), rows.Key("S2", "curve")
    truth = {number: np.array([[1.0], [3.0]]), curve: np.array([[0.0, 3.0], [2.0, 5.0]])}
    made = {number: np.array([[5.0], [7.0], [math.nan]]), curve: np.array([[4.0, 4.0]])}
    (first, second), notes = rows.compare(truth, made)
    assert (first.truth, first.generated, first.relative) == (2, 6, 2)
    assert first.spread == pytest.approx(math.sqrt(2))
    assert first.multiple == pytest.approx(4 / math.sqrt(2))
    assert first.scatter == pytest.approx(1)
    assert math.isnan(second.scatter)  # a single block
    # The means are (1, 4), their difference from (4, 4) is (3, 0), the deviations are sqrt(2) each.
    assert second.relative == pytest.approx(math.sqrt(9 / 17))
    assert second.multiple == pytest.approx(math.sqrt(9 / 2) / math.sqrt(2))
    assert notes == []


def test_what_the_truth_does_not_tell_is_left_out_and_what_was_lost_is_not():
    alike, lost, absent = (rows.Key("faces", name) for name in ("alike", "lost", "absent"))
    truth = {alike: np.full((3, 1), 0.1), lost: np.array([[1.0], [2.0]]), absent: np.full((3, 1), math.nan)}
    made = {alike: np.ones((1, 1)), lost: np.array([[math.inf], [math.nan]]), absent: np.ones((1, 1))}
    found, notes = rows.compare(truth, made)
    assert [(row.name, row.multiple) for row in found] == [("lost", math.inf)]
    assert [note.split(":")[0] for note in notes] == ["faces, alike", "faces, absent"]


def test_the_summary_of_rows():
    multiples = {"one": [0.5, 4.0, 3.0], "two": [2.0, math.inf]}
    some = [
        rows.Row(group, f"{group} {value}", 1, 1, 1, 1, value, scatter=value / 2)
        for group, values in multiples.items()
        for value in values
    ]
    found = rows.summary(some)
    assert (found["within_3"], found["median"], found["p90"]) == (0.6, 3, math.inf)
    assert found["scatter"] == 1.5
    assert found["worst"] == {
        "one": {"name": "one 4.0", "multiple": 4},
        "two": {"name": "two inf", "multiple": math.inf},
    }


def test_pieces_of_one_material_are_alike_and_a_random_volume_is_not():
    pieces = [rows.measure_blocks(rows.blocks_of(rough(seed, 32), EDGE), NAMES) for seed in (0, 1)]
    noise = np.random.default_rng(2).binomial(1, 0.4, (32,) * 3).astype(np.uint8)
    random = rows.measure_blocks(rows.blocks_of(noise, EDGE), NAMES)
    alike, other = (rows.summary(rows.compare(pieces[0], made)[0]) for made in (pieces[1], random))
    assert alike["within_3"] == 1
    assert alike["median"] < 0.7
    assert 0.7 < alike["scatter"] < 1.4
    assert other["p90"] > 5
    assert other["scatter"] < 0.5  # all pieces of noise are alike


@pytest.mark.parametrize(("period", "least"), [(2, 1.0), (4, 0.6)])
def test_a_checkerboard_in_a_part_of_a_volume_is_seen_at_its_period_only(period, least):
    volume = rough(0, 96)
    assert max(rows.lattice_artefacts([volume], 2).values()) < 0.1
    board = np.indices((24,) * 3) // (period // 2)
    volume[24:48, 24:48, 24:48] = board.sum(axis=0) % 2  # 1.6 % of the voxels, of which half were so before
    found = rows.lattice_artefacts([rough(1, 96), volume], 2)
    assert {name for name, value in found.items() if value > 0.1} == {f"{period} along {axis}" for axis in "zyx"}
    assert min(rows.lattice_artefacts([volume], 2)[f"{period} along {axis}"] for axis in "zyx") > least


def test_the_axis_of_a_lattice():
    volume = np.random.default_rng(0).binomial(1, 0.4, (64, 70, 64)).astype(np.uint8)  # 70 are 8 periods and a rest
    assert max(rows.lattice_artefacts([volume], 2).values()) < 0.1
    volume[:, ::8] = 1
    found = rows.lattice_artefacts([volume], 2)
    assert {name for name, value in found.items() if value > 0.5} == {f"{period} along y" for period in (2, 4, 8)}
    assert max(value for name, value in found.items() if not name.endswith("y")) < 0.1
    assert min(found.values()) >= 0


def material(is_isotropic):
    return materials.Material("material", NAMES, lambda _: None, is_isotropic)


def test_a_volume_against_one_image():
    lines = np.zeros((64, 64), np.uint8)
    lines[:, ::2] = 1
    data = TrainingData.from_labels(lines)
    stacked = materials.against_images(material(True), data, [np.stack([lines] * 64)])
    assert stacked["fraction_error"] == 0
    assert stacked["faces_error"] == pytest.approx(1 / 3)  # along one axis of three, instead of one of two
    assert stacked["anisotropy"] == math.inf
    board = materials.against_images(material(True), data, [checkerboard(64)])
    assert board["faces_error"] == pytest.approx(1)
    assert board["anisotropy"] == board["diagonals"] == pytest.approx(0)
    # S2 of the lines is 1/2 and 0 in turn across them, 1/2 along them: 1/4 is the mean error at every other distance.
    assert board["correlation_error"] == pytest.approx(33 / 2 / 33 / 4, abs=0.005)


@pytest.mark.parametrize("axis", range(3))
def test_diagonal_layers_differ_along_the_diagonals_and_not_along_the_axes(axis):
    rows_, columns = np.indices((64, 64))
    stripes = ((rows_ + columns) // 8 % 2).astype(np.uint8)  # every eighth step along one diagonal changes nothing
    volume = np.moveaxis(np.stack([stripes] * 64), 0, axis)
    found = materials.against_images(material(True), TrainingData.from_labels(stripes), [volume])
    assert found["diagonals"] == math.inf
    noise = np.random.default_rng(0).integers(0, 2, (64, 64, 64), np.uint8)
    assert materials.against_images(material(True), TrainingData.from_labels(stripes), [noise])["diagonals"] < 0.02


def test_a_volume_against_three_images_axis_by_axis():
    volume = layers(0, 4, 64) ^ layers(1, 16, 64)
    data = TrainingData.from_labels(volume[1], volume[:, 1], volume[:, :, 1])
    same = materials.against_images(material(False), data, [volume])
    assert same["fraction_error"] == same["faces_error"] == 0
    assert same["correlation_error"] < 0.02
    assert same["patterns"] < 0.001
    turned = materials.against_images(material(False), data, [volume.swapaxes(0, 1)])
    assert turned["patterns"] > 0.1
    assert turned["faces_error"] == pytest.approx(15 / 3 - 1)
    assert turned["correlation_error"] > 0.1
    empty = materials.against_images(material(False), data, [np.where(np.arange(64) < 32, volume, 0)])
    assert empty["fraction_error"] == 0.25


def test_the_material_made_by_code_has_its_fraction_and_its_mean_chord(monkeypatch):
    monkeypatch.setattr(materials, "EDGE", 96)
    for made in (materials.boolean, materials.field):
        one, other = made(0), made(1)
        assert (one != other).any()
        assert one.mean() == pytest.approx(0.4, abs=0.06)
    spheres = rows.measure(materials.boolean(0), ("matrix", "spheres"))
    # Of overlapping spheres the matrix has chords of 4 / 3 radius / -log(matrix) on average.
    assert spheres[rows.Key("mean chord", "matrix along z")][0] == pytest.approx(12 / -math.log(0.6), rel=0.15)
