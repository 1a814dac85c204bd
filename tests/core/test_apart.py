"""A training in another process: the same as here, and it survives whoever looks after it, or says why it does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from napari_slicegan.core.apart import process as apart_process
from napari_slicegan.core.apart.handover import handed_over, take_over
from napari_slicegan.core.apart.messages import (
    Begin,
    Begun,
    Ended,
    Failed,
    GoOn,
    Measure,
    Measured,
    Ready,
    line_of,
    message_of,
)
from napari_slicegan.core.apart.process import Process, death_in_words
from napari_slicegan.core.apart.training import TrainingApart, TrainingElsewhere
from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError, DefectError, ModelError, OutputError, TrainingError
from napari_slicegan.core.events import EndReason, Evaluation, Hindered, Paused, Preview, Proceeded, Progress
from napari_slicegan.core.files import LOG
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.run import Run
from napari_slicegan.core.runs import Request, RunState, summary_of
from napari_slicegan.core.training_costs import TrainingCosts
from tests.core.conftest import small_network

PATIENCE = 60.0


@pytest.fixture
def data() -> TrainingData:
    blocks = np.random.default_rng(0).integers(0, 2, (12, 12))
    return TrainingData.from_images(np.kron(blocks, np.ones((4, 4), int)).astype(np.uint8), pixel_size=0.5, unit="um")


def order_of(path: Path, folder: Path, **changes: Any) -> Begin:
    """A training without an end of two networks of 16 pixels, with one thread."""
    recipe = TrainingConfig(iterations=10**6, report_seconds=0.05, preview_seconds=0.5, patience=0)
    fields = {name: changes.pop(name) for name in list(changes) if name in TrainingConfig.__dataclass_fields__}
    settings = asdict(small_network()), asdict(replace(recipe, **fields))
    return Begin(path, folder, *settings, "quick", "cpu", **{"threads": 1, **changes})


@contextmanager
def training(path: Path, data: TrainingData, **changes: Any) -> Iterator[TrainingApart]:
    """A training that has begun."""
    with handed_over(data) as folder:
        begun = TrainingApart(Process(), order_of(path, folder, **changes))
        with closing(begun):
            begun.begin()
            yield begun


def until(condition: Callable[[], object]) -> None:
    """Wait for something."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def weights(path: Path) -> dict[str, Any]:
    return SliceGAN.load(path, "cpu").generator.state_dict()


def same(one: dict[str, Any], two: dict[str, Any]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    "message",
    [
        Measure(Path("folder"), {"channels": [1]}, {"seed": 2}),
        Begin(Path("run"), Path("folder"), {}, {}, "quick", outlives=True),
        GoOn(Path("run"), 1.5, 3),
        Ready(),
        Measured(None),
        Begun("CPU, 2 threads"),
        Hindered(7, "The training goes on without its log."),
        Ended(EndReason.PLATEAU, 3, 1.5),
        Failed("DataError", "No."),
        Request.PAUSE,
    ],
)
def test_a_message_arrives_as_it_was_sent(message):
    line = line_of(message)
    assert line.count(b"\n") == 1
    assert message_of(line) == message


@pytest.mark.parametrize("line", [b"", b"[]", b"3", b'{"is": "Popen"}', b'{"is": "Begun"}', b'{"request": "dance"}'])
def test_what_is_no_message_is_refused(line):
    with pytest.raises(ValueError, match=r"no message|Expecting value|is not a valid"):
        message_of(line)


def test_that_nothing_can_be_logged_is_heard_all_the_same(tmp_path, data):
    heard = []
    with training(tmp_path / "run", data) as begun:
        for event in begun:
            log = tmp_path / "run" / LOG
            if isinstance(event, Progress) and log.is_file():
                log.rename(log.with_suffix(".old"))
                log.mkdir()
            if isinstance(event, Hindered):
                heard.append(event.message)
                begun.stop()
    assert begun.result is not None
    (message,) = heard
    assert message.startswith(f"The training goes on without its {LOG}: {log} cannot be written: ")
    assert summary_of(tmp_path / "run").message == message


def test_it_is_the_same_training_bit_for_bit(tmp_path, data):
    recipe = {"iterations": 12, "evaluation_iterations": 4, "checkpoint_iterations": 5}
    with training(tmp_path / "apart", data, **recipe) as apart:
        events = list(apart)
    assert apart.result is not None
    assert (apart.result.reason, apart.result.iterations) == (EndReason.COMPLETED, 12)

    order = order_of(tmp_path / "here", tmp_path, **recipe)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        run, trainer = Run.start(
            order.path, data, NetworkConfig(**order.network), TrainingConfig(**order.training), "quick", "cpu"
        )
        expected = list(run.record(trainer))
    finally:
        torch.set_num_threads(before)
    assert same(weights(tmp_path / "apart"), weights(tmp_path / "here"))
    judged, wanted = ([event for event in each if isinstance(event, Evaluation)] for each in (events, expected))
    assert judged == wanted
    assert len(judged) >= 3
    assert {Progress, Preview} <= {type(event) for event in events}
    model = SliceGAN.load(tmp_path / "apart").info
    assert (model.voxel_size, model.unit, model.provenance["fingerprint"]) == (0.5, "um", data.fingerprint)


