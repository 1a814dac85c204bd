"""The generators that come with the package: small, of its own micrographs, and good enough to be shown."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import ModelError, OutputError
from napari_slicegan.core.heldout import HeldOut
from napari_slicegan.core.model import SliceGAN, save_card
from napari_slicegan.core.sample_models import model_path, sample_models
from napari_slicegan.core.synthetic import MATERIALS, micrographs
from tests.core.test_model import a_model

NAMES = ("cathode", "fibres", "polycrystal")


def test_there_are_three_small_ones():
    models = sample_models()
    assert tuple(models) == NAMES
    assert all(path.stat().st_size < 3e6 for path in models.values())
    assert all(model_path(f"sample:{name}") == path for name, path in models.items())


def test_other_texts_are_paths():
    assert str(model_path("runs/sample:1")) == "runs/sample:1"
    with pytest.raises(ModelError, match="choose one of sample:cathode, sample:fibres, sample:polycrystal"):
        model_path("sample:sandstone")


@pytest.mark.parametrize("name", NAMES)
def test_it_is_of_the_micrographs_of_the_package(name):
    info = SliceGAN.load(f"sample:{name}", "cpu").info
    material, files = MATERIALS[name], micrographs(name)
    data = TrainingData.from_images(*(file.array for file in files), kind=material.kind)
    assert info.provenance["fingerprint"] == data.fingerprint
    assert (info.kind, info.phase_names, info.phase_colours) == (material.kind, material.phases, material.colours)
    assert (info.voxel_size, info.unit) == (material.pixel_size, material.unit)
    assert info.card["title"] == material.title
    assert info.thumbnail
    assert "/" not in str(info.provenance.get("images"))


# Another piece of the fibres differs by 0.017 from the three images, which do not agree among themselves.
@pytest.mark.parametrize(
    ("name", "limit", "surfaces"),
    [
        ("cathode", 0.008, 0.1),
        ("fibres", 0.022, 0.3),  # along them there are few faces, and some fibres end where they should go on
        ("polycrystal", 0.004, 0.1),
    ],
)
def test_its_volumes_are_like_the_micrographs(name, limit, surfaces):
    files = micrographs(name)
    data = TrainingData.from_images(*(file.array for file in files), kind=MATERIALS[name].kind)
    model = SliceGAN.load(f"sample:{name}", "cpu")
    found = HeldOut(data, model.info.network, volumes=128, seed=77).evaluate(model.generator, 0)
    assert found.correlation_error < limit
    assert found.fraction_error < 0.02
    assert found.surface_error < surfaces
    assert not found.lost


def test_half_the_bits_are_nearly_the_same_model(tmp_path):
    model = a_model()
    model.save(tmp_path / "whole.safetensors")
    model.save(tmp_path / "half.safetensors", half=True)
    weights, loaded = load_file(tmp_path / "half.safetensors"), SliceGAN.load(tmp_path / "half.safetensors", "cpu")
    assert {weight.dtype for weight in weights.values() if weight.ndim > 1} == {torch.float16}
    assert {weight.dtype for name, weight in weights.items() if "running" in name} == {torch.float32}
    assert (tmp_path / "half.safetensors").stat().st_size < 0.7 * (tmp_path / "whole.safetensors").stat().st_size
    assert {weight.dtype for weight in loaded.generator.parameters()} == {torch.float32}
    whole, half = model.generate((64, 64, 64)), loaded.generate((64, 64, 64))
    assert 0 < (whole != half).mean() < 1e-3
    assert len(np.unique(half)) == 3


def test_a_model_of_the_package_keeps_its_texts():
    path = sample_models()["cathode"]
    before = path.read_bytes()
    with pytest.raises(OutputError, match="cathode comes with the package: choose Save as"):
        save_card(path, {"title": "mine"})
    assert path.read_bytes() == before
