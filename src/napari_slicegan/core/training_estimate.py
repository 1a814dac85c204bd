"""What a training will take: a few small steps are timed and added up."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.device import advice_for, choose_device, device_in_words, free_bytes, synchronize
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.interruption import Flag, Interrupted, Switch, interrupted_by, readable_errors
from napari_slicegan.core.memory import SMALLER_TRAINING, shortage
from napari_slicegan.core.training_costs import TrainingCosts
from napari_slicegan.core.training_memory import training_bytes

_PATIENCE = 0.3  # seconds that one step may be repeated
_REPETITIONS = 3


def measure(
    data: TrainingData,
    network: NetworkConfig,
    training: TrainingConfig,
    device: str = "auto",
    stop: Flag | None = None,
) -> TrainingCosts | None:
    """Measure what a training will take, in one to three seconds.

    Parameters
    ----------
    data : TrainingData
        The images.
    network, training : NetworkConfig, TrainingConfig
        The settings.
    device : str
        "auto", "cpu", "cuda" or "mps".
    stop : Flag, optional
        Breaks it off when it is set.

    Returns
    -------
    TrainingCosts or None
        None when it was broken off.

    Raises
    ------
    SliceGANError
        The images, the settings or the device do not allow the training.
    """
    stop, where = stop or Switch(), choose_device(device)
    try:
        with readable_errors():
            memory = training_bytes(data, network, training, where.type)
            gan = GAN(data, network, training, where)
            with interrupted_by(stop, gan.generator, *gan.critics):
                seconds = _Stopwatch(gan, stop).seconds_per_iteration()
    except Interrupted:
        return None
    free = free_bytes(where)
    problem = shortage("The training", memory, SMALLER_TRAINING, free)
    return TrainingCosts(seconds, memory, device_in_words(where), free, advice_for(where), problem)


class _Stopwatch:
    """Times the parts of an update with few volumes and images, which an iteration is made of.

    Parameters
    ----------
    gan : GAN
        The players; they are changed.
    stop : Flag
        Breaks it off.
    """

    def __init__(self, gan: GAN, stop: Flag) -> None:
        self._gan, self._stop = gan, stop
        on_cpu = gan.device.type == "cpu"
        self._volumes, self._images = (1, 8) if on_cpu else (4, 256)  # a graphics card is slow with few
        self._rng = torch.Generator().manual_seed(0)

    def seconds_per_iteration(self) -> float:
        """The parts added up as a training needs them."""
        recipe, edge = self._gan.training, self._gan.network.edge
        planes = 3 * min(recipe.slices_per_axis or edge, edge)  # of a volume, for all discriminators together
        crops = 3 * recipe.real_crops
        images = self._gan.shown.crops.draw(0, self._images, self._rng).to(self._gan.device)
        forward, both_ways = self._generator()
        learn, punish, judge = self._critic(images)
        step, critic_step = self._steps()
        critic = learn * (crops + planes * recipe.discriminator_volumes) + punish * crops
        discriminators = forward * recipe.discriminator_volumes + critic + critic_step
        generator = (both_ways + judge * planes) * recipe.generator_volumes + step
        if wide := self._gan.wide:
            shown = min(recipe.slices_per_axis or wide.thickness, wide.thickness)
            discriminators += recipe.wide_share * (forward * wide.volumes + (2 * learn + punish) * shown)
            generator += both_ways * wide.volumes + judge * shown
        return recipe.discriminator_steps * discriminators + generator

    def _generator(self) -> tuple[float, float]:
        """Seconds for a volume, without and with gradients."""
        gan = self._gan
        shape = (self._volumes, gan.network.latent_channels, *(gan.network.geometry.latent_edge,) * 3)
        latent = torch.randn(shape, generator=self._rng).to(gan.device)

        def forward() -> None:
            with torch.no_grad():
                gan.shown.volumes(gan.generator, latent)

        both_ways = self._time(lambda: gan.shown.volumes(gan.generator, latent).sum().backward())
        return self._time(forward) / self._volumes, both_ways / self._volumes

    def _critic(self, images: torch.Tensor) -> tuple[float, float, float]:
        """Seconds for an image: to learn from it, for its gradient penalty, and to judge it for the generator."""
        critic, passes = self._gan.discriminators[0], self._gan.passes
        learn = self._time(lambda: passes.learn_distance(critic, images, images)) / 2
        punish = self._time(lambda: passes.learn_penalty(critic, images, 1.0))
        judge = self._time(lambda: passes.judge(critic, images, 1.0))
        return learn / len(images), punish / len(images), judge / len(images)

    def _steps(self) -> tuple[float, float]:
        """Seconds for the steps of the optimizers: of the generator, and of all discriminators."""
        own, *others = self._gan.optimizers
        at_once = len(self._gan.discriminators) + (self._gan.training.wide_share if self._gan.wide else 0)
        average = self._gan.average

        def step() -> None:
            own.step()
            if average:
                average.update_parameters(self._gan.generator)

        return self._time(step), self._time(others[0].step) * at_once

    def _time(self, work: Callable[[], object]) -> float:
        """The shortest of a few repetitions; of a long work the only one."""
        best, begin = float("inf"), time.monotonic()
        for _ in range(_REPETITIONS):
            if self._stop.is_set():
                raise Interrupted
            synchronize(self._gan.device)
            start = time.monotonic()
            work()
            synchronize(self._gan.device)
            best = min(best, time.monotonic() - start)
            if time.monotonic() - begin > _PATIENCE:
                break
        return best
