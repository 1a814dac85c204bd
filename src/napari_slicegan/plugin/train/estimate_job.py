"""What a training will cost on this computer, measured for a second or two before it starts."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from napari_slicegan.core.apart.handover import handed_over
from napari_slicegan.core.apart.messages import Measure, Measured
from napari_slicegan.core.apart.process import Process
from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.errors import TrainingError
from napari_slicegan.core.runs.requests import Request
from napari_slicegan.core.threads import use_threads
from napari_slicegan.core.training_costs import TrainingCosts
from napari_slicegan.plugin.layers import LayerImage, training_data
from napari_slicegan.plugin.preferences import preferences
from napari_slicegan.plugin.work.job import Job, State, Status
from napari_slicegan.plugin.work.spare import Spare
from napari_slicegan.plugin.work.worker import CancelledError, Control, no_defects

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_slicegan.core.data import TrainingData
    from napari_slicegan.plugin.models import Models


_GLANCE = 0.1  # seconds
_FORGET = 15.0  # seconds after which memory that was not free may have become so


@dataclass(frozen=True)
class Inquiry:
    """What is about to be trained.

    Attributes
    ----------
    images : tuple of LayerImage
        One, two or three.
    kind : str
        An `OutputKind` or "auto".
    axis : str
        The special axis of two images.
    network, training : NetworkConfig, TrainingConfig
        The settings.
    device : str
        "auto", "cpu", "cuda" or "mps".
    threads : int
        Of the processor; 0 leaves the choice to torch.
    shrink : int
        So many pixels along an edge become one.
    """

    images: tuple[LayerImage, ...]
    kind: str
    axis: str
    network: NetworkConfig
    training: TrainingConfig
    device: str
    threads: int
    shrink: int = 1

    @property
    def data(self) -> TrainingData:
        """What is trained on; slow for large images.

        Raises
        ------
        DataError
            The images cannot be trained on, alone or together.
        """
        return training_data(self.images, self.kind, self.axis, self.shrink)

    @property
    def key(self) -> object:
        """Equal for inquiries that cost the same for each iteration."""
        recipe = replace(self.training, iterations=1, minutes=0.0, seed=0)
        images = tuple((image.name, image.array.shape, str(image.array.dtype)) for image in self.images)
        return images, self.kind, self.axis, self.network, recipe, self.device, self.threads, self.shrink


def measure_costs(inquiry: Inquiry, control: Control) -> Generator[object, None, TrainingCosts]:
    """Measure on this computer; ends early when a stop is asked for."""
    with no_defects("The estimate"), closing(control):
        yield None
        data = inquiry.data
        control.check()
        from napari_slicegan.core.interruption import Switch
        from napari_slicegan.core.training_estimate import measure  # imports torch, which takes seconds

        use_threads(inquiry.threads)
        stop = Switch()
        control.attach(stop)
        costs = measure(data, inquiry.network, inquiry.training, inquiry.device, stop)
        if costs is None:
            raise CancelledError("Cancelled.")
        return costs


def measure_apart(inquiry: Inquiry, spare: Spare, control: Control) -> Generator[object, None, TrainingCosts]:
    """Let another process measure; ends early when a stop is asked for."""
    with no_defects("The estimate"), closing(control):
        yield None
        data = inquiry.data
        control.check()
        process = spare.borrow()
        try:
            with handed_over(data) as folder:
                settings = asdict(inquiry.network), asdict(inquiry.training)
                process.send(Measure(folder, *settings, inquiry.device, inquiry.threads))
                control.attach(_Measurement(process))
                while not isinstance(answer := process.answer(_GLANCE), Measured):
                    pass
        finally:
            spare.give_back(process)
        if answer.costs is None:
            raise CancelledError("Cancelled.")
        return TrainingCosts(**answer.costs)


@dataclass(frozen=True)
class _Measurement:
    """What another process measures; can be stopped."""

    process: Process

    def stop(self) -> None:
        self.process.send(Request.STOP)


def load_torch(control: Control) -> Generator[object, None, None]:
    """Import what measures, and torch with it."""
    with no_defects("Loading torch"), closing(control):
        yield None
        import napari_slicegan.core.training_estimate  # noqa: F401  (imports torch, which takes seconds)


class EstimateJob(Job):
    """The costs of what is chosen; they are measured once for each choice."""

    name = "Measuring the speed"

    def __init__(self, viewer: ViewerModel, models: Models, spare: Spare) -> None:
        super().__init__(viewer, models)
        self._spare = spare
        self._known: dict[object, TrainingCosts | None] = {}
        self._key: object = None
        self._measured = 0.0

    def is_known(self, inquiry: Inquiry) -> bool:
        """Whether there is nothing left to measure, also because it cannot be."""
        costs, age = self._known.get(inquiry.key), time.monotonic() - self._measured
        is_old = costs is not None and bool(costs.problem) and age > _FORGET
        return inquiry.key in self._known and not is_old

    def costs(self, inquiry: Inquiry) -> TrainingCosts | None:
        """What has been measured, if it has."""
        return self._known.get(inquiry.key)

    def prepare(self) -> None:
        """Begin to load torch where the training will be, unless it is there."""
        if preferences().own_process:
            with suppress(TrainingError):  # which the training will say
                self._spare.prepare()
        elif "torch" not in sys.modules and not self.status.state.is_busy:
            self._run(load_torch, status=Status(State.RUNNING, fraction=None))

    def start(self, inquiry: Inquiry) -> None:
        """Begin to measure."""
        if not self.status.state.is_busy:
            self._key, status = inquiry.key, Status(State.RUNNING, fraction=None)
            if preferences().own_process:
                self._run(measure_apart, inquiry, self._spare, status=status)
            else:
                self._run(measure_costs, inquiry, status=status)

    def _on_yield(self, event: object) -> None:
        """It is done before a progress could be read."""

    def _on_return(self, result: TrainingCosts | None) -> None:
        self._worker = None
        if result is not None:
            self._known[self._key], self._measured = result, time.monotonic()
        self._update(state=State.FINISHED)

    def _on_error(self, error: Exception) -> None:
        """An estimate that cannot be made is no reason to disturb anyone: the training itself says what is wrong."""
        self._worker = None
        if not isinstance(error, CancelledError):
            self._known[self._key] = None
        self._update(state=State.STOPPED)
