"""Comparisons from end to end, on materials whose likeness is known."""

from dataclasses import replace

import numpy as np
import pytest

from napari_slicegan.core.comparison import patches, solids
from napari_slicegan.core.comparison.compare import compare
from napari_slicegan.core.comparison.config import ComparisonConfig
from napari_slicegan.core.comparison.result import Comparison, Group, Row, Verdict
from napari_slicegan.core.comparison.samples import ModelVolumes, Volume
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import ConfigError, DataError
from napari_slicegan.core.statistics.patches import PatchConfig
from tests.core.conftest import blobs

CONFIG = ComparisonConfig(slow=False, reach=8, resamples=50)
EDGE = 40


def material(seed, shape=(EDGE,) * 3, phases=2):
    return blobs(shape, phases, seed)


def micrograph(edge=160, phases=2):
    return TrainingData.from_images(blobs((3, edge, edge), phases, 9)[1], pixel_size=0.5, unit="um")


def volumes(count=4, phases=2, **changes):
    return [replace(Volume(material(seed, phases=phases), 0.5, "um", f"v{seed}"), **changes) for seed in range(count)]


def row(comparison: Comparison, key: str) -> Row:
    return next(each for each in comparison.rows if each.key == key)


@pytest.fixture(scope="module", autouse=True)
def few_patches():
    """Patches take the longest, and have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patches, "CONFIG", PatchConfig(count=128, draws=3, scales=(1, 2)))
        yield


@pytest.fixture(scope="module")
def of_the_same_material(few_patches):
    return compare(micrograph(), volumes(), CONFIG)


def test_volumes_of_the_same_material_agree(of_the_same_material):
    counts = of_the_same_material.counts
    assert counts[Verdict.AGREES] > 10
    assert counts.get(Verdict.DIFFERS, 0) <= 0.1 * len(of_the_same_material.rows)


def test_random_volumes_differ_but_for_their_fractions(of_the_same_material):
    told = [each for each in of_the_same_material.rows if each.judgement.verdict is Verdict.AGREES]
    others = [each for each in told if each.group is not Group.FRACTIONS]
    assert all(each.of_random.verdict is Verdict.DIFFERS for each in others if each.group is Group.SURFACES)
    assert np.mean([each.of_random.verdict is Verdict.DIFFERS for each in others]) > 0.6
    fraction = row(of_the_same_material, "fraction/0")
    assert fraction.random.value == pytest.approx(fraction.truth.value, abs=0.01)


def test_values_are_in_the_unit_of_the_image(of_the_same_material):
    chord, area = (row(of_the_same_material, key) for key in ("mean-chord/z/0", "surface/z/0-1"))
    assert (chord.unit, area.unit) == ("um", "1/um")
    in_pixels = compare(
        replace(micrograph(), pixel_size=1.0, unit="pixel"), volumes(voxel_size=1.0, unit="pixel"), CONFIG
    )
    assert row(in_pixels, "mean-chord/z/0").volumes.value == pytest.approx(2 * chord.volumes.value)
    assert row(in_pixels, "surface/z/0-1").volumes.value == pytest.approx(area.volumes.value / 2)
    s2 = row(of_the_same_material, "correlation/axis/z/0-0")
    np.testing.assert_allclose(s2.x, 0.5 * np.arange(9))
    np.testing.assert_allclose(row(of_the_same_material, "correlation/diagonal/z/0-0").x, 2**0.5 / 2 * np.arange(9))


def test_an_image_cannot_tell_what_only_volumes_show(of_the_same_material):
    for group in (Group.CONNECTIVITY,):
        rows = [each for each in of_the_same_material.rows if each.group is group]
        assert rows
        assert all(each.judgement.verdict is Verdict.ONLY_3D and each.truth is None for each in rows)
        assert all(each.volumes is not None for each in rows)
    assert all(
        each.judgement.verdict is Verdict.MISSING for each in of_the_same_material.rows if each.group is Group.TRANSPORT
    )


def test_a_coarser_material_differs():
    coarse = [
        replace(each, voxels=each.voxels[:20, :20, :20].repeat(2, 0).repeat(2, 1).repeat(2, 2)) for each in volumes()
    ]
    found = compare(micrograph(), coarse, CONFIG)
    assert row(found, "surface/z/0-1").judgement.verdict is Verdict.DIFFERS
    assert row(found, "mean-chord/y/1").judgement.verdict is Verdict.DIFFERS
    assert row(found, "surface/z/0-1").judgement.difference < 0


def test_stretched_volumes_differ_along_one_axis_only():
    stretched = [replace(each, voxels=each.voxels[:20].repeat(2, 0)) for each in volumes()]
    found = compare(micrograph(), stretched, CONFIG)
    assert row(found, "crossings/z/0-1").judgement.verdict is Verdict.DIFFERS
    assert row(found, "crossings/y/0-1").judgement.verdict is not Verdict.DIFFERS
    assert row(found, "crossings/x/0-1").judgement.verdict is not Verdict.DIFFERS


def test_a_volume_as_truth_tells_everything_and_its_own_spread():
    truth = Volume(material(7, (80, 80, 80)), name="truth")
    found = compare(truth, [Volume(material(seed), name=f"v{seed}") for seed in range(3)], CONFIG)
    assert found.truth_is_volume
    assert Verdict.ONLY_3D not in found.counts
    area = row(found, "surface-3d/0-1")
    assert area.truth.spread > 0
    assert area.judgement.natural == pytest.approx(abs(area.judgement.difference) / area.truth.spread)
    assert found.counts.get(Verdict.DIFFERS, 0) <= 0.1 * len(found.rows)
    assert any("pieces of 40 x 40 x 40" in note for note in found.notes)


def test_a_lone_volume_is_known_by_its_slabs():
    one = compare(micrograph(), volumes(1), CONFIG)
    s2 = row(one, "correlation/axis/z/0-0").volumes
    assert s2.uncertainty > 0
    assert np.isnan(s2.spread)
    assert not np.isnan(row(one, "fraction/1").judgement.multiple)


def test_pixels_of_different_sizes_are_brought_together():
    fine = [
        replace(each, voxels=each.voxels.repeat(2, 0).repeat(2, 1).repeat(2, 2), voxel_size=0.25) for each in volumes()
    ]
    same, finer = compare(micrograph(), volumes(), CONFIG), compare(micrograph(), fine, CONFIG)
    for key in ("mean-chord/z/0", "surface/x/0-1", "fraction/0"):
        assert row(finer, key).volumes.value == pytest.approx(row(same, key).volumes.value, rel=0.03)
    assert any("brought to the pixels of the truth" in note for note in finer.notes)
    nanometres = [replace(each, voxel_size=500, unit="nm") for each in volumes()]
    assert (
        row(compare(micrograph(), nanometres, CONFIG), "fraction/0").volumes.value
        == row(same, "fraction/0").volumes.value
    )


def test_a_coarser_volume_coarsens_the_truth():
    found = compare(micrograph(), volumes(voxel_size=1.0), CONFIG)
    assert found.voxel_size == 1.0
    assert any("brought to the volumes' voxels" in note for note in found.notes)


def test_grey_images_are_told_by_their_levels():
    def grey(array):
        return (array * 120 + 60 + np.random.default_rng(0).integers(0, 40, array.shape)).astype(np.uint8)

    image = TrainingData.from_greyscale(grey(blobs((3, 160, 160), 2, 9)[1]))
    found = compare(image, [Volume(grey(material(seed))) for seed in range(3)], CONFIG)
    assert {each.group for each in found.rows} == {
        Group.CORRELATIONS, Group.HISTOGRAMS, Group.GRADIENTS, Group.TEXTURE, Group.PATCHES
    }  # fmt: skip
    assert row(found, "mean/grey").judgement.verdict is not Verdict.DIFFERS
    brighter = compare(image, [Volume(grey(material(seed)) // 2) for seed in range(3)], CONFIG)
    assert row(brighter, "mean/grey").judgement.verdict is Verdict.DIFFERS
    assert row(brighter, "histogram/grey").judgement.verdict is Verdict.DIFFERS


def test_colours_are_told_by_channel():
    def colour(array):
        return np.stack([array * 200, array * 100, 255 - array * 50], axis=-1).astype(np.uint8)

    image = TrainingData.from_colour(colour(blobs((3, 120, 120), 2, 9)[1]))
    found = compare(image, [Volume(colour(material(seed))) for seed in range(3)], CONFIG)
    assert found.phase_names == ("red", "green", "blue")
    assert row(found, "mean/green").volumes.value == pytest.approx(50, abs=3)


def test_two_images_tell_their_own_directions():
    long = blobs((24, 96, 96), 2, 3).repeat(4, 0)  # grains that are long along z
    data = TrainingData.from_images(long[50], long[:, 40])
    pieces = [Volume(long[:48, :48, :48]), Volume(long[48:, 48:, 48:]), Volume(long[48:, :48, 48:])]
    found = compare(data, pieces, CONFIG)
    along, across = (row(found, f"crossings/{axis}/0-1").truth.value for axis in "zx")
    assert along < 0.4 * across
    assert found.counts.get(Verdict.DIFFERS, 0) <= 0.1 * len(found.rows)
    swapped = [replace(each, voxels=each.voxels.swapaxes(0, 2)) for each in pieces]
    wrong = compare(data, swapped, CONFIG)
    assert row(wrong, "crossings/z/0-1").judgement.verdict is Verdict.DIFFERS
    assert row(wrong, "crossings/x/0-1").judgement.verdict is Verdict.DIFFERS


def test_a_model_makes_its_own_volumes(model):
    image = TrainingData.from_images(np.array([0, 128, 255])[blobs((120, 120), 3, 3)], pixel_size=0.4, unit="um")
    told = []
    found = compare(
        image, ModelVolumes(model, (0, 1, 2), (32, 32, 32), "mine"), CONFIG, lambda *seen: told.append(seen)
    )
    assert found.volumes[1] == "mine, seed 1 (32 x 32 x 32)"
    assert [each["seed"] for each in found.provenance["volumes"]] == [0, 1, 2]
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0.9
    assert any("generating volume 2 of 3" in words for _, words in told)


def test_what_takes_long_runs_last_and_tells_thickness(monkeypatch):
    monkeypatch.setattr(solids, "without_transport", lambda: "Install taufactor.")
    told = []
    config = replace(CONFIG, slow=True, slow_edge=24)
    found = compare(micrograph(), volumes(3), config, lambda _, words: told.append(words))
    thickness = row(found, "thickness/1")
    assert 1 < thickness.volumes.value < 20
    assert "at most 24 voxels" in thickness.note
    assert thickness.judgement.verdict is Verdict.ONLY_3D
    assert "local thickness" in [words for words in told if "summing up" not in words][-1]


def test_progress_can_end_the_work():
    class Stop(Exception):  # noqa: N818
        pass

    def stop(fraction, _):
        if fraction > 0.3:
            raise Stop

    with pytest.raises(Stop):
        compare(micrograph(), volumes(), CONFIG, stop)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (list, "no volume"),
        (lambda: [Volume(material(0)[:10], 0.5, "um")], "at least 16"),
        (lambda: volumes(1, voxel_size=1.0, unit="pixel"), "unknown for"),
        (lambda: [*volumes(1), *volumes(1, voxel_size=1.0)], "different voxel sizes"),
        (lambda: [*volumes(1), *volumes(1, unit="pixel")], "different voxel sizes"),
        (lambda: [Volume(np.full((32, 32, 32), np.nan), 0.5, "um")], "NaN"),
        (lambda: [Volume(material(0) * 255, 0.5, "um")], "the phases of the truth are 0, 1"),
        (lambda: [Volume(material(0).astype(float), 0.5, "um")], "segment"),
        (lambda: [Volume(np.zeros((32, 32, 32, 3), np.uint8), 0.5, "um")], "in colour"),
        (lambda: [Volume(np.zeros((32, 32), np.uint8), 0.5, "um")], "axes z, y, x"),
        (lambda: volumes(1, voxel_size=0.01), "at the size of the truth's pixels"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_sentence(given, words):
    with pytest.raises(DataError, match=words):
        compare(micrograph(), given(), CONFIG)


def test_what_cannot_be_compared_is_refused_before_anything_is_measured(model):
    told = []
    with pytest.raises(DataError, match="the phases 0, 128, 255"):
        compare(micrograph(), ModelVolumes(model, (0,), (32, 32, 32)), CONFIG, lambda *seen: told.append(seen))
    with pytest.raises(DataError, match="phases of the truth"):
        compare(micrograph(), [Volume(material(0) * 9, 0.5, "um")], CONFIG, lambda *seen: told.append(seen))
    assert set(told) == {(0.0, "preparing the truth")}


def test_equal_sizes_in_other_units_are_equal():
    mixed = [*volumes(2), *[replace(each, voxel_size=500.00001, unit="nm") for each in volumes(2)]]
    assert not any("brought" in note for note in compare(micrograph(), mixed, CONFIG).notes)


def test_settings_have_limits():
    with pytest.raises(ConfigError, match="seeds"):
        ComparisonConfig(seeds=0)
    with pytest.raises(ConfigError, match="z, y and x"):
        ComparisonConfig(shape=(32, 32))
    with pytest.raises(DataError, match="shorter reach"):
        compare(micrograph(), volumes(), replace(CONFIG, reach=EDGE))


def test_a_phase_that_the_volumes_lack_leaves_the_other_rows():
    found = compare(micrograph(phases=3), [Volume(material(seed), 0.5, "um") for seed in range(3)], CONFIG)
    assert row(found, "fraction/2").volumes.value == 0
    assert row(found, "mean-chord/z/2").judgement.verdict is Verdict.MISSING
    assert "absent" in row(found, "mean-chord/z/2").note
    assert row(found, "mean-chord/z/0").volumes is not None
