"""The training loop: iterate a `Trainer` for events; pause and stop it from any thread, resume it bit for bit."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy.typing as npt

from napari_slicegan.core.asides import Aside, Patience, preview_of
from napari_slicegan.core.clock import Clock, Due
from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.describing import described
from napari_slicegan.core.device import choose_device
from napari_slicegan.core.errors import TrainingError
from napari_slicegan.core.events import (
    CheckpointSaved,
    EndReason,
    Evaluation,
    Event,
    Paused,
    Proceeded,
)
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.interruption import Flag, Interrupted, Switch, readable_errors
from napari_slicegan.core.judging import Judge
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.parallel.peers import ALONE, Peers
from napari_slicegan.core.reports import TrainingResult, check_finite, progress
from napari_slicegan.core.resuming import WRONG, Saved, damaged
from napari_slicegan.core.sessions import Past
from napari_slicegan.core.transfer import transfer
from napari_slicegan.core.updates import Updates

__all__ = ["Trainer", "TrainingResult"]


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
        Where checkpoints are written, at intervals, at a pause, at a stop and at the end.
    start_from : path, optional
        A model, a checkpoint or a run of the same networks, whose weights to begin with.
    peers : Peers
        The processes that train together, of which this is the first; the others `follow`.

    Raises
    ------
    DataError, ConfigError, TrainingError
        The data, the settings or the device do not allow training.
    ModelError
        What to start from cannot be read, or has other networks.
    """

    def __init__(
        self,
        data: TrainingData,
        network: NetworkConfig | None = None,
        training: TrainingConfig | None = None,
        device: str = "auto",
        checkpoint: str | Path | None = None,
        start_from: str | Path | None = None,
        peers: Peers = ALONE,
    ) -> None:
        self.data, self.training = data, training or TrainingConfig()
        self.checkpoint = Path(checkpoint) if checkpoint else None
        with readable_errors():
            self.gan = GAN(data, network or NetworkConfig(), self.training, choose_device(device), peers)
        self.past = Past.beginning(transfer(start_from, self.gan) if start_from else "")
        self.iteration = 0
        self.result: TrainingResult | None = None
        self.notes: dict[str, Any] = {}  # what else models tell of their past
        self.saved: SliceGAN | None = None  # what the last checkpoint holds
        self._clock, self._switch = Clock(), Switch()
        self._updates = Updates(self.gan, self._clock, self._switch)
        self._judge = Judge(self.gan, data, self._clock, has_start=bool(start_from))
        self._previews = Aside("previews", self._clock, self.training.preview_seconds > 0)

    def stop(self) -> None:
        """Ask the training to end, from any thread, also while it is paused; an update under way leaves no trace."""
        self._switch.stop()

    def pause(self) -> None:
        """Ask the training to save what it has made and to wait, from any thread; an update under way leaves no trace.

        Its iterator then gives `Paused`, and nothing more until `proceed` or `stop`.
        """
        self._switch.pause()

    def proceed(self) -> None:
        """Let a training that is paused go on, from any thread."""
        self._switch.proceed()

    def __iter__(self) -> Iterator[Event]:
        """Train to the end or until `stop`; the last event of a run with a checkpoint is that it was saved."""
        recipe, self.result = self.training, None
        steps, is_judged = self._updates.discriminator_steps, self._judge.has_judged(self.iteration)
        self.past.go_on(self.gan, self.iteration, steps, is_judged)
        report = Due(self._clock, recipe.report_seconds, at_once=True)  # whoever waits sees that it trains
        preview = Due(self._clock, recipe.preview_seconds)
        save = Due(self._clock, 60 * recipe.checkpoint_minutes, recipe.checkpoint_iterations, self.iteration)
        while not self._switch.is_off:
            if self._switch.is_paused:
                yield from self._rest()
                continue
            if self._judge.is_due(self.iteration):
                yield from self._judged()
                continue
            if self.is_finished:
                break
            try:
                with readable_errors():
                    self._updates.iterate()
                self.iteration += 1
            except Interrupted:
                continue
            except TrainingError:  # out of memory, for example: the updates before it are sound
                if self.checkpoint and self.gan.is_finite:
                    yield from self._save(self.checkpoint, self.model)
                raise
            if self._updates.losses and report.is_due(self.iteration):
                yield from self._report()
            yield from self._look(
                preview=self._previews.is_affordable and preview.is_due(self.iteration),
                save=bool(self.checkpoint) and save.is_due(self.iteration),
            )
        yield from self._end()

    def _judged(self) -> Iterator[Event]:
        """Evaluate what was made so far, and do what follows from it."""
        try:
            with readable_errors():
                yield from self._judge.judge(self.iteration, self._switch)
        except TrainingError:
            if self.checkpoint and self.gan.is_finite:
                yield from self._save(self.checkpoint, self.model)
            raise

    def _look(self, preview: bool, save: bool) -> Iterator[Event]:
        """Show and save what was made so far, of one snapshot."""
        if not (preview or save):
            return
        begin, generator = time.monotonic(), None
        if preview or not self._judge.best:
            with readable_errors():
                generator = self._snapshot() if save else self.gan.snapshot(balanced=False)  # enough to look at
        if preview and generator:
            yield from self._shown(self._described(generator), self._switch, begin)
        if save and self.checkpoint:
            yield from self._save(self.checkpoint, self._chosen(generator))

    def _rest(self) -> Iterator[Event]:
        """Save, and wait until the training is to go on or to end."""
        if self._updates.losses:
            yield from self._report()
        if self.checkpoint:
            yield from self._save(self.checkpoint, self.model)
        yield Paused(self.iteration)
        self._switch.wait()
        if not self._switch.is_off:
            yield Proceeded(self.iteration)

    def _end(self) -> Iterator[Event]:
        """Report, judge, show and save what was made; at a stop without keeping anybody waiting."""
        reason = self._reason
        if self._updates.losses:
            yield from self._report()
        is_stopped, begin, patience = reason is EndReason.STOPPED, time.monotonic(), Patience(self._switch)
        generator = self._judge.best
        if not generator:
            check_finite(self.gan.is_finite, self.iteration)
            with readable_errors():
                generator = self._snapshot()
        if self._judge.is_due_at_end(self.iteration, is_stopped):
            if self.checkpoint and not is_stopped:  # what follows may take long, and memory
                yield from self._save(self.checkpoint, self._described(generator))
            if found := self._judge.look(generator, self.iteration, patience, begin):
                yield found
        self.result = TrainingResult(self._chosen(generator), reason, self.iteration, self._clock.seconds)
        if self._previews.is_due_at_end(is_stopped):
            yield from self._shown(self.result.model, patience, time.monotonic())
        if self.checkpoint and self._judge.put_back():
            yield from self._save(self.checkpoint, self.result.model)

    def _shown(self, model: SliceGAN, flag: Flag, begin: float) -> Iterator[Event]:
        """The preview, unless it is interrupted or fails."""
        if found := self._previews.do(lambda: preview_of(model, self.iteration, flag), begin):
            yield found

    @property
    def evaluation(self) -> Evaluation | None:
        """The newest evaluation; None before there is one."""
        return self._judge.newest

    @property
    def is_finished(self) -> bool:
        """Whether the run has made all its iterations, used all its minutes, or no longer makes progress."""
        return self.fraction >= 1 or self._judge.is_settled

    @property
    def _reason(self) -> EndReason:
        if self.fraction >= 1:
            return EndReason.COMPLETED
        return EndReason.PLATEAU if self._judge.is_settled else EndReason.STOPPED

    @property
    def fraction(self) -> float:
        """How much of the run is done; more than 1 when its end was moved to before what is done."""
        recipe = self.training
        by_count = self.iteration / recipe.iterations if recipe.iterations else 0
        by_clock = self._clock.seconds / (60 * recipe.minutes) if recipe.minutes else 0
        return max(by_count, by_clock)

    def _report(self) -> Iterator[Event]:
        """The means of the losses since the last report; refuses to go on with losses that are not finite."""
        losses = self._updates.losses.take()
        if all(map(math.isfinite, losses.values())):
            yield progress(self.iteration, self.fraction, self._clock, losses)
        elif not self._judge.is_on:  # who else puts it right, at an iteration that the recipe names
            check_finite(False, self.iteration)

    def preview_volume(self) -> npt.NDArray[Any]:
        """The volume that the generator makes now of the preview's latent field: a training cube long in each axis."""
        return preview_of(self._described(self.gan.snapshot(balanced=False)), self.iteration).volume

    @property
    def model(self) -> SliceGAN:
        """The best generator so far, or a copy of that of now while none was judged; training does not change it.

        After the end it is that of `result`.
        """
        return self.result.model if self.result else self._chosen()

    def _chosen(self, newest: Generator | None = None) -> SliceGAN:
        """A model of the best generator, or of the newest where none was judged."""
        best = self._judge.standing.best
        if self._judge.best and best:
            return self._described(self._judge.best, best, {"iteration": best.iteration, "judged": False})
        return self._described(newest or self._snapshot(), self._judge.newest)

    def _snapshot(self) -> Generator:
        """The newest generator; what is judged is balanced then, and nobody who pauses or stops before waits for it."""
        return self.gan.snapshot(balanced=not self._judge.is_on)

    def _described(
        self, generator: Generator, errors: Evaluation | None = None, taken: dict[str, Any] | None = None
    ) -> SliceGAN:
        """A model of a generator, with what is known of it, and when it was taken if that is not now."""
        facts = {"training": asdict(self.training), "iterations": self.iteration, "seconds": self._clock.seconds}
        now = {"iteration": self.iteration, "judged": self._judge.has_judged(self.iteration)}
        facts["generator"] = taken or {**now, "steps": self._updates.discriminator_steps}
        if errors:
            facts["heldout"] = asdict(errors)
        return described(generator, self.data, self.notes | facts | self.past.facts)

    def advance(self, discriminator_steps: int) -> None:
        """Make the first updates of the next iteration, as a training does that is stopped within it."""
        with readable_errors():
            self._updates.advance(discriminator_steps)

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        list(self._save(path, self.model))

    def keep(self) -> None:
        """Write a checkpoint of what there is before the first update.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        if self.checkpoint:
            list(self._save(self.checkpoint, self._described(self.gan.snapshot(balanced=False))))

    def _save(self, path: Path, model: SliceGAN) -> Iterator[Event]:
        """Write a checkpoint, never one that is worth nothing."""
        if not self.gan.is_finite and self._judge.is_on:
            return  # until it is put right
        check_finite(self.gan.is_finite, self.iteration)
        counts = self.iteration, self._updates.discriminator_steps, self._clock.seconds
        saved = Saved(model.info, self.gan.state_dict(), self._judge.state_dict(), *counts)
        saved.write(path, model.generator.state_dict())
        self.saved = model
        yield CheckpointSaved(self.iteration, path)

    @classmethod
    def resume(
        cls,
        checkpoint: str | Path,
        data: TrainingData,
        training: TrainingConfig | None = None,
        device: str = "auto",
        peers: Peers = ALONE,
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
        peers : Peers
            The processes that train together, as many as one likes.

        Raises
        ------
        ModelError
            The checkpoint is damaged.
        TrainingError
            The images are not those that the run was started with, or the recipe differs in more than that.
        """
        path = Path(checkpoint)
        saved = Saved.read(path)
        try:
            data, recipe = saved.images(data), saved.recipe(training)
            trainer = cls(data, saved.info.network, recipe, device, path, peers=peers)
            trainer._go_on_from(saved)
        except WRONG as error:
            raise damaged(path, error) from error
        return trainer

    def _go_on_from(self, saved: Saved) -> None:
        self.gan.load_state_dict(saved.gan)
        self.iteration, self._updates.discriminator_steps = saved.iteration, saved.discriminator_steps
        self._clock.go_on_from(saved.seconds, saved.iteration)
        self.past = Past.told(saved.info.provenance)
        self._judge.load_state_dict(saved.judge)
