"""Same in, same out: in this process, in others, and from one time to the next."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_slicegan.cli.images import read_training_data
from napari_slicegan.cli.settings import Request, read_config
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.presets import preset_named
from napari_slicegan.core.training import Trainer
from napari_slicegan.core.weights import read_weights

SETTINGS = {"evaluation_iterations": 4, "balance_volumes": 2, "surface_tension": 1.0, "seed": 11}


@pytest.fixture
def recipe(settings):
    """The settings of the tests, with evaluations and their consequences."""
    text = settings.read_text().replace("evaluation_iterations = 0\n", "")
    settings.write_text(text + "".join(f"{name} = {value}\n" for name, value in SETTINGS.items()))
    return settings


def in_a_process(threads, *args):
    """Run the command in a process of its own, with so many threads."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    arguments = [sys.executable, "-m", "napari_slicegan", *map(str, args)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr


def here(image, recipe, threads, iterations) -> SliceGAN:
    """Train in this process, with the library alone."""
    torch.set_num_threads(threads)
    network, training = Request(preset="quick", changes=read_config(recipe)).applied_to(preset_named("quick"))
    trainer = Trainer(read_training_data([str(image)]), network, replace(training, iterations=iterations), "cpu")
    list(trainer)
    return trainer.result.model


def bits(weights) -> dict[str, bytes]:
    return {name: tensor.contiguous().numpy().tobytes() for name, tensor in weights.items()}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("iterations", [9, pytest.param(500, marks=pytest.mark.long)])
def test_seeded_training_is_the_same_here_and_in_other_processes(image, recipe, threads, iterations):
    options = ("--preset", "quick", "--config", recipe, "--iterations", iterations, "--device", "cpu")
    for out in ("one", "two"):
        in_a_process(threads, "train", image, "--out", out, *options)
    in_a_process(threads, "train", image, "--out", "three", *options, "--seed", 12)
    one, two, three = (bits(read_weights(Path(out) / "model.safetensors")[1]) for out in ("one", "two", "three"))
    model = here(image, recipe, threads, iterations)
    assert one == two == bits(model.generator.state_dict())
    assert one != three
    told = SliceGAN.load("one").info.provenance
    assert told["generator"] == model.info.provenance["generator"]
    assert told["sessions"] == json.loads(json.dumps(model.info.provenance["sessions"]))
    assert [session["machine"]["threads"] for session in told["sessions"]] == [threads]


def test_a_volume_is_the_same_here_and_in_other_processes(trained):
    for out in ("one.npy", "two.npy"):
        in_a_process(1, "generate", trained, "--shape", 20, 30, 40, "--seed", 3, "--out", out)
    one, two = np.load("one.npy"), np.load("two.npy")
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, SliceGAN.load(trained, "cpu").generate((20, 30, 40), seed=3))
