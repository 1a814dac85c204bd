"""The two updates and the loop: what is shown to whom, stopping, resuming, previews, failures."""

import itertools
import math
import threading
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_slicegan.core import asides
from napari_slicegan.core import gan as gan_module
from napari_slicegan.core import shown as shown_module
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import ModelError, TrainingError
from napari_slicegan.core.events import CheckpointSaved, EndReason, Paused, Preview, Proceeded, Progress
from napari_slicegan.core.losses import between
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.training import Trainer
from tests.core.conftest import SETS, blobs, small_network, tiny_network


def shown_to(critic) -> list[int]:
    """How many images each pass of a discriminator gets."""
    sizes: list[int] = []
    critic.register_forward_pre_hook(lambda _module, inputs: sizes.append(len(inputs[0])))
    return sizes


def weights(trainer: Trainer) -> dict:
    return {
        f"{name}.{key}": value
        for name, player in (("generator", trainer.gan.generator), ("critic", trainer.gan.discriminators[0]))
        for key, value in player.state_dict().items()
    }


def assert_same(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("output", ["phases", "grey", "colour"])
def test_every_set_and_kind_trains_and_generates(kind, output, recipe):
    random = np.random.default_rng(0)
    images = {
        "phases": blobs((70, 70), phases=3),
        "grey": random.integers(0, 256, (70, 70), np.uint8),
        "colour": random.integers(0, 256, (70, 70, 3), np.uint8),
    }
    data = TrainingData.from_images(images[output], kind=output)
    trainer = Trainer(data, tiny_network(kind), replace(recipe, iterations=1))
    before = {key: value.clone() for key, value in weights(trainer).items()}
    events = list(trainer)
    assert all(math.isfinite(loss) for loss in (events[0].critic_distance, events[0].penalty))
    changed = [key for key, value in weights(trainer).items() if not torch.equal(value, before[key])]
    assert set(before) - set(changed) == {"generator.offsets"}  # every layer of both players learns
    volume = trainer.model.generate((70, 33, 20))
    assert volume.shape == ((70, 33, 20, 3) if output == "colour" else (70, 33, 20))
    assert volume.dtype == np.uint8


@pytest.mark.parametrize("images", [1, 2, 3])
def test_every_slice_along_every_axis_is_shown_in_both_updates(images, recipe, network, monkeypatch):
    data = TrainingData.from_labels(*(blobs((70, 70), seed=seed) for seed in range(images)))
    trainer = Trainer(data, network, replace(recipe, slices_per_axis=0, real_crops=2))
    axes = {1: [3], 2: [1, 2], 3: [1, 1, 1]}[images]
    sizes = [shown_to(critic) for critic in trainer.gan.discriminators]
    pairs = []
    monkeypatch.setattr(gan_module, "between", lambda *args: pairs.append(len(args[0])) or between(*args))
    trainer.gan.update_discriminators()
    real = [2 * count for count in axes]
    assert [sum(size) for size in sizes] == [r + 64 * count for r, count in zip(real, axes, strict=True)]
    assert pairs == real
    for size in sizes:
        size.clear()
    trainer.gan.update_generator()
    assert [sum(size) for size in sizes] == [2 * 64 * count for count in axes]


def test_defect_02_random_subsets_are_drawn_anew_at_each_update(recipe, network, data, monkeypatch):
    trainer = Trainer(data, network, replace(recipe, slices_per_axis=1, discriminator_steps=1))
    marks = torch.arange(64.0)[:, None, None].expand(1, 3, 64, 64, 64)  # the value of a voxel is its z
    monkeypatch.setattr(trainer.gan, "generator", lambda _latent: marks)
    seen = []
    original = shown_module.planes
    monkeypatch.setattr(shown_module, "planes", lambda *args, **kw: seen.append(original(*args, **kw)) or seen[-1])
    for _ in range(40):
        trainer.gan.update_discriminators()
    positions = {images.unique().item() for images in seen[::3]}  # the planes normal to z
    assert len(positions) > 20


def test_defect_04_volumes_per_update(recipe, network, data):
    trainer = Trainer(data, network, replace(recipe, discriminator_volumes=3, generator_volumes=6))
    batches = []
    trainer.gan.generator.register_forward_pre_hook(lambda _module, inputs: batches.append(len(inputs[0])))
    trainer._updates.iterate()
    assert batches == [3, 3, 6]


def test_defect_05_the_penalty_uses_slices_of_all_volumes_and_positions(recipe, network, data, monkeypatch):
    trainer = Trainer(data, network, replace(recipe, slices_per_axis=0, real_crops=32))
    # The value of a voxel is its z, and 100 more in the second volume.
    marks = torch.arange(64.0)[:, None, None].expand(2, 3, 64, 64, 64) + torch.tensor([0, 100]).view(2, 1, 1, 1, 1)
    monkeypatch.setattr(trainer.gan, "generator", lambda _latent: marks)
    seen: Counter = Counter()

    def mixed(real, fake, rng):
        flat = fake.flatten(1)
        normal_to_z = flat.amin(dim=1) == flat.amax(dim=1)
        seen.update(flat[normal_to_z, 0].tolist())
        return between(real, fake, rng)

    monkeypatch.setattr(gan_module, "between", mixed)
    for _ in range(40):
        trainer.gan.update_discriminators()
    assert len(seen) == 2 * 64  # every position of both volumes
    assert max(seen.values()) < 30  # about 10 of each


def test_the_generators_update_leaves_the_discriminators_alone(recipe, network, data):
    trainer = Trainer(data, network, recipe)
    before = [weight.clone() for weight in trainer.gan.discriminators[0].parameters()]
    trainer.gan.update_generator()
    after = list(trainer.gan.discriminators[0].parameters())
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    assert all(weight.grad is None and weight.requires_grad for weight in after)


def test_events_tell_what_happened(recipe, network, data, tmp_path):
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(data, network, replace(recipe, preview_seconds=1e-9), checkpoint=path)
    events = list(trainer)
    reports = [event for event in events if isinstance(event, Progress)]
    assert [report.iteration for report in reports] == [1, 2, 3]
    assert [report.fraction for report in reports] == pytest.approx([1 / 3, 2 / 3, 1])
    assert reports[-1].eta_seconds == 0
    previews = [event for event in events if isinstance(event, Preview)]
    assert previews[0].volume.shape == (64, 64, 64)
    assert set(np.unique(previews[0].volume)) <= set(data.phases)
    assert events[-1] == CheckpointSaved(3, path)
    assert (trainer.result.reason, trainer.result.iterations) == (EndReason.COMPLETED, 3)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"average": 0.9},
        {"average": 0.9, "evaluation_iterations": 1, "surface_tension": 100.0},
        {
            "average": 0.5,
            "average_part": 0.8,
            "axes": "alike",
            "symmetry": "auto",
            "crops": "representative",
            "normalization": "running",
        },
    ],
)
def test_resumed_training_is_bit_identical(settings, recipe, network, data, tmp_path):
    recipe = replace(recipe, iterations=5, **settings)
    whole = Trainer(data, network, recipe)
    list(whole)
    path = tmp_path / "checkpoint.pt"
    list(Trainer(data, network, replace(recipe, iterations=2), checkpoint=path))
    resumed = Trainer.resume(path, data, recipe)
    assert resumed.iteration == 2
    list(resumed)
    assert_same(weights(whole), weights(resumed))
    assert_same(whole.model.generator.state_dict(), resumed.model.generator.state_dict())


