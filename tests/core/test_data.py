"""What becomes of images: kinds, phases, views, crops; and what bad ones get."""

import tracemalloc

import numpy as np
import pytest
import torch

from napari_slicegan.core.choices import OutputKind, Symmetry
from napari_slicegan.core.crops import CropSampler
from napari_slicegan.core.data import TrainingData, detect_kind
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.slicing import planes
from napari_slicegan.core.values import label_dtype
from tests.core.conftest import blobs


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [((0, 255), np.uint8), ((1, 2, 3), np.uint16), ((7, 9), np.int64), ((300, 5000), np.int32), ((-5, 4), np.int8)],
)
def test_labels_of_any_values_become_indices(values, dtype):
    indices = blobs((70, 70), phases=len(values))
    data = TrainingData.from_labels(np.array(values, dtype)[indices])
    assert data.phases == values
    assert data.sources[0].dtype == np.uint8
    np.testing.assert_array_equal(data.sources[0][0], indices)


def test_bool_images_are_two_phases():
    data = TrainingData.from_images(blobs((70, 70)).astype(bool))
    assert (data.kind, data.phases, data.channels) == (OutputKind.PHASES, (0, 1), 2)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ((0, 255), np.uint8),
        ((-5, 4), np.int8),
        ((300, 5000), np.uint16),
        ((-1, 300), np.int16),
        ((0, 2**31), np.uint32),
    ],
)
def test_smallest_type_of_labels(values, dtype):
    assert label_dtype(values) == dtype


def test_kinds_are_told_apart():
    random = np.random.default_rng(0)
    assert detect_kind(blobs((70, 70))) is OutputKind.PHASES
    assert detect_kind(random.integers(0, 200, (70, 70))) is OutputKind.GREY
    assert detect_kind(random.random((70, 70))) is OutputKind.GREY
    assert detect_kind(random.integers(0, 200, (70, 70, 3), np.uint8)) is OutputKind.COLOUR
    assert detect_kind(blobs((20, 70, 70))) is OutputKind.PHASES


def test_grey_is_scaled_to_bytes_unless_it_is_bytes():
    ramp = np.linspace(-1, 3, 4900).reshape(70, 70)
    data = TrainingData.from_greyscale(ramp)
    assert (data.sources[0].min(), data.sources[0].max()) == (0, 255)
    narrow = np.random.default_rng(0).integers(10, 20, (70, 70), np.uint8)
    data = TrainingData.from_greyscale(narrow)
    np.testing.assert_array_equal(data.sources[0][0, ..., 0], narrow)
    assert data.levels == (10, 19)


def test_intensities_fill_the_range_of_the_generator_whatever_the_contrast():
    """A faint image would hardly be told from a flat one by a critic with a bounded gradient."""
    image = np.random.default_rng(0).integers(100, 120, (70, 70), np.uint8)
    image[3, 3] = 255  # a hot pixel
    data = TrainingData.from_greyscale(image)
    crops = CropSampler(data, 64, Symmetry.NONE).draw(0, 20, rng())
    assert (crops.min(), crops.max()) == (0, 1)
    assert crops.std() > 0.25


def test_images_of_one_volume_are_scaled_together():
    faces = [
        np.random.default_rng(seed).integers(0, top, (70, 70)).astype(np.uint16)
        for seed, top in enumerate((1000, 60000))
    ]
    data = TrainingData.from_greyscale(*faces)
    assert data.sources[0].max() < 10
    assert data.sources[1].max() == 255
    with pytest.raises(DataError, match="different types"):
        TrainingData.from_greyscale(faces[0], faces[1].astype(np.uint8))


def test_defect_07_colour_of_any_type_is_scaled_to_the_range_of_the_generator():
    random = np.random.default_rng(0)
    for image in (
        random.integers(0, 256, (70, 70, 3), np.uint8),
        random.integers(0, 65536, (70, 70, 4)).astype(np.uint16),
        random.random((70, 70, 3)),
    ):
        data = TrainingData.from_images(image)
        assert data.sources[0].shape == (1, 70, 70, 3)
        crops = CropSampler(data, 64, Symmetry.NONE).draw(0, 4, rng())
        assert crops.shape == (4, 3, 64, 64)
        assert 0 <= crops.min() < 0.1
        assert 0.9 < crops.max() <= 1


