"""Training, going on, and what bad input gets."""

import json
import re
import signal
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from napari_slicegan.core import training_memory
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.presets import PRESETS
from napari_slicegan.core.runs import Request, ask
from tests.cli.conftest import EDGE, blobs, write


@pytest.fixture
def train(command, settings):
    """Train for an iteration with tiny networks."""
    return lambda *args: command("train", *args, "--config", settings, "--iterations", 1)


def lines(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def test_a_run_has_all_its_files_and_the_output_says_where(command, image, settings):
    outcome = command(
        "train", image, "--out", "a/run", "--config", settings, "--set", "preview_seconds=1e-9", "--iterations", 2
    )
    assert outcome.code == 0, outcome.err
    run = Path("a/run")
    names = {path.name for path in run.iterdir()}
    assert names == {
        "config.json", "status.json", "log.jsonl", "images.safetensors", "checkpoint.pt", "model.safetensors",
        "previews", "run.lock",
    }  # fmt: skip
    assert [path.name for path in sorted((run / "previews").iterdir())] == ["00000001.tif", "00000002.tif"]
    assert lines(run)[-1] == {"event": "end", "reason": "completed", "iteration": 2}
    info = SliceGAN.load(run).info
    assert (info.voxel_size, info.unit, info.phases) == (0.5, "um", (0, 255))
    assert "Trained 2 iterations in 0:0" in outcome.out
    for path in (run / "model.safetensors", run / "previews"):
        assert str(path) in outcome.out
    assert f"napari-slicegan generate {run} --shape" in outcome.out


def test_the_first_line_names_preset_device_and_cost(command, image, settings):
    quick = PRESETS["quick"].description
    changed = command("train", image, "--out", "run", "--config", settings, "--iterations", 1)
    assert changed.out.splitlines()[0] == f"Preset quick on cpu, with changes: {quick}"
    assert "subset" in quick
    assert "etworks" in quick


def test_an_unchanged_preset_is_not_said_to_be_changed(command, image):
    wide = write("wide.tif", blobs((64, 64)))
    outcome = command("train", wide, "--out", "run", "--preset", "quick", "--iterations", 1, "--device", "cpu")
    assert outcome.code == 0
    assert outcome.out.splitlines()[0] == f"Preset quick on cpu: {PRESETS['quick'].description}"


def test_the_progress_goes_to_standard_error(train, image):
    outcome = train(image, "--out", "run")
    first, last = outcome.err.splitlines()
    assert first == f"[{'-' * 24}]   0% the first iteration is under way"
    assert last.startswith(f"[{'#' * 24}] 100% it 1/1  ")
    for word in (" it/s  ", "distance ", "penalty ", ", ETA 0:00  "):
        assert word in last


def test_settings_reach_the_run(command, image, settings):
    outcome = command(
        "train", image, "--out", "run", "--config", settings, "--set", "real_crops=3", "--set", "channels=5,3",
        "--seed", 7, "--preset", "paper", "--minutes", 0.001,
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    config = json.loads(Path("run/config.json").read_text())
    assert config["preset"] == "paper"
    assert config["network"]["channels"] == [5, 3]
    training = config["training"]
    assert (training["real_crops"], training["seed"]) == (3, 7)
    assert (training["iterations"], training["minutes"]) == (0, 0.001)
    assert training["learning_rate"] == PRESETS["paper"].training.learning_rate


def test_the_same_seed_gives_the_same_model(train, image):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert train(image, "--out", name, "--seed", seed).code == 0
    a, b, c = (SliceGAN.load(name).generate((8, 8, 8)) for name in "abc")
    weights = [next(SliceGAN.load(name).generator.parameters()) for name in "abc"]
    np.testing.assert_array_equal(a, b)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert c.shape == a.shape


@pytest.mark.parametrize(
    ("arrays", "kind", "shape"),
    [
        ([blobs((20, 20))] * 2, "phases", (8, 8, 8)),
        ([blobs((20, 20))] * 3, "phases", (8, 8, 8)),
        ([blobs((18, 20, 22))], "phases", (8, 8, 8)),
        ([np.arange(400, dtype=np.uint8).reshape(20, 20)], "grey", (8, 8, 8)),
        ([np.arange(1200).reshape(20, 20, 3) * 50 % 251], "colour", (8, 8, 8, 3)),
    ],
    ids=["two images", "three images", "stack", "grey", "colour"],
)
def test_every_kind_of_input_trains_and_generates(train, arrays, kind, shape):
    paths = [write(f"{index}.tif", array.astype(np.uint8)) for index, array in enumerate(arrays)]
    outcome = train(*paths, "--out", "run", "--axis", "y")
    assert outcome.code == 0, outcome.err
    model = SliceGAN.load("run")
    assert model.info.kind == kind
    assert model.generate((8, 8, 8)).shape == shape


def test_an_image_of_exactly_the_crop_edge_works(train):
    assert train(write("a.tif", blobs((EDGE, EDGE))), "--out", "run").code == 0


def test_going_on_gives_what_a_run_without_a_break_gives(command, image, settings):
    options = ("--config", settings, "--set", "average=0")
    assert command("train", image, "--out", "whole", *options, "--iterations", 4).code == 0
    assert command("train", image, "--out", "parts", *options, "--iterations", 2).code == 0
    outcome = command("train", image, "--out", "parts", "--resume", "--iterations", 4)
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[0].startswith("Preset quick on cpu, with changes: ")
    assert "Going on with parts after 2 iterations." in outcome.out
    whole, parts = (SliceGAN.load(name).generator.state_dict() for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert [line["iteration"] for line in lines(Path("parts")) if line["event"] == "end"] == [2, 4]


def test_a_run_goes_on_without_its_image(command, trained, image):
    image.unlink()
    outcome = command("train", "--out", trained, "--resume", "--iterations", 3)
    assert outcome.code == 0, outcome.err
    assert "Trained 3 iterations" in outcome.out
    for option in (("--crop", 0, 0, 16, 16), ("--kind", "grey"), ("--axis", "x")):
        outcome = command("train", "--out", trained, "--resume", *option)
        assert "are used as they are: leave out --kind, --axis, --crop, --shrink" in outcome.err
    outcome = command("train", "--out", "other", "--resume")
    assert outcome.code == 2
    assert "There is no image to train on, and no run at other" in outcome.err


def test_a_run_starts_from_the_weights_of_another(command, trained, image, settings):
    line = ("train", image, "--config", settings, "--iterations", 1, "--seed", 5, "--out", "second", "--resume")
    assert command(*line, "--start-from", trained).code == 0
    assert SliceGAN.load("second").info.provenance["started_from"].endswith("checkpoint.pt")
    assert command(*line, "--start-from", trained).code == 0  # finished
    outcome = command(*line, "--start-from", "another")
    assert "not from another: leave out --start-from, or start a new run" in outcome.err
    outcome = command("train", image, "--out", trained, "--resume", "--start-from", "second")
    assert "has begun with random weights: leave out --start-from" in outcome.err
    narrow = ("--config", settings, "--set", "channels=5,3")
    outcome = command("train", image, *narrow, "--out", "c", "--start-from", trained)
    assert outcome.code == 2
    assert "has networks with another channels" in outcome.err
    assert not Path("c").exists()


def test_the_held_out_error_is_shown(command, image, settings):
    options = ("--config", settings, "--set", "evaluation_iterations=1", "--iterations", 1)
    outcome = command("train", image, "--out", "run", *options)
    told = r"Held-out errors at iteration 1: S2 0\.\d+, fractions 0\.\d+, surfaces \d+ %, patterns 0\.\d+\."
    assert re.search(told, outcome.out)
    (evaluation,) = [line for line in lines(Path("run")) if line["event"] == "evaluation"]
    errors = {"correlation_error", "fraction_error", "surface_error", "pattern_error"}
    assert evaluation.keys() == {"event", "iteration", "lost", *errors}


def test_another_process_may_stop_it(command, trained, image, monkeypatch):
    update = GAN.update_generator

    def asked(self):
        ask(trained, Request.STOP)
        return update(self)

    monkeypatch.setattr(GAN, "update_generator", asked)
    outcome = command("train", "--out", trained, "--resume", "--iterations", 10**6)
    assert outcome.code == 0, outcome.err
    assert "Stopped after" in outcome.out


def test_a_finished_run_is_left_as_it_is(command, trained, image):
    before = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}
    outcome = command("train", image, "--out", trained, "--resume")
    assert outcome.code == 0
    assert outcome.out.startswith("run is finished: 2 iterations.")
    assert "--iterations" in outcome.out
    assert {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()} == before


def test_the_same_line_can_be_given_again_and_again(command, image, settings):
    line = ("train", image, "--out", "run", "--config", settings, "--iterations", 1, "--seed", 3, "--resume")
    first, second = command(*line), command(*line)
    assert (first.code, second.code) == (0, 0)
    assert "Trained 1 iterations" in first.out
    assert "run is finished" in second.out


def test_going_on_starts_a_run_that_has_no_checkpoint(command, trained, image):
    (trained / "checkpoint.pt").unlink()
    outcome = command("train", image, "--out", trained, "--resume")
    assert outcome.code == 0
    assert "Trained 2 iterations" in outcome.out


def test_a_later_end_lasts_after_a_stop(command, trained, image, monkeypatch):
    update = GAN.update_generator

    def interrupted(self):
        signal.raise_signal(signal.SIGINT)
        return update(self)

    with monkeypatch.context() as patch:
        patch.setattr(GAN, "update_generator", interrupted)
        assert command("train", image, "--out", trained, "--resume", "--iterations", 6).code == 130
    assert SliceGAN.load(trained).info.provenance["iterations"] < 6
    outcome = command("train", image, "--out", trained, "--resume")
    assert "Trained 6 iterations" in outcome.out


def test_going_on_keeps_the_pixel_size(command, image, settings):
    size = ("--pixel-size", 3, "--unit", "nm")
    assert command("train", image, "--out", "run", "--config", settings, "--iterations", 1, *size).code == 0
    assert command("train", image, "--out", "run", "--resume", "--iterations", 2).code == 0
    assert (SliceGAN.load("run").info.voxel_size, SliceGAN.load("run").info.unit) == (3, "nm")
    assert command("train", image, "--out", "run", "--resume", "--iterations", 3, *size).code == 0
    outcome = command("train", image, "--out", "run", "--resume", "--pixel-size", 4, "--unit", "nm")
    assert outcome.code == 2
    assert "The run has pixels of 3 nm, not 4 nm" in outcome.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--set", "real_crops=9"), "another real_crops: "),
        (("--seed", "5", "--preset", "paper"), "another preset, seed: "),
    ],
)
def test_going_on_with_other_settings_is_refused(command, trained, image, options, words):
    outcome = command("train", image, "--out", trained, "--resume", "--iterations", 4, *options)
    assert outcome.code == 2
    assert words in outcome.err
    assert "only the end (--iterations, --minutes) may change" in outcome.err