@pytest.mark.parametrize("stop_at", [1, 9, 40, 75])
def test_a_stop_inside_an_update_leaves_no_trace(stop_at, recipe, network, data, tmp_path):
    """Stopped between two layers of some update, saved and resumed, it ends as if never stopped."""
    whole = Trainer(data, network, recipe)
    list(whole)
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(data, network, recipe, checkpoint=path)
    passes = itertools.count()

    def maybe_stop(*_):
        if next(passes) == stop_at:
            trainer.stop()

    for player in (trainer.gan.generator, trainer.gan.discriminators[0]):
        for layer in player.layers:
            layer.register_forward_pre_hook(maybe_stop)
    list(trainer)
    assert trainer.result.reason is EndReason.STOPPED
    assert trainer.iteration < 3
    resumed = Trainer.resume(path, data)
    list(resumed)
    assert_same(weights(whole), weights(resumed))


@pytest.mark.parametrize("pause_at", [1, 9, 40])
def test_a_pause_inside_an_update_leaves_no_trace(pause_at, recipe, data, tmp_path):
    """Paused between two layers of some update and continued, it ends as if never paused; so does its checkpoint."""
    whole = Trainer(data, small_network(), recipe)
    list(whole)
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(data, small_network(), recipe, checkpoint=path)
    passes = itertools.count()

    def maybe_pause(*_):
        if next(passes) == pause_at:
            trainer.pause()

    for player in (trainer.gan.generator, trainer.gan.discriminators[0]):
        for layer in player.layers:
            layer.register_forward_pre_hook(maybe_pause)
    kinds = []
    for event in trainer:
        kinds.append(type(event).__name__)
        if kinds[-1] == "Paused":
            resumed = Trainer.resume(path, data)
            assert event.iteration == resumed.iteration < 3
            threading.Timer(0.1, trainer.proceed).start()
    place = kinds.index("Paused")
    assert kinds[place - 1 : place + 2] == ["CheckpointSaved", "Paused", "Proceeded"]
    list(resumed)
    for other in (trainer, resumed):
        assert_same(weights(whole), weights(other))
        assert torch.equal(whole.gan.rng.get_state(), other.gan.rng.get_state())