def test_pause_and_proceed_and_stop(tmp_path, data):
    seen = []
    with training(tmp_path / "run", data) as apart:
        apart.pause()
        for event in apart:
            seen.append(type(event))
            if isinstance(event, Paused):
                assert summary_of(tmp_path / "run").state is RunState.PAUSED
                apart.proceed()
            if isinstance(event, Proceeded):
                apart.stop()
    assert apart.result is not None
    assert apart.result.reason is EndReason.STOPPED
    assert seen.index(Paused) < seen.index(Proceeded)
    assert summary_of(tmp_path / "run").state is RunState.STOPPED


def test_a_stop_is_heard_before_it_begins(tmp_path, data):
    with handed_over(data) as folder, closing(TrainingApart(Process(), order_of(tmp_path / "run", folder))) as apart:
        apart.stop()
        apart.begin()
        list(apart)
    assert apart.result == Ended(EndReason.STOPPED, 0, apart.result.seconds)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"device": "mps"}, TrainingError, "finds no mps device"),
        ({"start_from": "/nowhere"}, ModelError, "nowhere"),
        ({"threads": "many"}, DefectError, "defect"),
    ],
)
def test_what_goes_wrong_arrives_as_the_same_error(tmp_path, data, changes, error, words):
    process = Process()
    with handed_over(data) as folder:
        order = order_of(tmp_path / "run", folder)
        with closing(TrainingApart(process, replace(order, **changes))) as apart:
            with pytest.raises(error, match=words) as raised:
                apart.begin()
            assert ("Traceback" in getattr(raised.value, "details", "")) is (error is DefectError)
    assert not (tmp_path / "run").exists()
    assert not process.is_alive


def test_images_too_small_and_a_place_that_is_taken(tmp_path, data):
    tiny = TrainingData.from_images(np.eye(8, dtype=np.uint8))
    with pytest.raises(DataError, match="smaller than"), training(tmp_path / "run", tiny):
        pass
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="exists already"), training(tmp_path / "taken", data):
        pass
    assert [file.name for file in (tmp_path / "taken").iterdir()] == ["thesis.txt"]


def test_a_killed_process_is_a_sentence_and_its_run_goes_on(tmp_path, data):
    recipe = {"iterations": 40, "checkpoint_iterations": 5, "preview_seconds": 0.0}
    with training(tmp_path / "whole", data, **recipe) as apart:
        list(apart)
    path = tmp_path / "run"
    with training(path, data, **recipe) as apart:
        process = apart._process

        def kill_after_a_checkpoint() -> None:
            for _ in apart:
                if (path / "checkpoint.pt").exists() and process.is_alive:
                    os.kill(process.pid, signal.SIGKILL)

        with pytest.raises(DefectError, match="killed, most likely by the system because memory ran out"):
            kill_after_a_checkpoint()
    assert summary_of(path).state is RunState.INTERRUPTED
    with closing(TrainingApart(Process(), GoOn(path, device="cpu", threads=1))) as again:
        again.begin()
        list(again)
    assert again.result is not None
    assert again.result.iterations == 40
    assert same(weights(path), weights(tmp_path / "whole"))


USER = """
import sys, time
from contextlib import closing
from pathlib import Path
import numpy as np
from napari_slicegan.core.apart.handover import handed_over
from napari_slicegan.core.apart.process import Process
from napari_slicegan.core.apart.training import TrainingApart
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.apart.messages import Begin, line_of, message_of

order = message_of(sys.argv[1].encode())
process = Process()
training = TrainingApart(process, order)
training.begin()
assert "torch" not in sys.modules
print(process.pid, flush=True)
for event in training:
    print(type(event).__name__, event.iteration, flush=True)
"""


