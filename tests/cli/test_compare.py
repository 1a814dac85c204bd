"""``napari-slicegan compare``: what it reads, refuses, shows and writes."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_slicegan.cli.progress import Timed
from napari_slicegan.core.io import write_volume
from napari_slicegan.core.output.formats import FORMATS
from tests.cli.conftest import blobs, write
from tests.core.comparisons import a_comparison

COMPARE = "napari_slicegan.cli.compare.compare"


@pytest.fixture
def micrograph() -> Path:
    return write("micrograph.tif", blobs((64, 72)), 0.5)


@pytest.fixture
def volume() -> Path:
    write_volume("volume.tif", blobs((32, 32, 32), 1), 0.5, "um")
    return Path("volume.tif")


@pytest.fixture
def asked(monkeypatch) -> list[tuple]:
    """What `compare` was called with, instead of its work."""
    calls = []

    def record(*arguments):
        calls.append(arguments)
        return a_comparison()

    monkeypatch.setattr(COMPARE, record)
    return calls


def test_a_volume_is_compared_with_its_micrograph(command, micrograph, volume):
    outcome = command("compare", micrograph, "--volume", volume, "--without-slow")
    assert outcome.code == 0, outcome.err
    assert "Fraction of phase 255" in outcome.out
    assert "agree" in outcome.out
    assert "Left out, since it was not asked for." in outcome.out
    assert "%" in outcome.err


def test_json_is_all_that_goes_to_standard_output(command, micrograph, volume, asked):
    outcome = command("compare", micrograph, "--volume", volume, "--json", "--report", "report")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out) == json.loads(Path("report/numbers.json").read_text(encoding="utf-8"))
    assert "Wrote report/report.html." in outcome.err


def test_the_options_reach_the_comparison(command, micrograph, volume, asked):
    options = ["--crop", 0, 0, 60, 64, "--pixel-size", 0.25, "--unit", "um", "--kind", "grey", "--without-slow"]
    assert command("compare", micrograph, "--volume", volume, volume, *options).code == 0
    ((truth, volumes, config, _),) = asked
    assert truth.sources[0].shape == (1, 60, 64, 1)
    assert (truth.pixel_size, truth.kind) == (0.25, "grey")
    assert [(each.name, each.shape, each.voxel_size) for each in volumes] == [("volume.tif", (32, 32, 32), 0.5)] * 2
    assert not config.slow
    assert config.seeds == 4


def test_a_model_makes_the_volumes_that_are_asked_for(command, trained, image, asked):
    assert command("compare", image, "--volume", trained, "--seeds", 2, "--shape", 16, 20, 24).code == 0
    ((_, volumes, config, _),) = asked
    assert [volume.shape for volume in volumes] == [(16, 20, 24)] * 2
    assert [volume.name for volume in volumes] == ["run, seed 0", "run, seed 1"]
    assert config.slow
    assert command("compare", image, "--volume", trained / "model.safetensors").code == 0
    assert len(asked[1][1]) == 4


def test_a_volume_as_truth_is_taken_from_images_and_from_other_formats(command, volume, asked):
    labels = tifffile.imread(volume)
    Path("truth.raw").write_bytes(labels.tobytes())
    facts = {"shape": labels.shape, "dtype": "uint8", "byte_order": "little", "voxel_size": 2.0, "unit": "nm"}
    Path("truth.raw.json").write_text(json.dumps(facts))
    for image, *options in ([volume], ["truth.raw"], ["truth.raw", "--pixel-size", 3, "--unit", "nm"]):
        outcome = command("compare", image, *options, "--volume", volume)
        assert outcome.code == 0, outcome.err
    stack, raw, stated = (call[0] for call in asked)
    assert len(stack.sources) == 3
    assert (raw.shape, raw.voxel_size, raw.unit) == ((32, 32, 32), 2.0, "nm")
    assert (stated.voxel_size, stated.unit) == (3.0, "nm")
    np.testing.assert_array_equal(raw.voxels[:], labels)
    outcome = command("compare", "truth.raw", "--crop", 0, 0, 9, 9, "--volume", volume)
    assert outcome.code == 2
    assert "--crop" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["image.tif", "--volume", "volume.tif", "--seeds", 2], "--seeds is for the volumes that a model makes"),
        (["image.tif", "--volume", "volume.tif", "--shape", 9, 9, 9], "--shape is for"),
        (["image.tif", "--volume", "run", "volume.tif"], "not both"),
        (["image.tif", "--volume", "run", "run"], "not more than one model"),
        (["image.tif", "--volume", "run", "--seeds", 0], "seeds"),
        (["image.tif", "--volume", "run", "--shape", 8, 64, 64], "shape"),
        (["image.tif", "--volume", "volume.tif", "--unit", "um"], "--pixel-size and --unit together"),
        (["image.tif", "--volume", "image.tif"], "2D image"),
        (["image.tif", "--volume", "none.tif"], "none.tif"),
        (["none.tif", "--volume", "volume.tif"], "none.tif"),
        (["image.tif", "--volume", "none.safetensors"], "none.safetensors"),
        (["image.tif", "--volume", "volume.tif", "--report", "run"], "run exists already"),
        (["image.tif"], "--volume"),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_sentence(command, image, volume, asked, arguments, said):
    Path("run").mkdir()
    Path("run/notes.txt").touch()
    outcome = command("compare", *arguments)
    assert outcome.code == 2
    assert said in outcome.err
    assert not asked
    assert "defect" not in outcome.err


def test_an_empty_folder_is_no_model(command, image):
    Path("run").mkdir()
    outcome = command("compare", image, "--volume", "run")
    assert outcome.code == 2
    assert "model" in outcome.err


def test_every_format_of_a_volume_is_told_from_a_run(command, image, monkeypatch, asked):
    seen = []
    monkeypatch.setattr("napari_slicegan.cli.compare.read_volume", lambda path: seen.append(path.name))
    Path("a.ome.zarr").mkdir()
    names = [f"a{suffix}" for each in FORMATS for suffix in each.suffixes]
    assert command("compare", image, "--volume", *names, "a.ome.zarr/").code == 0
    assert seen == [*names, "a.ome.zarr"]


def test_ctrl_c_ends_cleanly_and_leaves_no_report(command, micrograph, volume, monkeypatch):
    def interrupted(truth, volumes, config, progress):
        progress(0.3, "measuring")
        raise KeyboardInterrupt

    monkeypatch.setattr(COMPARE, interrupted)
    outcome = command("compare", micrograph, "--volume", volume, "--report", "report")
    assert outcome.code == 128 + signal.SIGINT
    assert "interrupted" in outcome.err
    assert not outcome.out
    assert not list(Path().glob("report*"))


def test_the_table_is_shown_even_if_the_report_cannot_be_written(command, micrograph, volume, asked, monkeypatch):
    def taken(*arguments):
        Path("report").write_text("somebody else's")
        return a_comparison()

    monkeypatch.setattr(COMPARE, taken)
    outcome = command("compare", micrograph, "--volume", volume, "--report", "report")
    assert outcome.code == 2
    assert "Volume fraction of pore" in outcome.out
    assert "report exists already" in outcome.err


def test_the_line_tells_the_time_that_is_left_and_ends_once(monkeypatch):
    class Bar:
        def __init__(self) -> None:
            self.lines: list[tuple[float, str]] = []

        def show(self, fraction: float, text: str = "") -> None:
            self.lines.append((fraction, text))

    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    bar = Bar()
    line = Timed(bar)
    line(0.0, "preparing")
    now += 1
    line(0.01, "measuring")
    now += 29
    for fraction in (0.25, 1.0, 1.0):
        line(fraction, "measuring")
    assert bar.lines == [(0.0, "preparing"), (0.01, "measuring"), (0.25, "measuring, ETA 1:30"), (1.0, "measuring")]
