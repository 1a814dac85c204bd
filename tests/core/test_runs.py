"""Runs in a folder: states, tables, histories, requests, renaming and deleting."""

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from napari_slicegan.core import recording
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import ModelError, OutputError, TrainingError
from napari_slicegan.core.events import CheckpointSaved, Evaluation, Paused, Preview, Proceeded, Progress
from napari_slicegan.core.run import Run
from napari_slicegan.core.runs import (
    Follower,
    Request,
    RunState,
    ask,
    delete_run,
    list_runs,
    newest_preview,
    previews,
    read_history,
    rename_run,
    summary_of,
)
from napari_slicegan.core.runs import history as history_module
from napari_slicegan.core.runs.lock import is_locked
from napari_slicegan.core.runs.status import RunStatus, this_host
from napari_slicegan.core.writing import write_volume
from tests.core.conftest import blobs, small_network

REPORT = Progress(7, 1.0, 0.5, 2.0, 3.0, 0.1, 0.2, 0.3, 0.4)


@pytest.fixture
def network():
    return small_network()


@pytest.fixture
def data():
    return TrainingData.from_labels(blobs((24, 30)), names=("blobs",))


def a_run(path, state=RunState.STOPPED, **status):
    """The directory of a run without any training."""
    path.mkdir(parents=True)
    config = {"fingerprint": "f", "images": ["a.tif"], "preset": "quick"}
    (path / "config.json").write_text(json.dumps(config))
    status = {"iteration": 12, "fraction": 0.4, "evaluation": Evaluation(10, 0.03, 0.01), **status}
    (path / "status.json").write_text(RunStatus(state, **status).to_json())
    return path


def log(path, *lines):
    with (path / "log.jsonl").open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def report(iteration):
    return {"event": "progress", **dict.fromkeys(vars(REPORT), 1.0), "iteration": iteration}


@contextmanager
def lock_of_another_process(path):
    """A process that holds the lock of a run."""
    code = f"import filelock, sys\nwith filelock.FileLock({str(path / 'run.lock')!r}):\n print(1, flush=True)\n input()"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    try:
        yield process
    finally:
        process.communicate(b"\n")


def test_a_summary_tells_what_a_table_shows(tmp_path):
    started = datetime(2026, 1, 2, tzinfo=UTC)
    path = a_run(tmp_path / "run", started=started)
    summary = summary_of(path)
    assert (summary.name, summary.images, summary.preset) == ("run", ("a.tif",), "quick")
    assert (summary.state, summary.iterations, summary.fraction) == (RunState.STOPPED, 12, 0.4)
    assert (summary.correlation_error, summary.started) == (0.03, started)
    assert (summary.has_model, summary.is_here, summary.is_live) == (False, False, False)
    assert summary.can_continue
    (path / "model.safetensors").touch()
    assert summary_of(path).has_model


def test_a_run_that_says_it_lives_is_believed_while_its_lock_is_held(tmp_path):
    path = a_run(tmp_path / "run", RunState.TRAINING, pid=1, host=this_host())
    (path / "run.lock").touch()
    assert summary_of(path).state is RunState.INTERRUPTED
    with lock_of_another_process(path) as process:
        assert summary_of(path).state is RunState.TRAINING
        assert not summary_of(path).can_continue
        for change in (lambda: rename_run(path, "other"), lambda: delete_run(path)):
            with pytest.raises(TrainingError, match="being trained: stop it first"):
                change()
        process.kill()  # as a crash does
        process.wait()
        assert summary_of(path).state is RunState.INTERRUPTED
    assert summary_of(path).can_continue


@pytest.mark.parametrize(("age", "state"), [(60, RunState.PAUSED), (180, RunState.INTERRUPTED)])
def test_of_a_run_on_another_computer_only_its_words_count(tmp_path, age, state):
    updated = datetime.now(UTC) - timedelta(seconds=age)
    path = a_run(tmp_path / "run", RunState.PAUSED, host="elsewhere", updated=updated)
    assert summary_of(path).state is state


