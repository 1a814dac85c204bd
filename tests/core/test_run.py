"""The directory of a run: what is in it, what survives, what is refused."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
import tifffile
import torch
from safetensors.numpy import load, save

from napari_slicegan.core import stored_images
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError, ModelError, OutputError, TrainingError
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.run import Run
from tests.core.conftest import blobs, small_network


def test_a_run_holds_everything(tmp_path, data, network, recipe):
    recipe = replace(recipe, preview_seconds=1e-9, checkpoint_iterations=1)
    run = Run.create(tmp_path / "run", data, network, recipe, "quick")
    events = list(run.record(run.trainer(data)))
    assert {path.name for path in run.path.iterdir()} == {
        "config.json", "status.json", "log.jsonl", "images.safetensors", "checkpoint.pt", "model.safetensors",
        "previews", "run.lock",
    }  # fmt: skip
    kinds = [line["event"] for line in run.log()]
    assert kinds.count("progress") == 3
    assert kinds.count("checkpoint") == sum(type(event).__name__ == "CheckpointSaved" for event in events)
    assert run.log()[-1] == {"event": "end", "reason": "completed", "iteration": 3}
    preview = sorted((run.path / "previews").iterdir())[-1]
    assert tifffile.imread(preview).shape == (64, 64, 64)
    assert SliceGAN.load(run.path).info.provenance["images"] == ["blobs"]
    assert Run.open(run.path) == run


def test_the_model_of_a_run_is_its_last_checkpoint(tmp_path, data, network, recipe):
    run = Run.create(tmp_path / "run", data, network, recipe, "quick")
    list(run.record(run.trainer(data)))
    from_model = SliceGAN.load(run.path).generate((20, 20, 20))
    (run.path / "model.safetensors").unlink()
    assert (SliceGAN.load(run.path).generate((20, 20, 20)) == from_model).all()


def test_a_run_goes_on_to_a_later_end(tmp_path, data, network, recipe):
    run = Run.create(tmp_path / "run", data, network, recipe, "quick")
    list(run.record(run.trainer(data)))
    trainer = Run.open(run.path).trainer(data)
    assert trainer.is_finished
    trainer = Run.open(run.path).trainer(data, replace(recipe, iterations=5))
    assert not trainer.is_finished
    list(run.record(trainer))
    assert trainer.result.iterations == 5
    assert [line["iteration"] for line in run.log() if line["event"] == "progress"] == [1, 2, 3, 4, 5]


def test_an_existing_place_is_refused(tmp_path, data, network, recipe):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").touch()
    with pytest.raises(OutputError, match="exists already"):
        Run.create(tmp_path / "full", data, network, recipe, "quick")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be made"):
        Run.create(tmp_path / "file", data, network, recipe, "quick")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["precious"]


def test_other_images_are_refused(tmp_path, data, network, recipe):
    run = Run.create(tmp_path / "run", data, network, recipe, "quick")
    with pytest.raises(TrainingError, match="other images"):
        run.trainer(TrainingData.from_labels(blobs((80, 96), seed=5)))


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": 99}', '{"format": 1, "network": {"kernel": "x"}, "training": {}}']
)
def test_a_damaged_config_is_a_sentence(content, tmp_path):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ModelError):
        Run.open(tmp_path)
    with pytest.raises(ModelError, match="no run at"):
        Run.open(tmp_path / "elsewhere")


def test_a_log_line_cut_off_by_a_crash_is_left_out(tmp_path, data, network, recipe):
    run = Run.create(tmp_path / "run", data, network, recipe, "quick")
    list(run.record(run.trainer(data)))
    with (run.path / "log.jsonl").open("a") as file:
        file.write('{"event": "prog')
    assert run.log()[-1]["event"] == "end"


def test_a_directory_that_goes_away_ends_the_run_with_a_sentence(tmp_path, data, network, recipe):
    run = Run.create(tmp_path / "run", data, network, recipe, "quick")
    events = run.record(run.trainer(data))
    next(events)
    (tmp_path / "run").rename(tmp_path / "moved")
    with pytest.raises(OutputError, match="cannot be written"):
        list(events)


def test_the_settings_are_plain_json(tmp_path, data, network, recipe):
    run = Run.create(tmp_path / "run", data, network, recipe, "quick")
    config = json.loads((run.path / "config.json").read_text())
    assert config["training"]["iterations"] == 3
    assert config["preset"] == "quick"


def test_a_resumed_run_keeps_its_voxel_size_and_its_later_end(tmp_path, data, network, recipe):
    run = Run.create(tmp_path / "run", data, network, recipe, "quick")
    trainer = run.trainer(data, replace(recipe, iterations=5))
    for event in run.record(trainer):
        if event.iteration == 4:
            trainer.stop()
    bare = replace(data, pixel_size=1.0, unit="pixel")
    trainer = Run.open(run.path).trainer(bare)
    list(run.record(trainer))
    assert trainer.result.iterations == 5
    assert (trainer.model.info.voxel_size, trainer.model.info.unit) == (0.5, "um")


def test_a_run_that_cannot_start_leaves_nothing(tmp_path, network, recipe):
    data = TrainingData.from_labels(blobs((70, 70)), blobs((70, 70), seed=1))
    with pytest.raises(DataError, match="must not be turned"):
        Run.start(tmp_path / "run", data, network, replace(recipe, symmetry="rotate"), "quick")
    assert not list(tmp_path.iterdir())


def test_the_config_tells_the_network_that_is_trained(tmp_path, network, recipe):
    data = TrainingData.from_labels(blobs((70, 70), phases=2))
    run, _ = Run.start(tmp_path / "run", data, network, recipe, "quick")
    assert Run.open(run.path).network.image_channels == 2


def test_an_interrupted_model_file_does_not_hide_a_newer_checkpoint(tmp_path, data, network, recipe):
    run, trainer = Run.start(tmp_path / "run", data, network, recipe, "quick")
    list(run.record(trainer))
    old = (run.path / "model.safetensors").read_bytes()
    list(run.record(run.trainer(data, replace(recipe, iterations=4))))
    (run.path / "model.safetensors").write_bytes(old)
    os.utime(run.path / "model.safetensors", (0, 0))
    assert SliceGAN.load(run.path).info.provenance["iterations"] == 4


def several(kind):
    colours = np.random.default_rng(0).integers(0, 256, (20, 22, 3), np.uint8)
    details = {"pixel_size": 2.0, "unit": "nm", "names": ("image",)}
    return {
        "phases": lambda: TrainingData.from_labels(
            blobs((20, 22)) * 7, **details, phase_names=("pore", "grain"), phase_colours=("#000000", "#ff8800")
        ),
        "two": lambda: TrainingData.from_labels(blobs((20, 22)), blobs((30, 16), seed=1), axis="y", **details),
        "stack": lambda: TrainingData.from_labels(blobs((18, 20, 22)), **details),
        "colour": lambda: TrainingData.from_colour(colours, **details),
        "regions": lambda: TrainingData.from_images(
            blobs((40, 40)), kind="phases", regions=(((0, 0, 20, 20), (4, 8, 30, 40)),)
        ),
    }[kind]()


@pytest.mark.parametrize("kind", ["phases", "two", "stack", "colour", "regions"])
def test_a_run_goes_on_from_its_directory_alone(tmp_path, recipe, kind):
    data = several(kind)
    run, trainer = Run.start(tmp_path / "run", data, small_network(), replace(recipe, iterations=1), "quick")
    list(run.record(trainer))
    found = Run.open(run.path)
    stored = found.data()
    for one, other in zip(stored.sources, data.sources, strict=True):
        np.testing.assert_array_equal(one, other)
    assert replace(stored, sources=data.sources) == data
    size = (run.path / "images.safetensors").stat().st_size
    assert size < 1000 + sum(image.nbytes for image in data.sources[: 1 if kind == "stack" else None])
    trainer = found.trainer(training=replace(recipe, iterations=2))
    list(found.record(trainer))
    assert trainer.result.iterations == 2


def test_large_images_are_not_stored_and_then_asked_for(tmp_path, data, recipe, monkeypatch):
    monkeypatch.setattr(stored_images, "_MOST_BYTES", 1000)
    run, _ = Run.start(tmp_path / "run", data, small_network(), recipe, "quick")
    assert not (run.path / "images.safetensors").exists()
    with pytest.raises(ModelError, match=r"does not hold its training images .* give the same images again"):
        Run.open(run.path).trainer()
    assert run.trainer(data).iteration == 0


def of_an_older_version(path):
    """Make a run what it was before images were stored."""
    config = json.loads((path / "config.json").read_text())
    del config["facts"], config["started_from"], config["training"]["evaluation_iterations"]
    (path / "config.json").write_text(json.dumps(config))
    for name in ("images.safetensors", "status.json", "run.lock"):
        (path / name).unlink(missing_ok=True)


def test_a_run_of_an_older_version_opens(tmp_path, data, recipe):
    run, trainer = Run.start(tmp_path / "run", data, small_network(), recipe, "quick")
    list(run.record(trainer))
    of_an_older_version(run.path)
    found = Run.open(run.path)
    assert (found.started_from, found.facts) == ("", {})
    with pytest.raises(ModelError, match="older runs do not"):
        found.data()
    assert found.trainer(data).is_finished


def change_images(change):
    def damage(path):
        tensors = load((path / "images.safetensors").read_bytes())
        (path / "images.safetensors").write_bytes(save({name: change(array) for name, array in tensors.items()}))

    return damage


def change_facts(**changes):
    def damage(path):
        config = json.loads((path / "config.json").read_text())
        config["facts"] |= changes
        (path / "config.json").write_text(json.dumps(config))

    return damage


def cut_short(path):
    (path / "images.safetensors").write_bytes((path / "images.safetensors").read_bytes()[:-9])


DAMAGES = {
    "other pixels": change_images(lambda array: array[:, ::-1].copy()),
    "other phases": change_images(lambda array: array + 9),
    "other sizes": change_images(lambda array: array.reshape(1, 96, 80)),
    "another type": change_images(lambda array: array.astype(np.int8)),
    "cut short": cut_short,
    "huge": change_facts(shapes=[[1, 10**9, 10**9]]),
    "negative": change_facts(shapes=[[1, -80, -96]]),
    "no shapes": change_facts(shapes=3),
    "phases of words": change_facts(phases=["a", "b", "c"]),
    "no kind": change_facts(kind="x"),
    "surplus": change_facts(surplus=1),
    "no size": change_facts(pixel_size="x"),
    "no stack": change_facts(is_stack=True),
}


@pytest.mark.parametrize("facts", [{"levels": [3, 2]}, {"phase_names": ["a", 2, "c"]}, {"phase_colours": ["red"] * 3}])
def test_facts_that_make_no_sense_are_refused(tmp_path, data, recipe, facts):
    run = Run.create(tmp_path / "run", data, small_network(), recipe, "quick")
    change_facts(**facts)(run.path)
    with pytest.raises(ModelError):
        Run.open(run.path).data()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_images_are_a_sentence(tmp_path, data, recipe, damage):
    run = Run.create(tmp_path / "run", data, small_network(), recipe, "quick")
    damage(run.path)
    with pytest.raises(ModelError, match=r"is damaged .*: give the same images again"):
        Run.open(run.path).data()


def test_a_run_starts_from_another_one(tmp_path, data, recipe):
    run, trainer = Run.start(tmp_path / "run", data, small_network(), recipe, "quick")
    list(run.record(trainer))
    second, trainer = Run.start(tmp_path / "second", data, small_network(), recipe, "quick", start_from=run.path)
    assert Run.open(second.path).started_from == str(run.path / "checkpoint.pt")
    again = Run.open(second.path).trainer()  # a crash before its first checkpoint does not make it another run
    weights = [each.gan.generator.state_dict()["layers.0.weight"] for each in (trainer, again)]
    assert torch.equal(*weights)
    list(second.record(again))
    assert SliceGAN.load(second.path).info.provenance["started_from"] == str(run.path / "checkpoint.pt")