def test_going_on_with_other_images_is_refused(command, trained):
    other = write("other.tif", blobs((24, 40), seed=1))
    outcome = command("train", other, "--out", trained, "--resume", "--iterations", 4)
    assert outcome.code == 2
    assert "was started with other images (image.tif)" in outcome.err


def test_a_damaged_checkpoint_is_refused(command, trained, image):
    (trained / "checkpoint.pt").write_bytes((trained / "checkpoint.pt").read_bytes()[:999])
    outcome = command("train", image, "--out", trained, "--resume", "--iterations", 4)
    assert outcome.code == 2
    assert "checkpoint" in outcome.err


def test_an_existing_run_is_refused_before_anything_else(command, trained):
    outcome = command("train", "no such image.tif", "--out", trained, "--preset", "quick")
    assert outcome.code == 2
    assert "run exists already" in outcome.err
    assert "--resume" in outcome.err


@pytest.mark.parametrize("resume", [(), ("--resume",)])
def test_a_place_with_other_things_is_refused(train, image, resume):
    Path("things").mkdir()
    Path("things/photo.jpg").touch()
    for place in ("things", image):
        outcome = train(image, "--out", place, *resume)
        assert outcome.code == 2
        assert f"{place} exists already: choose another place with --out." in outcome.err
    assert [path.name for path in Path("things").iterdir()] == ["photo.jpg"]


