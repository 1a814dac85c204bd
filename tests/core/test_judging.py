"""The judge of a training: the best model, the end by itself, recoveries; and all that once more after a resume."""

from dataclasses import replace

import pytest
import torch

from napari_slicegan.core import choosing, judging
from napari_slicegan.core.errors import TrainingError
from napari_slicegan.core.events import CheckpointSaved, EndReason, Evaluation, Recovered
from napari_slicegan.core.heldout import HeldOut
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.training import Trainer
from tests.core.conftest import small_network


@pytest.fixture
def recipe(recipe):
    return replace(recipe, iterations=8, evaluation_iterations=2)


def scripted(monkeypatch, errors):
    """Evaluations say what was written down for an iteration: an error, or None for a phase that is lost."""

    def evaluate(_self, _generator, iteration, *_):
        error = errors.get(iteration, 1.0)
        if error is None:
            return Evaluation(iteration, 9.0, 9.0, 9.0, lost="phase 1")
        return Evaluation(iteration, error, 0.0)

    monkeypatch.setattr(HeldOut, "evaluate", evaluate)


def weights(trainer):
    state = trainer.gan.state_dict()
    return [*state["generator"].values(), *state["discriminators"][0].values(), state["rng"]]


def same(one, other):
    return len(one) == len(other) and all(map(torch.equal, one, other))


@pytest.mark.parametrize("average", [0.0, 0.5])
def test_the_best_generator_is_the_model_and_not_the_last(recipe, data, monkeypatch, tmp_path, average):
    scripted(monkeypatch, {2: 0.5, 4: 0.1, 6: 0.3, 8: 0.2})
    recipe, path = replace(recipe, average=average), tmp_path / "checkpoint.pt"
    best = Trainer(data, small_network(), replace(recipe, iterations=4, evaluation_iterations=0))
    list(best)
    trainer = Trainer(data, small_network(), recipe, checkpoint=path)
    list(trainer)
    wanted = list(best.gan.snapshot().state_dict().values())
    for model in (trainer.result.model, trainer.model, trainer.saved, SliceGAN.load(path)):
        assert same(list(model.generator.state_dict().values()), wanted)
        assert model.info.provenance["heldout"]["iteration"] == 4
        assert model.info.provenance["iterations"] == 8
    assert trainer.evaluation.iteration == 8


def test_after_the_end_the_model_is_the_same_everywhere_also_without_any_evaluation_on_the_way(recipe, data, tmp_path):
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(data, small_network(), replace(recipe, iterations=1, balance_volumes=8), checkpoint=path)
    list(trainer)
    wanted = list(trainer.result.model.generator.state_dict().values())
    for model in (trainer.model, trainer.saved, SliceGAN.load(path)):
        assert same(list(model.generator.state_dict().values()), wanted)


def test_decisions_fall_at_fixed_iterations_whatever_the_clock_says(recipe, data, monkeypatch):
    monkeypatch.setattr("napari_slicegan.core.asides._SHARE", 0.0)  # nothing may take any time
    trainer = Trainer(data, small_network(), recipe)
    assert [event.iteration for event in trainer if isinstance(event, Evaluation)] == [2, 4, 6, 8]


def test_a_training_without_progress_ends_by_itself(recipe, data, monkeypatch, tmp_path):
    scripted(monkeypatch, {2: 0.1, 4: 0.2, 6: 0.0999, 8: 0.05, 10: 0.1, 12: 0.1, 14: 0.1})
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(data, small_network(), replace(recipe, iterations=100, patience=2), checkpoint=path)
    events = list(trainer)
    assert (trainer.result.reason, trainer.iteration) == (EndReason.PLATEAU, 6)
    assert isinstance(events[-1], CheckpointSaved)
    resumed = Trainer.resume(path, data)  # somebody wants more of it
    list(resumed)
    assert (resumed.result.reason, resumed.iteration) == (EndReason.PLATEAU, 12)
    assert resumed.result.model.info.provenance["heldout"]["iteration"] == 8


@pytest.mark.parametrize("stop_at", [1, 2, 3, 6, 7, 9])
def test_a_resumed_training_decides_as_one_never_interrupted(recipe, data, monkeypatch, tmp_path, stop_at):
    monkeypatch.setattr(choosing, "LOST_IN_A_ROW", 2)
    scripted(monkeypatch, {2: 0.2, 4: None, 6: None, 8: 0.3, 10: 0.1, 12: 0.2})
    recipe, path = replace(recipe, iterations=12, average=0.5), tmp_path / "checkpoint.pt"
    whole = Trainer(data, small_network(), recipe)
    assert [event.iteration for event in whole if isinstance(event, Recovered)] == [6]
    list(Trainer(data, small_network(), replace(recipe, iterations=stop_at), checkpoint=path))
    resumed = Trainer.resume(path, data, recipe)
    list(resumed)
    assert same(weights(whole), weights(resumed))
    one, other = (trainer.result.model for trainer in (whole, resumed))
    assert one.info.provenance["heldout"] == other.info.provenance["heldout"]
    assert same(*(list(model.generator.state_dict().values()) for model in (one, other)))
    rates = [[group["lr"] for group in trainer.gan.optimizers[0].param_groups] for trainer in (whole, resumed)]
    assert rates == [[recipe.learning_rate / 2]] * 2


