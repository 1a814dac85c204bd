"""A clock that is put forth and back by days while a run is trained and a volume made: nothing takes note of it."""

import itertools
import time
from datetime import datetime, timedelta

import pytest
import torch

from napari_slicegan.core import describing, recording
from napari_slicegan.core.config import TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.events import CheckpointSaved, EndReason, Preview, Progress
from napari_slicegan.core.output import unfinished
from napari_slicegan.core.output.streaming import stream
from napari_slicegan.core.run import Run
from napari_slicegan.core.runs import RunState, list_runs, read_history, summary, summary_of
from napari_slicegan.core.threads import using_threads
from napari_slicegan.core.volume import tiles
from tests.core.conftest import blobs, small_network
from tests.core.streams import REQUEST, content, narrow_model

DAYS = (0, 3, -5, 400, -30)
_DAY = 86_400


@pytest.fixture
def moved_clocks(monkeypatch):
    """The time of day jumps whenever somebody looks; the clock that only counts seconds does not."""
    days, now = itertools.cycle(DAYS), time.time

    class Moved(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=next(days))

    monkeypatch.setattr(time, "time", lambda: now() + next(days) * _DAY)
    for module in (recording, describing, summary):
        monkeypatch.setattr(module, "datetime", Moved)


@pytest.fixture(autouse=True)
def _one_thread():
    with using_threads(1):
        yield


def started(path, **changes):
    fewest = {"discriminator_volumes": 1, "generator_volumes": 1, "real_crops": 2, "discriminator_steps": 1}
    shown = {"report_seconds": 0, "preview_seconds": 0, "evaluation_iterations": 0, "slices_per_axis": 2}
    recipe = TrainingConfig(**{"iterations": 8, "checkpoint_minutes": 60, **fewest, **shown, **changes})
    return Run.start(path, TrainingData.from_labels(blobs((24, 30))), small_network(), recipe, "quick")


def test_a_training_counts_its_own_seconds(tmp_path, moved_clocks):
    run, trainer = started(tmp_path / "run", preview_seconds=3600)
    begin, reports, saved, shown = time.monotonic(), [], 0, 0
    for event in run.record(trainer):
        assert summary_of(run.path).state is RunState.TRAINING
        reports += [event] if isinstance(event, Progress) else []
        saved += isinstance(event, CheckpointSaved)
        shown += isinstance(event, Preview)
    took = time.monotonic() - begin
    assert (len(reports), saved, shown) == (8, 1, 1)  # saved and shown at the end, not at what looks like an hour
    seconds = [report.seconds for report in reports]
    assert 0 < seconds[0] < seconds[-1] < took
    assert seconds == sorted(seconds)
    assert all(0 <= report.eta_seconds < 8 * took for report in reports)
    assert read_history(run.path).progress == tuple(reports)
    assert [found.state for found in list_runs(tmp_path)] == [RunState.FINISHED]


def test_the_minutes_of_a_training_are_those_of_its_own_work(tmp_path, moved_clocks):
    run, trainer = started(tmp_path / "run", iterations=0, minutes=0.01)
    begin = time.monotonic()
    list(run.record(trainer))
    assert trainer.result.reason is EndReason.COMPLETED
    assert 0.6 <= trainer.result.seconds < time.monotonic() - begin


def test_a_training_goes_on_under_another_date_as_if_nothing_had_been(tmp_path, moved_clocks):
    whole, trainer = started(tmp_path / "whole")
    list(whole.record(trainer))
    run, broken = started(tmp_path / "run")
    for event in run.record(broken):
        if isinstance(event, Progress) and event.iteration == 4:
            broken.stop()
    resumed = run.trainer()
    list(run.record(resumed))
    pairs = zip(*(made.model.generator.state_dict().values() for made in (trainer, resumed)), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_a_volume_is_the_same_and_recorded_as_often(tmp_path, moved_clocks, monkeypatch):
    monkeypatch.setattr(tiles, "TILE", 32)
    monkeypatch.setattr(unfinished, "SECONDS_BETWEEN_RECORDS", 3600)
    records = []
    record = unfinished.Unfinished._record
    monkeypatch.setattr(unfinished.Unfinished, "_record", lambda self: records.append(self) or record(self))
    stream(narrow_model(), REQUEST, tmp_path / "v.npy")
    assert len(records) == 1  # at the end alone
    monkeypatch.undo()
    monkeypatch.setattr(tiles, "TILE", 32)
    stream(narrow_model(), REQUEST, tmp_path / "w.npy")
    assert content(tmp_path / "v.npy") == content(tmp_path / "w.npy")
