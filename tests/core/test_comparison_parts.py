"""The parts of a comparison: how planes lie, what is known, how it is judged, and how volumes are brought together."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage, stats

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.comparison.judge import band, estimate, judge
from napari_slicegan.core.comparison.known import Known, between, corrected, from_boxes
from napari_slicegan.core.comparison.matching import check_size, cut, pieces, ratio, resampled, to_bytes
from napari_slicegan.core.comparison.material import Material
from napari_slicegan.core.comparison.measure import measure, together
from napari_slicegan.core.comparison.quantities import of_intensities, of_phases
from napari_slicegan.core.comparison.result import Verdict
from napari_slicegan.core.comparison.samples import Volume, read_volume
from napari_slicegan.core.comparison.sections import Sections
from napari_slicegan.core.comparison.steps import Steps
from napari_slicegan.core.comparison.sums import add, count, whole
from napari_slicegan.core.comparison.truth import Truth
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.output.formats import SUFFIXES
from napari_slicegan.core.output.streaming import stream
from napari_slicegan.core.volume.request import VolumeRequest
from tests.core.conftest import blobs


def a_material(kind=OutputKind.PHASES, phases=2, reach=5):
    rows = of_phases("abcdefgh"[:phases], reach) if kind is OutputKind.PHASES else of_intensities(["grey"], reach)
    return Material(kind, phases if kind is OutputKind.PHASES else 0, reach, tuple(rows), 60)


def silent(_):
    pass


def totals(material, sections):
    return [add(boxes) for boxes in material.count_boxes(sections, silent)]


def known(value, error, **more):
    return Known(np.asarray(value, float), np.asarray(error, float), float(np.mean(error)), **more)


@pytest.mark.parametrize("axis", range(3))
def test_layers_of_a_volume_are_crossed_along_their_normal_only(axis):
    layers = np.moveaxis(np.zeros((12, 10, 8), np.uint8), 0, axis)
    np.moveaxis(layers, axis, 0)[::2] = 1
    sections = Sections.of_volume(np.ascontiguousarray(layers))
    material = a_material(reach=3)
    values = material.values(sections.layout, totals(material, sections))
    crossed = [float(values[f"crossings/{letter}/0-1"]) for letter in "zyx"]
    assert crossed == [float(number == axis) for number in range(3)]
    s2 = values[f"correlation/axis/{'zyx'[axis]}/1-1"]
    np.testing.assert_allclose(s2, [0.5, 0, 0.5, 0], atol=0.05)


@pytest.mark.parametrize("count_of_images", [2, 3])
def test_images_of_layers_tell_the_same_as_their_volume(count_of_images):
    layers = np.zeros((24, 24, 24), np.uint8)
    layers[::2] = 1  # normal to z
    planes = {2: (blobs((24, 24)), layers[:, 3]), 3: (blobs((24, 24)), layers[:, 3], layers[:, :, 3])}[count_of_images]
    data = TrainingData.from_images(*planes)
    sections, material = Sections.of_images(data), a_material(reach=3)
    values = material.values(sections.layout, totals(material, sections))
    assert float(values["crossings/z/0-1"]) == 1
    assert 0 < float(values["crossings/x/0-1"]) < 0.5  # half of it from the plane normal to z


def test_a_special_axis_across_the_rows_is_found_there():
    layers = np.zeros((24, 24, 24), np.uint8)
    layers[:, :, ::2] = 1  # normal to x
    data = TrainingData.from_images(blobs((24, 24)), layers[3].T, axis="x")  # the side view has x down its rows
    sections, material = Sections.of_images(data), a_material(reach=3)
    values = material.values(sections.layout, totals(material, sections))
    assert float(values["crossings/x/0-1"]) == 1


@pytest.mark.parametrize("kind", [OutputKind.PHASES, OutputKind.GREY])
def test_boxes_add_up_to_the_whole(kind):
    image = blobs((50, 70), 3) if kind is OutputKind.PHASES else blobs((50, 70), 8) * 30
    data = TrainingData.from_images(image, kind=kind)
    material, sections = a_material(kind, 3), Sections.of_images(data)
    (boxes,) = material.count_boxes(sections, silent)
    assert len(boxes) > 4
    total = add(boxes)
    for name, expected in count(data.sources[0], kind, material.phases, whole(data.sources[0]), 5).items():
        np.testing.assert_allclose(total[name], expected, rtol=1e-5, atol=1e-3, err_msg=name)


def test_boxes_tell_the_scatter_of_a_sample_that_forgets():
    rng = np.random.default_rng(0)
    noise = [TrainingData.from_images((rng.random((96, 96)) < 0.3).astype(np.uint8)) for _ in range(16)]
    material = a_material()
    found = []
    for data in noise:
        sections = Sections.of_images(data)
        found.append(from_boxes(material, sections.layout, material.count_boxes(sections, silent), silent))
    for key in ("fraction/1", "crossings/z/0-1", "mean-chord/x/0"):
        scatter = np.std([float(each[key].value) for each in found], ddof=1)
        assert np.median([float(each[key].error) for each in found]) == pytest.approx(scatter, rel=0.5), key


def test_what_never_happened_is_not_known_to_be_impossible():
    image = np.zeros((64, 64), np.uint8)
    image[:, ::8], image[:, 4::8] = 1, 2  # 1 and 2 never meet
    sections, material = Sections.of_images(TrainingData.from_images(image)), a_material(phases=3)
    found = from_boxes(material, sections.layout, material.count_boxes(sections, silent), silent)
    meeting = found["crossings/z/1-2"]
    assert meeting.value == 0
    assert 0 < meeting.error < 0.001


def test_volumes_tell_their_error_from_their_spread():
    found = between([np.asarray(value) for value in (1.0, 2.0, 3.0, 4.0)])
    assert found.value == 2.5
    assert found.spread == pytest.approx(np.std([1, 2, 3, 4], ddof=1))
    expected = found.spread / 2 * stats.t.ppf(0.975, 3) / stats.norm.ppf(0.975)
    assert found.mean_error == pytest.approx(expected)
    assert math.isnan(between([np.asarray(1.0)]).mean_error)


def test_known_fractions_correct_all_errors():
    rows = tuple(of_phases("ab", 4))
    before = {
        row.key: known(np.full(row.x.size or 1, 0.5).squeeze(), np.full(row.x.size or 1, 0.01).squeeze())
        for row in rows
    }
    levels = {f"fraction/{phase}": known(0.5, 0.03, interval=(0.44, 0.56)) for phase in range(2)}
    after = corrected(before, levels, rows)
    assert after["fraction/0"].interval == (0.44, 0.56)
    assert after["surface/z/0-1"].mean_error == pytest.approx(0.03)
    fewer = corrected(before, {key: replace(each, mean_error=0.001) for key, each in levels.items()}, rows)
    assert fewer["surface/z/0-1"].mean_error == pytest.approx(0.01)  # never smaller


def test_s2_is_not_known_better_than_the_fractions_that_it_ends_at():
    rows = tuple(of_phases("ab", 4))
    before = {
        row.key: known(np.full(row.x.size or 1, 0.2).squeeze(), np.zeros(row.x.size or 1).squeeze()) for row in rows
    }
    levels = {f"fraction/{phase}": known(value, 0.02) for phase, value in enumerate((0.2, 0.8))}
    after = corrected(before, levels, rows)
    np.testing.assert_allclose(after["correlation/axis/z/0-0"].error, 0.02)  # S2 = f, as at distance 0
    assert after["correlation/axis/z/0-1"].mean_error == 0
    long = dict(before) | {"correlation/axis/z/0-0": known(np.full(5, 0.04), np.zeros(5))}  # f^2, as far away
    np.testing.assert_allclose(corrected(long, levels, rows)["correlation/axis/z/0-0"].error, 2 * 0.2 * 0.02)


def test_the_band_of_what_cannot_be_negative_is_not():
    low, high = band(known([1.0, 1.0, 0.0], [0.1, 2.0, 0.5]), is_positive=True)
    assert low[0] * high[0] == pytest.approx(1)
    assert high[0] - 1 > 1 - low[0]
    assert 0 < low[1] < 0.1
    assert (low[2], high[2]) == (0, pytest.approx(1.5 * 1.96 * 0.5, rel=1e-3))
    low, _ = band(known([0.0], [0.5]), is_positive=False)
    assert low[0] < 0


@pytest.mark.parametrize(
    ("truth", "other", "verdict"),
    [
        ((1.0, 0.05), (1.05, 0.02), Verdict.AGREES),
        ((1.0, 0.05), (1.3, 0.02), Verdict.DIFFERS),
        ((1.0, 0.05), (0.7, 0.02), Verdict.DIFFERS),
        ((1.0, 0.05), (1.3, 0.3), Verdict.AGREES),  # the volumes are not known well enough to blame them
        ((1.0, 0.2), (1.05, 0.02), Verdict.TOO_SMALL),
        ((1.0, 0.2), (3.0, 0.02), Verdict.DIFFERS),
        ((1.0, math.nan), (3.0, 0.02), Verdict.TOO_SMALL),
        ((1.0, 0.05), (1.05, math.nan), Verdict.TOO_SMALL),  # nobody knows how the volumes vary
        ((0.0, 0.0), (0.0, 0.0), Verdict.AGREES),
        ((0.0, 0.0), (0.1, 0.0), Verdict.DIFFERS),
    ],
)
def test_verdicts(truth, other, verdict):
    assert judge(known(*truth), known(*other), is_positive=True).verdict is verdict


def test_an_unreliable_truth_never_judges():
    assert judge(known(1, 0.01), known(9, 0.01), True, is_reliable=False).verdict is Verdict.TOO_SMALL


def test_a_lone_volume_varies_as_pieces_of_the_truth_do():
    truth, lone = known(1.0, 0.02, scatter=np.asarray(0.1)), known(1.1, math.nan)
    found = judge(truth, lone, is_positive=False)
    assert found.multiple == pytest.approx(0.1 / math.hypot(0.02, 0.1))
    assert found.verdict is Verdict.AGREES


def test_a_lone_volume_knows_its_fraction_as_well_as_several_say():
    material = a_material()
    noise = [ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(40,) * 3), 2) for seed in range(16)]
    found = [
        together([measure((each > 0).astype(np.uint8), material, 16, True, silent)], material, [], silent)
        for each in noise
    ]
    scatter = np.std([float(each["fraction/1"].value) for each in found], ddof=1)
    stated = np.median([each["fraction/1"].mean_error for each in found])
    assert 0.7 * scatter < stated < 1.6 * scatter


def test_curves_are_judged_by_root_mean_squares():
    x = np.linspace(1, 0, 11)
    found = judge(known(x, np.full(11, 0.02)), known(x + 0.03, np.full(11, 0.02)), is_positive=False)
    assert found.difference == pytest.approx(0.03)
    assert found.multiple == pytest.approx(0.03 / math.hypot(0.02, 0.02))
    truth = known(x, np.full(11, 0.02), scatter=np.full(11, 0.06))
    natural = judge(truth, known(x + 0.03, np.full(11, 0.02)), False)
    assert natural.natural == pytest.approx(0.5)


def test_estimates_are_in_physical_units():
    found = estimate(known([2.0, 4.0], [0.1, 0.1]), True, 0.5)
    assert found.value == 1.5
    assert found.interval[0] < 1.5 < found.interval[1]
    np.testing.assert_allclose(found.curve, [1, 2])
    assert estimate(known(2.0, 0.1, spread=0.4), True, 0.5).spread == pytest.approx(0.2)


def test_pieces_fill_the_middle_and_do_not_overlap():
    volume = np.arange(7 * 4 * 5).reshape(7, 4, 5)
    found = pieces(volume, (3, 2, 2))
    assert len(found) == 2 * 2 * 2
    assert len(set(np.concatenate([each.ravel() for each in found]))) == 8 * 12
    assert found[0][0, 0, 0] == volume[0, 0, 0]
    assert cut(Volume(volume), (3, 9, 3)).voxels.tolist() == volume[2:5, :, 1:4].tolist()


def test_nearest_voxels_are_taken():
    array = np.arange(10)[:, None] + np.zeros((10, 3), int)
    assert resampled(array, 2.5, [0])[:, 0].tolist() == [0, 2, 5, 8]
    assert resampled(array, 1, [0, 1]).tolist() == array.tolist()


def test_sizes_are_compared_in_any_unit():
    data = TrainingData.from_images(blobs((32, 32)), pixel_size=0.4, unit="um")
    assert ratio(data, Volume(None, 800, "nm")) == pytest.approx(2)
    assert ratio(data, Volume(None, 0.4000001, "um")) == 1
    with pytest.raises(DataError, match="unknown for v"):
        ratio(data, Volume(None, name="v"))


def test_labels_become_the_indices_of_the_truth():
    data = TrainingData.from_images(np.array([[7, 9], [9, 200]] * 20))
    found = to_bytes(Volume(np.array([[[9, 200, 7]]])), data)
    assert found.tolist() == [[[1, 2, 0]]]
    with pytest.raises(DataError, match="8 bits"):
        to_bytes(
            Volume(np.zeros((3, 3, 3), np.uint16)),
            TrainingData.from_greyscale(np.arange(90).reshape(9, 10).astype("u1")),
        )
    with pytest.raises(DataError, match="at least 16"):
        check_size(Volume(np.zeros((20, 20, 15))))


def test_only_the_middle_of_a_huge_truth_is_read():
    class Lazy:
        shape = (10**4, 10**4, 10**4)

        def __getitem__(self, part):
            return blobs([each.stop - each.start for each in part])

    truth = Truth.of(Volume(Lazy(), 0.4, "um", "huge"), 20)
    assert truth.voxels.shape == (20, 20, 20)
    assert "middle 20 x 20 x 20" in truth.notes[0]


def test_steps_of_known_weights_never_go_back():
    told = []
    steps = Steps(4, lambda fraction, words: told.append((fraction, words)))
    first = steps.part(1, "one")
    first(0.5)
    steps.part(3, "two")(1.0)
    assert told == [(0, "one"), (0.125, "one"), (0.25, "two"), (1, "two")]


@pytest.mark.parametrize("suffix", [end for end in SUFFIXES if end != ".vti"] + [".vti"])
def test_what_was_written_is_read_with_its_voxel_size(suffix, model, tmp_path):
    path = tmp_path / f"volume{suffix}"
    stream(model, VolumeRequest((18, 17, 16), 3), path)
    found = read_volume(path)
    np.testing.assert_array_equal(np.asarray(found.voxels[:]), model.generate((18, 17, 16), 3))
    known_size = suffix != ".npy"
    assert (found.voxel_size, found.unit) == ((pytest.approx(0.4), "um") if known_size else (1.0, "pixel"))
    assert found.name == path.name


@pytest.mark.parametrize("suffix", [".ome.zarr", ".tif", ".raw", ".vti"])
def test_voxels_of_several_pixels_stay_so_large_where_no_pixel_size_is_known(suffix, model, tmp_path):
    """Those of a model of images that were shrunk."""
    model.info = replace(model.info, voxel_size=4.0, unit="pixel")
    stream(model, VolumeRequest((18, 17, 16), 3), tmp_path / f"volume{suffix}")
    found = read_volume(tmp_path / f"volume{suffix}")
    assert (found.voxel_size, found.unit) == (4.0, "pixel")


def test_what_is_no_volume_is_refused(tmp_path):
    (tmp_path / "folder.ome.zarr").mkdir()
    with pytest.raises(DataError, match="cannot be read as"):
        read_volume(tmp_path / "folder.ome.zarr")
    np.save(tmp_path / "image.npy", blobs((20, 20)))
    with pytest.raises(DataError, match="2D image"):
        read_volume(tmp_path / "image.npy")