def test_a_failed_run_without_a_checkpoint_cannot_go_on(tmp_path):
    path = a_run(tmp_path / "run", RunState.FAILED, message="no memory")
    assert (summary_of(path).can_continue, summary_of(path).message) == (False, "no memory")
    (path / "checkpoint.pt").touch()
    assert summary_of(path).can_continue


@pytest.mark.parametrize(
    ("lines", "state", "iterations"),
    [
        ([report(3), {"event": "end", "reason": "completed", "iteration": 3}], RunState.FINISHED, 3),
        ([report(3), {"event": "end", "reason": "stopped", "iteration": 3}], RunState.STOPPED, 3),
        ([report(3), {"event": "error", "message": "no"}], RunState.FAILED, 3),
        ([{"event": "end", "reason": "completed", "iteration": 1}, report(4)], RunState.INTERRUPTED, 4),
        ([[1], 2, None], RunState.INTERRUPTED, 0),
    ],
)
def test_runs_of_older_versions_are_told_by_their_logs(tmp_path, lines, state, iterations):
    path = a_run(tmp_path / "run")
    (path / "status.json").unlink()
    log(path, *lines)
    assert (summary_of(path).state, summary_of(path).iterations) == (state, iterations)


def test_a_folder_lists_its_runs_the_newest_first_and_nothing_else(tmp_path):
    for day, name in enumerate(("a", "c", "b"), 1):
        a_run(tmp_path / name, started=datetime(2026, 1, day, tzinfo=UTC))
    (tmp_path / "photo.jpg").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text("{}")  # of some other program
    assert [run.name for run in list_runs(tmp_path)] == ["b", "c", "a"]
    assert list_runs(tmp_path / "none") == list_runs(tmp_path / "photo.jpg") == []


@pytest.mark.parametrize("name", ["config.json", "status.json"])
@pytest.mark.parametrize(
    "content", ["", "[]", '{"state": "x"}', "[" * 10**5, '{"state": "stopped", "fraction": NaN}', "\0", "9" * 5000]
)
def test_damaged_runs_are_listed_and_never_raise(tmp_path, name, content):
    path = a_run(tmp_path / "run")
    (path / name).write_text(content)
    (run,) = list_runs(tmp_path)
    if name == "config.json":
        assert run.message == "This run cannot be read: its config.json is damaged or missing."
        assert not run.can_continue
    else:
        assert run.state is RunState.INTERRUPTED


def test_a_history_is_thinned_and_what_was_repeated_is_told_once(tmp_path, monkeypatch):
    monkeypatch.setattr(history_module, "_MOST_POINTS", 100)
    path = a_run(tmp_path / "run")
    log(path, *map(report, range(1, 501)))
    log(path, {"event": "evaluation", "iteration": 400, "correlation_error": 0.1, "fraction_error": 0.2})
    log(path, *map(report, range(301, 402)), {"event": "progress"}, [])
    with (path / "log.jsonl").open("a") as file:
        file.write('{"event": "progress", "iteration": 9')
    history = read_history(path)
    iterations = [point.iteration for point in history.progress]
    assert iterations == sorted(set(iterations))
    assert (iterations[0], len(iterations) <= 100) == (1, True)
    assert 380 < iterations[-1] <= 401
    assert history.evaluations == (Evaluation(400, 0.1, 0.2),)
    assert read_history(tmp_path / "none").progress == ()


def test_a_follower_tells_what_is_new_once(tmp_path):
    path = a_run(tmp_path / "run")
    log(path, report(1))
    follower = Follower(path)
    assert follower.poll() == []
    log(path, report(2), {"event": "paused", "iteration": 2}, {"event": "proceeded", "iteration": 2})
    with (path / "log.jsonl").open("a") as file:
        file.write('{"event": "checkpoint",')
    assert [type(event) for event in follower.poll()] == [Progress, Paused, Proceeded]
    with (path / "log.jsonl").open("a") as file:
        file.write(' "iteration": 3, "path": "../../elsewhere"}\n')
    assert follower.poll() == [CheckpointSaved(3, path / "checkpoint.pt")]
    assert follower.poll() == []


