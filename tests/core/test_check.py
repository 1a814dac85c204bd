"""What a check says of images whose faults are known."""

import io
import json
import math

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from napari_slicegan.core import synthetic
from napari_slicegan.core.check.border import border_findings
from napari_slicegan.core.check.checks import check
from napari_slicegan.core.check.result import Crop, Severity, Shrink, Snap, Structure, Topic
from napari_slicegan.core.check.structure import Frame, structure_findings
from napari_slicegan.core.check.values import snap
from napari_slicegan.core.check.words import Ruler, as_text, crop_text, digits, percent
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError

EDGE = 64


def field(shape, sigma=3.0, seed=0) -> np.ndarray:
    """A smooth random field of standard deviation 1."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), sigma, mode="wrap")
    return noise / noise.std()


def two_phases(shape=(256, 256), sigma=3.0, seed=0) -> np.ndarray:
    return (field(shape, sigma, seed) > 0.3).astype(np.uint8)


def grey(shape=(256, 256), sigma=3.0, seed=0) -> np.ndarray:
    return np.clip(128 + 40 * field(shape, sigma, seed), 1, 254).astype(np.uint8)


def found(*images, edge=EDGE, **details):
    return check(TrainingData.from_images(*images, **details), edge)


def finding(topic, *images, **details):
    """The only finding of a topic, or None."""
    findings = [item for item in found(*images, **details).findings if item.topic is topic]
    assert len(findings) <= 1
    return findings[0] if findings else None


@pytest.mark.parametrize("name", ["cathode", "polycrystal"])
def test_the_packages_own_isotropic_images_raise_no_alarm(name):
    (file,) = synthetic.micrographs(name)
    assert [item for item in found(file.array).findings if item.severity is not Severity.NOTE] == []


def test_phases_have_fractions_with_uncertainty_and_the_image_that_would_do():
    result = check(TrainingData.from_labels(two_phases(), pixel_size=0.5, unit="um"), EDGE, 0.05)
    first, second = result.phases
    assert first.fraction + second.fraction == pytest.approx(1)
    assert second.fraction == pytest.approx(0.382, abs=3 * second.uncertainty)
    assert 0.005 < first.uncertainty == second.uncertainty < 0.05
    assert second.interval == pytest.approx((1 - first.interval[1], 1 - first.interval[0]))
    assert result.needed_edge == second.needed_edge > 256
    (note,) = result.findings
    edge = int(np.ceil(result.needed_edge))
    assert f"{edge} x {edge} pixels ({edge * 0.5:.3g} x {edge * 0.5:.3g} µm)" in note.sentence
    assert note.severity is Severity.NOTE
    assert check(TrainingData.from_labels(two_phases()), EDGE, 0.5).findings == ()


def test_no_uncertainty_is_told_that_the_image_does_not_know():
    halves = np.zeros((200, 200), np.uint8)
    halves[:, 100:] = 1
    few = np.zeros((256, 256), np.uint8)
    few[30:36, 40:46] = few[200:206, 90:96] = 1  # needs a larger image, of a known size
    for image, needed in ((halves, False), (few, True)):
        result = found(image)
        facts = result.to_dict()
        assert [share["uncertainty"] for share in facts["phases"]] == [None, None]
        assert [share["interval"] for share in facts["phases"]] == [[None, None]] * 2
        assert as_text(result).count("% (uncertainty cannot be told from this image)") == 2
        assert (facts["needed_edge"] is not None) == needed
        (item,) = [item for item in result.findings if item.topic is Topic.FRACTION]
        assert item.severity is Severity.WARNING
        assert "nan" not in as_text(result)
        assert ("cannot be told from this image (0.11 % here)" in item.sentence) == needed


def test_the_worst_known_phase_counts_and_not_the_rarest():
    fine, coarse = field((400, 400), 1.0, 1) > 1.1, field((400, 400), 14.0, 2) > 0.9
    image = np.where(coarse, 2, np.where(fine, 1, 0)).astype(np.uint8)
    result = found(image)
    rare, worst = result.phases[1:]
    assert rare.fraction < worst.fraction
    assert result.needed_edge == worst.needed_edge > 2 * rare.needed_edge
    (item,) = [item for item in result.findings if item.topic is Topic.FRACTION]
    assert "fraction of phase 2" in item.sentence
    assert "image needed for phase 2" in as_text(result)


def test_the_needed_image_shrinks_with_a_larger_target_error():
    data = TrainingData.from_labels(two_phases())
    assert check(data, EDGE, 0.05).needed_edge == pytest.approx(4 * check(data, EDGE, 0.2).needed_edge)


@pytest.mark.parametrize("radius", [6, 12])
def test_the_size_of_disks_is_eight_tenths_of_their_diameter(radius):
    rng = np.random.default_rng(1)
    seeds = np.ones((512, 512), bool)
    seeds[tuple(rng.integers(0, 512, (2, int(0.5 * 512**2 / (np.pi * radius**2)))))] = False
    disks = ndimage.distance_transform_edt(seeds) <= radius
    structure = found(disks.astype(np.uint8)).structure
    assert structure.size == pytest.approx(1.6 * radius, rel=0.08)
    assert structure.is_bounded


def test_structures_too_large_for_a_crop_are_to_be_shrunk():
    result = found(two_phases((512, 512), sigma=18))
    (item,) = [item for item in result.findings if item.topic is Topic.STRUCTURE]
    assert item.severity is Severity.WARNING
    assert result.recommended_edge == pytest.approx(2 * result.structure.size, abs=1)
    assert result.scale == pytest.approx(EDGE / result.recommended_edge)
    times = math.ceil(1 / result.scale)
    words = f"shrink the image by a factor of {times}, or train with crops of {result.recommended_edge} pixels."
    assert words in item.sentence
    assert item.offer == Shrink(times)
    assert f"(--shrink {times})" in as_text(result)
    assert finding(Topic.STRUCTURE, two_phases((512, 512), sigma=18), edge=160) is None
    small = finding(Topic.STRUCTURE, two_phases((512, 512), sigma=11), edge=32)
    assert small.sentence.endswith("or choose the preset 'large'.")


def test_a_crop_of_a_shrunk_image_shows_more():
    data = TrainingData.from_labels(two_phases((512, 512), sigma=18))
    plain, less, enough = (check(data, EDGE, shrink=times) for times in (1, 2, 3))
    assert [each.edge for each in (plain, less, enough)] == [EDGE, 2 * EDGE, 3 * EDGE]
    assert plain.structure == less.structure == enough.structure
    assert enough.scale == 1
    tight = check(data, 16, shrink=2)
    (item,) = [item for item in tight.findings if item.topic is Topic.STRUCTURE]
    times = math.ceil(tight.recommended_edge / 16)  # of the image as it is, not of the shrunk one
    assert item.offer == Shrink(times)
    assert check(data, 16, shrink=times).scale == 1
    assert "of the shrunk image" in tight.findings[0].sentence
    assert "training crops have 32 (16 shrunk ones)" in crop_text(tight)
    with pytest.raises(DataError, match="512 x 512 pixels is smaller than the 960 x 960"):
        check(data, 64, shrink=15)
    for times in (0, 17):
        with pytest.raises(DataError, match="give a whole number from 1 to 16"):
            check(data, 32, shrink=times)


def test_what_is_lost_by_shrinking_is_told():
    image = np.kron(two_phases((128, 128), sigma=9), np.ones((4, 4), np.uint8))
    image[100] = 2
    data = TrainingData.from_labels(image, phase_names=("pore", "grain", "film"))
    (told,) = [item for item in check(data, 32).findings if item.topic is Topic.STRUCTURE]
    assert told.offer is None  # the film would be lost
    assert "shrink" not in told.sentence
    problem = check(data, 32, shrink=5).findings[0]
    assert problem.severity is Severity.PROBLEM
    assert "Nothing is left of film when the images are shrunk by a factor of 5" in problem.sentence
    image[100], image[300:303] = 0, 2
    image[400, :300] = 2
    (warning,) = [
        item for item in check(TrainingData.from_labels(image), 32, shrink=3).findings if "Shrinking" in item.sentence
    ]
    assert "of phase 2, which is thin in places" in warning.sentence


def test_a_shrunk_image_may_have_too_many_structures_or_long_ones():
    fine = TrainingData.from_labels(two_phases((512, 512), sigma=1.5))
    (item,) = [item for item in check(fine, 32, shrink=8).findings if item.topic is Topic.STRUCTURE]
    assert "shrinking the image less gives smoother shapes" in item.sentence
    long = Structure(120, 30, True)
    (note,) = structure_findings(long, Frame(64, 500, shrink=2), Ruler())
    assert note.sentence.endswith("and makes them longer with the preset 'large'.")


def test_what_the_smallest_part_cannot_hold_is_not_offered():
    data = TrainingData.from_labels(two_phases((512, 512), sigma=11))
    offers = [check(data, 32, smallest=smallest).findings[0].offer for smallest in (512, 60)]
    assert offers == [Shrink(2), None]


@pytest.mark.parametrize("noise", [15, 30])
def test_noise_of_single_pixels_makes_structures_no_smaller(noise):
    rng = np.random.default_rng(0)
    clean = np.where(two_phases((512, 512), sigma=10) > 0, 160, 100)
    sizes = [
        check(TrainingData.from_images(np.clip(image, 0, 255).astype(np.uint8), kind="grey"), EDGE).structure.size
        for image in (clean, clean + rng.normal(0, noise, clean.shape))
    ]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.05)


@pytest.mark.parametrize(("part", "told"), [(2.1, ", enough"), (1.8, ", nearly enough"), (1.2, "")])
def test_the_line_of_the_crop_says_whether_it_will_do(part, told):
    result = found(two_phases((512, 512), sigma=18))
    edge = round(part * result.structure.size)
    text = crop_text(check(TrainingData.from_labels(two_phases((512, 512), sigma=18)), edge))
    assert text == f"crop that shows two of them: {result.recommended_edge} pixels; training crops have {edge}{told}"


def test_an_image_of_few_structures_is_too_small_to_shrink():
    item = finding(Topic.STRUCTURE, two_phases((100, 100), sigma=30))
    assert "use a larger one" in item.sentence


def test_structures_that_run_through_a_crop_are_no_fault():
    fibres = (field((256, 256), (60.0, 2.0)) > 0).astype(np.uint8)
    item = finding(Topic.STRUCTURE, fibres)
    assert item.severity is Severity.NOTE
    assert "long up and down, and run through" in item.sentence
    assert item.sentence.endswith("where they end.")
    small = finding(Topic.STRUCTURE, fibres, edge=32)
    assert small.sentence.endswith("where they end, and makes them longer with the preset 'large'.")
    assert found(fibres).scale == 1


@pytest.mark.parametrize(
    ("rows", "columns", "severity", "words"),
    [
        (15, 60, Severity.NOTE, "60 pixels long left and right, and run through"),
        (150, 50, Severity.WARNING, "shrink the image by a factor of 5"),  # too thick to run through
        (490, 44, Severity.WARNING, ": train with crops of 980 pixels"),  # shrinking would leave less than 3 pixels
    ],
)
def test_advice_on_structures_depends_on_their_thickness(rows, columns, severity, words):
    (item,) = structure_findings(Structure(rows, columns, True), Frame(EDGE, 2000), Ruler())
    assert item.severity is severity
    assert words in item.sentence


def test_noise_has_no_structure():
    noise = np.random.default_rng(0).integers(0, 256, (128, 128)).astype(np.uint8)
    assert found(noise).findings[0].topic is Topic.STRUCTURE
    assert found(noise).findings[0].severity is Severity.PROBLEM


def test_stretched_structures_look_anisotropic():
    stretched = (field((256, 256), (4.0, 3.0)) > 0).astype(np.uint8)
    item = finding(Topic.DIRECTIONS, stretched)
    assert item.numbers["ratio"] == pytest.approx(4 / 3, rel=0.1)
    assert "more often left and right than up and down" in item.sentence
    assert "more often up and down" in finding(Topic.DIRECTIONS, stretched.T).sentence
    brightness = np.clip(128 + 40 * field((256, 256), (4.0, 3.0)), 0, 255).astype(np.uint8)
    lamellae = np.random.default_rng(0).integers(0, 2, (256, 1)).repeat(256, axis=1).astype(np.uint8)
    assert "differ in phase only up and down" in finding(Topic.DIRECTIONS, lamellae).sentence
    assert "differ in brightness" in finding(Topic.DIRECTIONS, brightness).sentence


def test_isotropic_images_hardly_ever_look_anisotropic_or_drifting():
    images = [two_phases((192, 192), 2.0, seed) for seed in range(20)] + [grey((192, 192), 2.0, s) for s in range(20)]
    topics = [item.topic for image in images for item in found(image).findings]
    assert topics.count(Topic.DIRECTIONS) + topics.count(Topic.DRIFT) <= 1


def test_side_views_may_be_anisotropic():
    across, side = two_phases(), (field((256, 256), (6.0, 3.0)) > 0.3).astype(np.uint8)
    assert finding(Topic.DIRECTIONS, across, side) is None
    assert "Give three images" in finding(Topic.DIRECTIONS, side, across).sentence
    assert finding(Topic.DIRECTIONS, side, across, side) is None


def test_a_gradient_of_the_fraction_is_a_drift():
    slope = np.linspace(-0.6, 0.6, 256)[:, None]
    image = (field((256, 256)) + slope > 0).astype(np.uint8)
    item = finding(Topic.DRIFT, image)
    assert item.numbers["low"] < 0.4 < 0.6 < item.numbers["high"]
    assert finding(Topic.DRIFT, (field((256, 256)) > 0).astype(np.uint8)) is None


def test_uneven_illumination_is_a_drift():
    y, x = np.meshgrid(np.linspace(-1, 1, 256), np.linspace(-1, 1, 256), indexing="ij")
    bright = np.clip(140 + 30 * field((256, 256)) - 30 * (y * y + x * x), 0, 255).astype(np.uint8)
    assert "brightness drifts" in finding(Topic.DRIFT, bright).sentence
    assert finding(Topic.DRIFT, grey()) is None


@pytest.mark.parametrize("slope", [1.2, 2.0])
def test_a_strong_drift_is_told_as_such_and_not_as_a_large_structure(slope):
    y, x = np.meshgrid(np.linspace(-1, 1, 512), np.linspace(-1, 1, 512), indexing="ij")
    material = field((512, 512), 2.5)
    flat = found((material > 0).astype(np.uint8)).structure.size
    images = [material + slope * y > 0, material + slope * (x * x + y * y - 0.6) > 0]
    images = [image.astype(np.uint8)[64:-64] for image in images]
    for image in [*images, np.clip(128 + 30 * (material + slope * y), 0, 255).astype(np.uint8)]:
        result = found(image)
        assert {item.topic for item in result.findings} == {Topic.DRIFT}
        assert result.structure.size == pytest.approx(flat, rel=0.3)
        assert np.isnan(result.needed_edge)
        numbers = result.findings[0].numbers
        assert not result.phases or 0 <= numbers["low"] < numbers["high"] <= 1


@pytest.mark.parametrize("share", [0.002, 0.12])
def test_salt_and_pepper_is_speckle(share):
    image = two_phases()
    assert finding(Topic.SPECKLE, image) is None
    noisy = image ^ (np.random.default_rng(0).random(image.shape) < share)
    item = finding(Topic.SPECKLE, noisy.astype(np.uint8))
    assert 0.3 * share < item.numbers["share"] < 1.1 * share


def test_small_sections_of_all_sizes_are_no_speckle():
    (cathode,) = synthetic.micrographs("cathode")  # its binder is in more than a hundred thin sections
    assert finding(Topic.SPECKLE, cathode.array) is None


def as_jpeg(image, quality=75) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def test_labels_saved_as_jpeg_are_snapped_back():
    (cathode,) = synthetic.micrographs("cathode")
    image = as_jpeg(np.array([0, 127, 255], np.uint8)[cathode.array])
    item = finding(Topic.VALUES, image)
    assert item.offer == Snap(0, ((0.0,), (127.0,), (255.0,)))
    assert np.mean(snap(image, item.offer.values) != cathode.array) < 1e-3


def test_resized_labels_get_no_rim_of_the_phase_between():
    (cathode,) = synthetic.micrographs("cathode")
    labels = np.array([0.0, 1.0, 0.5])[cathode.array]  # the binder lies between pore and particle in value
    image = ndimage.zoom(labels, 1.5, order=1).astype(np.float32)
    item = finding(Topic.VALUES, image)
    original = check(TrainingData.from_images(image), EDGE, 0.05, [image]).findings
    (offer,) = [item.offer for item in original if item.topic is Topic.VALUES]
    assert offer.values == pytest.approx(np.array([[0.0], [0.5], [1.0]]), abs=0.01)
    assert item.offer.values == pytest.approx(np.array([[0.0], [127.5], [255.0]]), abs=1)
    snapped = snap(image, offer.values)
    binder = ndimage.zoom(labels == 0.5, 1.5, order=0)
    far = ndimage.binary_dilation(binder, iterations=4) == 0
    plain = np.digitize(image, [0.25, 0.75])
    assert np.count_nonzero((plain == 1) & far) > 1000
    assert np.count_nonzero((snapped == 1) & far) < 20


@pytest.mark.parametrize(("values", "zoom"), [((0, 7), 1.5), ((0, 5, 7), 2), ((0, 3), 3), ((0, 2), 0.8)])
def test_resized_labels_of_few_values_are_no_phases(values, zoom):
    (cathode,) = synthetic.micrographs("cathode")
    clean = np.array([*values, *values[1:]])[cathode.array[:200, :200]]
    image = np.rint(ndimage.zoom(clean.astype(np.float64), zoom, order=1)).astype(np.uint8)
    assert len(np.unique(image)) > len(values)
    item = finding(Topic.VALUES, image)
    assert item.offer == Snap(0, tuple((float(value),) for value in values))
    snapped = np.array(values)[snap(image, item.offer.values)]
    assert np.mean(snapped == ndimage.zoom(clean, zoom, order=0)) > 0.96
    assert finding(Topic.VALUES, clean.astype(np.uint8)) is None


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2)])
def test_a_thin_phase_between_two_others_is_a_phase(order):
    (cathode,) = synthetic.micrographs("cathode")
    assert finding(Topic.VALUES, np.array(order, np.uint8)[cathode.array]) is None
    coated = np.digitize(field((256, 256), 6.0), [0.0, 0.5]).astype(np.uint8)  # the second only between the others
    assert finding(Topic.VALUES, coated) is None


def test_values_that_only_interfaces_have_are_no_phases():
    image = np.asarray(Image.fromarray(255 * two_phases()).resize((512, 512), Image.Resampling.BICUBIC))
    assert len(np.unique(image)) > 20
    assert finding(Topic.VALUES, image).offer.values == ((0.0,), (255.0,))


def test_phases_stored_as_colours_are_told_apart():
    colours = np.array([(31, 46, 77), (240, 181, 63), (86, 160, 196)], np.uint8)
    (cathode,) = synthetic.micrographs("cathode")
    item = finding(Topic.VALUES, colours[cathode.array])
    assert len(item.offer.values) == 3
    assert "colours" in item.sentence
    order = [item.offer.values.index(tuple(map(float, colour))) for colour in colours]
    assert np.array_equal(snap(colours[cathode.array], item.offer.values), np.array(order)[cathode.array])


def test_grey_levels_in_separate_groups_want_segmentation():
    rng = np.random.default_rng(0)
    image = np.clip(np.array([70, 180])[two_phases()] + rng.normal(0, 15, (256, 256)), 0, 255).astype(np.uint8)
    item = finding(Topic.SEGMENTATION, image)
    assert item.severity is Severity.NOTE
    assert "2 groups, around" in item.sentence
    assert item.numbers["group 0"] == pytest.approx(70, abs=6)
    assert item.numbers["group 1"] == pytest.approx(180, abs=6)
    assert finding(Topic.VALUES, image) is None
    assert finding(Topic.SEGMENTATION, grey()) is None
    assert finding(Topic.VALUES, grey()) is None
    (polycrystal,) = synthetic.micrographs("polycrystal")
    assert finding(Topic.SEGMENTATION, polycrystal.array) is None


def test_a_data_bar_is_cut_off():
    bar = np.zeros((30, 256), np.uint8)
    bar[8:20, 10:120:4] = 255  # as text
    item = finding(Topic.BORDER, np.vstack([grey(), bar]))
    assert isinstance(item.offer, Crop)
    assert (item.offer.top, item.offer.left, item.offer.right) == (0, 0, 256)
    assert 248 <= item.offer.bottom <= 256
    top = finding(Topic.BORDER, np.vstack([bar, grey()])).offer
    assert (top.left, top.bottom, top.right) == (0, 286, 256)
    assert 30 <= top.top <= 38
    assert finding(Topic.BORDER, np.vstack([two_phases(), bar // 255])).offer == Crop(0, 0, 0, 256, 256)
    assert finding(Topic.BORDER, grey()) is None


def test_all_else_is_told_without_the_data_bar():
    clean, bar = found(grey()), found(np.vstack([grey(), np.zeros((40, 256), np.uint8)]))
    assert [item.topic for item in bar.findings] == [Topic.BORDER, *(item.topic for item in clean.findings)]
    assert bar.structure.size == pytest.approx(clean.structure.size, rel=0.05)
    assert bar.shapes == ((296, 256),)


def test_a_scale_bar_is_left_out_with_its_text():
    image = grey()
    image[236:242, 180:240] = 255
    image[222:231, 200:220:2] = 255
    offer = finding(Topic.BORDER, image).offer
    assert offer == Crop(0, 0, 0, 222, 256)
    assert finding(Topic.BORDER, image[::-1]).offer == Crop(0, 34, 0, 256, 256)


def test_a_scale_bar_is_seen_in_a_large_image_with_hot_pixels():
    rng = np.random.default_rng(0)
    image = rng.integers(60, 190, (4096, 4096)).astype(np.uint8)
    image[rng.random(image.shape) < 0.004] = 255  # more than 20,000 in a strip
    image[3890:3990, 2900:3700] = 20
    image[3900:3980, 3000:3600] = 255
    (finding,) = border_findings(image, 0, phases=False)
    assert finding.offer.bottom <= 3900


def test_a_scale_bar_is_left_out_with_its_box():
    image = 64 + grey((640, 640)) // 2
    image[500:560, 400:600] = 0
    image[510:540:2, 450:550:3] = 255  # as text
    image[560:568, 420:580] = 255
    assert finding(Topic.BORDER, image).offer == Crop(0, 0, 0, 500, 640)
    image[20:26, 100:260] = 255  # and another
    assert finding(Topic.BORDER, image).offer == Crop(0, 26, 0, 500, 640)
    image[20:26, 100:260] = image[500:568, 400:600] = 90
    image[550:556, 420:580] = 255  # on a grey box
    assert finding(Topic.BORDER, image).offer == Crop(0, 0, 0, 500, 640)


def test_lamellae_along_the_rows_are_no_data_bar():
    lamellae = np.repeat(np.random.default_rng(0).integers(0, 2, 32), 8)[:, None] * np.ones((1, 256), int)
    assert finding(Topic.BORDER, lamellae.astype(np.uint8)) is None


def test_several_images_are_told_apart_by_name():
    noisy = two_phases(seed=1) ^ (np.random.default_rng(0).random((256, 256)) < 0.01)
    item = finding(Topic.SPECKLE, two_phases(), noisy.astype(np.uint8), names=("top", "side"))
    assert item.sentence.startswith("side: ")


def test_of_a_stack_a_few_slices_are_looked_at():
    result = found((field((64, 96, 80), 2.0) > 0).astype(np.uint8))
    assert result.phases[1].fraction == pytest.approx(0.5, abs=0.05)
    assert {item.topic for item in result.findings} <= {Topic.FRACTION}


def test_of_a_large_image_the_middle_is_looked_at(monkeypatch):
    monkeypatch.setattr("napari_slicegan.core.check.planes.MOST_PIXELS", 128**2)
    image = two_phases(seed=1) + np.uint8(2)
    image[64:192, 64:192] = two_phases((128, 128))
    assert [share.fraction for share in found(image).phases][2:] == [0, 0]


@pytest.mark.parametrize("error", [0, 1, -0.1, float("nan")])
def test_a_target_error_is_a_part(error):
    with pytest.raises(DataError, match="give a part of the fraction"):
        check(TrainingData.from_labels(two_phases()), EDGE, error)


def test_what_cannot_work_is_refused():
    with pytest.raises(DataError, match="smaller than the 64 x 64"):
        found(two_phases((60, 200)))
    with pytest.raises(DataError, match="NaN"):
        found(np.full((64, 64), np.nan))
    with pytest.raises(DataError, match="single value"):
        found(np.zeros((64, 64), np.uint8))


def test_a_part_with_one_phase_only_cannot_tell_much():
    image = np.zeros((128, 128), np.uint8)
    image[:2, :2] = 1
    result = found(image)
    json.dumps(result.to_dict(), allow_nan=False)
    assert "nan" not in as_text(result)


def test_the_gravest_comes_first_and_all_of_it_is_json():
    noisy = two_phases((512, 512), sigma=14) ^ (np.random.default_rng(0).random((512, 512)) < 0.01)
    result = found(noisy.astype(np.uint8))
    severities = [item.severity for item in result.findings]
    assert severities == sorted(severities, key=[*Severity][::-1].index)
    facts = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert facts["structure"]["size"] == result.structure.size
    assert facts["phases"][0]["interval"] == list(result.phases[0].interval)
    assert json.loads(json.dumps(found(grey()).to_dict(), allow_nan=False))["needed_edge"] is None
    bar = found(np.vstack([grey(), np.zeros((30, 256), np.uint8)])).to_dict()
    (offer,) = [item["offer"] for item in bar["findings"] if item["topic"] == "border"]
    assert offer | {"bottom": 0} == {"type": "crop", "image": 0, "top": 0, "left": 0, "bottom": 0, "right": 256}


def test_the_text_has_a_line_for_each_phase_and_the_sentences():
    (file,) = synthetic.micrographs("cathode")
    result = check(TrainingData.from_labels(file.array, pixel_size=0.4, unit="um"), EDGE)
    lines = as_text(result).splitlines()
    assert lines[0] == "phases; 384 x 384; 0.4 µm per pixel"
    assert lines[3].startswith("  phase 2: 10.9 ± 0.")
    assert any(line.startswith("note: The fraction of phase 2") for line in lines)
    assert "Nothing speaks against" in as_text(check(TrainingData.from_labels(file.array), EDGE, 0.3))


@pytest.mark.parametrize(
    ("ruler", "pixels", "text"),
    [
        (Ruler(), 17.4, "17 pixels"),
        (Ruler(), 1, "1 pixel"),
        (Ruler(0.4, "um"), 17.4, "17 pixels (6.96 µm)"),
    ],
)
def test_lengths_are_told_in_pixels_and_units(ruler, pixels, text):
    assert ruler.length(pixels) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(60000.0, "60000"), (60123.53, "60120"), (127.5, "127.5"), (0.12345, "0.1235"), (0.0000123456, "0.00001235")],
)
def test_numbers_have_no_exponents(value, text):
    assert digits(value) == text
    assert percent(0.9996) == "100 %"
    assert percent(0.996, 2) == "100 %"
    assert Ruler(1.0, "nm").length(999.6) == "1,000 pixels (1000 nm)"


def test_sixteen_bit_values_are_told_in_full():
    rng = np.random.default_rng(0)
    labels = two_phases()
    image = np.array([0, 60000], np.uint16)[labels]
    rim = ndimage.maximum_filter(labels, 3) != ndimage.minimum_filter(labels, 3)
    image[rim] = rng.integers(20000, 40000, rim.sum())
    data = TrainingData.from_images(image)
    (item,) = [item for item in check(data, EDGE, 0.05, [image]).findings if item.topic is Topic.VALUES]
    assert "2 values 0, 60000," in item.sentence


def test_phases_are_called_by_their_names():
    image = np.kron(np.random.default_rng(0).integers(0, 2, (16, 16)), np.ones((8, 8), int)).astype(np.uint8)
    image[::7, ::7] = 1 - image[::7, ::7]  # specks
    data = TrainingData.from_images(image, phase_names=("pore", ""))
    found = check(data, 16, 0.001)
    assert [share.label for share in found.phases] == ["pore", "phase 1"]
    text = as_text(found)
    assert "  pore: " in text
    assert "phase 0" not in text
    assert any("pore" in finding.sentence for finding in found.findings)
