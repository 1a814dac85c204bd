"""What is said of a training that has ended by itself or was put back, in words, in the log and in the status."""

from dataclasses import replace

import pytest

from napari_slicegan.core import choosing
from napari_slicegan.core.events import EndReason, Evaluation, Recovered
from napari_slicegan.core.heldout import HeldOut
from napari_slicegan.core.run import Run
from napari_slicegan.core.runs import summary_of
from napari_slicegan.core.runs.status import RunState
from napari_slicegan.core.telling import ending_in_words, recovery_in_words
from napari_slicegan.core.training import Trainer
from tests.core.conftest import small_network


@pytest.fixture
def recipe(recipe):
    return replace(recipe, iterations=100, evaluation_iterations=2, patience=2)


def scripted(monkeypatch, errors):
    def evaluate(_self, _generator, iteration, *_):
        error = errors.get(iteration)
        return (
            Evaluation(iteration, 9.0, 9.0, 9.0, lost="phase 1") if error is None else Evaluation(iteration, error, 0.0)
        )

    monkeypatch.setattr(HeldOut, "evaluate", evaluate)


def words_of(result):
    return ending_in_words(result.reason, result.iterations, result.model.info)


def test_an_end_without_progress_is_explained_and_finished(recipe, data, monkeypatch, tmp_path):
    scripted(monkeypatch, {2: 0.2, 4: 0.1, 6: 0.3, 8: 0.3})
    run, trainer = Run.start(tmp_path / "run", data, small_network(), recipe, "quick", "cpu")
    list(run.record(trainer))
    words = words_of(trainer.result)
    assert "ended by itself" in words
    assert "iteration 4." in words
    assert summary_of(run.path).state is RunState.FINISHED
    (run.path / "status.json").unlink()  # the log alone says so as well
    assert summary_of(run.path).state is RunState.FINISHED
    assert run.log()[-1] == {"event": "end", "reason": "plateau", "iteration": 8}


def test_an_ordinary_end_says_nothing(recipe, data):
    trainer = Trainer(data, small_network(), replace(recipe, iterations=2, evaluation_iterations=0))
    list(trainer)
    assert trainer.result.reason is EndReason.COMPLETED
    assert words_of(trainer.result) == ""


def test_a_recovery_is_told_and_logged(recipe, data, monkeypatch, tmp_path):
    monkeypatch.setattr(choosing, "LOST_IN_A_ROW", 1)
    scripted(monkeypatch, {2: 0.2, 6: 0.1, 8: 0.1, 10: 0.1})
    run, trainer = Run.start(tmp_path / "run", data, small_network(), recipe, "quick", "cpu")
    (recovered,) = [event for event in run.record(trainer) if isinstance(event, Recovered)]
    assert recovery_in_words(recovered) == (
        "The training had gone astray by iteration 4: Its volumes had lost phase 1. "
        "It goes on from its best weights, of iteration 2, with a learning_rate of 5e-05."
    )
    logged = [line for line in run.log() if line["event"] == "recovered"]
    assert [(line["iteration"], line["back_to"]) for line in logged] == [(4, 2)]


def test_a_new_beginning_is_called_one():
    words = recovery_in_words(Recovered(400, "Its volumes had lost phase 1.", 0, 1e-3))
    assert "goes on from new weights with" in words
