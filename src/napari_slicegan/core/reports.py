"""Losses between two reports, and the reports: on the way, at the end, and when nothing more can be told."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from napari_slicegan.core.clock import Clock
from napari_slicegan.core.errors import TrainingError
from napari_slicegan.core.events import EndReason, Progress
from napari_slicegan.core.model import SliceGAN


@dataclass(frozen=True)
class TrainingResult:
    """How a training ended.

    Attributes
    ----------
    model : SliceGAN
        The model made so far.
    reason : EndReason
        Completed or stopped.
    iterations : int
        Generator updates made since the start of the run.
    seconds : float
        Time of training since the start of the run.
    """

    model: SliceGAN
    reason: EndReason
    iterations: int
    seconds: float


class MeanLosses:
    """Adds up scalar losses where they are computed and reads them once a report, so that a GPU never waits."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def __bool__(self) -> bool:
        """Whether there are losses of both players to report; not so after a resume inside an iteration."""
        return {"discriminator_loss", "generator_loss"} <= self._counts.keys()

    def add(self, losses: dict[str, Tensor]) -> None:
        """Add the scalars of one update."""
        for name, value in losses.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
            self._counts[name] = self._counts.get(name, 0) + 1

    def take(self) -> dict[str, float]:
        """The mean of each loss, and start again."""
        means = {name: float(total) / self._counts[name] for name, total in self._sums.items()}
        self._sums, self._counts = {}, {}
        return means


def progress(iteration: int, fraction: float, clock: Clock, losses: dict[str, float]) -> Progress:
    """The report of a training that has come so far."""
    fraction, seconds = min(fraction, 1.0), clock.seconds
    return Progress(iteration, seconds, fraction, clock.rate(iteration), clock.eta(fraction), **losses)


def check_finite(is_finite: bool, iteration: int) -> None:
    """Refuse to go on with numbers that are not finite.

    Raises
    ------
    TrainingError
        They are not.
    """
    if not is_finite:
        raise TrainingError(
            f"The training has diverged by iteration {iteration}: its numbers are no longer finite. The last "
            "checkpoint is still a usable model; to get further, start a new run with a lower learning_rate."
        )
