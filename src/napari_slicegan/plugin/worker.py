"""From the core's iterators to napari's thread workers: progress out, a cooperative stop in."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy.typing as npt
from napari.qt.threading import GeneratorWorker, create_worker

from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.core.events import CheckpointSaved, Event, Preview, Progress
from napari_slicegan.plugin.layers import LayerImage, training_data

if TYPE_CHECKING:
    from napari_slicegan.core.model import ModelInfo, SliceGAN
    from napari_slicegan.core.training import TrainingResult

#: Seconds between two events of a kind that reach the window.
PAUSES = {Progress: 0.1, Preview: 2.0, CheckpointSaved: 0.0}

_log = logging.getLogger(__name__)


class UnexpectedError(SliceGANError):
    """A defect; the log has its traceback."""


class CancelledError(SliceGANError):
    """The user asked to stop something that leaves nothing behind."""


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


class Stoppable(Protocol):
    """A trainer, as far as a stop goes."""

    def stop(self) -> None:
        """Ask to end."""


class Control:
    """The window's hand on a worker; every method may be called from any thread."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._trainer: Stoppable | None = None
        self.report: Callable[[object], None] = lambda _event: None

    @property
    def is_stopped(self) -> bool:
        """Whether a stop was asked for."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask the work to end."""
        self._stop.set()
        if trainer := self._trainer:
            trainer.stop()

    def attach(self, trainer: Stoppable) -> None:
        """Pass the stop on to a trainer, also one that was asked for before."""
        self._trainer = trainer
        if self._stop.is_set():
            trainer.stop()

    def detach(self) -> None:
        """Forget the trainer, since napari keeps every worker for as long as its window."""
        self._trainer = None

    def check(self) -> None:
        """End work that leaves nothing behind.

        Raises
        ------
        CancelledError
            A stop was asked for.
        """
        if self._stop.is_set():
            raise CancelledError("Cancelled.")


class CooperativeWorker(GeneratorWorker):  # type: ignore[misc]
    """A worker whose `quit` lets the work end in order, so that it returns what was made so far."""

    def __init__(self, func: Callable[..., Any], *args: Any, control: Control) -> None:
        super().__init__(func, *args, control)
        self._control = control
        control.report = self.yielded.emit

    def quit(self) -> None:
        """Ask the work to end; napari calls this when its window closes."""
        self._control.stop()


def start_worker(
    func: Callable[..., Generator[object, None, object]],
    *args: object,
    control: Control,
    description: str,
    **slots: Callable[..., None],
) -> Any:
    """Run a generator function in a thread; its last argument is the control.

    Parameters
    ----------
    func : generator function
        Raises nothing but SliceGANError.
    *args : object
        Its other arguments.
    control : Control
        To stop it.
    description : str
        For napari's activity dock.
    **slots : callable
        "yielded", "returned" and "errored", called in the main thread.

    Returns
    -------
    CooperativeWorker
        Already started.
    """
    return create_worker(
        func,
        *args,
        control=control,
        _worker_class=CooperativeWorker,
        _progress={"desc": description},
        _connect=slots,
    )


def train(order: Order, control: Control) -> Generator[object, None, TrainingResult]:
    """Train as ordered: `Started` first, then the training's events; returns its result."""
    try:
        data = training_data(order.images, order.kind, order.axis)
        from napari_slicegan.core.model import ModelInfo  # imports torch, which takes seconds
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
    except SliceGANError:
        raise
    except Exception as error:  # noqa: BLE001  (napari swallows a RuntimeError that leaves a generator)
        raise _unexpected("The training", error) from None
    finally:
        control.detach()


def generate(
    model: SliceGAN, shape: tuple[int, int, int], seed: int, periodic: str, control: Control
) -> Generator[object, None, npt.NDArray[Any]]:
    """Generate a volume; reports the finished fraction at most ten times a second, returns the volume."""
    last = 0.0

    def progress(fraction: float) -> None:
        nonlocal last
        control.check()
        if time.monotonic() - last >= PAUSES[Progress]:
            last = time.monotonic()
            control.report(fraction)

    try:
        yield 0.0
        control.check()
        return model.generate(shape, seed, periodic, progress)
    except SliceGANError:
        raise
    except Exception as error:  # noqa: BLE001
        raise _unexpected("The generation", error) from None


def load_model(path: Path, control: Control) -> Generator[object, None, SliceGAN]:
    """Load a model."""
    try:
        yield 0.0
        control.check()
        from napari_slicegan.core.model import SliceGAN  # imports torch

        return SliceGAN.load(path)
    except SliceGANError:
        raise
    except Exception as error:  # noqa: BLE001
        raise _unexpected("Loading the model", error) from None


def throttled(events: Iterable[Event]) -> Iterator[Event]:
    """Leave out events that come too soon after one of their kind, but never the last of a kind."""
    last: dict[type, float] = {}
    held: dict[type, Event] = {}
    for event in events:
        kind, now = type(event), time.monotonic()
        if now - last.get(kind, float("-inf")) < PAUSES[kind]:
            held[kind] = event
            continue
        last[kind] = now
        held.pop(kind, None)
        yield event
    yield from held.values()


def _unexpected(what: str, error: Exception) -> UnexpectedError:
    _log.error("%s failed", what, exc_info=error)
    return UnexpectedError(f"{what} failed: {type(error).__name__}: {error}. The log has the details.")
