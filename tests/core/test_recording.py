"""What a run's log says, and when."""

import pytest

from napari_slicegan.core.errors import TrainingError
from napari_slicegan.core.events import Progress
from napari_slicegan.core.recording import Recorder
from napari_slicegan.core.run import Run
from napari_slicegan.core.runs.lock import is_locked


def test_what_is_told_stands_in_the_log_already(tmp_path, data, network, recipe):
    run, trainer = Run.start(tmp_path / "run", data, network, recipe, "quick")
    told = [(event.iteration, run.log()[-1]) for event in run.record(trainer) if isinstance(event, Progress)]
    assert [iteration for iteration, _ in told] == [1, 2, 3]
    assert [(line["event"], line["iteration"]) for _, line in told] == [
        ("progress", 1),
        ("progress", 2),
        ("progress", 3),
    ]


def test_the_log_tells_why_a_run_has_failed(tmp_path, data, network, recipe, monkeypatch):
    run, trainer = Run.start(tmp_path / "run", data, network, recipe, "quick")
    monkeypatch.setattr(trainer.gan, "update_generator", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(run.record(trainer))
    assert run.log()[-1] == {"event": "error", "message": "ZeroDivisionError: division by zero"}


def test_a_recording_that_cannot_begin_leaves_the_run_to_others(tmp_path, data, network, recipe, monkeypatch):
    run, trainer = Run.start(tmp_path / "run", data, network, recipe, "quick")
    recorder = Recorder(run.path, trainer)
    monkeypatch.setattr(recorder._watcher, "start", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        recorder.__enter__()
    assert is_locked(run.path) is False


def test_who_trains_a_run_twice_hears_where_it_is_trained(tmp_path, data, network, recipe):
    run, trainer = Run.start(tmp_path / "run", data, network, recipe, "quick")
    with Recorder(run.path, trainer), pytest.raises(TrainingError, match="in this window or another one"):
        Recorder(run.path, trainer).__enter__()
    assert is_locked(run.path) is False
