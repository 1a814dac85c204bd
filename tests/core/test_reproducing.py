"""Models and volumes that are made again: the same bit for bit, or told to be different."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from napari_slicegan.core import choosing
from napari_slicegan.core.errors import DataError, ModelError
from napari_slicegan.core.events import EndReason, Evaluation, Progress, Recovered
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.heldout import HeldOut
from napari_slicegan.core.machine import Machine
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.output.streaming import stream
from napari_slicegan.core.parallel.peers import Call
from napari_slicegan.core.reproducing import volume as volumes
from napari_slicegan.core.reproducing.finding import model_of
from napari_slicegan.core.reproducing.plan import Plan, differences
from napari_slicegan.core.reproducing.training import compared, is_balanced, retrained
from napari_slicegan.core.reproducing.volume import VolumePast, compared_again
from napari_slicegan.core.sessions import Session, begun
from napari_slicegan.core.training import Trainer
from napari_slicegan.core.volume.request import VolumeRequest
from napari_slicegan.core.weights import read_weights
from tests.core.conftest import small_network
from tests.core.test_model import a_model

FORMATS = [".tif", ".ome.tif", ".npy", ".raw", ".ome.zarr", ".vti"]
REQUEST = VolumeRequest((20, 33, 40), seed=3, origin=(-5, 30, 2))


@pytest.fixture
def recipe(recipe):
    return replace(recipe, iterations=5, seed=7)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "model.safetensors"


def trained(path, data, recipe, *, stop_in_update=0, **options) -> Trainer:
    """A training whose model is saved; one that is to be stopped is asked in the middle of its nth update from now."""
    trainer = Trainer(data, small_network(), recipe, **options)
    return followed(trainer, path, stop_in_update)


def followed(trainer, path, stop_in_update=0) -> Trainer:
    count, update = 0, trainer.gan.update

    def counted(call):
        nonlocal count
        count += 1
        if count == stop_in_update:
            trainer.stop()
        return update(call)

    trainer.gan.update = counted
    list(trainer)
    trainer.result.model.save(path)
    return trainer


def again(path, data, start_from=None, progress=None):
    """Make a model again, and compare."""
    weights = read_weights(path)[1]
    plan = Plan.of(SliceGAN.load(path).info)
    return compared(weights, retrained(plan, data, is_balanced(weights), "cpu", start_from, progress))


def changed(path, **provenance):
    """The same model, which says something else of its past; what is None it does not say."""
    model = SliceGAN.load(path)
    said = {name: value for name, value in (model.info.provenance | provenance).items() if value is not None}
    model.info = replace(model.info, provenance=said)
    model.save(path)


def another_model(number=1) -> SliceGAN:
    """One with other weights that says the same of itself."""
    model = a_model()
    model.generator.layers[0].weight.data += number
    return model


def scripted(monkeypatch, errors):
    """Evaluations say what was written down for an iteration: an error, or None for a phase that is lost."""

    def evaluate(_self, _generator, iteration, *_):
        error = errors.get(iteration, 1.0)
        return Evaluation(iteration, error or 9.0, 0.0, lost="" if error else "phase 1")

    monkeypatch.setattr(HeldOut, "evaluate", evaluate)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"average": 0.5, "axes": "alike", "symmetry": "rotate", "normalization": "running"},
        {"evaluation_iterations": 2, "balance_volumes": 2},  # the model is one of iteration 2 or 4
        {"balance_volumes": 2},
        {"evaluation_iterations": 50, "balance_volumes": 2},  # looked at when it is over
        {"iterations": 0, "minutes": 0.01, "preview_seconds": 0.1},
    ],
    ids=str,
)
def test_a_model_is_made_again_bit_for_bit(path, data, recipe, changes):
    trained(path, data, replace(recipe, **changes))
    done = []
    verdict = again(path, data, progress=done.append)
    assert verdict.is_identical, verdict.found
    assert verdict.found.startswith("all ")
    assert done == sorted(done)
    assert done[-1] == 1


def test_another_seed_is_told(path, data, recipe):
    trained(path, data, recipe)
    changed(path, training=asdict(replace(recipe, seed=8)))
    verdict = again(path, data)
    assert not verdict.is_identical
    assert "arrays of weights differ" in verdict.found


def test_the_last_bit_of_one_weight_is_told(path, data, recipe):
    trained(path, data, recipe)
    model = SliceGAN.load(path)
    weight = model.generator.layers[0].weight.data.view(-1)
    weight[5] = torch.nextafter(weight[5], torch.tensor(9.0))
    model.save(path)
    verdict = again(path, data)
    assert not verdict.is_identical
    assert verdict.found.startswith("1 of ")
    assert "(layers.0.weight)" in verdict.found


def test_one_iteration_more_is_told(path, data, recipe):
    trained(path, data, recipe)
    changed(path, generator={"iteration": 4, "judged": False, "steps": 0})
    assert not again(path, data).is_identical


def test_a_balance_that_was_not_made_is_told(path, data, recipe):
    trained(path, data, replace(recipe, balance_volumes=2))
    model = SliceGAN.load(path)
    assert model.generator.offsets.any()
    model.generator.offsets.zero_()
    model.save(path)
    assert again(path, data).is_identical  # the generator as it was before
    model.generator.offsets.fill_(1.0)
    model.save(path)
    assert not again(path, data).is_identical


def test_a_model_of_16_bits_is_compared_as_it_was_kept(path, data, recipe):
    trained(path, data, recipe).result.model.save(path, half=True)
    assert again(path, data).is_identical


@pytest.mark.parametrize("stop_in_update", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("every", [0, 2, 50])
def test_a_stopped_training_is_made_again(path, data, recipe, stop_in_update, every):
    recipe = replace(recipe, evaluation_iterations=every, balance_volumes=2)
    trainer = trained(path, data, recipe, stop_in_update=stop_in_update)
    assert trainer.result.reason is EndReason.STOPPED
    assert again(path, data).is_identical


def test_a_training_that_ended_by_itself_and_went_on_is_made_again(path, data, recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(choosing, "PROGRESS", 0.9)
    checkpoint = tmp_path / "checkpoint.pt"
    recipe = replace(recipe, iterations=4, evaluation_iterations=1, patience=1, balance_volumes=2)
    first = trained(path, data, recipe, checkpoint=checkpoint)
    assert first.result.reason is EndReason.PLATEAU
    scripted(monkeypatch, {4: 0.001, 5: 0.0001})
    followed(Trainer.resume(checkpoint, data, replace(recipe, iterations=6)), path)
    provenance = SliceGAN.load(path).info.provenance
    assert provenance["generator"]["iteration"] > first.iteration
    scripted(monkeypatch, {1: 1.0, 2: 1.0, 3: 1.0, 4: 0.001, 5: 0.0001})
    assert again(path, data).is_identical


@pytest.mark.parametrize("best", [0.2, None])
def test_a_training_that_recovered_is_made_again(path, data, recipe, monkeypatch, best):
    monkeypatch.setattr(choosing, "LOST_IN_A_ROW", 1)
    monkeypatch.setattr(choosing, "SLOWEST_START", 4)
    scripted(monkeypatch, {2: best, 4: None, 6: 0.1})
    recipe = replace(recipe, iterations=7, evaluation_iterations=2)
    trainer = Trainer(data, small_network(), recipe)
    events = list(trainer)
    assert [event.iteration for event in events if isinstance(event, Recovered)] == [4]
    trainer.result.model.save(path)
    assert SliceGAN.load(path).info.provenance["generator"]["iteration"] == 6
    assert again(path, data).is_identical


def test_a_model_of_a_training_that_has_just_recovered_is_made_again(path, data, recipe, monkeypatch):
    monkeypatch.setattr(choosing, "SLOWEST_START", 4)
    scripted(monkeypatch, {2: None, 4: None})
    trained(path, data, replace(recipe, iterations=4, evaluation_iterations=2))
    assert SliceGAN.load(path).info.provenance["generator"] == {"iteration": 4, "judged": True, "steps": 0}
    assert again(path, data).is_identical


def test_a_model_of_a_training_that_was_stopped_just_before_it_would_have_recovered_is_made_again(
    path, data, recipe, monkeypatch
):
    monkeypatch.setattr(choosing, "SLOWEST_START", 4)
    scripted(monkeypatch, {2: None, 4: None})
    trainer = Trainer(data, small_network(), replace(recipe, iterations=9, evaluation_iterations=2))
    for event in trainer:
        if isinstance(event, Progress) and event.iteration == 4:
            trainer.stop()
    trainer.result.model.save(path)
    assert SliceGAN.load(path).info.provenance["generator"] == {"iteration": 4, "judged": False, "steps": 0}
    assert again(path, data).is_identical


def test_sessions_with_other_threads_and_evaluations_are_made_again_update_by_update(
    path, data, recipe, tmp_path, monkeypatch
):
    made, update = [], GAN.update

    def observed(gan, call):
        losses = update(gan, call)
        made.append((call, torch.get_num_threads(), gan.training.evaluation_iterations))
        return losses

    monkeypatch.setattr(GAN, "update", observed)
    checkpoint = tmp_path / "checkpoint.pt"
    recipe = replace(recipe, iterations=9, evaluation_iterations=2, surface_tension=2.0)
    trained(path, data, recipe, checkpoint=checkpoint, stop_in_update=8)  # in the third iteration
    torch.set_num_threads(2)
    later = replace(recipe, evaluation_iterations=3, preview_seconds=0.1)
    followed(Trainer.resume(checkpoint, data, later), path, stop_in_update=7)  # in the fifth
    followed(Trainer.resume(checkpoint, data, later), path, stop_in_update=2)
    torch.set_num_threads(1)
    followed(Trainer.resume(checkpoint, data, replace(later, iterations=8)), path)
    made_before, made[:] = list(made), []
    provenance = SliceGAN.load(path).info.provenance
    places = [(each["iteration"], each["steps"], each["machine"]["threads"]) for each in provenance["sessions"]]
    assert places == [(0, 0, 1), (2, 1, 2), (4, 2, 1)]
    assert again(path, data).is_identical
    assert made == made_before[: len(made)]
    assert made.count((Call.GENERATOR, 1, 3)) == provenance["generator"]["iteration"] - 4
    assert torch.get_num_threads() == 1


def test_the_weights_to_begin_with_have_to_be_the_same(path, data, recipe, tmp_path):
    start = tmp_path / "start.safetensors"
    trained(start, data, replace(recipe, iterations=1))
    trained(path, data, recipe, start_from=start)
    assert again(path, data, start).is_identical
    with pytest.raises(ModelError, match=r"began with the weights of .*start\.safetensors: name that file"):
        again(path, data)
    trained(start, data, replace(recipe, iterations=2))
    with pytest.raises(ModelError, match="has changed since"):
        again(path, data, start)
    trained(path, data, recipe)
    with pytest.raises(ModelError, match="began with random weights"):
        again(path, data, start)


def test_other_images_are_refused(path, data, recipe):
    trained(path, data, recipe)
    other = replace(data, sources=tuple(1 - source.clip(0, 1) for source in data.sources))
    with pytest.raises(DataError, match="not the images that the model was trained on"):
        again(path, other)


@pytest.mark.parametrize("every", [0, 2, 50])
def test_models_of_older_versions_are_made_again_by_what_they_say(path, data, recipe, every):
    trained(path, data, replace(recipe, evaluation_iterations=every, balance_volumes=2))
    changed(path, generator=None, sessions=None)
    plan = Plan.of(SliceGAN.load(path).info)
    assert not plan.is_whole
    assert plan.machines == ()
    assert plan.device == "auto"
    assert again(path, data).is_identical


@pytest.mark.parametrize(
    "said",
    [
        {"training": None},
        {"training": {"iterations": -1}},
        {"fingerprint": None},
        {"generator": {"iteration": 10**12, "judged": False}},
        {"generator": {"iteration": -1, "judged": False}},
        {"generator": {"iteration": 1, "judged": False, "steps": 10**9}},
        {"generator": "x"},
        {"sessions": "x"},
        {"sessions": [{}]},
        {"sessions": [{"iteration": 0}]},
    ],
)
def test_a_model_that_says_too_little_or_nonsense_is_refused_with_a_sentence(path, data, recipe, said):
    trained(path, data, recipe)
    changed(path, **said)
    with pytest.raises(ModelError, match=r"^(The|A|What) .*\.$"):
        Plan.of(SliceGAN.load(path).info)


@pytest.mark.parametrize("changes", [{"threads": 10**6}, {"threads": 0}, {"threads": True}, {"device": "\x1b[2J"}])
def test_a_file_cannot_ask_for_any_number_of_threads_nor_write_to_the_terminal(changes):
    fields = Machine.here(torch.device("cpu")).to_dict() | changes
    with pytest.raises(ModelError, match="makes no sense"):
        Machine.from_dict(fields)


def test_what_differs_now_is_said_but_for_the_threads():
    now = Machine.here(torch.device("cpu"))
    then = replace(now, torch_version="1.0", processor="an abacus", threads=99, processes=3)
    assert differences([now, then], now) == [
        f"torch 1.0, now {now.torch_version}",
        f"the processor an abacus, now {now.processor}",
        "3 processes together, now 1",
    ]


def test_sessions_that_do_nothing_or_change_nothing_are_no_more_of_them():
    machine = Machine.here(torch.device("cpu"))
    one = Session(0, 0, False, 50, "exact", machine)
    other = replace(one, iteration=3, machine=replace(machine, threads=8))
    assert begun([], one) == (one,)
    assert begun([one], replace(one, iteration=3)) == (one,)
    assert begun([one], other) == (one, other)
    assert begun([one, other], replace(one, iteration=3)) == (one,)
    assert json.loads(json.dumps(asdict(one)))["machine"]["threads"] == machine.threads


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("kind", ["phases", "colour"])
def test_a_volume_of_any_format_is_made_again_voxel_for_voxel(tmp_path, small_tiles, suffix, kind):
    model = a_model(phases=(0, 128, 255)) if kind == "phases" else a_model(output="colour", image_channels=3)
    path = tmp_path / f"v{suffix}"
    stream(model, REQUEST, path)
    past = VolumePast.of(path)
    assert past.request == REQUEST
    assert past.model == model.fingerprint
    assert past.machine == Machine.here(torch.device("cpu"))
    done = []
    verdict = compared_again(path, past, model, done.append)
    assert verdict.is_identical, verdict.found
    assert verdict.found == "all 26,400 voxels are the same."
    assert done == sorted(done)
    other = replace(past, request=replace(REQUEST, seed=4))
    assert not compared_again(path, other, model).is_identical


@pytest.mark.parametrize("suffix", [".tif", ".npy"])
def test_one_voxel_is_told_with_its_place(tmp_path, suffix):
    model, path = a_model(phases=(0, 128, 255)), tmp_path / f"v{suffix}"
    stream(model, REQUEST, path)
    voxels = np.load(path, mmap_mode="r+") if suffix == ".npy" else tifffile.memmap(path, mode="r+")
    value = int(voxels[19, 2, 3])
    voxels[19, 2, 3] = 7
    voxels.flush()
    verdict = compared_again(path, VolumePast.of(path), model)
    assert not verdict.is_identical
    text = f"1 of 26,400 voxels differ, the first at z 19, y 2, x 3: 7 in the file, {value} made again."
    assert verdict.found == text


def test_a_volume_is_compared_piece_by_piece(tmp_path, small_tiles, monkeypatch):
    model, path = a_model(), tmp_path / "v.ome.zarr"
    stream(model, REQUEST, path)
    sizes, get = [], volumes._Voxels.__getitem__

    def observed(self, place):
        piece = get(self, place)
        sizes.append(piece.size)
        return piece

    monkeypatch.setattr(volumes._Voxels, "__getitem__", observed)
    assert compared_again(path, VolumePast.of(path), model).is_identical
    assert max(sizes) <= 32**3
    assert sum(sizes) == 20 * 33 * 40


def test_a_volume_of_one_plane_is_made_again(tmp_path):
    model, path = a_model(), tmp_path / "v.tif"
    stream(model, replace(REQUEST, shape=(1, 30, 31)), path)
    assert compared_again(path, VolumePast.of(path), model).is_identical


def test_a_volume_that_was_cut_is_told(tmp_path):
    model, path = a_model(), tmp_path / "v.npy"
    stream(model, REQUEST, path)
    np.save(path, np.load(path)[:-1])
    verdict = compared_again(path, VolumePast.of(path), model)
    assert not verdict.is_identical
    assert verdict.found == "it has 19 x 33 x 40 voxels, but was made with 20 x 33 x 40."


def test_another_model_is_refused(tmp_path):
    path = tmp_path / "v.tif"
    stream(a_model(), REQUEST, path)
    with pytest.raises(ModelError, match="not the model that made the volume"):
        compared_again(path, VolumePast.of(path), another_model())


def test_a_volume_finds_its_model_among_others(tmp_path):
    model = a_model()
    for number in range(3):
        folder = tmp_path / f"run {number}"
        folder.mkdir()
        another_model(number + 1).save(folder / "model.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"?")
    stream(model, REQUEST, tmp_path / "v.tif")
    past = VolumePast.of(tmp_path / "v.tif")
    with pytest.raises(ModelError, match="with --model"):
        model_of(past, [tmp_path, tmp_path / "missing"], "cpu")
    model.save(tmp_path / "run 2" / "model.safetensors")
    assert model_of(past, [tmp_path], "cpu").fingerprint == model.fingerprint


@pytest.mark.parametrize("suffix", [".tif", ".npy", ".ome.zarr"])
def test_a_volume_that_says_nothing_is_refused_with_a_sentence(tmp_path, suffix):
    from napari_slicegan.core.writing import write_volume

    path = tmp_path / f"v{suffix}"
    if suffix == ".tif":
        write_volume(path, np.zeros((4, 5, 6), np.uint8))
    elif suffix == ".npy":
        np.save(path, np.zeros((4, 5, 6), np.uint8))
    else:
        path.mkdir()
    with pytest.raises(ModelError, match="does not say how it was made"):
        VolumePast.of(path)
