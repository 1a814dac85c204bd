"""``napari-slicegan reproduce``: exit codes, what it finds by itself, and that nothing else is left."""

import json
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_slicegan.core.model import SliceGAN
from tests.cli.conftest import blobs, write

SHAPE = ("--shape", 9, 10, 11)


@pytest.fixture
def reproduce(command):
    return lambda *args: command("reproduce", *args)


@pytest.fixture
def volume(command, trained) -> Path:
    """A volume beside its run."""
    outcome = command("generate", trained, *SHAPE, "--seed", 5, "--origin", 3, -4, 5, "--out", "v.tif")
    assert outcome.code == 0, outcome.err
    return Path("v.tif")


def everything() -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(Path().rglob("*")) if file.is_file()}


def is_one_sentence(outcome, *words) -> None:
    assert outcome.code == 2
    assert outcome.err.startswith("napari-slicegan: ")
    assert outcome.err.count("\n") == 1
    assert all(word in outcome.err for word in words), outcome.err


@pytest.mark.parametrize("what", ["run", "run/model.safetensors", "run/checkpoint.pt"])
def test_a_run_and_its_files_are_identical_and_left_alone(reproduce, trained, what):
    before = everything()
    outcome = reproduce(what)
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[0] == "Trained for 2 iterations; now the same again."
    assert outcome.out.splitlines()[-1].startswith("Identical: all ")
    assert "100% training" in outcome.err
    assert everything() == before


def test_a_run_that_was_stopped_and_resumed_with_another_end_is_identical(command, reproduce, trained, image, settings):
    outcome = command("train", "--out", "run", "--resume", "--iterations", 5)
    assert outcome.code == 0, outcome.err
    outcome = reproduce("run")
    assert outcome.out.startswith("Trained for 5 iterations; now the same again.")
    assert outcome.code == 0, outcome.out


def test_a_run_that_was_limited_by_minutes_is_identical(command, reproduce, image, settings):
    outcome = command("train", image, "--out", "run", "--config", settings, "--minutes", 0.01)
    assert outcome.code == 0, outcome.err
    assert reproduce("run").code == 0


def test_another_seed_is_not_identical(reproduce, trained):
    model = SliceGAN.load(trained / "model.safetensors")
    model.info.provenance["training"]["seed"] = 99
    model.save(trained / "model.safetensors")
    outcome = reproduce(trained)
    assert outcome.code == 3
    assert outcome.out.splitlines()[-1].startswith("Not identical: ")


def test_a_model_elsewhere_wants_its_images(reproduce, trained, image):
    shutil.copy(trained / "model.safetensors", "mine.safetensors")
    is_one_sentence(reproduce("mine.safetensors"), "does not lie in the directory of a run", "give the images")
    assert reproduce("mine.safetensors", image).code == 0
    is_one_sentence(reproduce("mine.safetensors", image, "--crop", 0, 0, 20, 20), "not the images")
    other = write("other.tif", blobs((24, 40), seed=1))
    is_one_sentence(reproduce("mine.safetensors", other), "not the images")
    shutil.copytree(trained, "second")
    (Path("second") / "images.safetensors").unlink()
    is_one_sentence(reproduce("second"), "does not hold its training images")


