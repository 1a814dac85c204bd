"""The directory of a run: what is in it, what survives, what is refused."""

import json
import os
from dataclasses import replace

import pytest
import tifffile

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError, ModelError, OutputError, TrainingError
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.run import Run
from tests.core.conftest import blobs


def test_a_run_holds_everything(tmp_path, data, network, recipe):
    recipe = replace(recipe, preview_seconds=1e-9, checkpoint_iterations=1)
    run = Run.create(tmp_path / "run", data, network, recipe, "quick")
    events = list(run.record(run.trainer(data)))
    assert {path.name for path in run.path.iterdir()} == {
        "config.json", "log.jsonl", "checkpoint.pt", "model.safetensors", "previews",
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
