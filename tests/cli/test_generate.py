"""Volumes from models."""

import json
import pickle
import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import tifffile
import trimesh
from safetensors.numpy import load_file, save_file

from napari_slicegan.core.choices import Precision
from napari_slicegan.core.cluster import engine
from napari_slicegan.core.io import read_image
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.output.reading import open_volume
from napari_slicegan.core.output.tally import Tally
from napari_slicegan.core.volume.request import VolumeRequest
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


def test_a_model_of_the_package_goes_by_its_name(generate):
    outcome = generate("sample:fibres")
    assert outcome.code == 0, outcome.err
    np.testing.assert_array_equal(tifffile.imread("v.tif"), SliceGAN.load("sample:fibres").generate((9, 10, 11)))
    refused = generate("sample:sandstone")
    assert refused.code == 2
    assert "choose one of sample:cathode, sample:fibres, sample:polycrystal" in refused.err


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


@pytest.mark.parametrize("out", ["v.tif", "v.TIFF", "v.ome.tif", "v.npy", "v.raw", "v.ome.zarr", "v.vti"])
def test_the_ending_of_the_name_is_the_format(command, trained, out):
    outcome = command("generate", trained, "--shape", 9, 10, 11, "--seed", 3, "--out", out)
    assert outcome.code == 0, outcome.err
    expected = SliceGAN.load(trained).generate((9, 10, 11), seed=3)
    np.testing.assert_array_equal(open_volume(Path(out))[:], expected)
    others = {"v.raw": "What its voxels are is in v.raw.json.", "v.vti": "Look at it: paraview v.vti"}
    assert outcome.out.splitlines()[-1] == others.get(out, f"Look at it: napari {out}")


def test_the_box_and_the_precision_reach_the_model(generate, trained):
    assert generate(trained, "--origin", -5, 0, 1000, "--precision", "fast", "--out", "v.raw").code == 0
    model = SliceGAN.load(trained)
    expected = model.generate((9, 10, 11), origin=(-5, 0, 1000), precision="fast")
    np.testing.assert_array_equal(open_volume(Path("v.raw")), expected)
    request = json.loads(Path("v.raw.json").read_text())["provenance"]["request"]
    assert (request["origin"], request["precision"]) == ([-5, 0, 1000], "fast")
    assert generate(trained, "--precision", "auto", "--out", "w.raw").code == 0
    precision = json.loads(Path("w.raw.json").read_text())["provenance"]["request"]["precision"]
    assert precision == model.resolved(VolumeRequest((1, 1, 1), precision=Precision.AUTO)).precision


def test_several_seeds(generate, trained):
    outcome = generate(trained, "--seed", 4, 3, "--out", "v-{seed}.npy", "--surface", 0, "{seed}.ply")
    assert outcome.code == 0, outcome.err
    model = SliceGAN.load(trained)
    for seed in (3, 4):
        np.testing.assert_array_equal(np.load(f"v-{seed}.npy"), model.generate((9, 10, 11), seed=seed))
        assert Path(f"{seed}.ply").exists()
    lines = outcome.out.splitlines()
    assert lines[0].startswith("Wrote v-4.npy: ")
    assert lines[2].split() == ["phase", "0", f"{(np.load('v-4.npy') == 0).mean():.2%}"]
    assert lines[-1] == "Look at them: napari v-4.npy v-3.npy"


def test_all_names_are_checked_before_the_first_is_made(generate, trained):
    Path("v-2.npy").write_text("precious")
    outcome = generate(trained, "--seed", 1, 2, "--out", "v-{seed}.npy")
    assert outcome.code == 2
    assert "v-2.npy exists" in outcome.err
    assert not Path("v-1.npy").exists()


def test_the_disk_must_hold_all_of_them(generate, trained, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: namedtuple("Usage", "free")(2 * 990 - 1))
    outcome = generate(trained, "--seed", 1, 2, "--out", "v-{seed}.npy")
    assert outcome.code == 2
    assert "where 0.989 kB are left for it" in outcome.err
    assert not list(Path().glob("v-*"))


