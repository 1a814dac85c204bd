"""What goes wrong around a training: full disks, crashes, foreign hands and files; none of it costs a run."""

import json
import logging
import time
from dataclasses import replace

import numpy as np
import pytest

from napari_slicegan.core import asides, run_config, transfer
from napari_slicegan.core.asides import Aside, Patience, preview_of
from napari_slicegan.core.clock import Clock
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import ModelError, OutputError, TrainingError
from napari_slicegan.core.events import Hindered, Preview
from napari_slicegan.core.files import is_free, write_atomically
from napari_slicegan.core.interruption import Interrupted, Switch
from napari_slicegan.core.model import SliceGAN, save_card
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.core.recording import Recorder
from napari_slicegan.core.run import Run
from napari_slicegan.core.runs import Request, RunState, ask, delete_run, read_history, rename_run, summary_of
from napari_slicegan.core.runs.lock import RunLock
from napari_slicegan.core.runs.requests import take_request
from napari_slicegan.core.thumbnail import thumbnail_of
from napari_slicegan.core.training import Trainer
from tests.core.conftest import blobs, small_network


@pytest.fixture
def data():
    return TrainingData.from_labels(blobs((24, 30)), names=("blobs",))


@pytest.fixture
def started(tmp_path, data, recipe):
    """A run that has not been trained yet, and its trainer."""
    return Run.start(tmp_path / "run", data, small_network(), recipe, "quick")


@pytest.fixture
def trained(started):
    run, trainer = started
    list(run.record(trainer))
    return run


def no_room(path, *_args, **_kind):
    raise OutputError(f"{path} cannot be written: no room.")


def test_two_writers_of_a_file_are_not_in_each_others_way(tmp_path):
    path = tmp_path / "file"

    def write(file):
        write_atomically(path, lambda other: other.write(b"inner"))
        file.write(b"outer")

    write_atomically(path, write)
    assert path.read_bytes() == b"outer"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ZeroDivisionError):
        write_atomically(path, lambda _: 1 / 0)
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_crash_has_left_half_written_goes(trained):
    left = [trained.path / f"{name}.1-a.part" for name in ("checkpoint.pt", "model.safetensors", "images.safetensors")]
    for file in left:
        file.touch()
    list(trained.record(trained.trainer(training=trained.recipe(iterations=4))))
    assert [file.exists() for file in left] == [False, False, True]
    assert delete_run(trained.path) == []


def test_the_card_of_a_run_in_training_is_not_written(trained):
    with RunLock(trained.path), pytest.raises(OutputError, match="is being trained: save the texts when it has ended"):
        save_card(trained.path, {"title": "a"})
    save_card(trained.path, {"title": "b"})
    assert SliceGAN.load(trained.path).info.card == {"title": "b"}


def test_whoever_holds_the_lock_is_live_whatever_the_status_says(trained):
    with RunLock(trained.path):
        assert summary_of(trained.path).state is RunState.TRAINING
        with pytest.raises(TrainingError, match="stop it first"):
            rename_run(trained.path, "other")
    assert summary_of(trained.path).state is RunState.FINISHED


def test_a_start_that_fails_can_be_made_again(tmp_path, data, recipe, monkeypatch):
    path, settings = tmp_path / "run", (data, small_network(), recipe, "quick")
    with monkeypatch.context() as patch:
        patch.setattr(run_config, "write_atomically", no_room)
        with pytest.raises(OutputError):
            Run.create(path, *settings)
    assert is_free(path)
    for name in ("images.safetensors", "config.json.7-b.part"):  # as a crash leaves them
        (path / name).write_text("half")
    assert is_free(path)
    assert Run.create(path, *settings).data().fingerprint == data.fingerprint
    assert not is_free(path)


@pytest.mark.parametrize("change", [{"iteration": 10**400}, {"started": "0001-01-01T00:00:00+14:00"}])
def test_a_status_of_absurd_numbers_is_none(trained, change):
    file = trained.path / "status.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    found = summary_of(trained.path)
    assert (found.state, found.iterations) == (RunState.FINISHED, 3)  # the log tells


@pytest.mark.parametrize(
    "change",
    [{"phases": [0, float("inf")]}, {"levels": [0, 10**400]}, {"voxel_size": 10**400}, {"phases": [0, 10**400]}],
)
def test_a_header_of_absurd_numbers_is_refused(data, change):
    fields = json.loads(ModelInfo.of(data, small_network(image_channels=2)).to_json())
    ModelInfo.from_json(json.dumps(fields))
    with pytest.raises(ModelError):
        ModelInfo.from_json(json.dumps(fields | change))


@pytest.mark.parametrize("text", ['{"format": Infinity}', "[" * 100_000])
def test_absurd_settings_of_a_run_are_a_sentence(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match="is damaged"):
        Run.open(tmp_path)


def test_absurd_facts_of_images_are_a_sentence(started):
    run, _ = started
    with pytest.raises(ModelError, match="is damaged"):
        replace(run, facts=run.facts | {"shapes": [[float("inf")]]}).data()


def test_previews_that_cannot_be_written_are_told_of_once_and_end_nothing(tmp_path, data, recipe):
    run, trainer = Run.start(tmp_path / "run", data, small_network(), replace(recipe, preview_seconds=1e-9), "quick")
    (run.path / "previews").touch()
    events = list(run.record(trainer))
    (said,) = [event for event in events if isinstance(event, Hindered)]
    assert said.message.startswith("The training goes on without its previews: ")
    assert "previews cannot be written: File exists." in said.message
    assert len([event for event in events if isinstance(event, Preview)]) > 1
    found = summary_of(run.path)
    assert (found.state, found.message) == (RunState.FINISHED, said.message)


