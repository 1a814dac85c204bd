"""The demo from start to end, with a training of seconds."""

import json
import re
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_slicegan.cli import demo
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.io import read_image
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.presets import PRESETS
from tests.cli.conftest import blobs, write

OF_A_RUN = {"config.json", "status.json", "log.jsonl", "images.safetensors", "checkpoint.pt", "model.safetensors"}
FILES = OF_A_RUN | {"run.lock", "previews", "volume.tif", "comparison.png"}


@pytest.fixture
def small(monkeypatch):
    """Volumes of 40 voxels instead of 128."""
    monkeypatch.setattr(demo, "EDGE", 40)


def numbers(line: str) -> list[float]:
    return [float(text.rstrip("%")) for text in re.findall(r"\d+\.\d+%?", line)]


def test_with_an_image_of_the_user(command):
    image = write("mine.tif", blobs((64, 64)), 0.5)
    outcome = command("demo", "--image", image, "--minutes", 0.02)
    assert outcome.code == 0, outcome.err
    out = Path("slicegan-demo")
    assert {path.name for path in out.iterdir()} == FILES
    assert outcome.out.startswith(f"Preset quick on cpu: {PRESETS['quick'].description}\n")
    volume = read_image(out / "volume.tif")
    assert (volume.array.shape, volume.pixel_size, volume.unit) == ((128, 128, 128), 0.5, "um")
    model = SliceGAN.load(out / "model.safetensors")
    more = [model.generate((128, 128, 128), seed=seed) for seed in demo.MORE]
    lines = {line.split("  ")[1]: numbers(line) for line in outcome.out.splitlines() if line.startswith("  phase")}
    for phase in (0, 255):
        arrays = (blobs((64, 64)), volume.array, [volume.array, *more])
        expected = [np.mean(np.asarray(array) == phase) * 100 for array in arrays]
        np.testing.assert_allclose(lines[f"phase {phase}"], expected, atol=0.006)
    assert re.search(r"S2 error to the micrograph +0\.\d{4} +0\.\d{4}\n", outcome.out)
    for told in (
        "napari slicegan-demo/volume.tif",
        "slicegan-demo/comparison.png",
        "Plugins > SliceGAN > Generate volume",
    ):
        assert told in outcome.out
    with Image.open(out / "comparison.png") as picture:
        assert picture.width > 1500
    assert json.loads(command("info", out, "--json").out)["state"] == "completed"
    assert command("generate", out, "--shape", 4, 4, 4, "--out", "v.tif").code == 0


def test_with_the_micrograph_of_the_package(command, small):
    outcome = command("demo", "--out", "mine", "--minutes", 0.01)
    assert outcome.code == 0, outcome.err
    assert {path.name for path in Path("mine").iterdir()} == FILES | {"micrograph.tif"}
    assert "micrograph  volume  mean of 8  3D truth  another piece" in outcome.out
    rows = {line[2:30].strip(): numbers(line) for line in outcome.out.splitlines() if line.startswith("  ")}
    assert all(len(rows[name]) == 5 for name in ("pore", "active material", "binder"))
    for column in (2, 3):
        assert sum(rows[name][column] for name in ("pore", "active material", "binder")) == pytest.approx(100, abs=0.02)
    to_image, to_truth = rows["S2 error to the micrograph"], rows["S2 error to the truth"]
    assert len(to_image) == len(to_truth) == 4
    assert to_image[2] == to_truth[0]  # between micrograph and truth, either way
    again = command("train", "mine/micrograph.tif", "--out", "mine", "--resume")
    assert again.out.startswith("mine is finished")


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ([blobs((64, 64))] * 2, ["phase 0", "phase 255"]),
        ([blobs((64, 64))] * 3, ["phase 0", "phase 255"]),
        ([np.arange(4096).reshape(64, 64) // 32], ["grey, mean", "grey, deviation"]),
        ([np.arange(4096 * 3).reshape(64, 64, 3) * 5 % 251], ["red, mean", "blue, deviation"]),
    ],
    ids=["two images", "three images", "grey", "colour"],
)
def test_every_kind_of_image(command, small, arrays, words):
    paths = [write(f"{index}.tif", array.astype(np.uint8)) for index, array in enumerate(arrays)]
    outcome = command("demo", "--image", *paths, "--minutes", 0.005)
    assert outcome.code == 0, outcome.err
    assert all(word in outcome.out for word in words)
    assert Path("slicegan-demo/comparison.png").exists()


def test_an_existing_directory_is_refused(command):
    Path("slicegan-demo").mkdir()
    Path("slicegan-demo/notes.txt").touch()
    outcome = command("demo")
    assert outcome.code == 2
    assert "slicegan-demo exists already: choose another place with --out" in outcome.err


def test_an_image_that_is_too_small_leaves_nothing(command):
    outcome = command("demo", "--image", write("a.tif", blobs((31, 80))))
    assert outcome.code == 2
    assert "31 x 80 pixels is smaller than the 32 x 32" in outcome.err
    assert not Path("slicegan-demo").exists()


def test_a_stop_says_how_to_go_on(command, monkeypatch):
    update = GAN.update_generator

    def interrupted(self):
        signal.raise_signal(signal.SIGINT)
        return update(self)

    with monkeypatch.context() as patch:
        patch.setattr(GAN, "update_generator", interrupted)
        outcome = command("demo", "--out", "my demo")
    assert outcome.code == 130
    line = "napari-slicegan train 'my demo/micrograph.tif' --out 'my demo' --resume"
    assert outcome.out.endswith(f"Go on with: {line}\n")
    assert not Path("my demo/volume.tif").exists()
    again = command("train", "my demo/micrograph.tif", "--out", "my demo", "--resume", "--minutes", 1e-6)
    assert again.code == 0, again.err