def test_neither_a_pause_nor_what_it_interrupts_counts_as_training(recipe, data):
    trainer = Trainer(data, small_network(), recipe)
    update, seconds = trainer.gan.update_generator, []

    def slow():
        if not seconds:
            seconds.append(trainer._clock.seconds)
            time.sleep(0.3)
            trainer.pause()
        return update()

    trainer.gan.update_generator = slow
    for event in trainer:
        if isinstance(event, Paused | Proceeded):
            seconds.append(trainer._clock.seconds)
            threading.Timer(0.2, trainer.proceed).start()
    assert len(seconds) == 3
    assert len(set(seconds)) == 1


def test_a_stop_ends_a_pause(recipe, data):
    trainer = Trainer(data, small_network(), recipe)
    trainer.pause()
    kinds = []
    for event in trainer:
        kinds.append(type(event).__name__)
        threading.Timer(0.1, trainer.stop).start()
    assert kinds == ["Paused"]
    assert (trainer.result.reason, trainer.result.iterations) == (EndReason.STOPPED, 0)


def test_who_changes_their_mind_is_not_paused(recipe, data):
    trainer = Trainer(data, small_network(), recipe)
    trainer.pause()
    trainer.proceed()
    assert not [event for event in trainer if isinstance(event, Paused)]
    assert trainer.result.iterations == 3


def test_a_pause_of_the_published_networks_takes_a_second(data, tmp_path):
    trainer = Trainer(data, checkpoint=tmp_path / "checkpoint.pt")  # an iteration takes minutes on a CPU
    threading.Timer(0.3, trainer.pause).start()
    begin = time.monotonic()
    assert [type(event).__name__ for event in itertools.islice(trainer, 2)] == ["CheckpointSaved", "Paused"]
    assert time.monotonic() - begin < 20  # not a speed: an iteration takes far longer


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_training_starts_from_another_ones_weights(average, recipe, data, tmp_path):
    recipe, path = replace(recipe, average=average), tmp_path / "checkpoint.pt"
    first = Trainer(data, small_network(), recipe, checkpoint=path)
    list(first)
    other = TrainingData.from_labels(blobs((40, 40), phases=3, seed=4))
    second = Trainer(other, small_network(), replace(recipe, seed=5), start_from=path)
    assert_same(first.model.generator.state_dict(), second.gan.generator.state_dict())
    assert_same(first.gan.discriminators[0].state_dict(), second.gan.discriminators[0].state_dict())
    assert second.iteration == 0
    np.testing.assert_array_equal(second.model.generate((20, 20, 20)), first.model.generate((20, 20, 20)))
    list(second)
    assert second.model.info.provenance["started_from"] == str(path)


@pytest.mark.parametrize("name", ["model.safetensors", "checkpoint.pt"])
def test_of_a_model_file_and_of_other_images_the_generator_alone_is_taken(name, recipe, data, tmp_path):
    first = Trainer(data, small_network(), recipe, checkpoint=tmp_path / "checkpoint.pt")
    list(first)
    first.model.save(tmp_path / "model.safetensors")
    three = TrainingData.from_labels(*(blobs((40, 40), phases=3, seed=seed) for seed in range(3)))
    fresh = Trainer(three, small_network(), recipe)
    second = Trainer(three, small_network(), recipe, start_from=tmp_path / name)
    assert_same(first.gan.generator.state_dict(), second.gan.generator.state_dict())
    assert_same(fresh.gan.discriminators[0].state_dict(), second.gan.discriminators[0].state_dict())