@pytest.mark.parametrize("out", ["v.npy", "v.raw", "v.tif", "v.ome.zarr", "v.vti"])
def test_the_surface_of_a_phase_in_physical_units(generate, trained, out):
    outcome = generate(trained, "--seed", 3, "--out", out, "--surface", 255, "v.stl")
    assert outcome.code == 0, outcome.err
    assert "Wrote v.stl: the surface of phase 255." in outcome.out
    volume = SliceGAN.load(trained).generate((9, 10, 11), seed=3)
    mesh = trimesh.load("v.stl")
    assert mesh.is_watertight
    z, y, x = np.nonzero(volume == 255)
    low, high = (np.array([edge(x), edge(y), edge(z)]) * 0.5 for edge in (np.min, np.max))
    np.testing.assert_allclose(mesh.bounds, [low - 0.25, high + 0.25], atol=1e-6)


def test_a_cluster_is_asked_for_a_store(generate, trained, monkeypatch):
    asked = []

    def make(model, request, path, address, *, resume, progress):
        asked.append((request.shape, path.name, address, resume))
        progress(1.0)
        return Tally(10, (4, 6))

    monkeypatch.setattr(engine, "stream_on_cluster", make)
    outcome = generate(trained, "--out", "v.ome.zarr", "--dask", "tcp://node:8786", "--resume")
    assert outcome.code == 0, outcome.err
    assert asked == [((9, 10, 11), "v.ome.zarr", "tcp://node:8786", True)]
    assert "phase 0    40.00%" in outcome.out


def test_resuming_leaves_what_is_finished_and_makes_the_rest(generate, trained):
    options = ("--out", "v-{seed}.npy", "--surface", 0, "{seed}.stl", "--resume")
    assert generate(trained, "--seed", 1, *options).code == 0
    before = Path("v-1.npy").stat(), Path("1.stl").stat()
    outcome = generate(trained, "--seed", 1, 2, *options)
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("v-1.npy exists and is left as it is.\nWrote v-2.npy")
    assert (Path("v-1.npy").stat(), Path("1.stl").stat()) == before
    assert Path("2.stl").exists()
    Path("2.stl").unlink()
    assert generate(trained, "--seed", 2, *options).code == 0
    assert Path("2.stl").exists()


def test_an_unfinished_volume_says_so(generate, trained):
    Path("v.npy.part").write_text("half")
    outcome = generate(trained, "--out", "v.npy")
    assert outcome.code == 2
    assert "v.npy.part is an unfinished volume: resume it (--resume), or remove it" in outcome.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--periodic", "y"), "multiple of 8 voxels long, but y has 10: choose 8 or 16"),
        (("--seed", "-1"), "seed -1 is not a whole number"),
        (("--shape", 0, 1, 1), "is not three whole numbers above 0"),
        (("--shape", 3, -1, 1), "is not three whole numbers above 0"),
        (("--origin", 0, 0, 2**61), "farther out than 2^60 voxels"),
        (("--out", "v.png"), "v.png must end in .tif, .tiff, .ome.tif, .ome.tiff, .ome.zarr, .npy, .raw or .vti"),
        (("--shape", *(300_000,) * 3, "--out", "v.npy"), "on the disk, where"),
        (("--shape", *(300_000,) * 3, "--out", "v.ome.zarr"), "needs at least 540 TB on the disk, where"),
        (("--seed", 1, 2), "Several seeds need several names: put {seed} into v.tif, as in volume-{seed}.tif"),
        (("--seed", 1, 2, 1, "--out", "v.{seed}.tif"), "The seed 1 is given twice"),
        (("--seed", 1, 2, "--out", "v.{seed}.tif", "--surface", 0, "v.stl"), "put {seed} into v.stl"),
        (("--surface", "pore", "v.stl"), "'pore' is no label"),
        (("--surface", 7, "v.stl"), "There is no phase 7: choose one of 0, 255"),
        (("--surface", 0, "v.obj"), "v.obj must end in .stl or .ply"),
        (("--surface", 0, "none/v.stl"), "There is no folder none"),
        (("--dask", "tcp://127.0.0.1:1"), "A Dask cluster writes OME-Zarr: let v.tif end in .ome.zarr"),
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
