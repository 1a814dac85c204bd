"""``napari-slicegan import``: files of the published code become a model that all commands take."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.published import Published, a_generator, lists, save


@pytest.fixture
def files(tmp_path):
    params = lists(2)
    return save(tmp_path, a_generator(params, resized=True), params)


def test_an_imported_generator_is_a_model_like_any_other(command, files):
    made = command(
        "import", *files, "--out", "nmc.safetensors", "--phases", 0, 255, "--pixel-size", 0.4, "--unit", "µm"
    )
    assert made.code == 0, made.err
    first, about_size, then = made.out.splitlines()
    assert first == "Wrote nmc.safetensors: phases (0, 255), voxels of 0.4 um, 3 latent channels."
    assert "the voxels from 0 0 0 to 63 63 63 are those of the original; beyond, it interpolates" in about_size
    assert then.startswith("Generate with it: napari-slicegan generate nmc.safetensors --shape 64 64 64")
    facts = json.loads(command("info", "nmc.safetensors", "--json").out)
    assert (facts["kind"], facts["phases"], facts["voxel_size"], facts["unit"]) == ("phases", [0, 255], 0.4, "um")
    assert (facts["network"]["upsampling"], facts["iterations"]) == ("stretch", None)
    assert facts["provenance"]["imported"]["generator"] == "nmc_Gen.pt"
    assert "generator: nmc_Gen.pt" in command("info", "nmc.safetensors").out
    generated = command("generate", "nmc.safetensors", "--shape", 70, 20, 30, "--out", "volume.tif")
    assert generated.code == 0, generated.err
    volume = tifffile.imread("volume.tif")
    assert (volume.shape, set(np.unique(volume))) == ((70, 20, 30), {0, 255})


def test_what_was_assumed_is_said(command, files, tmp_path):
    assert (
        "strides of 2 and paddings of 2, 2, 2, 2, 3 were assumed"
        in command("import", files[0], "--out", "a.safetensors").out
    )
    params = lists(3)
    files = save(tmp_path, Published(params), params)
    assumed = command("import", *files, "--out", "b.safetensors").out
    assert "3 channels were taken for phases; if they are colours, import it with --kind colour." in assumed
    assert "resize" not in assumed
    stated = command("import", *files, "--out", "c.safetensors", "--kind", "colour").out
    assert stated.splitlines()[0] == "Wrote c.safetensors: colour, voxels of unknown size, 3 latent channels."
    assert "taken for" not in stated


@pytest.mark.parametrize(
    ("extra", "refusal"),
    [
        (["--out", "model.pt"], "model.pt is no name of a model file: let it end in .safetensors."),
        (["--out", "there.safetensors"], "there.safetensors exists: choose another name."),
        (["--out", "a.safetensors", "--unit", "um"], "together"),
        (["--out", "a.safetensors", "--kind", "grey"], "which are not grey"),
        (["--out", "none/a.safetensors"], "cannot be written"),
        (["--out", "a.safetensors", "--kind", "voxels"], "invalid choice"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(extra, refusal, command, files):
    Path("there.safetensors").write_text("kept")
    outcome = command("import", *files, *extra)
    assert (outcome.code, refusal in outcome.err) == (2, True), outcome.err
    assert "Traceback" not in outcome.err
    assert [path.name for path in Path().glob("*.safetensors")] == ["there.safetensors"]
    assert Path("there.safetensors").read_text() == "kept"


def test_files_that_are_none_of_these_leave_no_model(command, files):
    files[1].write_bytes(pickle.dumps({"kernel": 4}))
    outcome = command("import", *files, "--out", "a.safetensors")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "is no list of layers (the instruction EMPTY_DICT)" in outcome.err
    files[0].write_bytes(b"no weights")
    assert "no file of weights that torch has saved" in command("import", files[0], "--out", "a.safetensors").err
    assert not Path("a.safetensors").exists()
