"""Held-out errors: what they are, and that nobody else notices."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_slicegan.core import asides, heldout, sample, thinning
from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.events import EndReason, Evaluation
from napari_slicegan.core.heldout import HeldOut
from napari_slicegan.core.interruption import Interrupted
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.statistics.correlation import correlations, mean_products
from napari_slicegan.core.training import Trainer
from tests.core.conftest import blobs, small_network

EDGE, REACH = 16, 8


@pytest.fixture(autouse=True)
def _small_volumes_and_every_line(monkeypatch):
    monkeypatch.setattr(sample, "EDGE", EDGE)
    monkeypatch.setattr(heldout, "_LINES", 1)


class Player(Generator):
    """Makes the volumes that it is given, (C, 16, 16, 16) each, in turn, whatever the latent fields."""

    def __init__(self, data: TrainingData, *volumes: list[np.ndarray]) -> None:
        super().__init__(small_network(output=data.kind, image_channels=data.channels))
        self.eval()
        made = torch.from_numpy(np.array(volumes, np.float32))  # (N, C, Z, Y, X)
        self._volumes = made if data.kind is OutputKind.PHASES else torch.atanh(2 * made - 1)
        self.latents: list[torch.Tensor] = []

    def outputs(self, latents: torch.Tensor) -> torch.Tensor:
        first = len(self.latents)
        self.latents += latents
        return torch.stack([self._volumes[n % len(self._volumes)] for n in range(first, first + len(latents))])


def indicators(labels, phases=2):
    return [labels == phase for phase in range(phases)]


def layered(axis):
    """Layers of 4 voxels across an axis."""
    line = np.arange(EDGE) // 4 % 2
    return np.broadcast_to(line.reshape([-1 if other == axis else 1 for other in range(3)]), (EDGE,) * 3)


def evaluate(data, *volumes):
    player = Player(data, *volumes)
    return HeldOut(data, player.config).evaluate(player, 5)


def test_the_errors_are_those_of_the_statistics():
    image, volume = blobs((40, 50), 3), blobs((EDGE,) * 3, 3, seed=1)
    result = evaluate(TrainingData.from_labels(image), indicators(volume, 3))
    truth = correlations(image, range(3), REACH, (0, 1)).mean(axis=0)
    made = correlations(volume, range(3), REACH)
    assert result.iteration == 5
    assert result.correlation_error == pytest.approx(np.abs(made - truth).mean(), rel=1e-4)
    fractions = [abs((volume == phase).mean() - (image == phase).mean()) for phase in range(3)]
    assert result.fraction_error == pytest.approx(max(fractions))


def test_the_mean_of_many_fields_that_stay_the_same_is_compared():
    image, volumes = blobs((40, 50)), [blobs((EDGE,) * 3, seed=seed) for seed in range(4)]
    data = TrainingData.from_labels(image)
    player = Player(data, *map(indicators, volumes))
    held_out = HeldOut(data, player.config)
    made = np.mean([correlations(volume, range(2), REACH) for volume in volumes], axis=0)
    truth = correlations(image, range(2), REACH, (0, 1)).mean(axis=0)
    assert held_out.evaluate(player, 1).correlation_error == pytest.approx(np.abs(made - truth).mean(), rel=1e-4)
    assert len({latent.sum().item() for latent in player.latents}) == 128
    held_out.evaluate(player, 2)
    assert all(torch.equal(*pair) for pair in zip(player.latents[:128], player.latents[128:], strict=True))


def test_every_third_line_tells_nearly_the_same(monkeypatch):
    image, volume = blobs((80, 80)), blobs((EDGE,) * 3, seed=1)
    data = TrainingData.from_labels(image)
    every = evaluate(data, indicators(volume))
    monkeypatch.setattr(heldout, "_LINES", 3)
    third = evaluate(data, indicators(volume))
    assert third != every
    assert third.fraction_error == every.fraction_error
    assert third.correlation_error == pytest.approx(every.correlation_error, abs=0.02)


def test_batches_count_by_their_size(monkeypatch):
    image, volumes = blobs((40, 50)), [blobs((EDGE,) * 3, seed=seed) for seed in range(3)]
    data = TrainingData.from_labels(image)
    monkeypatch.setattr(sample, "_MOST_VOLUMES", 6)
    monkeypatch.setattr(sample, "_VOXELS_AT_A_TIME", 4 * EDGE**3)  # so 4 and 2
    player = Player(data, *map(indicators, volumes))
    found = HeldOut(data, player.config).evaluate(player, 1)
    made = np.mean([correlations(volume, range(2), REACH) for volume in volumes], axis=0)
    truth = correlations(image, range(2), REACH, (0, 1)).mean(axis=0)
    assert found.correlation_error == pytest.approx(np.abs(made - truth).mean(), rel=1e-4)


def test_fractions_are_not_known_better_than_chance_allows():
    image = np.zeros((40, 40), np.uint8)
    image[:20] = 1
    some, none, every = (np.arange(EDGE**3).reshape((EDGE,) * 3) < part * EDGE**3 for part in (0.5, 0, 1))
    data = TrainingData.from_labels(image)
    alike = evaluate(data, [~some, some])
    scattered = evaluate(data, *([~one, one] for one in (none, none, every, every)))  # pairs of 0 and of 1
    opposite = evaluate(data, *([~one, one] for one in (none, every)))  # of which every pair has the right fraction
    assert alike.fraction_error == opposite.fraction_error == 0
    assert scattered.fraction_error == pytest.approx(0.5 / 63**0.5)  # 64 pairs


def test_a_generator_is_balanced_by_the_volumes_that_it_is_judged_by():
    image = (np.arange(1600).reshape(40, 40) < 400).astype(np.uint8)  # a quarter, of which the generator knows nothing
    data, network = TrainingData.from_labels(image), small_network(image_channels=2)
    made = Generator(network, torch.Generator().manual_seed(0)).eval()
    made.layers[-1].weight.data *= 20
    held_out = HeldOut(data, network)
    raw = held_out.evaluate(made, 1)
    assert (made.offsets == 0).all()
    balanced = held_out.evaluate(made, 1, balanced=True)
    assert (made.offsets != 0).any()
    assert balanced.fraction_error < raw.fraction_error / 5
    assert held_out.evaluate(made, 1) == balanced


def test_nobody_waits_for_the_volumes(data):
    made = Generator(small_network(image_channels=data.channels), torch.Generator().manual_seed(0)).eval()
    held_out, stop = HeldOut(data, made.config), threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        held_out.evaluate(made, 1, flag=stop)


def test_surfaces_and_shapes_that_are_wrong_show():
    data = TrainingData.from_labels(blobs((60, 70)))
    alike = evaluate(data, indicators(blobs((EDGE,) * 3, seed=3)))
    rough = evaluate(data, indicators(np.random.default_rng(0).integers(0, 2, (EDGE,) * 3)))
    assert alike.surface_error < 0.2
    assert rough.surface_error > 1
    assert 0 < alike.pattern_error < rough.pattern_error


def test_a_phase_that_is_hardly_there_is_lost():
    image = blobs((60, 60), 3)
    image[image == 2] = 7
    volume = blobs((EDGE,) * 3, 3, seed=1)
    data = TrainingData.from_labels(image)
    assert evaluate(data, indicators(volume, 3)).lost == ""
    assert evaluate(data, indicators(np.minimum(volume, 1), 3)).lost == "phase 7"
    assert evaluate(data, indicators(np.zeros_like(volume), 3)).lost == "phase 1 and phase 7"


def test_grey_volumes_without_contrast_are_lost():
    image = np.random.default_rng(0).integers(60, 200, (40, 40), np.uint8)
    data = TrainingData.from_greyscale(image)
    noise = np.random.default_rng(1).random((EDGE,) * 3)
    assert evaluate(data, [noise]).lost == ""
    assert evaluate(data, [np.full((EDGE,) * 3, 0.5) + noise / 100]).lost == "all contrast"


@pytest.mark.parametrize("axis", range(3))
def test_each_image_is_compared_with_the_planes_that_it_shows(axis):
    """Layers across one axis, told by three images, or by two with this special axis."""
    volume = layered(axis)
    planes = [volume.take(0, axis=normal) for normal in range(3)]
    planes[axis] = blobs((EDGE, EDGE))  # a plane along the layers shows one of them
    three = TrainingData.from_labels(*(np.tile(plane, (2, 2)) for plane in planes))
    # What is wrong is the plane along the layers alone; turned by a quarter all others are wrong, too.
    right = evaluate(three, indicators(volume)).correlation_error
    wrong = [evaluate(three, indicators(layered(other))).correlation_error for other in range(3) if other != axis]
    assert right < 0.6 * min(wrong)
    side = np.tile(layered(0)[:, 0], (2, 2))  # the special axis down its rows
    two = TrainingData.from_labels(np.tile(planes[axis], (2, 2)), side, axis="zyx"[axis])
    wrong = [evaluate(two, indicators(layered(other))).correlation_error for other in range(3) if other != axis]
    assert evaluate(two, indicators(volume)).correlation_error < 0.6 * min(wrong)


def test_intensities_are_compared_from_0_to_1():
    image = np.random.default_rng(0).integers(60, 200, (40, 40), np.uint8)
    data = TrainingData.from_greyscale(image)
    flat = np.full((EDGE,) * 3, 0.25)
    low, high = data.levels
    scaled = ((image - low) / (high - low)).clip(0, 1).astype(np.float32)
    truth = (mean_products(scaled, 0, REACH) + mean_products(scaled, 1, REACH)) / 2
    result = evaluate(data, [flat])
    assert result.fraction_error == pytest.approx(np.abs(scaled - 0.25).mean(), abs=2e-3)  # all have to move to it
    assert result.correlation_error == pytest.approx(np.abs(truth - 0.0625).mean(), rel=1e-3)


def test_only_the_regions_are_looked_at():
    image = blobs((40, 60))
    image[:, 30:] = 1
    whole = TrainingData.from_labels(image[:, :30])
    part = TrainingData.from_images(image, kind="phases", regions=(((0, 0, 40, 30),),))
    volume = indicators(blobs((EDGE,) * 3, seed=1))
    assert evaluate(part, volume) == evaluate(whole, volume)


@pytest.mark.parametrize("shape", [(1, 400, 300), (40, 60, 50)])
def test_of_large_images_every_few_lines_or_planes_are_enough(shape, monkeypatch):
    stack = np.stack([blobs(shape[1:], seed=seed) for seed in range(shape[0])])
    data = TrainingData.from_labels(blobs((20, 20)))
    object.__setattr__(data, "sources", (stack,))
    volume = indicators(blobs((EDGE,) * 3, seed=99))
    whole = evaluate(data, volume)
    monkeypatch.setattr(thinning, "MOST_PIXELS", 40_000)
    part = evaluate(data, volume)
    assert part != whole
    assert part.correlation_error == pytest.approx(whole.correlation_error, abs=0.01)


@pytest.mark.parametrize("average", [0.0, 0.5])
def test_evaluations_leave_the_training_alone(recipe, data, average):
    recipe = replace(recipe, average=average)
    plain = Trainer(data, small_network(), recipe)
    list(plain)
    judged = Trainer(data, small_network(), replace(recipe, evaluation_iterations=1))
    events = [type(event).__name__ for event in judged]
    assert events.count("Evaluation") == 3
    one, other = plain.gan.state_dict(), judged.gan.state_dict()
    assert torch.equal(one["rng"], other["rng"])
    assert all(torch.equal(one["generator"][name], other["generator"][name]) for name in one["generator"])
    assert judged.model.info.provenance["heldout"]["iteration"] in (1, 2, 3)
    assert "heldout" not in plain.model.info.provenance


def test_nobody_waits_for_an_evaluation(recipe, data, monkeypatch):
    monkeypatch.setattr(asides, "_SHORT", 0)
    trainer = Trainer(data, small_network(), replace(recipe, iterations=100, evaluation_iterations=1))

    def snapshot(**_):
        trainer.stop()
        return type(trainer.gan).snapshot(trainer.gan)

    trainer.gan.snapshot = snapshot
    assert not [event for event in trainer if isinstance(event, Evaluation)]
    assert trainer.result.iterations == 1


def test_a_resumed_run_knows_its_last_error(recipe, data, tmp_path):
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(data, small_network(), replace(recipe, evaluation_iterations=1), checkpoint=path)
    list(trainer)
    assert Trainer.resume(path, data).evaluation == trainer.evaluation


@pytest.mark.parametrize("every", [1, 100])
@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError()])
def test_an_evaluation_that_fails_ends_nothing_and_is_not_tried_again(
    recipe, data, tmp_path, monkeypatch, error, every
):
    path, tried = tmp_path / "checkpoint.pt", []
    trainer = Trainer(data, small_network(), replace(recipe, evaluation_iterations=every), checkpoint=path)

    def fail(*_):
        tried.append(path.exists())
        raise error

    monkeypatch.setattr(HeldOut, "evaluate", fail)
    assert not [event for event in trainer if isinstance(event, Evaluation)]
    assert trainer.result.reason is EndReason.COMPLETED
    assert Trainer.resume(path, data).iteration == 3
    assert tried == [every == 100]  # at the end all is saved before


def test_a_run_that_is_stopped_early_knows_its_error(recipe, data):
    trainer = Trainer(data, small_network(), replace(recipe, iterations=100, evaluation_iterations=50))
    for _ in trainer:
        trainer.stop()
    assert trainer.result.reason is EndReason.STOPPED
    assert trainer.evaluation.iteration == 1


def test_nobody_waits_for_large_micrographs():
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        HeldOut(TrainingData.from_labels(blobs((40, 40))), small_network(), stop)


def test_regions_count_by_their_size():
    image = np.zeros((40, 60), np.uint8)
    image[:, 20:] = 1
    regions = (((0, 0, 20, 20), (0, 20, 40, 60)),)  # a fifth of the pixels is of the first phase
    data = TrainingData.from_images(image, kind="phases", regions=regions)
    none = np.zeros((EDGE,) * 3, bool)
    assert evaluate(data, [none, ~none]).fraction_error == pytest.approx(0.2)