def test_defect_09_an_image_of_exactly_the_crop_edge_works():
    image = blobs((64, 64))
    crops = CropSampler(TrainingData.from_labels(image), 64, Symmetry.NONE).draw(0, 2, rng())
    np.testing.assert_array_equal(crops.argmax(dim=1)[0].numpy(), image)
    with pytest.raises(DataError, match=r"63 x 64 pixels is smaller than the 64 x 64"):
        CropSampler(TrainingData.from_labels(image[1:]), 64, Symmetry.NONE)


def test_crops_are_one_hot_and_come_from_everywhere():
    image = np.arange(70 * 70).reshape(70, 70)
    data = TrainingData(OutputKind.GREY, (np.uint8(image % 251)[None, ..., None],))
    crops = CropSampler(data, 64, Symmetry.NONE).draw(0, 3000, rng())
    corners = {round(value * 255) for value in crops[:, 0, 0, 0].tolist()}
    assert corners == {(70 * y + x) % 251 for y in range(7) for x in range(7)}
    phases = CropSampler(TrainingData.from_labels(blobs((70, 70), phases=3)), 64, Symmetry.NONE).draw(0, 2, rng())
    assert torch.equal(phases.sum(dim=1), torch.ones(2, 64, 64))
    assert set(phases.unique().tolist()) == {0, 1}


@pytest.mark.parametrize(("symmetry", "copies"), [("none", 1), ("mirror", 4), ("rotate", 8), ("auto", 8)])
def test_symmetry_of_crops(symmetry, copies):
    image = np.arange(64 * 64).reshape(64, 64)
    data = TrainingData(OutputKind.GREY, (np.uint8(image % 251)[None, ..., None],))
    crops = CropSampler(data, 64, Symmetry(symmetry)).draw(0, 100, rng())
    assert len({tuple(crop[0, 0, :3].tolist()) for crop in crops}) == copies


def test_images_of_different_directions_are_never_turned():
    data = TrainingData.from_labels(blobs((70, 70)), blobs((70, 70), seed=1))
    with pytest.raises(DataError, match="must not be turned"):
        CropSampler(data, 64, Symmetry.ROTATE)
    image = data.sources[0][0]
    crops = CropSampler(data, 64, Symmetry.AUTO).draw(0, 20, rng()).argmax(dim=1).numpy()
    windows = np.lib.stride_tricks.sliding_window_view(image, (64, 64)).reshape(-1, 64, 64)
    assert all((windows == crop).all(axis=(1, 2)).any() for crop in crops)


@pytest.mark.parametrize("axis", "zyx")
def test_side_views_have_the_special_axis_down_their_rows(axis):
    """Two images of a volume whose special axis is known meet the planes of that very volume."""
    special = "zyx".index(axis)
    ramp = np.arange(8, dtype=np.uint8).reshape([8 if i == special else 1 for i in range(3)])
    volume = np.broadcast_to(ramp, (8, 8, 8))  # changes along the special axis only
    side = np.broadcast_to(np.arange(8, dtype=np.uint8)[:, None], (8, 8))
    data = TrainingData(OutputKind.GREY, (np.zeros((1, 8, 8, 1), np.uint8), side[None, ..., None]), axis=axis)
    tensor = torch.from_numpy(volume.copy())[None, None]
    for normal, (source, transpose) in enumerate(data.views):
        images = planes(tensor, normal, transpose=transpose)
        if normal == special:
            assert source == 0
        else:
            assert source == 1
            np.testing.assert_array_equal(images[0, 0].numpy(), side)


def test_a_stack_gives_its_slices_along_each_axis():
    stack = blobs((66, 70, 80), phases=2)
    data = TrainingData.from_images(stack)
    assert [source.shape for source in data.sources] == [(66, 70, 80), (70, 66, 80), (80, 66, 70)]
    np.testing.assert_array_equal(data.sources[1][5], stack[:, 5])
    np.testing.assert_array_equal(data.sources[2][5], stack[:, :, 5])
    assert [source for source, _ in data.views] == [0, 1, 2]


