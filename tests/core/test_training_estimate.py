"""Estimates of time and memory: sane, quick to break off, and sentences."""

import threading
import time
from dataclasses import replace

import pytest
import torch

from napari_slicegan.core import device as device_module
from napari_slicegan.core import training_estimate, training_memory
from napari_slicegan.core.config import TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.presets import PRESETS
from napari_slicegan.core.training_estimate import TrainingCosts, measure
from napari_slicegan.core.training_memory import training_bytes
from tests.core.conftest import blobs, small_network

COSTS = TrainingCosts(2.0, 10**9, "CPU, 2 threads", 12 * 10**9)
WHERE = ("cpu", "cuda")


@pytest.mark.parametrize(
    ("end", "seconds"),
    [({"iterations": 30}, 60), ({"iterations": 0, "minutes": 3}, 180), ({"iterations": 200, "minutes": 3}, 180)],
)
def test_the_end_that_comes_first_counts(end, seconds):
    assert COSTS.seconds(TrainingConfig(**end)) == seconds


def test_the_estimate_is_near_the_truth(data, recipe):
    network, recipe = PRESETS["quick"].network, replace(PRESETS["quick"].training, discriminator_steps=1)
    costs = measure(data, network, recipe)
    gan = GAN(data, network, recipe, torch.device("cpu"))
    seconds = []
    for _ in range(2):
        begin = time.perf_counter()
        gan.update_discriminators()
        gan.update_generator()
        seconds.append(time.perf_counter() - begin)
    assert 1 / 5 < costs.seconds_per_iteration / min(seconds) < 5  # a busy machine is not to be blamed
    assert 1e8 < costs.memory_bytes < 5e8  # 200 MB were measured
    assert costs.device == "CPU, 1 thread"
    assert costs.problem == ""


def test_the_parts_are_added_up_as_a_training_needs_them(recipe, monkeypatch):
    monkeypatch.setattr(training_estimate._Stopwatch, "_time", lambda *_: 1.0)  # with 1 volume, or with 8 images
    recipe = replace(recipe, discriminator_volumes=3, generator_volumes=5, real_crops=7, slices_per_axis=2)
    data = TrainingData.from_labels(*(blobs((30, 30), seed=seed) for seed in range(3)))
    planes, crops = 3 * 2, 3 * 7
    critic = (crops + 3 * planes) / 2 / 8 + crops / 8  # learning from both kinds, the penalty of one
    discriminators = 3 + critic + 3  # with a step of each
    generator = 5 * (1 + planes / 8) + 1
    assert measure(data, small_network(), recipe).seconds_per_iteration == pytest.approx(2 * discriminators + generator)


def test_memory_grows_with_what_is_trained_on_at_a_time():
    data, paper = TrainingData.from_labels(blobs((80, 80), phases=3)), PRESETS["paper"]
    whole = training_bytes(data, paper.network, paper.training, "cpu")
    half = training_bytes(data, paper.network, replace(paper.training, generator_volumes=8), "cpu")
    assert 1.2e9 < whole < 2.0e9  # 1.5 GB were measured
    assert half < 0.75 * whole


def test_a_measurement_can_be_broken_off(data, recipe):
    stop = threading.Event()
    stop.set()
    assert measure(data, small_network(), recipe, stop=stop) is None


def test_memory_that_will_not_do_is_a_sentence(recipe, monkeypatch):
    monkeypatch.setattr(training_estimate, "free_bytes", lambda _: 10**6)
    costs = measure(TrainingData.from_labels(blobs((30, 30))), small_network(), recipe)
    assert costs.free_bytes == 10**6
    assert costs.problem.startswith("The training takes about ")
    assert "of which 1 MB are free: lower generator_volumes" in costs.problem


def test_advice_is_for_those_who_need_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(device_module, "has_nvidia_driver", lambda: True)
    cpu = torch.device("cpu")
    assert "install the CUDA build as pytorch.org/get-started/locally says" in device_module.advice_for(cpu)
    monkeypatch.setattr(device_module, "has_nvidia_driver", lambda: False)
    assert device_module.advice_for(cpu).startswith("A graphics card trains many times faster.")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert "choose the device 'auto'" in device_module.advice_for(cpu)
    assert device_module.advice_for(torch.device("cuda")) == ""


def test_images_count_where_they_are_kept(recipe):
    small, large = (TrainingData.from_labels(blobs((edge, edge))) for edge in (40, 400))
    more = sum(source.nbytes for source in large.sources) - sum(source.nbytes for source in small.sources)
    costs = [[training_bytes(data, small_network(), recipe, device) for data in (small, large)] for device in WHERE]
    assert [after - before for before, after in costs] == [more, 0]  # crops alone go to a graphics card


@pytest.mark.parametrize(("spare", "fits"), [(1, True), (-1, False)])
def test_memory_is_compared_with_what_is_free(spare, fits, recipe, monkeypatch):
    data = TrainingData.from_labels(blobs((30, 30)))
    needed = training_bytes(data, small_network(), recipe, "cpu")
    monkeypatch.setattr(training_estimate, "free_bytes", lambda _: needed + spare)
    assert (measure(data, small_network(), recipe, "cpu").problem == "") is fits


def test_the_volumes_that_are_judged_need_memory(recipe, data):
    recipe = replace(recipe, evaluation_iterations=1)
    few, many = (
        training_bytes(data, small_network(), replace(recipe, balance_volumes=count), "cpu") for count in (48, 128)
    )
    outputs = 80 * data.channels * 64**3 * 2
    assert outputs < many - few < 2 * outputs


@pytest.mark.parametrize("name", PRESETS)
def test_where_there_is_plenty_nothing_is_counted(name, data):
    preset = PRESETS[name]
    gan = GAN(data, preset.network, preset.training, torch.device("meta"))
    plenty = training_memory._PLENTY + 4 * training_memory._numbers_at_most(gan)
    assert plenty > 2 * training_bytes(data, preset.network, preset.training, "cpu")


def test_images_that_are_loaded_are_not_counted_once_more(recipe, monkeypatch):
    data = TrainingData.from_labels(blobs((400, 400)))
    gan = GAN(data, small_network(), recipe, torch.device("cpu"))
    needed = training_bytes(data, small_network(), recipe, "cpu") - data.sources[0].nbytes
    for free, fits in ((needed, True), (needed - 1, False)):
        monkeypatch.setattr(training_memory, "free_bytes", lambda _, free=free: free)
        assert (training_memory.training_shortage(gan, data) == "") is fits
