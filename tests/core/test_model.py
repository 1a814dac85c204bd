"""Model files: what survives them, and what is refused."""

import base64
import io
import json
import pickle
import struct
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import ModelError, OutputError
from napari_slicegan.core.model import SliceGAN, save_card
from napari_slicegan.core.model_header import HEADER, read_card, read_info
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.run import Run
from napari_slicegan.core.thumbnail import LONGEST, png_of, thumbnail_of
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


def picture(edge: int) -> str:
    """The start of a PNG picture of this many rows, in base64."""
    return base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 96, edge)).decode()


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
        ("[" * 100_000, "cannot be read"),
        (header(phase_names=["Pore"]), "one name and one colour"),
        (header(phase_names=["Pore", "Grain", 3]), "no text"),
        (header(phase_names=["Pore", "Grain", "x" * 101]), "100 characters"),
        (header(phase_colours=["#000000", "#ffffff", "red"]), "#rrggbb"),
        (header(phase_colours=["#000000", "#ffffff", "#fffffg"]), "#rrggbb"),
        (header(unit="m" * 200), "100 characters"),
        (header(card={"title": 3}), "characters of text"),
        (header(card={"notes": "x" * 10_001}), "characters of text"),
        (header(card={"colour": "red"}), "something else"),
        (header(card=["title"]), "something else"),
        (header(thumbnail="AAAA"), "no thumbnail"),
        (header(thumbnail=[1]), "no thumbnail"),
        (header(thumbnail=picture(97)), "no thumbnail"),
        (header(thumbnail="A" * 20_000), "no thumbnail"),
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
    for read in (SliceGAN.load, read_info):
        with pytest.raises(ModelError, match="not a model"):
            read(tmp_path / "other.safetensors")
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


def test_words_survive_json():
    info = replace(
        a_model().info,
        phase_names=("Pore", "<b>Grain</b>", "\u00c4 "),
        phase_colours=("#000000", "#FF8800", "#00ff00"),
        card={"title": "A", "notes": "two\nlines"},
        thumbnail=picture(96),
    )
    assert ModelInfo.from_json(info.to_json()) == info


def test_a_card_is_written_into_a_model_file_and_nothing_else_is_changed(tmp_path):
    model, path = a_model(), tmp_path / "model.safetensors"
    model.save(path)
    for place in (path, tmp_path):  # the file, and the run's directory
        save_card(place, {"title": str(place)})
        loaded = SliceGAN.load(path, "cpu")
        assert loaded.info == replace(model.info, card={"title": str(place)})
        assert loaded.fingerprint == model.fingerprint
        assert read_card(place) == {"title": str(place)}
    assert read_card(tmp_path / "none.safetensors") == {}
    (tmp_path / "text.safetensors").write_text("text")
    assert read_card(tmp_path / "text.safetensors") == {}


def shown(data: TrainingData) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png_of(thumbnail_of(data)))).convert("RGB"))


def test_a_thumbnail_shows_the_middle_of_the_image_in_the_colours_of_its_phases():
    image = np.zeros((300, 400), np.uint8)
    image[:, 200:] = 7
    image[149:153] = 9
    colours = ((1, 2, 3), (200, 0, 0), (0, 0, 255))
    data = TrainingData.from_images(image, kind="phases")
    data = replace(data, phase_colours=tuple(f"#{bytes(colour).hex()}" for colour in colours))
    pixels = shown(data)
    assert pixels.shape == (96, 96, 3)
    assert {tuple(map(int, pixel)) for pixel in pixels.reshape(-1, 3)} == set(colours)
    assert tuple(pixels[0, 0]) == colours[0]
    assert tuple(pixels[0, -1]) == colours[1]
    assert tuple(pixels[48, 0]) == colours[2]


@pytest.mark.parametrize("shape", [(40, 50), (500, 700), (500, 700, 3), (40, 50, 60)])
def test_a_thumbnail_stays_small(shape):
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    data = TrainingData.from_images(noise, kind="colour" if shape[-1] == 3 else "grey")
    assert 0 < len(thumbnail_of(data)) <= LONGEST
    assert max(shown(data).shape) <= 96
    assert min(shown(data).shape[:2]) >= 40


def test_what_the_author_says_outlives_further_training(image, network, recipe, tmp_path):
    data = TrainingData.from_images(image)
    run, trainer = Run.start(tmp_path / "run", data, network, recipe, "quick", device="cpu")
    list(run.record(trainer))
    save_card(run.path, {"author": "Ada"})
    trainer = run.trainer(data, run.recipe(iterations=4), device="cpu")
    list(run.record(trainer))
    info = SliceGAN.load(run.path).info
    assert (info.provenance["iterations"], info.card) == (4, {"author": "Ada"})
    assert (info.provenance["preset"], info.provenance["versions"]["torch"]) == ("quick", torch.__version__)
    assert info.thumbnail == thumbnail_of(data)


def test_thumbnails_of_files_have_a_bound():
    head = base64.b64decode(thumbnail_of(TrainingData.from_labels(np.eye(30, dtype=np.uint8))))
    longest, longer = (base64.b64encode(head.ljust(length * 3 // 4)).decode() for length in (LONGEST, LONGEST + 4))
    assert (len(longest), len(longer)) == (LONGEST, LONGEST + 4)
    assert png_of(longest).startswith(head)
    with pytest.raises(ModelError, match="no thumbnail"):
        png_of(longer)