def test_a_stop_before_an_evaluation_does_not_leave_it_out(recipe, data, monkeypatch, tmp_path):
    """Stopped at an iteration that is to be judged, and resumed: it is judged there."""
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(data, small_network(), recipe, checkpoint=path)
    for event in trainer:
        if getattr(event, "iteration", 0) == 2 and not isinstance(event, CheckpointSaved):
            trainer.stop()
            break
    list(trainer)
    assert not [event for event in trainer if isinstance(event, Evaluation)]
    judged = [event.iteration for event in Trainer.resume(path, data) if isinstance(event, Evaluation)]
    assert judged == [2, 4, 6, 8]


def test_numbers_that_are_not_finite_are_put_right(recipe, data, monkeypatch, tmp_path):
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(data, small_network(), recipe, checkpoint=path)
    update = trainer.gan.update_generator

    def diverges_once():
        losses = update()
        if trainer.iteration == 2:  # the third update
            trainer.gan.generator.layers[0].weight.data.fill_(float("nan"))
        return losses

    monkeypatch.setattr(trainer.gan, "update_generator", diverges_once)
    events = list(trainer)
    (recovered,) = (event for event in events if isinstance(event, Recovered))
    assert (recovered.iteration, recovered.back_to) == (4, 2)
    assert recovered.learning_rate == recipe.learning_rate / 2
    assert "no longer finite" in recovered.reason
    assert trainer.result.reason is EndReason.COMPLETED
    assert trainer.gan.is_finite
    assert SliceGAN.load(path).generator is not None


def test_a_lost_phase_brings_the_best_weights_back(recipe, data, monkeypatch):
    monkeypatch.setattr(choosing, "LOST_IN_A_ROW", 1)
    scripted(monkeypatch, {2: 0.2, 4: None, 6: 0.3, 8: 0.3})
    trainer, seen = Trainer(data, small_network(), recipe), {}
    for event in trainer:
        if isinstance(event, Evaluation | Recovered):
            seen[event.iteration, type(event)] = [weight.clone() for weight in weights(trainer)[:-1]]
    assert same(seen[2, Evaluation], seen[4, Recovered])
    assert not same(seen[4, Evaluation], seen[4, Recovered])
    assert not same(seen[6, Evaluation], seen[4, Recovered])


def test_without_anything_good_it_begins_anew(recipe, data, monkeypatch):
    monkeypatch.setattr(choosing, "SLOWEST_START", 4)
    scripted(monkeypatch, {2: None, 4: None, 6: 0.3, 8: 0.3})
    trainer, seen = Trainer(data, small_network(), replace(recipe, average=0.5)), []
    for event in trainer:
        if isinstance(event, Recovered):
            seen = [*weights(trainer)[:-1]]
            assert event.back_to == 0
            assert all(norm.num_batches_tracked == 0 for norm in trainer.gan.generator.norms)
    fresh = Trainer(data, small_network(), recipe)
    assert [weight.shape for weight in weights(fresh)[:-1]] == [weight.shape for weight in seen]
    assert not same(weights(fresh)[:-1], seen)  # or it would end as before


def test_what_goes_astray_again_and_again_ends_with_a_sentence_and_its_best_model(recipe, data, monkeypatch, tmp_path):
    monkeypatch.setattr(choosing, "LOST_IN_A_ROW", 1)
    scripted(monkeypatch, {2: 0.2, **dict.fromkeys(range(4, 100, 2), None)})
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(data, small_network(), replace(recipe, iterations=100), checkpoint=path)
    recoveries = []
    with pytest.raises(
        TrainingError, match=r"gone astray for the 4th time by iteration 10.*lost phase 1.*learning_rate"
    ):
        recoveries += [event for event in trainer if isinstance(event, Recovered)]
    assert trainer.iteration == 2 + 2 * (judging.MOST_RECOVERIES + 1)
    assert SliceGAN.load(path).info.provenance["heldout"]["iteration"] == 2