def test_an_empty_directory_is_used(train, image):
    Path("run").mkdir()
    assert train(image, "--out", "run").code == 0


def test_a_directory_that_cannot_be_made_is_refused(train, image):
    outcome = train(image, "--out", image / "run")
    assert outcome.code == 2
    assert "cannot be made" in outcome.err


GREY = np.arange(400, dtype=np.uint8).reshape(20, 20)
NAN = np.where(np.eye(20) > 0, np.nan, 1.0).astype(np.float32)
INF = np.where(np.eye(20) > 0, np.inf, 1.0).astype(np.float32)
BAD_IMAGES = {
    "too small": ([blobs((EDGE - 1, 40))], (), "15 x 40 pixels is smaller than the 16 x 16"),
    "unsegmented": ([GREY], ("--kind", "phases"), "256 values.*grey.*segment"),
    "single value": ([np.ones((20, 20), np.uint8)], (), "a single value"),
    "single grey": ([np.ones((20, 20), np.uint8)], ("--kind", "grey"), "a single value"),
    "not a number": ([NAN], (), "NaN or infinite"),
    "infinite": ([INF], (), "NaN or infinite"),
    "other kinds": ([blobs((20, 20)), blobs((20, 20)), GREY], (), "different kinds"),
    "other phases": ([blobs((20, 20)), blobs((20, 20)), blobs((20, 20)) // 5], (), "the same phases"),
    "four images": ([blobs((20, 20))] * 4, (), "one, two or three"),
    "crop outside": ([blobs((20, 20))], ("--crop", 0, 0, 21, 20), "does not lie in 0.tif"),
    "size without unit": ([blobs((20, 20))], ("--pixel-size", 1), "--pixel-size and --unit together"),
    "unit without size": ([blobs((20, 20))], ("--unit", "nm"), "--pixel-size and --unit together"),
    "unknown unit": ([blobs((20, 20))], ("--pixel-size", 1, "--unit", "ell"), "unit 'ell' is not known"),
    "no size": ([blobs((20, 20))], ("--pixel-size", 0, "--unit", "nm"), "positive number"),
    "unknown setting": ([blobs((20, 20))], ("--set", "sed=1"), "no setting 'sed'"),
    "bad setting": ([blobs((20, 20))], ("--set", "seed=-1"), "seed is -1: give whole numbers from 0"),
    "bad layer": ([blobs((20, 20))], ("--set", "kernel=4,5,4"), "Layer 2 .*a multiple of stride"),
    "turning planes": ([blobs((20, 20))] * 3, ("--set", "symmetry=rotate"), "must not be turned"),
    "no GPU": ([blobs((20, 20))], ("--device", "cuda"), "finds no cuda device"),
}


@pytest.mark.parametrize(("arrays", "options", "words"), BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_what_cannot_be_trained_leaves_nothing_behind(train, arrays, options, words):
    paths = [write(f"{index}.tif", array) for index, array in enumerate(arrays)]
    outcome = train(*paths, "--out", "run", *options)
    _is_one_sentence(outcome, words)
    assert not Path("run").exists()


def _is_one_sentence(outcome, words: str) -> None:
    assert outcome.code == 2
    assert outcome.err.startswith("napari-slicegan: ")
    assert outcome.err.count("\n") == 1
    assert re.search(words, outcome.err), outcome.err


def test_no_end_is_refused(command, image, settings):
    outcome = command("train", image, "--out", "run", "--config", settings, "--iterations", 0)
    _is_one_sentence(outcome, "no end")
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.tif", None, "There is no file none.tif"),
        ("empty.tif", b"", "empty.tif is empty"),
        ("text.tif", b"no pixels here", "text.tif is not a TIFF, PNG, JPEG or NPY"),
        ("sheet.xlsx", b"PK\3\4....", "sheet.xlsx is not a TIFF, PNG, JPEG or NPY"),
        ("half.tif", "half", "half.tif is cut short"),
    ],
)
def test_files_that_are_no_images(train, name, content, words):
    if content == "half":
        tifffile.imwrite(name, blobs((64, 64)))
        content = Path(name).read_bytes()[:2000]
    if content is not None:
        Path(name).write_bytes(content)
    outcome = train(name, "--out", "run")
    _is_one_sentence(outcome, words)
    assert not Path("run").exists()


def test_pickled_arrays_are_refused(train):
    np.save("objects.npy", np.array([[{}]]))
    _is_one_sentence(train("objects.npy", "--out", "run"), "objects.npy")
    assert not Path("run").exists()


def test_too_little_memory_is_told_beforehand_and_tried_all_the_same(command, trained, image, monkeypatch):
    monkeypatch.setattr(training_memory, "free_bytes", lambda _: 10**6)
    outcome = command("train", image, "--out", trained, "--resume", "--iterations", 4)
    assert outcome.code == 0
    (said,) = [line for line in outcome.err.splitlines() if "of memory" in line]
    assert said.startswith("The training takes about ")
    assert said.endswith("or choose the preset 'quick'. It is tried all the same.")


def test_out_of_memory_gives_advice_and_what_was_saved_stays(command, trained, image, monkeypatch):
    saved = SliceGAN.load(trained / "checkpoint.pt").info.provenance["iterations"]

    def no_room(_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(GAN, "update_generator", no_room)
    outcome = command("train", image, "--out", trained, "--resume", "--iterations", 4)
    assert outcome.code == 2
    assert "does not fit into memory: lower generator_volumes" in outcome.err.splitlines()[-1]
    assert SliceGAN.load(trained / "checkpoint.pt").info.provenance["iterations"] == saved