def test_a_run_that_began_with_another_is_told_where(command, reproduce, trained, image, settings):
    outcome = command(
        "train", image, "--out", "next", "--config", settings, "--iterations", 2, "--start-from", trained
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    is_one_sentence(reproduce("next"), "checkpoint.pt: name that file with --start-from")
    assert reproduce("next", "--start-from", trained).code == 0


@pytest.mark.parametrize("out", ["v.tif", "v.ome.tif", "v.npy", "v.raw", "v.ome.zarr", "v.vti"])
def test_a_volume_finds_its_model_beside_it(command, reproduce, trained, out):
    assert command("generate", trained, *SHAPE, "--seed", 5, "--periodic", "", "--out", out).code == 0
    before = everything()
    outcome = reproduce(out)
    assert outcome.code == 0, outcome.err
    assert outcome.out == "Identical: all 990 voxels are the same.\n"
    assert everything() == before


def test_one_voxel_is_not_identical(reproduce, volume):
    stored = tifffile.memmap(volume, mode="r+")
    before = int(stored[8, 2, 1])
    stored[8, 2, 1] = 77
    stored.flush()
    outcome = reproduce(volume)
    assert outcome.code == 3
    assert outcome.out == (
        f"Not identical: 1 of 990 voxels differ, the first at z 8, y 2, x 1: 77 in the file, {before} made again.\n"
    )


def test_another_seed_of_a_volume_is_not_identical(command, reproduce, trained):
    assert command("generate", trained, *SHAPE, "--out", "v.raw").code == 0
    about = Path("v.raw.json")
    facts = json.loads(about.read_text())
    facts["provenance"]["request"]["seed"] = 1
    about.write_text(json.dumps(facts))
    outcome = reproduce("v.raw")
    assert outcome.code == 3
    assert " of 990 voxels differ" in outcome.out


def test_a_volume_away_from_its_model_wants_it_and_refuses_others(command, reproduce, volume, image, settings):
    shutil.move("run", "elsewhere/deep/run")
    is_one_sentence(reproduce(volume), "name it, or its run, with --model")
    assert reproduce(volume, "--model", "elsewhere/deep/run").code == 0
    command("train", image, "--out", "other", "--config", settings, "--iterations", 2, "--seed", 3)
    is_one_sentence(reproduce(volume, "--model", "other"), "not the model that made the volume")


def test_what_is_made_again_is_kept_where_that_is_asked_for(reproduce, trained, volume, image):
    assert reproduce(volume, "--out", "again.npy").code == 0
    np.testing.assert_array_equal(np.load("again.npy"), tifffile.imread(volume))
    assert reproduce("again.npy").code == 0
    assert reproduce(trained, "--out", "again.safetensors").code == 0
    assert reproduce("again.safetensors", image).code == 0
    before = everything()
    is_one_sentence(reproduce(volume, "--out", "again.npy"), "exists")
    is_one_sentence(reproduce(trained, "--out", "again.safetensors"), "exists")
    is_one_sentence(reproduce(trained, "--out", "again.tif"), "must end in .safetensors")
    assert everything() == before


def test_what_differs_on_this_computer_is_said_beforehand(reproduce, trained, image):
    model = SliceGAN.load(trained / "model.safetensors")
    for session in model.info.provenance["sessions"]:
        session["machine"] |= {"torch_version": "1.0", "processor": "an abacus"}
    model.save(trained / "model.safetensors")
    lines = reproduce(trained).out.splitlines()
    assert lines[1].startswith("This differs, and may change the last bits: torch 1.0, now ")
    assert lines[2].startswith("This differs, and may change the last bits: the processor an abacus, now ")
    assert lines[3].startswith("Identical: ")


def test_what_cannot_be_made_again_gets_a_sentence(reproduce, trained, volume, image):
    is_one_sentence(reproduce("nothing.tif"), "no file or directory nothing.tif")
    is_one_sentence(reproduce(image), "does not say how it was made")
    is_one_sentence(reproduce("tiny.toml"), "neither a model")
    is_one_sentence(reproduce(trained, "--model", trained), "--model is for volumes")
    is_one_sentence(reproduce(volume, image), "are for models")
    is_one_sentence(reproduce(volume, "--device", "cuda"), "finds no cuda device")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_can_be_broken_off_and_leaves_nothing(command, start, image, settings, number, tmp_path, monkeypatch):
    command("train", image, "--out", "run", "--config", settings, "--iterations", 2)
    model = SliceGAN.load("run/model.safetensors")
    model.info.provenance["generator"]["iteration"] = 10**7
    model.save("run/model.safetensors")
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    before = everything()
    process = start("reproduce", "run", "--out", "again.safetensors")
    patience = time.monotonic() + 120
    while not list(folder.glob("napari-slicegan-*")):
        assert time.monotonic() < patience
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    time.sleep(1)  # it trains
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    assert "Traceback" not in err
    assert "dentical" not in out
    assert everything() == before
    assert not list(folder.iterdir())
