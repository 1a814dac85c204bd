"""Volumes from models."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import tifffile
from safetensors.numpy import load_file, save_file

from napari_slicegan.core.io import read_image
from napari_slicegan.core.model import SliceGAN
from tests.cli.conftest import blobs, write


@pytest.fixture
def generate(command):
    return lambda model, *options: command("generate", model, "--shape", 9, 10, 11, "--out", "v.tif", *options)


@pytest.mark.parametrize("name", ["", "model.safetensors", "checkpoint.pt"])
def test_a_run_its_model_and_its_checkpoint_give_the_same_volume(generate, trained, name):
    outcome = generate(trained / name, "--seed", 3)
    assert outcome.code == 0, outcome.err
    file = read_image("v.tif")
    assert (file.axes, file.pixel_size, file.unit) == ("ZYX", 0.5, "um")
    expected = SliceGAN.load(trained).generate((9, 10, 11), seed=3)
    np.testing.assert_array_equal(file.array, expected)
    assert not np.array_equal(expected, SliceGAN.load(trained).generate((9, 10, 11), seed=4))


def test_it_says_where_the_volume_is_and_what_it_is_made_of(generate, trained):
    outcome = generate(trained)
    volume = tifffile.imread("v.tif")
    lines = outcome.out.splitlines()
    assert lines[0] == "Wrote v.tif: 9 x 10 x 11 voxels of 0.5 um, phases."
    assert lines[2].split() == ["phase", "0", f"{(volume == 0).mean():.2%}"]
    assert lines[3].split() == ["phase", "255", f"{(volume == 255).mean():.2%}"]
    assert lines[4] == "Look at it: napari v.tif"
    assert "100% generating" in outcome.err


def test_without_a_pixel_size_the_voxels_are_of_unknown_size(command, settings):
    image = write("a.tif", blobs((20, 20)))
    assert command("train", image, "--out", "a run", "--config", settings, "--iterations", 1).code == 0
    outcome = command("generate", "a run", "--shape", 1, 2, 3, "--out", "a volume.tif")
    assert outcome.out.startswith("Wrote a volume.tif: 1 x 2 x 3 voxels of unknown size, phases.\n")
    assert outcome.out.endswith("Look at it: napari 'a volume.tif'\n")


@pytest.mark.parametrize(("periodic", "axes"), [("z,x", "zx"), ("y", "y"), ("z,y,x", "zyx"), ("", "")])
def test_periodic_axes_reach_the_model(command, trained, periodic, axes):
    assert command("generate", trained, "--shape", 8, 8, 16, "--out", "v.tif", "--periodic", periodic).code == 0
    model = SliceGAN.load(trained)
    np.testing.assert_array_equal(tifffile.imread("v.tif"), model.generate((8, 8, 16), periodic=axes))
    others = [model.generate((8, 8, 16), periodic=other) for other in ("zx", "y", "zyx", "") if other != axes]
    assert not any(np.array_equal(tifffile.imread("v.tif"), other) for other in others)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--periodic", "y"), "multiple of 8 voxels long, but y has 10: choose 8 or 16"),
        (("--seed", "-1"), "seed -1 is not a whole number"),
        (("--shape", 0, 1, 1), "is not three whole numbers above 0"),
        (("--out", "v.png"), "v.png must end in .tif or .tiff"),
        (("--out", "none/v.tif"), "There is no folder none"),
        (("--device", "cuda"), "finds no cuda device"),
    ],
)
def test_what_cannot_be_made_is_refused_and_leaves_nothing(generate, trained, options, words):
    outcome = generate(trained, *options)
    assert outcome.code == 2
    assert words in outcome.err
    assert outcome.err.count("\n") == 1
    assert not list(Path().rglob("v.*"))


def test_the_output_is_checked_before_the_model(generate):
    Path("v.tif").write_text("precious")
    outcome = generate("no model")
    assert outcome.code == 2
    assert "v.tif exists" in outcome.err
    assert Path("v.tif").read_text() == "precious"


def _pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"model": 1}))


def _text(path: Path) -> None:
    path.write_text("no model")


def _cut(path: Path) -> None:
    path.write_bytes(Path("run/model.safetensors").read_bytes()[:3000])


def _newer(path: Path) -> None:
    header = json.loads(SliceGAN.load("run").info.to_json()) | {"format": 99}
    save_file(load_file("run/model.safetensors"), path, {"napari-slicegan": json.dumps(header)})


def _other(path: Path) -> None:
    save_file({"weight": np.zeros(3)}, path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".bin"])
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (None, "There is no model at"),
        (_pickle, "is not a"),
        (_text, "is not a"),
        (_cut, "is not a"),
        (_newer, "install a newer napari-slicegan"),
        (_other, "is not a model"),
    ],
)
def test_files_that_are_no_models(generate, trained, make, words, suffix):
    path = Path(f"other{suffix}")
    if make:
        make(path)
    if suffix == ".pt" and make in (_newer, _other):
        words = "is not a checkpoint"
    outcome = generate(path)
    assert outcome.code == 2
    assert words in outcome.err
    assert outcome.err.count("\n") == 1
    assert not Path("v.tif").exists()


def test_a_directory_without_a_run_is_no_model(generate):
    Path("empty").mkdir()
    assert "There is no model at empty" in generate("empty").err
