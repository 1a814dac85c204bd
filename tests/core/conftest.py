"""Tiny materials, networks and recipes on which everything runs in a blink."""

import numpy as np
import pytest
from scipy import ndimage

from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.output import unfinished
from napari_slicegan.core.threads import using_threads
from napari_slicegan.core.volume import tiles

SETS = {
    "table 1": {"kernel": (4,) * 5, "stride": (2,) * 5, "padding": (2, 2, 2, 2, 3)},
    "6 3 3": {"kernel": (6,) * 3, "stride": (3,) * 3, "padding": (3,) * 3},
    "6 2 4": {"kernel": (6,) * 5, "stride": (2,) * 5, "padding": (4, 4, 4, 4, 6)},
    "resize": {"upsampling": "resize"},
}


def tiny_network(kind: str = "table 1", **settings) -> NetworkConfig:
    """A network of one of the practical sets with a few channels."""
    geometry = SETS[kind]
    depth = len(geometry.get("kernel", (4,) * 5))
    narrow = {"channels": (6, 5, 4, 3)[: depth - 1], "latent_channels": 4, "discriminator_channels": (2, 3, 4, 5)}
    return NetworkConfig(**{**geometry, **narrow, **settings})


def small_network(**settings) -> NetworkConfig:
    """A network whose training cubes are 16 voxels long."""
    layers = {"kernel": (4,) * 3, "stride": (2,) * 3, "padding": (2, 2, 3), "channels": (6, 4)}
    return NetworkConfig(**{**layers, "latent_channels": 4, "discriminator_channels": (3, 4), **settings})


@pytest.fixture
def network() -> NetworkConfig:
    return tiny_network()


@pytest.fixture
def recipe() -> TrainingConfig:
    return TrainingConfig(
        iterations=3,
        discriminator_volumes=1,
        generator_volumes=2,
        real_crops=2,
        discriminator_steps=2,
        slices_per_axis=2,
        report_seconds=0,
        preview_seconds=0,
        evaluation_iterations=0,
    )


def blobs(shape, phases=2, seed=0) -> np.ndarray:
    """A segmented random field: uint8 labels from 0."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2)
    return np.digitize(noise, np.quantile(noise, np.linspace(0, 1, phases + 1)[1:-1])).astype(np.uint8)


@pytest.fixture
def image() -> np.ndarray:
    return blobs((80, 96), phases=3)


@pytest.fixture
def data(image) -> TrainingData:
    return TrainingData.from_labels(image, pixel_size=0.5, unit="um", names=("blobs",))


@pytest.fixture(autouse=True)
def _one_thread():
    """Small tensors are faster on one thread, and results do not depend on how busy the machine is."""
    with using_threads(1):
        yield


@pytest.fixture
def small_tiles(monkeypatch) -> None:
    """Tiles of 32 voxels, each of them recorded at once."""
    monkeypatch.setattr(tiles, "TILE", 32)
    monkeypatch.setattr(unfinished, "SECONDS_BETWEEN_RECORDS", -1)


@pytest.fixture
def model() -> SliceGAN:
    """A model of three phases that is made in a blink."""
    from tests.core.streams import narrow_model

    return narrow_model()