def test_surfaces_pull_at_the_generator_as_evaluations_find_them(recipe, data, monkeypatch):
    monkeypatch.setattr(choosing, "LOST_IN_A_ROW", 1)
    trainer = Trainer(data, small_network(), replace(recipe, surface_tension=2.0))
    held_out, pulls, changes = [], [], []
    evaluate = HeldOut.evaluate

    def listened(self, *arguments):
        found = evaluate(self, *arguments)
        held_out.append(self)
        lost = "phase 1" if found.iteration == 6 else ""
        return replace(found, lost=lost)

    monkeypatch.setattr(HeldOut, "evaluate", listened)
    for event in trainer:
        if isinstance(event, Evaluation):
            pulls.append(trainer.gan.tension.weights.clone())
            excess = held_out[-1].excess.clip(-0.1, 0.1) * 2.0 * 2 / 1000 / held_out[-1].scale
            changes.append(torch.from_numpy(excess).float())
        if isinstance(event, Recovered):
            back_to = event.back_to
    assert all(change.any() for change in changes)
    torch.testing.assert_close(pulls[0], changes[0])
    torch.testing.assert_close(pulls[1], pulls[0] + changes[1])
    assert torch.equal(pulls[2], pulls[1])  # what is lost tells nothing of surfaces
    torch.testing.assert_close(pulls[3], pulls[back_to // 2 - 1] + changes[3])  # those that the best went on with


def test_nothing_pulls_as_published(recipe, data):
    trainer = Trainer(data, small_network(), recipe)
    list(trainer)
    assert not trainer.gan.tension.weights.any()


def diverges(monkeypatch, trainer, at):
    """The weights are no longer numbers after the updates of some iterations."""
    update = trainer.gan.update_generator

    def broken():
        losses = update()
        if trainer.iteration + 1 in at:
            trainer.gan.generator.layers[0].weight.data.fill_(float("nan"))
        return losses

    monkeypatch.setattr(trainer.gan, "update_generator", broken)


def test_a_training_that_diverges_in_its_last_update_leaves_its_best_model(recipe, data, monkeypatch, tmp_path):
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(data, small_network(), replace(recipe, iterations=5), checkpoint=path)
    diverges(monkeypatch, trainer, {5})
    events = list(trainer)
    assert (trainer.result.reason, events[-1]) == (EndReason.COMPLETED, CheckpointSaved(5, path))
    best = trainer.result.model.info.provenance["heldout"]["iteration"]
    assert SliceGAN.load(path).info.provenance["heldout"]["iteration"] == best
    resumed = Trainer.resume(path, data, replace(recipe, iterations=8))
    list(resumed)
    assert resumed.gan.is_finite
    assert resumed.iteration == 8


def test_a_training_that_diverges_again_and_again_leaves_its_best_model(recipe, data, monkeypatch, tmp_path):
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(data, small_network(), replace(recipe, iterations=100), checkpoint=path)
    diverges(monkeypatch, trainer, set(range(3, 100, 2)))
    with pytest.raises(TrainingError, match="gone astray for the 4th time"):
        list(trainer)
    assert SliceGAN.load(path).info.provenance["heldout"]["iteration"] == 2
    assert trainer.gan.is_finite


def test_a_training_that_began_with_a_model_goes_back_to_it(recipe, data, monkeypatch, tmp_path):
    path = tmp_path / "other.pt"
    list(Trainer(data, small_network(), replace(recipe, iterations=1), checkpoint=path))
    trainer = Trainer(data, small_network(), recipe, start_from=path)
    start = weights(trainer)[:-1]
    start = [weight.clone() for weight in start]
    diverges(monkeypatch, trainer, {2})
    for event in trainer:
        if isinstance(event, Recovered):
            assert same(weights(trainer)[:-1], start)
            assert event.back_to == 0
            return
    pytest.fail("it was not put back")


def test_the_best_is_known_when_its_evaluation_is_told(recipe, data, monkeypatch):
    scripted(monkeypatch, {2: 0.5, 4: 0.1, 6: 0.3})
    trainer = Trainer(data, small_network(), recipe)
    told = {
        event.iteration: (trainer.evaluation, trainer.model.info.provenance["heldout"]["iteration"])
        for event in trainer
        if isinstance(event, Evaluation)
    }
    assert {iteration: newest.iteration for iteration, (newest, _) in told.items()} == {2: 2, 4: 4, 6: 6, 8: 8}
    assert [best for _, best in told.values()] == [2, 4, 4, 4]


def test_without_a_judge_the_last_generator_is_the_model(recipe, data, monkeypatch, tmp_path):
    scripted(monkeypatch, {2: 0.1})
    path = tmp_path / "checkpoint.pt"
    list(Trainer(data, small_network(), replace(recipe, iterations=4), checkpoint=path))
    resumed = Trainer.resume(path, data, replace(recipe, evaluation_iterations=0))
    list(resumed)
    assert same(
        list(resumed.result.model.generator.state_dict().values()), list(resumed.gan.snapshot().state_dict().values())
    )
