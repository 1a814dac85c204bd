"""The training loop: iterate a `Trainer` for events, stop it from any thread, resume it bit for bit."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy.typing as npt

from napari_slicegan.core.clock import Clock, Due
from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.device import choose_device
from napari_slicegan.core.errors import ModelError, TrainingError
from napari_slicegan.core.events import CheckpointSaved, EndReason, Event, Preview, Progress
from napari_slicegan.core.files import read_checkpoint, write_checkpoint
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.interruption import Interrupted, interrupt_when, readable_errors
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.core.reports import MeanLosses

_PREVIEW_SEED = 1
_FREE_ON_RESUME = (
    "iterations",
    "minutes",
    "report_seconds",
    "preview_seconds",
    "checkpoint_minutes",
    "checkpoint_iterations",
)


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


class Trainer:
    """Trains a generator on micrographs. Iterate it for events; what it made is then in `result`.

    Parameters
    ----------
    data : TrainingData
        The micrographs.
    network : NetworkConfig
        The networks; what a voxel is follows the data.
    training : TrainingConfig
        The recipe.
    device : str
        "auto", "cpu", "cuda" or "mps".
    checkpoint : path, optional
        Where checkpoints are written, at intervals, at a stop and at the end.

    Raises
    ------
    DataError, ConfigError, TrainingError
        The data, the settings or the device do not allow training.
    """

    def __init__(
        self,
        data: TrainingData,
        network: NetworkConfig | None = None,
        training: TrainingConfig | None = None,
        device: str = "auto",
        checkpoint: str | Path | None = None,
    ) -> None:
        self.data, self.training = data, training or TrainingConfig()
        self.checkpoint = Path(checkpoint) if checkpoint else None
        with readable_errors():
            self.gan = GAN(data, network or NetworkConfig(), self.training, choose_device(device))
        self.iteration = 0
        self.result: TrainingResult | None = None
        self._discriminator_steps = 0  # already made in this iteration
        self._clock, self._losses = Clock(), MeanLosses()
        self._stop = threading.Event()
        interrupt_when(self._stop, self.gan.generator, *self.gan.discriminators)

    def stop(self) -> None:
        """Ask the training to end, from any thread; an update under way is abandoned without a trace."""
        self._stop.set()

    def __iter__(self) -> Iterator[Event]:
        """Train to the end or until `stop`; the last event of a run with a checkpoint is that it was saved."""
        recipe = self.training
        report, preview = (
            Due(self._clock, recipe.report_seconds),
            Due(self._clock, recipe.preview_seconds),
        )
        save = Due(
            self._clock,
            60 * recipe.checkpoint_minutes,
            recipe.checkpoint_iterations,
            self.iteration,
        )
        while not self._stop.is_set() and not self.is_finished:
            try:
                with self._clock, readable_errors():
                    self._iterate()
            except Interrupted:
                break
            except TrainingError:  # out of memory, for example: the updates before it are sound
                if self.checkpoint and self.gan.is_finite:
                    yield self._save(self.checkpoint, self.model)
                raise
            if self._losses and report.is_due(self.iteration):
                yield self._report()
            if recipe.preview_seconds and preview.is_due(self.iteration):
                yield self._preview(self.model)
            if self.checkpoint and save.is_due(self.iteration):
                yield self._save(self.checkpoint, self.model)
        yield from self._end()

    def _end(self) -> Iterator[Event]:
        """Report, show and save what was made."""
        reason = EndReason.COMPLETED if self.is_finished else EndReason.STOPPED
        if self._losses:
            yield self._report()
        self._check_finite(self.gan.is_finite)
        self.result = TrainingResult(self.model, reason, self.iteration, self._clock.seconds)
        if self.training.preview_seconds:
            yield self._preview(self.result.model)
        if self.checkpoint:
            yield self._save(self.checkpoint, self.result.model)

    def _iterate(self) -> None:
        """Update the discriminators several times, then the generator once."""
        while self._discriminator_steps < self.training.discriminator_steps:
            self._update(self.gan.update_discriminators)
            self._discriminator_steps += 1
        self._update(self.gan.update_generator)
        self._discriminator_steps = 0
        self.iteration += 1

    def _update(self, update: Any) -> None:
        """Make one update, or none at all if it is interrupted."""
        before = self.gan.volatile_state()
        try:
            self._losses.add(update())
        except BaseException:
            self.gan.restore_volatile_state(before)
            raise

    @property
    def is_finished(self) -> bool:
        """Whether the run has made all its iterations or used all its minutes."""
        return self._fraction() >= 1

    def _fraction(self) -> float:
        """How much of the run is done."""
        recipe = self.training
        by_count = self.iteration / recipe.iterations if recipe.iterations else 0
        by_clock = self._clock.seconds / (60 * recipe.minutes) if recipe.minutes else 0
        return max(by_count, by_clock)

    def _report(self) -> Progress:
        """The means of the losses since the last report; refuses to go on with losses that are not finite."""
        losses = self._losses.take()
        self._check_finite(all(map(math.isfinite, losses.values())))
        fraction, seconds = min(self._fraction(), 1.0), self._clock.seconds
        return Progress(
            iteration=self.iteration,
            seconds=seconds,
            fraction=fraction,
            iterations_per_second=self._clock.rate(self.iteration),
            eta_seconds=self._clock.eta(fraction),
            **losses,
        )

    def _check_finite(self, is_finite: bool) -> None:
        if not is_finite:
            raise TrainingError(
                f"The training has diverged by iteration {self.iteration}: its numbers are no longer finite. The last "
                "checkpoint is still a usable model; to get further, start a new run with a lower learning_rate."
            )

    def _preview(self, model: SliceGAN) -> Preview:
        edge = self.gan.network.edge
        return Preview(self.iteration, model.generate((edge, edge, edge), _PREVIEW_SEED))

    def preview_volume(self) -> npt.NDArray[Any]:
        """The volume that the generator makes now of the preview's latent field: a training cube long in each axis."""
        return self._preview(self.model).volume

    @property
    def model(self) -> SliceGAN:
        """A copy of the generator as it is now, which further training does not change."""
        recipe = {
            "training": asdict(self.training),
            "iterations": self.iteration,
            "seconds": self._clock.seconds,
        }
        created = datetime.now(UTC).isoformat(timespec="seconds")
        return SliceGAN(
            self.gan.snapshot(),
            ModelInfo.of(self.data, self.gan.network, created=created, **recipe),
        )

    def _save(self, path: Path, model: SliceGAN) -> CheckpointSaved:
        """Write a checkpoint, never one that is worth nothing."""
        self._check_finite(self.gan.is_finite)
        state = {
            "info": model.info.to_json(),
            "model": model.generator.state_dict(),
            "gan": self.gan.state_dict(),
            "iteration": self.iteration,
            "discriminator_steps": self._discriminator_steps,
            "seconds": self._clock.seconds,
        }
        write_checkpoint(path, state)
        return CheckpointSaved(self.iteration, path)

    @classmethod
    def resume(
        cls,
        checkpoint: str | Path,
        data: TrainingData,
        training: TrainingConfig | None = None,
        device: str = "auto",
    ) -> Trainer:
        """Go on from a checkpoint; on the CPU the result is bit for bit that of a training never interrupted.

        Parameters
        ----------
        checkpoint : path
            What the trainer wrote; it will be written again.
        data : TrainingData
            The same images as before; the pixel size stays that of the run.
        training : TrainingConfig, optional
            The recipe of before with another end, or other intervals of reports, previews and checkpoints.
        device : str
            "auto", "cpu", "cuda" or "mps".

        Raises
        ------
        ModelError
            The checkpoint is damaged.
        TrainingError
            The images are not those that the run was started with, or the recipe differs in more than that.
        """
        state = read_checkpoint(Path(checkpoint))
        try:
            info = ModelInfo.from_json(state["info"])
            if info.provenance["fingerprint"] != data.fingerprint:
                raise TrainingError(
                    "These are not the images that the run was started with: give the same images to resume it, or "
                    "start a new run."
                )
            data = replace(data, pixel_size=info.voxel_size, unit=info.unit)
            before = TrainingConfig(**info.provenance["training"])
            training = training or before
            _check_same_recipe(before, training)
            trainer = cls(data, info.network, training, device, checkpoint)
            trainer.gan.load_state_dict(state["gan"])
            trainer.iteration = int(state["iteration"])
            trainer._discriminator_steps = int(state["discriminator_steps"])
            trainer._clock = Clock(float(state["seconds"]), trainer.iteration)
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError, IndexError) as error:
            raise ModelError(f"{checkpoint} is damaged: it cannot be resumed ({error}).") from error
        return trainer


def _check_same_recipe(before: TrainingConfig, after: TrainingConfig) -> None:
    """Refuse what a resumed training would not follow: its optimizers go on as they were saved."""
    old, new = asdict(before), asdict(after)
    changed = [name for name in old if old[name] != new[name] and name not in _FREE_ON_RESUME]
    if changed:
        raise TrainingError(
            f"The run was started with another {', '.join(changed)}: a resumed training keeps its recipe. Leave these "
            "as they were, or start a new run."
        )
