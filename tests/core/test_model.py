"""Model files: what survives them, and what is refused."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_slicegan.core.config import OutputKind
from napari_slicegan.core.errors import ModelError, OutputError
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.weights import HEADER
from tests.core.conftest import SETS, tiny_network


def a_model(kind="table 1", phases=(0, 1, 2), **network) -> SliceGAN:
    """A model with contrast and with running statistics of its own."""
    config = tiny_network(kind, **network)
    rng = torch.Generator().manual_seed(0)
    generator = Generator(config, rng)
    for _ in range(5):
        generator(torch.randn(1, config.latent_channels, *(config.geometry.latent_edge,) * 3, generator=rng))
    for weight in generator.layers[-1].parameters():
        weight.data.mul_(50)
    phases = phases if config.output is OutputKind.PHASES else ()
    return SliceGAN(generator, ModelInfo(config, phases, 0.4, "um", {"images": ["a.tif"]}))


@pytest.mark.parametrize("kind", SETS)
def test_a_saved_model_makes_the_same_volumes(kind, tmp_path):
    model = a_model(kind, phases=(7, 9, 300))
    model.save(tmp_path / "model.safetensors")
    loaded = SliceGAN.load(tmp_path / "model.safetensors", device="cpu")
    assert loaded.info == model.info
    np.testing.assert_array_equal(loaded.generate((40, 70, 33), seed=3), model.generate((40, 70, 33), seed=3))
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("phases", [(0, 255, 256), (1, 2, 3), (7, 9, 11), (0, 300, 5000), (-1, 0, 1)])
def test_labels_come_back_as_they_were(phases):
    volume = a_model(phases=phases).generate((64, 64, 64))
    assert set(np.unique(volume)) == set(phases)
    assert volume.dtype == (np.int8 if min(phases) < 0 else np.uint8 if max(phases) < 256 else np.uint16)


def test_a_model_keeps_its_own_copy(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"old")
    a_model().save(tmp_path / "model.safetensors")
    assert SliceGAN.load(tmp_path / "model.safetensors").info.phases == (0, 1, 2)
    with pytest.raises(OutputError, match="cannot be written"):
        a_model().save(tmp_path / "nowhere" / "model.safetensors")


def header(**changes) -> str:
    return json.dumps({**json.loads(a_model().info.to_json()), **changes})


def network_header(**changes) -> str:
    return header(network={**json.loads(a_model().info.to_json())["network"], **changes})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not json", "cannot be read"),
        ("[]", "cannot be read"),
        (header(format=2), "install a newer napari-slicegan"),
        (header(format="x"), "install a newer"),
        (header(phases=[0, 1]), "one label for each"),
        (header(phases="abc"), "cannot be read"),
        (header(voxel_size=-1), "voxel size"),
        (header(phases=[0, 1, 1]), "one label for each"),
        (header(phases=[0, 1, 2**40]), "cannot hold"),
        (header(levels=[9, 3]), "levels"),
        (header(surprise=1), "cannot be read"),
        (network_header(latent_channels=10**9), "latent_channels"),
        (network_header(latent_channels=1000), "do not fit"),
        (network_header(channels=[2048] * 4), "do not fit"),
        (network_header(padding=[2, 2, 2, 2, 1]), "Layer 5"),
        (network_header(output="smell"), "choose one of"),
    ],
)
def test_headers_that_are_refused(text, words, tmp_path):
    weights = {name: tensor.contiguous() for name, tensor in a_model().generator.state_dict().items()}
    save_file(weights, tmp_path / "model.safetensors", metadata={HEADER: text})
    with pytest.raises(ModelError, match=words):
        SliceGAN.load(tmp_path / "model.safetensors")


class Bomb:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


def test_defect_13_nothing_is_ever_unpickled(tmp_path):
    mark = tmp_path / "mark"
    torch.save({"info": "x", "model": Bomb(mark)}, tmp_path / "checkpoint.pt")
    (tmp_path / "model.safetensors").write_bytes(pickle.dumps(Bomb(mark)))
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Bomb(mark)))
    for name in ("checkpoint.pt", "model.safetensors", "plain.pt"):
        with pytest.raises(ModelError, match="not a"):
            SliceGAN.load(tmp_path / name)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["model.safetensors", "checkpoint.pt"])
@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 1000, b"\xff" * 64])
def test_files_that_are_no_models(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError):
        SliceGAN.load(tmp_path / name)
    with pytest.raises(ModelError):
        SliceGAN.load(tmp_path)  # the directory with it


def test_a_safetensors_file_of_something_else(tmp_path):
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="not a model"):
        SliceGAN.load(tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="no model at"):
        SliceGAN.load(tmp_path / "missing.safetensors")


def test_weights_that_are_not_finite_are_refused(tmp_path):
    model = a_model()
    model.generator.layers[0].weight.data[0, 0, 0, 0, 0] = float("nan")
    model.save(tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="not finite"):
        SliceGAN.load(tmp_path / "model.safetensors")


def test_info_survives_json():
    info = a_model(output=OutputKind.COLOUR).info
    assert ModelInfo.from_json(info.to_json()) == info
    assert replace(info, unit="nm") != info