@pytest.mark.parametrize("outlives", [False, True])
def test_the_death_of_who_looks_after_it(tmp_path, data, outlives):
    """It saves and ends, or goes on to its end if that was asked for, and can be watched and asked by others."""
    path = tmp_path / "run"
    with handed_over(data) as folder:
        order = line_of(order_of(path, folder, outlives=outlives)).decode()
        with subprocess.Popen([sys.executable, "-c", USER, order], stdout=subprocess.PIPE, text=True) as user:
            assert user.stdout is not None
            int(user.stdout.readline())
            assert user.stdout.readline().startswith("Progress")
            user.kill()
    if not outlives:
        until(lambda: summary_of(path).state is RunState.STOPPED)
        assert Run.open(path).log()[-1]["reason"] == "stopped"
        assert SliceGAN.load(path).info.provenance["iterations"] > 0
        return
    watched = TrainingElsewhere(path)
    seen = []
    for event in watched:
        seen.append(event)
        if isinstance(event, Progress) and len(seen) > 3:
            watched.stop()
    assert summary_of(path).state is RunState.STOPPED
    assert watched.result is not None
    assert watched.result.iterations == Run.open(path).log()[-1]["iteration"]


def test_who_watches_can_look_away(tmp_path, data):
    with training(tmp_path / "run", data) as apart:
        watched = TrainingElsewhere(tmp_path / "run")
        for event in watched:
            if isinstance(event, Progress):
                assert watched.leave()
        assert watched.result is None
        assert summary_of(tmp_path / "run").is_live
        apart.stop()
        list(apart)


def test_who_watches_is_told_of_a_death(tmp_path, data):
    with training(tmp_path / "run", data) as apart:
        watched = iter(TrainingElsewhere(tmp_path / "run"))
        next(watched)
        os.kill(apart._process.pid, signal.SIGKILL)
        with pytest.raises(TrainingError, match="ended without a word"):
            list(watched)


def test_a_process_measures_and_then_trains(tmp_path, data):
    process = Process()
    with handed_over(data) as folder:
        order = order_of(tmp_path / "run", folder, iterations=3)
        process.send(Measure(folder, order.network, order.training, "cpu", 1))
        while not isinstance(answer := process.answer(0.1), Measured):
            pass
        assert answer.costs is not None
        assert TrainingCosts(**answer.costs).memory_bytes > 10**6
        with closing(TrainingApart(process, order)) as apart:
            apart.begin()
            list(apart)
    assert apart.result is not None
    assert apart.result.iterations == 3
    assert not process.is_alive  # its memory is given back


def test_a_measurement_is_broken_off_and_the_next_order_is_not(tmp_path, data):
    process = Process()
    with handed_over(data) as folder:
        order = order_of(tmp_path / "run", folder, iterations=3)
        process.send(Measure(folder, order.network, order.training, "cpu", 1))
        process.send(Request.STOP)
        while not isinstance(answer := process.answer(0.1), Measured):
            pass
        assert answer.costs is None
        with closing(TrainingApart(process, order)) as apart:
            apart.begin()
            list(apart)
    assert apart.result is not None
    assert apart.result.reason is EndReason.COMPLETED


def test_an_idle_process_ends_with_whoever_has_started_it():
    process = Process()
    process.end(PATIENCE)
    assert process._popen.returncode == 0


def test_sigterm_saves(tmp_path, data):
    with training(tmp_path / "run", data) as apart:
        for event in apart:
            if isinstance(event, Progress):
                os.kill(apart._process.pid, signal.SIGTERM)
    assert apart.result is not None
    assert apart.result.reason is EndReason.STOPPED
    assert apart.result.iterations > 0


def test_what_a_library_prints_is_no_answer(tmp_path, data, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(
        "import threading, time\n"
        "def talk():\n"
        "    while True:\n"
        "        print('hello', flush=True); time.sleep(0.01)\n"
        "threading.Thread(target=talk, daemon=True).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    with training(tmp_path / "run", data, iterations=3) as apart:
        list(apart)
    assert apart.result is not None
    assert apart.result.iterations == 3


def test_a_process_that_cannot_be_started_is_a_sentence(monkeypatch):
    monkeypatch.setattr(apart_process.sys, "executable", "/nowhere/python")
    with pytest.raises(TrainingError, match=r"No process can be started .* Preferences"):
        Process()


@pytest.mark.parametrize(
    ("code", "words"), [(-9, "memory ran out"), (-11, "SIGSEGV"), (3, "code 3"), (-99, "code -99")]
)
def test_deaths_in_words(code, words):
    assert words in death_in_words(code)


def test_images_are_handed_over_whatever_their_size_and_leave_nothing(tmp_path, data, monkeypatch):
    monkeypatch.setattr("napari_slicegan.core.stored_images._MOST_BYTES", 10)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with handed_over(data) as folder:
        assert folder.stat().st_mode & 0o077 == 0
        found = take_over(folder)
    assert found.fingerprint == data.fingerprint
    assert (found.pixel_size, found.unit) == (0.5, "um")
    assert not list(tmp_path.iterdir())
    with pytest.raises(TrainingError, match="did not reach"):
        take_over(folder)
