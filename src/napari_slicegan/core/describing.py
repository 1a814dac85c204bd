"""A generator becomes a model: with what it was trained on, how, and what was found of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.model_info import ModelInfo, versions
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.thumbnail import thumbnail_of


def described(generator: Generator, data: TrainingData, facts: dict[str, Any]) -> SliceGAN:
    """Make a model.

    Parameters
    ----------
    generator : Generator
        As it is to be used.
    data : TrainingData
        What it was trained on.
    facts : dict
        Of the training; plain JSON.
    """
    created = datetime.now(UTC).isoformat(timespec="seconds")
    info = ModelInfo.of(data, generator.config, created=created, versions=versions(), **facts)
    return SliceGAN(generator, replace(info, thumbnail=thumbnail_of(data)))