def test_other_networks_are_not_started_from(recipe, data, tmp_path):
    path = tmp_path / "model.safetensors"
    Trainer(data, small_network(), recipe).model.save(path)
    with pytest.raises(ModelError, match="networks with another channels: choose the preset and settings"):
        Trainer(data, small_network(channels=(5, 4)), recipe, start_from=path)
    two = TrainingData.from_labels(blobs((40, 40), phases=2))
    with pytest.raises(ModelError, match="makes volumes of 3 phases, but these images are of 2 phases"):
        Trainer(two, small_network(), recipe, start_from=path)
    with pytest.raises(ModelError, match="There is no model"):
        Trainer(data, small_network(), recipe, start_from=tmp_path / "none")


def test_stop_from_another_thread_ends_within_a_second(data):
    trainer = Trainer(data)  # the published networks: an iteration takes minutes on a CPU
    threading.Timer(1.0, trainer.stop).start()
    start = time.monotonic()
    events = list(trainer)
    assert time.monotonic() - start < 20  # not a speed: an iteration takes far longer
    assert not [event for event in events if isinstance(event, Progress)]
    assert trainer.result.reason is EndReason.STOPPED
    assert trainer.result.iterations == 0


def test_defect_12_previews_leave_the_training_alone(recipe, network, data, monkeypatch):
    monkeypatch.setattr(asides, "_SHARE", 1e9)
    plain = Trainer(data, network, recipe)
    list(plain)
    shown = Trainer(data, network, replace(recipe, preview_seconds=1e-9))
    volumes = []
    for event in shown:
        if isinstance(event, Preview):
            volumes.append(event.volume)
            np.testing.assert_array_equal(shown.preview_volume(), event.volume)  # the same latent each time
    assert len(volumes) == 4
    assert_same(weights(plain), weights(shown))
    assert shown.gan.generator.training


def test_defect_12_previews_use_running_statistics(recipe, network, data):
    trainer = Trainer(data, network, recipe)
    list(trainer)
    before = trainer.preview_volume()
    for norm in trainer.model.generator.norms:
        assert not norm.training
    for norm in trainer.gan.generator.norms:
        norm.running_mean += 3
    assert (trainer.preview_volume() != before).any()


def test_training_ends_by_the_clock(recipe, network, data):
    trainer = Trainer(data, network, replace(recipe, iterations=0, minutes=0.5 / 60))
    events = list(trainer)
    assert trainer.result.reason is EndReason.COMPLETED
    assert 0.5 <= trainer.result.seconds < 10
    assert events[0].fraction < 1


def test_defect_13_all_discriminators_are_saved(recipe, network, tmp_path):
    data = TrainingData.from_labels(*(blobs((70, 70), seed=seed) for seed in range(3)))
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(data, network, recipe, checkpoint=path)
    list(trainer)
    resumed = Trainer.resume(path, data)
    for one, other in zip(trainer.gan.discriminators, resumed.gan.discriminators, strict=True):
        assert_same(one.state_dict(), other.state_dict())


def test_defect_13_the_seed_decides_and_the_global_one_does_not(recipe, network, data):
    torch.manual_seed(1)
    one = Trainer(data, network, recipe)
    list(one)
    torch.manual_seed(2)
    same, other = Trainer(data, network, recipe), Trainer(data, network, replace(recipe, seed=1))
    list(same)
    list(other)
    assert_same(weights(one), weights(same))
    assert not torch.equal(weights(one)["critic.layers.0.weight"], weights(other)["critic.layers.0.weight"])


def test_defect_14_saved_weights_have_no_prefix_of_a_wrapper(recipe, network, data, tmp_path):
    path = tmp_path / "checkpoint.pt"
    list(Trainer(data, network, replace(recipe, average=0.5), checkpoint=path))
    assert all(
        name.startswith(("layers.", "norms.", "offsets")) for name in torch.load(path, weights_only=True)["model"]
    )
    assert SliceGAN.load(path).generate((5, 6, 7)).shape == (5, 6, 7)


def test_other_images_do_not_resume_a_run(recipe, network, data, tmp_path):
    path = tmp_path / "checkpoint.pt"
    list(Trainer(data, network, recipe, checkpoint=path))
    with pytest.raises(TrainingError, match="same images"):
        Trainer.resume(path, TrainingData.from_labels(blobs((80, 96), phases=3, seed=9)))


def test_a_damaged_checkpoint_is_a_sentence(recipe, network, data, tmp_path):
    path = tmp_path / "checkpoint.pt"
    list(Trainer(data, network, recipe, checkpoint=path))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ModelError, match="damaged"):
        Trainer.resume(path, data)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError()])
