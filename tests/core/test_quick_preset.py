"""The quick preset learns: a minute of it beats noise with the right phase fraction by far."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.presets import PRESETS
from napari_slicegan.core.statistics.correlation import correlations
from napari_slicegan.core.statistics.fractions import phase_fractions
from napari_slicegan.core.training import Trainer

REACH = 24


def discs(shape, radius=5, fraction=0.4, seed=0):
    """A two-phase image of overlapping discs, values 0 and 1."""
    random = np.random.default_rng(seed)
    count = round(-np.log(1 - fraction) * np.prod(shape) / (np.pi * radius**2))
    centres = np.ones(shape, bool)
    centres[tuple(random.integers(0, size, count) for size in shape)] = False
    return (ndimage.distance_transform_edt(centres) <= radius).astype(np.uint8)


def errors(volume, image) -> tuple[float, float]:
    """Of a volume: the error of the phase fraction, and the mean absolute error of S2."""
    expected = correlations(image, [1], REACH, axes=(0, 1)).mean(axis=0)
    found = correlations(volume, [1], REACH).mean(axis=0)
    fraction = abs(phase_fractions(volume, [1])[0] - phase_fractions(image, [1])[0])
    return fraction, float(np.abs(found - expected).mean())


@pytest.mark.slow
def test_a_minute_of_quick_beats_noise():
    image = discs((256, 256))
    quick = PRESETS["quick"]
    recipe = replace(quick.training, iterations=500, minutes=0, preview_seconds=0)
    trainer = Trainer(TrainingData.from_labels(image), quick.network, recipe, device="cpu")
    list(trainer)
    fraction, correlation = errors(trainer.model.generate((128, 128, 128), seed=3), image)
    noise = (np.random.default_rng(0).random((128, 128, 128)) < image.mean()).astype(np.uint8)
    assert errors(noise, image)[0] < 0.01  # its fraction is right, and yet
    limit = 0.5 * errors(noise, image)[1]
    assert fraction < 0.1
    assert correlation < limit
