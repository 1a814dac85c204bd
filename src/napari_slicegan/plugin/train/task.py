"""A training as a worker of napari does it."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from napari_slicegan.core.apart.messages import GoOn
from napari_slicegan.core.events import EndReason, Event, Preview
from napari_slicegan.core.threads import use_threads
from napari_slicegan.plugin.micrograph import middle_of
from napari_slicegan.plugin.models import StoredModel
from napari_slicegan.plugin.show import prepare_napari
from napari_slicegan.plugin.train.estimate_job import Inquiry
from napari_slicegan.plugin.work.run_view import RunView
from napari_slicegan.plugin.work.worker import Control, no_defects, throttled

if TYPE_CHECKING:
    from napari_slicegan.core.model import SliceGAN
    from napari_slicegan.core.model_info import ModelInfo
    from napari_slicegan.core.run import Run
    from napari_slicegan.core.training import Trainer

_REST = 0.4  # seconds


@dataclass(frozen=True)
class Order:
    """A new training.

    Attributes
    ----------
    inquiry : Inquiry
        What to train; what it takes has been measured of the same.
    preset : str
        The name that its settings were derived from.
    path : Path
        The run's directory.
    start_from : Path, optional
        A model, checkpoint or run whose networks are taken over.
    outlives : bool
        Whether it goes on when napari is closed, if it has a process of its own.
    """

    inquiry: Inquiry
    preset: str
    path: Path
    start_from: Path | None = None
    outlives: bool = False


@dataclass(frozen=True)
class Watch:
    """A run that another process trains, to be watched: the run's directory."""

    path: Path


@dataclass(frozen=True)
class Started:
    """The training is about to begin.

    Attributes
    ----------
    device : str
        Where, for people; empty where that is not known.
    info : ModelInfo
        What kind of model comes of it.
    micrograph : array (edge, edge) or (edge, edge, 3), optional
        The middle of the first image, as previews show it.
    view : RunView
        What the run has written so far.
    is_watched : bool
        Whether somebody else has started it.
    """

    device: str
    info: ModelInfo
    micrograph: npt.NDArray[Any] | None
    view: RunView
    is_watched: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a training ended.

    Attributes
    ----------
    reason : EndReason
        Why.
    iterations : int
        Generator updates made since the start of the run.
    model : SliceGAN or StoredModel, optional
        What came of it; None when nothing has been learnt.
    """

    reason: EndReason
    iterations: int
    model: SliceGAN | StoredModel | None


def train(order: Order | GoOn, control: Control) -> Generator[object, None, Outcome]:
    """Train in this process: `Started` first, then the training's events; returns how it ended."""
    with no_defects("The training"), closing(control):
        from napari_slicegan.core.device import device_in_words
        from napari_slicegan.core.model_info import ModelInfo  # imports torch, which takes seconds

        prepare_napari()
        run, trainer = _started(order) if isinstance(order, Order) else _continued(order)
        control.attach(trainer)
        data, network = trainer.data, trainer.gan.network
        view = RunView.from_disk(run.path) if isinstance(order, GoOn) else RunView(run.path)
        yield Started(
            device_in_words(trainer.gan.device), ModelInfo.of(data, network), middle_of(data, network.edge), view
        )
        yield from gently(throttled(run.record(trainer)))
        assert trainer.result is not None
        result = trainer.result
        return Outcome(result.reason, result.iterations, result.model if result.iterations else None)


def gently(events: Iterable[Event]) -> Iterator[Event]:
    """Rest once, while the window adds the layer of the previews: beside a training that takes it much longer."""
    events = iter(events)
    for event in events:
        yield event
        if isinstance(event, Preview):
            time.sleep(_REST)
            break
    yield from events


def _started(order: Order) -> tuple[Run, Trainer]:
    """A new run on images."""
    what = order.inquiry
    data = what.data
    from napari_slicegan.core.run import Run

    use_threads(what.threads)
    settings = (what.network, what.training, order.preset, what.device)
    return Run.start(order.path, data, *settings, start_from=order.start_from)


def _continued(order: GoOn) -> tuple[Run, Trainer]:
    """An earlier run, with a later end where one is wanted."""
    from napari_slicegan.core.run import Run

    use_threads(order.threads)
    run = Run.open(order.path)
    return run, run.trainer(run.data(), run.further(order.minutes, order.iterations), order.device)
