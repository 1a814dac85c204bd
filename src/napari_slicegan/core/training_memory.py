"""The memory that a training takes, counted without computing: torch's device "meta" has shapes and no numbers."""

from __future__ import annotations

from collections.abc import Callable

import torch

from napari_slicegan.core.choices import Precision
from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.device import free_bytes
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.heldout import VOLUMES
from napari_slicegan.core.memory import SMALLER_TRAINING, shortage
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.peak import Peak
from napari_slicegan.core.sample import Sample
from napari_slicegan.core.volume.footprint import working_bytes

_BASE = {"cpu": 85 * 10**6, "cuda": 600 * 10**6}  # bytes of libraries and of what a device keeps for itself
_COPIES = 6  # of all weights: two moments, the running average, a snapshot and what is saved; gradients come and go
_PLENTY = 4 * 10**9  # bytes beside what `_numbers_at_most` counts
# Fitted to the peaks that tests/reliability/memory_grid.py measures: of what is counted, and of what is not.
_KEPT = 0.8  # of an update, which stays with the process: what is done besides goes on top of it
_STATISTICS, _BATCH, _PREVIEW = 1.5, 0.8, 0.75
_BALANCED = 1.66  # of the outputs that are judged, with those that are sorted
_CURVES = 13 * 10**6  # bytes of each channel while a batch is judged


def training_bytes(data: TrainingData, network: NetworkConfig, training: TrainingConfig, device: str) -> int:
    """Memory that a training takes on a kind of device, in bytes; within a quarter, as measured on a processor.

    Evaluations, previews and copies of the generator are made one after the other: the largest counts.
    """
    gan = GAN(data, network, training, torch.device("meta"))
    updates = max(_bytes_of(gan.update_discriminators), _bytes_of(gan.update_generator))
    snapshots = list[Generator]()
    besides = [_STATISTICS * _bytes_of(lambda: snapshots.append(gan.snapshot(balanced=False)))]
    if training.preview_seconds:
        besides.append(_PREVIEW * working_bytes(network, Precision.EXACT))
    if training.evaluation_iterations:
        batch = _bytes_of(lambda: list(Sample(network, 1).outputs(snapshots[0])))
        judged = Sample(network, training.balance_volumes or VOLUMES).bytes_of_outputs(data.channels)
        copies = _BALANCED if training.balance_volumes else 1
        besides.append(_BATCH * batch + copies * judged + _CURVES * data.channels)
    images = _bytes_of_images(data, device)
    return int(_BASE.get(device, 0) + _COPIES * _weights(gan) + images + _KEPT * updates + max(besides))


def training_shortage(gan: GAN, data: TrainingData) -> str:
    """Why the free memory will not do for a training whose images are loaded, in a sentence; empty if it will.

    Takes some seconds, but no time where there is plenty.
    """
    free, kind = free_bytes(gan.device), gan.device.type
    if _PLENTY + 2 * _COPIES * _weights(gan) + 4 * _numbers_at_most(gan) <= free:
        return ""
    needed = training_bytes(data, gan.network, gan.training, kind) - _bytes_of_images(data, kind)
    return shortage("The training", needed, SMALLER_TRAINING, free)


def _numbers_at_most(gan: GAN) -> int:
    """Numbers that a training holds, if all that the networks make of a batch is held many times over."""
    network, recipe, edge = gan.network, gan.training, gan.network.edge
    slices = 3 * min(recipe.slices_per_axis or edge, edge)  # of a volume
    widths = (network.image_channels, *network.discriminator_channels)
    judged = sum(width * edge**2 // 4**layer for layer, width in enumerate(widths))  # of an image
    made = 2 * edge**3 * max(network.image_channels, *network.channels)  # of a volume
    volumes = max(recipe.discriminator_volumes, recipe.generator_volumes)
    return int(16 * (volumes * (made + slices * judged) + 3 * recipe.real_crops * judged))


def _bytes_of_images(data: TrainingData, device: str) -> int:
    """What the images take on a kind of device: crops alone go to a graphics card."""
    return sum(source.nbytes for source in data.sources) if device == "cpu" else 0


def _weights(gan: GAN) -> int:
    """Bytes of the weights of all players."""
    players = (gan.generator, *gan.critics)
    return sum(weight.numel() * weight.element_size() for player in players for weight in player.parameters())


def _bytes_of(work: Callable[[], object]) -> int:
    peak = Peak()
    with peak:
        work()
    return peak.most