def test_fingerprint_tells_images_apart():
    image = blobs((70, 70))
    other = image.copy()
    other[0, 0] ^= 1
    assert TrainingData.from_labels(image).fingerprint == TrainingData.from_labels(image.copy()).fingerprint
    assert TrainingData.from_labels(image).fingerprint != TrainingData.from_labels(other).fingerprint
    assert TrainingData.from_labels(image).fingerprint != TrainingData.from_labels(image + 1).fingerprint


@pytest.mark.parametrize(
    ("images", "kind", "words"),
    [
        ([np.zeros((70, 70), np.uint8)], "phases", "single value"),
        ([np.zeros((70, 70))], "grey", "single value"),
        ([np.full((70, 70, 3), 7, np.uint8)], "colour", "single value"),
        ([np.full((70, 70), np.nan)], "grey", "NaN"),
        ([np.where(np.eye(70) > 0, np.inf, 1)], "grey", "infinite"),
        ([np.zeros((0, 70), np.uint8)], "auto", "empty"),
        ([blobs((70, 70)), np.random.default_rng(0).random((70, 70))], "auto", "different kinds"),
        ([blobs((70, 70)), blobs((70, 70)) + 1], "phases", "do not hold the same phases"),
        ([blobs((70, 70)).astype(float)], "phases", "whole numbers"),
        ([blobs((70, 70, 70)), blobs((70, 70))], "phases", "one 3D stack"),
        ([blobs((70, 70))] * 4, "phases", "one, two or three"),
        ([blobs((70,))], "phases", "2D"),
        ([np.zeros((70, 70), complex)], "grey", "complex"),
        ([blobs((70, 70)).astype(np.int64) * 2**40], "phases", "32 bits"),
        ([np.stack([blobs((70, 70))] * 3, axis=-1)], "phases", "in colour"),
        ([blobs((70, 70))], "smell", "no kind of image"),
        ([], "auto", "no image"),
    ],
)
def test_images_that_cannot_be_trained_on(images, kind, words):
    with pytest.raises(DataError, match=words):
        TrainingData.from_images(*images, kind=kind)


@pytest.mark.parametrize("pixel_size", [0, -1, float("nan"), float("inf")])
def test_pixel_sizes_that_are_none(pixel_size):
    with pytest.raises(DataError, match="pixel size"):
        TrainingData.from_labels(blobs((70, 70)), pixel_size=pixel_size)


def test_defect_08_an_unsegmented_image_is_refused_without_a_channel_for_each_value():
    image = np.random.default_rng(0).integers(0, 60000, (2000, 1000)).astype(np.uint16)
    tracemalloc.start()
    with pytest.raises(DataError, match=r"holds 60000 values.*grey, or segment"):
        TrainingData.from_labels(image)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40e6


def test_defect_08_crops_of_a_large_image_cost_no_memory():
    image = np.zeros((5000, 5000), np.uint8)
    image[::2] = 255
    tracemalloc.start()
    data = TrainingData.from_labels(image)
    CropSampler(data, 64, Symmetry.AUTO).draw(0, 96, rng())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < image.nbytes + 60e6


@pytest.mark.parametrize(("axis", "name"), list(enumerate("zyx")))
def test_slices_along_one_axis_are_one_source(axis: int, name: str):
    stack = np.random.default_rng(0).integers(0, 3, (4, 5, 6)).astype(np.uint8)
    data = TrainingData.from_images(stack, slices=name)
    np.testing.assert_array_equal(data.sources[0], np.moveaxis(stack, axis, 0))
    assert (len(data.sources), data.views) == (1, ((0, False),) * 3)
    others = [TrainingData.from_images(stack, slices=other).fingerprint for other in "zyx" if other != name]
    assert data.fingerprint not in (*others, TrainingData.from_images(stack).fingerprint)
    for kind in ("grey", "colour"):
        image = np.repeat(stack[..., None], 3, axis=3) if kind == "colour" else stack
        assert TrainingData.from_images(image, kind=kind, slices=name).sources[0].shape[:3] == data.sources[0].shape


def test_slices_are_those_of_a_stack():
    with pytest.raises(DataError, match="Slices are chosen of one 3D stack"):
        TrainingData.from_images(np.eye(8, dtype=np.uint8), slices="z")
    with pytest.raises(DataError, match="no slices normal to 'w'"):
        TrainingData.from_images(np.arange(64.0).reshape(4, 4, 4), kind="grey", slices="w")
