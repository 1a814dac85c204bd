"""The micrographs that come with the package, and the truth behind them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_slicegan.core import synthetic
from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.sample_models import FOLDER, sample_models
from napari_slicegan.core.synthetic import MATERIALS, make_micrographs, micrographs, truth, volume

EACH = pytest.mark.parametrize("name", list(MATERIALS))


def test_the_three_materials():
    assert list(MATERIALS) == ["cathode", "fibres", "polycrystal"]
    for name, material in MATERIALS.items():
        assert material.name == name
        assert bool(material.phases) == (material.kind is OutputKind.PHASES)
        assert all(path.is_file() for path in material.paths)


@EACH
def test_the_files_are_what_the_code_makes(name: str):
    made = make_micrographs(name)
    read = micrographs(name)
    assert len(made) == len(read) == len(MATERIALS[name].normals)
    for array, file in zip(made, read, strict=True):
        np.testing.assert_array_equal(file.array, array)


@EACH
def test_the_files_are_small_images_with_a_pixel_size(name: str):
    material = MATERIALS[name]
    for image, path in zip(micrographs(name), material.paths, strict=True):
        assert (image.axes, image.array.dtype) == ("YX", np.uint8)
        assert image.array.shape == (material.edge, material.edge)
        assert (image.pixel_size, image.unit) == (material.pixel_size, material.unit)
        assert path.stat().st_size < 150_000
        if material.phases:
            assert np.unique(image.array).tolist() == list(range(len(material.phases)))


@EACH
def test_a_micrograph_is_a_slice_of_a_volume(name: str):
    material = MATERIALS[name]
    for normal, image in zip(material.normals, micrographs(name), strict=True):
        axis = "zyx".index(normal)
        origin, shape = [60, 70, 80], [40, 50, 30]
        origin[axis], shape[axis] = material.edge // 2 - 2, 5
        around = volume(name, tuple(shape), material.seed, tuple(origin))
        across = [slice(start, start + size) for start, size in zip(origin, shape, strict=True)]
        del across[axis]
        np.testing.assert_array_equal(around.take(2, axis), image.array[tuple(across)])
        assert not np.array_equal(around.take(0, axis), around.take(2, axis))


@EACH
def test_the_micrographs_are_like_the_truth_but_not_of_it(name: str):
    real = truth(name, 128)
    assert real.shape == (128, 128, 128)
    for image in micrographs(name):
        assert np.mean(image.array[:128, :128] != real[64]) > 0.2
        if MATERIALS[name].phases:
            levels = range(len(MATERIALS[name].phases))
            difference = [np.mean(image.array == level) - np.mean(real == level) for level in levels]
            assert np.abs(difference).max() < 0.05
        else:
            assert abs(image.array.mean() - real.mean()) < 5
            assert abs(image.array.std() - real.std()) < 5


def test_a_volume_does_not_depend_on_the_slabs_it_is_made_in(monkeypatch: pytest.MonkeyPatch):
    whole = volume("cathode", (20, 30, 40), seed=3)
    monkeypatch.setattr(synthetic, "_SLAB_VOXELS", 3 * 30 * 40)
    np.testing.assert_array_equal(volume("cathode", (20, 30, 40), seed=3), whole)


def test_writing_the_files_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = micrographs("cathode")
    monkeypatch.setattr(synthetic, "MICROGRAPHS", tmp_path / "data")
    monkeypatch.setattr(synthetic, "MATERIALS", {"cathode": MATERIALS["cathode"]})
    for _ in range(2):
        synthetic.write_micrographs()
    after = micrographs("cathode")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["cathode.tif"]
    np.testing.assert_array_equal(after[0].array, before[0].array)
    assert (after[0].pixel_size, after[0].unit) == (before[0].pixel_size, before[0].unit)


def test_no_file_is_shipped_that_nothing_asks_for():
    shipped = {path for material in MATERIALS.values() for path in material.paths}
    assert {path for path in synthetic.MICROGRAPHS.iterdir() if path.is_file()} == shipped
    assert set(FOLDER.iterdir()) == set(sample_models().values())
    assert set(sample_models()) == set(MATERIALS)
