"""Commands in this process, on the CPU, with networks and images that take a blink."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from scipy import ndimage

from napari_slicegan.cli import main

TINY = """
[network]
kernel = [4, 4, 4]
stride = [2, 2, 2]
padding = [2, 2, 3]
channels = [6, 4]
latent_channels = 2
discriminator_channels = [2, 4]
[training]
discriminator_volumes = 1
generator_volumes = 1
real_crops = 2
discriminator_steps = 1
slices_per_axis = 2
average = 0.5
preview_seconds = 0
evaluation_iterations = 0
patience = 0
"""
EDGE = 16
"""Edge of a crop of the tiny networks, in pixels."""


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _quiet_cpu(monkeypatch):
    """No GPU is found, and a busy machine does not slow small tensors down."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def command(capsys) -> Callable[..., Outcome]:
    """Run a command in this process."""

    def run(*args: object) -> Outcome:
        try:
            code = main([str(arg) for arg in args])
        except SystemExit as end:
            code = int(end.code or 0)
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture
def start() -> Callable[..., subprocess.Popen]:
    """Start a command as a process of its own, which does not outlive the test."""
    running = []

    def run(*args: object, code: str = "") -> subprocess.Popen:
        program = ["-c", code] if code else ["-m", "napari_slicegan"]
        process = subprocess.Popen(
            [sys.executable, *program, *map(str, args)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def settings() -> Path:
    """A file with settings of a tiny network."""
    Path("tiny.toml").write_text(TINY)
    return Path("tiny.toml")


def blobs(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Two phases, 0 and 255."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2)
    return np.where(noise > 0, 255, 0).astype(np.uint8)


def write(name: str, array: np.ndarray, pixel_size: float | None = None, unit: str = "um") -> Path:
    """A TIFF file, with a pixel size as ImageJ writes it."""
    options = {"photometric": "rgb" if array.ndim > 2 and array.shape[-1] == 3 else "minisblack"}
    if pixel_size is not None:
        options |= {"imagej": True, "resolution": (1 / pixel_size,) * 2, "metadata": {"unit": unit}}
    tifffile.imwrite(name, array, **options)
    return Path(name)


@pytest.fixture
def image() -> Path:
    """A segmented micrograph of 24 x 40 pixels of 0.5 um."""
    return write("image.tif", blobs((24, 40)), 0.5)


@pytest.fixture
def trained(command, image, settings) -> Path:
    """A finished run of two iterations."""
    outcome = command("train", image, "--out", "run", "--config", settings, "--iterations", 2)
    assert outcome.code == 0, outcome.err
    return Path("run")
