"""A training as a worker of napari does it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.plugin.layers import LayerImage, training_data
from napari_slicegan.plugin.worker import Control, no_defects, throttled

if TYPE_CHECKING:
    from napari_slicegan.core.model_info import ModelInfo
    from napari_slicegan.core.training import TrainingResult


@dataclass(frozen=True)
class Order:
    """What to train.

    Attributes
    ----------
    images : tuple of LayerImage
        One, two or three.
    kind : str
        An `OutputKind` or "auto".
    axis : str
        The special axis of two images.
    network, training : NetworkConfig, TrainingConfig
        The settings; of a resumed run only the end counts.
    preset : str
        The name they were derived from.
    path : Path
        The run's directory.
    resume : bool
        Whether the run is there already.
    """

    images: tuple[LayerImage, ...]
    kind: str
    axis: str
    network: NetworkConfig
    training: TrainingConfig
    preset: str
    path: Path
    resume: bool = False


@dataclass(frozen=True)
class Started:
    """The training is about to begin: on this device, a model of this kind."""

    device: str
    info: ModelInfo


def train(order: Order, control: Control) -> Generator[object, None, TrainingResult]:
    """Train as ordered: `Started` first, then the training's events; returns its result."""
    with no_defects("The training"), closing(control):
        data = training_data(order.images, order.kind, order.axis)
        from napari_slicegan.core.model_info import ModelInfo  # imports torch, which takes seconds
        from napari_slicegan.core.run import Run

        if order.resume:
            run = Run.open(order.path)
            end = {"iterations": order.training.iterations, "minutes": order.training.minutes}
            trainer = run.trainer(data, run.recipe(**end))
        else:
            run, trainer = Run.start(order.path, data, order.network, order.training, order.preset)
        control.attach(trainer)
        yield Started(str(trainer.gan.device), ModelInfo.of(data, trainer.gan.network))
        yield from throttled(run.record(trainer))
        assert trainer.result is not None
        return trainer.result