def test_of_the_previews_the_newest_is_told_once(tmp_path):
    path = a_run(tmp_path / "run")
    assert newest_preview(path) is None
    (path / "previews").mkdir()
    for iteration in (2, 30, 4):
        write_volume(path / "previews" / f"{iteration:08d}.tif", np.full((4, 4, 4), iteration, np.uint8))
    (path / "previews" / "notes.tif").touch()
    assert [int(file.stem) for file in previews(path)] == [2, 4, 30]
    follower = Follower(path)
    (event,) = follower.poll()
    assert isinstance(event, Preview)
    assert (event.iteration, event.volume.shape, event.volume.max()) == (30, (4, 4, 4), 30)
    assert follower.poll() == []
    (path / "previews" / "00000031.tif").write_bytes(b"II*\0 no image")
    assert follower.poll() == []


def test_a_run_is_renamed(tmp_path):
    path = a_run(tmp_path / "run")
    (tmp_path / "taken").mkdir()  # an empty directory would give way without a word
    assert rename_run(path, " cathode 2 ") == tmp_path / "cathode 2"
    path = tmp_path / "cathode 2"
    for name in ("", "a/b", "..", ".hidden", "taken", "a\nb", "x" * 201, "漢" * 67, "CON", "nul.txt", "a."):
        with pytest.raises(OutputError):
            rename_run(path, name)
    with pytest.raises(ModelError, match="no run"):
        rename_run(tmp_path, "folder")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["cathode 2", "taken"]


def test_deleting_takes_only_what_a_run_makes(tmp_path):
    path = a_run(tmp_path / "run")
    for name in ("log.jsonl", "checkpoint.pt", "checkpoint.pt.part", "images.safetensors", "run.lock", "notes.txt"):
        (path / name).touch()
    (path / "previews").mkdir()
    (path / "previews" / "00000001.tif").touch()
    precious = tmp_path / "precious"
    precious.touch()
    (path / "model.safetensors").symlink_to(precious)
    assert delete_run(path) == ["notes.txt"]
    assert [entry.name for entry in path.iterdir()] == ["notes.txt"]
    assert precious.exists()
    with pytest.raises(ModelError, match="no run"):
        delete_run(path)
    assert delete_run(a_run(tmp_path / "other")) == []
    assert not (tmp_path / "other").exists()


def test_links_are_not_followed(tmp_path):
    path = a_run(tmp_path / "run")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "00000001.tif").touch()
    (path / "previews").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(OutputError, match="is a link"):
        delete_run(tmp_path / "link")
    assert delete_run(path) == ["previews"]
    assert (tmp_path / "elsewhere" / "00000001.tif").exists()


def test_what_is_written_while_a_run_is_trained(tmp_path, data, network, recipe):
    run, trainer = Run.start(tmp_path / "run", data, network, replace(recipe, evaluation_iterations=2), "quick")
    for event in run.record(trainer):
        if isinstance(event, Progress) and event.iteration == 2:
            status = RunStatus.from_json((run.path / "status.json").read_text())
            assert (status.state, status.pid, status.host) == (RunState.TRAINING, os.getpid(), this_host())
            assert summary_of(run.path).is_here
            with pytest.raises(TrainingError, match="is being trained in this window or another"):
                list(run.record(trainer))
    status = RunStatus.from_json((run.path / "status.json").read_text())
    assert (status.state, status.iteration, status.fraction) == (RunState.FINISHED, 3, 1)
    assert status.evaluation == trainer.evaluation
    assert trainer.model.info.provenance["heldout"]["correlation_error"] == trainer.evaluation.correlation_error
    assert read_history(run.path).evaluations[-1] == trainer.evaluation
    assert [point.iteration for point in read_history(run.path).progress] == [1, 2, 3]
    assert summary_of(run.path).state is RunState.FINISHED


def test_a_status_that_cannot_be_written_ends_no_training(tmp_path, data, network, recipe):
    run, trainer = Run.start(tmp_path / "run", data, network, recipe, "quick")
    (run.path / "status.json").mkdir()
    list(run.record(trainer))
    assert trainer.result.iterations == 3


