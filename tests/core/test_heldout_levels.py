"""Histograms of grey levels and colours: distances that are known by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_slicegan.core import thinning
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.heldout_levels import HeldOutLevels
from napari_slicegan.core.histograms import shares_of_levels

NOISE = np.random.default_rng(0).integers(0, 256, (96, 96), dtype=np.uint8)


def volume(*channels: float) -> torch.Tensor:
    """Flat volumes (2, C, 12, 8, 8)."""
    return torch.tensor(channels).view(1, -1, 1, 1, 1).expand(2, -1, 12, 8, 8)


def test_the_error_is_how_far_intensities_have_to_move():
    half = np.zeros((64, 64), np.uint8)
    half[:, ::2] = 255
    levels = HeldOutLevels(TrainingData.from_greyscale(half))
    assert levels.error(levels.of_volumes(volume(1.0))) == pytest.approx(0.5)
    assert levels.error(levels.of_volumes(volume(0.2))) == pytest.approx(0.5)  # 0.2 down, or 0.8 up
    assert levels.error(levels.of_volumes(volume(0.0)) + levels.of_volumes(volume(1.0))) == 0


def test_the_worst_channel_counts():
    colours = np.stack([NOISE, np.full_like(NOISE, 255), np.zeros_like(NOISE)], axis=-1)
    levels = HeldOutLevels(TrainingData.from_colour(colours))
    flat = levels.error(levels.of_volumes(volume(0.5, 1.0, 0.0)))
    assert flat == pytest.approx(0.25, abs=0.01)  # of even noise, from its middle
    assert levels.error(levels.of_volumes(volume(0.5, 0.6, 0.0))) == pytest.approx(0.4, abs=1e-6)


def test_levels_are_those_that_the_generator_makes():
    dark = (NOISE // 4 + 40).astype(np.uint16) * 100  # spread over 0 ... 255 for the training
    levels = HeldOutLevels(TrainingData.from_greyscale(dark))
    even = torch.rand(2, 1, 30, 32, 32, generator=torch.Generator().manual_seed(0))
    assert levels.error(levels.of_volumes(even)) < 0.02


def test_only_regions_count():
    image = NOISE.copy()
    image[:, 48:] = 255
    whole, half = (
        HeldOutLevels(TrainingData.from_greyscale(image, regions=regions)) for regions in ((), [[(0, 0, 96, 48)]])
    )
    even = torch.rand(2, 1, 30, 32, 32, generator=torch.Generator().manual_seed(0))
    assert half.error(half.of_volumes(even)) < 0.02
    assert whole.error(whole.of_volumes(even)) > 0.2


def test_large_regions_count_by_their_pixels(monkeypatch):
    monkeypatch.setattr(thinning, "MOST_PIXELS", 2**10)
    image = np.zeros((64, 96), np.uint8)
    image[:, 72:] = 255
    data = TrainingData.from_greyscale(image, regions=[[(0, 0, 64, 72), (0, 72, 64, 96)]])
    assert shares_of_levels(data)[0, [0, 255]] == pytest.approx([0.75, 0.25])


def test_of_phases_nothing_is_asked_and_nan_does_no_harm():
    phases = HeldOutLevels(TrainingData.from_labels((NOISE > 128).astype(np.uint8)))
    assert phases.error(phases.of_volumes(volume(0.3, 0.7))) == 0
    levels = HeldOutLevels(TrainingData.from_greyscale(NOISE))
    assert 0 < levels.error(levels.of_volumes(volume(float("nan")))) <= 1
