"""What ``info`` tells, and that its JSON stays what programs rely on."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.presets import PRESETS
from tests.cli.conftest import blobs, write


@pytest.fixture
def facts(command):
    def read(what) -> dict:
        outcome = command("info", what, "--json")
        assert outcome.code == 0, outcome.err
        return json.loads(outcome.out)

    return read


def test_a_model(facts, trained):
    got = facts(trained / "model.safetensors")
    assert list(got) == [
        "type", "path", "kind", "phases", "phase_names", "phase_colours", "voxel_size", "unit", "iterations",
        "seconds", "heldout", "card", "network", "training", "provenance",
    ]  # fmt: skip
    assert (got["type"], got["kind"], got["phases"]) == ("model", "phases", [0, 255])
    assert (got["voxel_size"], got["unit"], got["iterations"]) == (0.5, "um", 2)
    assert (got["network"]["channels"], got["training"]["iterations"]) == ([6, 4], 2)
    assert got["provenance"]["images"] == ["image.tif"]
    assert facts(trained / "checkpoint.pt")["network"] == got["network"]


def test_what_the_author_says_is_shown_and_not_obeyed(facts, command, trained):
    card = {"title": "Cathode \x1b[2J of cell 7", "notes": "one\ntwo"}
    model = SliceGAN.load(trained / "model.safetensors", "cpu")
    heldout = {"iteration": 2, "correlation_error": 0.0125, "fraction_error": 0.5}
    provenance = {**model.info.provenance, "heldout": heldout}
    look = {"phase_names": ("Pore", "Grain"), "phase_colours": ("#000000", "#ff0000")}
    model.info = replace(model.info, card=card, provenance=provenance, **look)
    model.save("mine.safetensors")
    got = facts("mine.safetensors")
    assert (got["card"], got["heldout"], got["phase_names"]) == (card, heldout, ["Pore", "Grain"])
    assert "heldout" not in got["provenance"]
    lines = command("info", "mine.safetensors").out
    assert "\x1b" not in lines
    assert {"  title: Cathode \ufffd[2J of cell 7", "  notes: one two", "  correlation_error: 0.0125"} <= set(
        lines.splitlines()
    )
    assert "phase_names: Pore, Grain" in lines


def test_a_run(facts, trained):
    got = facts(trained)
    assert list(got) == [
        "type", "path", "preset", "images", "state", "iterations", "seconds", "last_report", "network", "training",
        "model",
    ]  # fmt: skip
    assert (got["type"], got["path"], got["preset"], got["images"]) == ("run", "run", "quick", ["image.tif"])
    assert (got["state"], got["iterations"], got["last_report"]["iteration"]) == ("completed", 2, 2)
    assert got["network"]["image_channels"] == 2
    assert list(got["model"]) == [
        "kind", "phases", "phase_names", "phase_colours", "voxel_size", "unit", "heldout", "card", "provenance",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("last", "state"),
    [
        ({"event": "end", "reason": "stopped", "iteration": 2}, "stopped"),
        ({"event": "error", "message": "full"}, "failed"),
        ({"event": "progress", "iteration": 3}, "unfinished"),
        ({"event": "checkpoint", "iteration": 3}, "unfinished"),
    ],
)
def test_the_state_of_a_run_is_that_of_its_last_line(facts, trained, last, state):
    with (trained / "log.jsonl").open("a") as log:
        log.write(json.dumps(last) + "\n")
    assert facts(trained)["state"] == state


def test_a_run_that_has_not_begun(facts, trained):
    for name in ("log.jsonl", "checkpoint.pt", "model.safetensors"):
        (trained / name).unlink()
    got = facts(trained)
    assert (got["state"], got["iterations"], got["model"], got["last_report"]) == ("new", 0, None, None)


def test_an_image_of_phases(facts, image):
    got = facts(image)
    assert list(got) == ["type", "path", "kind", "shape", "axes", "dtype", "phases", "pixel_size", "unit", "presets"]
    assert (got["type"], got["kind"], got["shape"], got["axes"]) == ("image", "phases", [24, 40], "YX")
    assert (got["dtype"], got["pixel_size"], got["unit"]) == ("uint8", 0.5, "um")
    share = (blobs((24, 40)) == 0).mean()
    assert got["phases"] == [{"value": 0, "fraction": share}, {"value": 255, "fraction": pytest.approx(1 - share)}]
    assert got["presets"] == {
        name: {"crop": preset.network.edge, "large_enough": False} for name, preset in PRESETS.items()
    }


def test_a_large_grey_image_and_a_small_stack(facts):
    grey = facts(write("grey.tif", np.arange(64 * 70, dtype=np.uint16).reshape(64, 70)))
    assert (grey["kind"], grey["dtype"], grey["phases"], grey["pixel_size"]) == ("grey", "uint16", [], None)
    assert grey["presets"]["paper"]["large_enough"]
    stack = facts(write("stack.tif", blobs((20, 70, 70))))
    assert stack["axes"] == "ZYX"
    assert not stack["presets"]["paper"]["large_enough"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_in_full(facts, name):
    got = facts(name)
    assert got == {"type": "preset", **json.loads(json.dumps(asdict(PRESETS[name])))}


def test_a_file_wins_over_a_preset_of_its_name(facts, image):
    image.rename("quick")
    assert facts("quick")["type"] == "image"


def test_people_read_lines(command, trained, image):
    run = command("info", trained).out.splitlines()
    assert {"type: run", "state: completed", "  channels: 6, 4", "  voxel_size: 0.5"} <= set(run)
    lines = command("info", image).out.splitlines()
    share = (blobs((24, 40)) == 0).mean()
    assert f"phases: value 0, fraction {share:.6g}; value 255, fraction {1 - share:.6g}" in lines
    assert "    large_enough: no" in lines
    assert command("info", write("grey.tif", np.arange(900).reshape(30, 30))).out.count("-\n") == 3


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("none", "There is no file or directory none, and no preset of that name (quick, large, paper)"),
        ("none.pt", "There is no model at none.pt"),
        ("folder", "There is no run at folder"),
        ("text.txt", "text.txt is not a TIFF"),
    ],
)
def test_what_is_none_of_these(command, what, words):
    Path("folder").mkdir()
    Path("text.txt").write_text("text")
    outcome = command("info", what, "--json")
    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.err


def test_every_field_is_documented(facts, trained, image):
    text = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text()
    for what in (trained, trained / "model.safetensors", image, "quick"):
        got = facts(what)
        section = text.split(f'`"type": "{got["type"]}"`')[1].split('`"type"')[0]
        missing = [name for name in got if name != "type" and f"`{name}`" not in section]
        assert not missing


def test_every_option_is_documented(command):
    text = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text()
    for name in ("demo", "train", "generate", "info", "import"):
        usage = " ".join(command(name, "--help").out.split("\n\n")[0].split())
        contract = " ".join(text.split(f"napari-slicegan {name} ")[1].split("napari-slicegan")[0].split())
        options = {word for word in usage.replace("[", " ").replace("]", " ").split() if word.startswith("--")}
        assert options
        assert not {option for option in options if option not in contract}