def test_a_request_that_is_a_folder_is_none(started):
    run, trainer = started
    (run.path / "request").mkdir()
    list(run.record(trainer))
    assert trainer.result.iterations == 3


def test_a_directory_that_has_gone_is_not_made_anew(started):
    run, trainer = started
    run.path.rename(run.path.with_name("moved"))
    with pytest.raises(OutputError, match="has gone"):
        list(run.record(trainer))
    assert not run.path.exists()


def test_a_stop_is_not_taken_back(trained):
    with RunLock(trained.path):
        for request in (Request.PAUSE, Request.STOP, Request.PROCEED):
            ask(trained.path, request)
    assert take_request(trained.path) is Request.STOP
    assert take_request(trained.path) is None
    assert not list(trained.path.glob("request*"))


def test_a_log_that_was_cut_off_goes_on_in_a_new_line(trained):
    with (trained.path / "log.jsonl").open("a") as file:
        file.write('{"event": "prog')
    list(trained.record(trained.trainer(training=trained.recipe(iterations=5))))
    assert [report.iteration for report in read_history(trained.path).progress] == [1, 2, 3, 4, 5]


def test_a_later_end_is_told_from_the_beginning(trained):
    with Recorder(trained.path, trained.trainer(training=trained.recipe(iterations=30))):
        assert summary_of(trained.path).fraction == pytest.approx(0.1)


def test_the_first_time_is_free_and_the_next_ones_are_a_twentieth():
    clock = Clock(500.0)
    aside = Aside("previews", clock, True)
    assert (aside.is_due_at_end(True), aside.is_due_at_end(False)) == (False, True)  # nothing is known of its cost
    clock.seconds += 1
    assert aside.is_affordable
    assert aside.is_due_at_end(True)
    aside.do(lambda: None, time.monotonic() - 4)
    clock.seconds += 155
    assert (aside.is_affordable, aside.is_due_at_end(True), aside.is_due_at_end(False)) == (False, False, True)
    clock.seconds += 10
    assert aside.is_affordable
    assert not Aside("previews", clock, False).is_affordable


def test_patience_ends_with_a_stop_or_soon_after_one(monkeypatch):
    switch = Switch()
    patience = Patience(switch)
    assert not patience.is_set()
    switch.stop()
    assert patience.is_set()
    assert not Patience(switch).is_set()
    monkeypatch.setattr(asides, "_SHORT", -1)
    assert Patience(switch).is_set()


def test_an_interrupted_preview_is_dropped(data, recipe, monkeypatch):
    trainer = Trainer(data, small_network(), replace(recipe, preview_seconds=1e-9))
    trainer.gan.snapshot = lambda **_: trainer.stop() or type(trainer.gan).snapshot(trainer.gan)
    monkeypatch.setattr(asides, "_SHORT", -1)
    assert not [event for event in trainer if isinstance(event, Preview)]
    assert trainer.result.iterations == 1
    with pytest.raises(Interrupted):
        preview_of(trainer.result.model, 1, Patience(trainer._switch))


def test_a_preview_that_fails_ends_nothing(data, recipe, monkeypatch, caplog):
    trainer = Trainer(data, small_network(), replace(recipe, preview_seconds=1e-9))
    monkeypatch.setattr(SliceGAN, "generate", lambda *_, **__: (_ for _ in ()).throw(MemoryError("8 GB")))
    with caplog.at_level(logging.WARNING):
        list(trainer)
    assert trainer.result.iterations == 3
    assert [record.getMessage() for record in caplog.records] == [
        "The training goes on without previews, which cannot be made: 8 GB"
    ]


def test_a_thumbnail_shows_what_is_trained_on():
    image = np.zeros((60, 60), np.uint8)
    image[:20, :20] = blobs((20, 20)) + 1
    data = TrainingData.from_images(image, kind="phases", regions=(((0, 0, 20, 20),),))
    assert thumbnail_of(data) == thumbnail_of(TrainingData.from_labels(image[:20, :20]))


@pytest.mark.parametrize(
    ("images", "is_stack"),
    [
        ([blobs((20, 21, 22))], True),
        ([blobs((20, 20), seed=seed) for seed in range(3)], False),
        ([blobs((9, 9))], False),
    ],
)
def test_what_a_stack_is(images, is_stack):
    assert TrainingData.from_labels(*images).is_stack is is_stack


def test_a_checkpoint_to_start_from_is_read_once(trained, data, recipe, monkeypatch):
    read, count = transfer.read_checkpoint, []
    monkeypatch.setattr(transfer, "read_checkpoint", lambda path: count.append(path) or read(path))
    Trainer(data, small_network(), recipe, start_from=trained.path)
    assert count == [trained.path / "checkpoint.pt"]


def test_a_heldout_error_of_a_damaged_checkpoint_is_none(trained, monkeypatch):
    info = replace(trained.info(), provenance=trained.info().provenance | {"heldout": {"iteration": "x"}})
    monkeypatch.setattr(ModelInfo, "from_json", lambda _: info)
    assert trained.trainer().evaluation is None