def test_of_a_checkpoint_one_snapshot_is_enough(tmp_path, data, network, recipe):
    recipe = replace(recipe, checkpoint_iterations=1, average=0.5)
    run, trainer = Run.start(tmp_path / "run", data, network, recipe, "quick")
    made, snapshot = [], trainer.gan.snapshot
    trainer.gan.snapshot = lambda **_: made.append(1) or snapshot()
    list(run.record(trainer))
    assert len(made) == 3 + 1


def test_a_second_trainer_hears_who_has_the_run(tmp_path, data, network, recipe):
    run, trainer = Run.start(tmp_path / "run", data, network, recipe, "quick")
    (run.path / "status.json").write_text(RunStatus(RunState.TRAINING, pid=123, host="cluster").to_json())
    with lock_of_another_process(run.path), pytest.raises(TrainingError, match="by process 123 on cluster"):
        next(run.record(trainer))


def test_a_failure_is_told_and_the_lock_is_free_again(tmp_path, data, network, recipe, monkeypatch):
    run, trainer = Run.start(tmp_path / "run", data, network, recipe, "quick")
    monkeypatch.setattr(trainer.gan, "update_generator", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(run.record(trainer))
    assert summary_of(run.path).state is RunState.FAILED
    assert "ZeroDivisionError" in summary_of(run.path).message
    started = summary_of(run.path).started
    list(run.record(run.trainer()))
    assert summary_of(run.path).started == started
    assert (summary_of(run.path).state, summary_of(run.path).message) == (RunState.FINISHED, "")


def test_a_run_that_is_closed_in_between_counts_as_interrupted(tmp_path, data, network, recipe):
    run, trainer = Run.start(tmp_path / "run", data, network, recipe, "quick")
    events = run.record(trainer)
    next(events)
    events.close()
    assert summary_of(run.path).state is RunState.INTERRUPTED


def test_another_process_pauses_resumes_and_stops_a_run(tmp_path, data, network, recipe):
    run, trainer = Run.start(tmp_path / "run", data, network, replace(recipe, iterations=10**6), "quick")
    with pytest.raises(TrainingError, match="nothing to pause"):
        ask(run.path, Request.PAUSE)
    (run.path / "request").write_text("stop")  # of an earlier time
    waits = []

    def hands():
        for request, state in (("pause", "paused"), ("proceed", "training"), ("stop", "stopped")):
            ask(run.path, Request(request))
            begin = time.monotonic()
            while summary_of(run.path).state != state and time.monotonic() - begin < 20:
                time.sleep(0.02)
            waits.append(time.monotonic() - begin)

    helper, start = threading.Thread(target=hands), time.monotonic()
    for event in run.record(trainer):
        if isinstance(event, Progress) and time.monotonic() - start > 0.6 and not helper.ident:
            helper.start()
    helper.join()
    assert max(waits) < 5  # not a speed: nobody would ever answer
    assert summary_of(run.path).state is RunState.STOPPED
    assert [line["event"] for line in run.log() if line["event"] in ("paused", "proceeded", "end")] == [
        "paused", "proceeded", "end",
    ]  # fmt: skip


def test_a_run_says_now_and_then_that_it_lives(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "_SECONDS_OF_SILENCE", 0.2)
    path = a_run(tmp_path / "run")
    trainer = SimpleNamespace(
        iteration=1, fraction=0.25, evaluation=None, result=None, pause=None, proceed=None, stop=None
    )
    recorder = recording.Recorder(path, trainer)
    with recorder:
        before = RunStatus.from_json((path / "status.json").read_text()).updated
        time.sleep(0.7)
        assert RunStatus.from_json((path / "status.json").read_text()).updated > before
        assert is_locked(path)
    assert not is_locked(path)


def test_among_the_previews_what_no_run_makes_stays(tmp_path):
    path = a_run(tmp_path / "run")
    (path / "previews").mkdir()
    mine = {"figure 3.tif", "00000001.png", "notes", "best.00000001.tif"}
    for name in {"00000001.tif", "00000002.tif", "00000003.tif.part", *mine}:
        (path / "previews" / name).touch()
    assert delete_run(path) == ["previews"]
    assert {entry.name for entry in (path / "previews").iterdir()} == mine
