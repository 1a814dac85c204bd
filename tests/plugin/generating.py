"""Hands for the dock *Generate volume*."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.presets import PRESETS
from napari_slicegan.plugin.generate.output_rows import Output
from napari_slicegan.plugin.models import ModelEntry
from tests.plugin.conftest import two_phases


def a_model(kind: OutputKind = OutputKind.PHASES) -> SliceGAN:
    """An untrained model that makes two phases, grey levels or colours."""
    image = two_phases()
    if kind is OutputKind.COLOUR:
        image = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    data = TrainingData.from_images(image, kind=kind, pixel_size=0.5, unit="um", names=("a",))
    network = replace(PRESETS["quick"].network, output=kind, image_channels=data.channels)
    generator = Generator(network, torch.Generator().manual_seed(0))
    return SliceGAN(generator, ModelInfo.of(data, network, iterations=1234))


def a_dock(viewer: Any, open_dock: Any, kind: OutputKind = OutputKind.PHASES) -> Any:
    """The dock with one model and a small size."""
    dock = open_dock(viewer, "Generate volume")
    dock.jobs.models.add(ModelEntry("model", a_model(kind), Path("model")))
    set_shape(dock, 20, 24, 28)
    return dock


def set_shape(dock: Any, *shape: int) -> None:
    """Set the size in voxels."""
    for box, size in zip(dock.form.size.voxels, shape, strict=True):
        box.value = size


def to_file(dock: Any, path: Path) -> None:
    """Let volumes be streamed to a file."""
    dock.form.output.output.value = Output.FILE
    dock.form.output.path.value = str(path)


def until_done(dock: Any, qtbot: Any) -> Any:
    """Wait until nothing that the dock shows is going on, and give the status of the generation."""
    qtbot.waitUntil(lambda: not any(job.status.state.is_busy for job in dock.jobs.of_generate), timeout=60_000)
    return dock.jobs.generation.status