def test_out_of_memory_is_advice(error, recipe, network, data, monkeypatch):
    trainer = Trainer(data, network, recipe)

    def fail():
        raise error

    monkeypatch.setattr(trainer.gan, "update_generator", fail)
    with pytest.raises(TrainingError, match=r"does not fit into memory: lower generator_volumes"):
        list(trainer)


def test_losses_that_are_not_finite_end_the_training(recipe, network, data, monkeypatch):
    trainer = Trainer(data, network, recipe)
    monkeypatch.setattr(trainer.gan, "update_generator", lambda: {"generator_loss": torch.tensor(float("nan"))})
    with pytest.raises(TrainingError, match="diverged"):
        list(trainer)


@pytest.mark.parametrize("device", ["cuda", "toaster"])
def test_devices_that_are_not_there(device, data, network, recipe, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(TrainingError, match="choose"):
        Trainer(data, network, recipe, device=device)


def test_averaged_weights_get_statistics_of_their_own(recipe, network, data):
    """With the statistics of the last weights an average makes volumes that look like neither."""
    trainer = Trainer(data, network, replace(recipe, average=0.5))
    list(trainer)
    trainer.gan.generator.layers[0].weight.data *= 5
    trainer.gan.average.update_parameters(trainer.gan.generator)
    generator = trainer.model.generator
    seen = []
    generator.norms[0].register_forward_hook(lambda _module, _inputs, output: seen.append(output.clone()))
    with torch.no_grad():
        for seed in range(8):
            latent = torch.randn(1, 4, 4, 4, 4, generator=torch.Generator().manual_seed(seed))
            generator(latent)
    normalised = torch.cat(seen) - generator.norms[0].bias.view(1, -1, 1, 1, 1)
    spread = normalised.std(dim=(0, 2, 3, 4)) / generator.norms[0].weight.abs()
    assert torch.allclose(spread, torch.ones(6), atol=0.2)


def test_a_snapshot_does_not_disturb_the_training(recipe, network, data):
    plain = Trainer(data, network, replace(recipe, average=0.9))
    list(plain)
    shown = Trainer(data, network, replace(recipe, average=0.9))
    for _event in shown:
        assert shown.model.info.network == shown.gan.network
    assert_same(weights(plain), weights(shown))


def test_the_first_iteration_is_reported_at_once(recipe, network, data):
    recipe = replace(recipe, iterations=3, report_seconds=3600)
    events = Trainer(data, network, recipe)
    assert [event.iteration for event in events if isinstance(event, Progress)] == [1, 3]


def test_weights_that_are_not_finite_never_replace_a_good_checkpoint(recipe, network, data, tmp_path):
    path = tmp_path / "checkpoint.pt"
    recipe = replace(recipe, iterations=5, report_seconds=3600, checkpoint_iterations=1)
    trainer = Trainer(data, network, recipe, checkpoint=path)
    update = trainer.gan.update_generator

    def fails_late():
        losses = update()
        if trainer.iteration == 2:
            trainer.gan.generator.layers[0].weight.data.fill_(float("nan"))
        return losses

    trainer.gan.update_generator = fails_late
    with pytest.raises(TrainingError, match="diverged by iteration 3"):
        list(trainer)
    assert Trainer.resume(path, data).iteration == 2
    assert SliceGAN.load(path).generate((5, 5, 5)).shape == (5, 5, 5)


def test_what_was_learnt_before_memory_ran_out_is_saved(recipe, network, data, tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(data, network, recipe, checkpoint=path)
    update = trainer.gan.update_generator

    def fail():
        if trainer.iteration == 2:
            raise torch.OutOfMemoryError("out of memory")
        return update()

    monkeypatch.setattr(trainer.gan, "update_generator", fail)
    with pytest.raises(TrainingError, match="lower generator_volumes"):
        list(trainer)
    assert Trainer.resume(path, data).iteration == 2


@pytest.mark.parametrize("change", [{"learning_rate": 1e-7}, {"average": 0.9}, {"seed": 5}])
def test_a_resumed_training_keeps_its_recipe(change, recipe, network, data, tmp_path):
    """The optimizers go on as they were saved: another rate would be recorded, but never used."""
    path = tmp_path / "checkpoint.pt"
    list(Trainer(data, network, recipe, checkpoint=path))
    with pytest.raises(TrainingError, match=f"another {next(iter(change))}"):
        Trainer.resume(path, data, replace(recipe, **change))
    assert not Trainer.resume(path, data, replace(recipe, iterations=9, preview_seconds=3)).is_finished
