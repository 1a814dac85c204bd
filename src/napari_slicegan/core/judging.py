"""The judge of a training: evaluates it at fixed iterations, keeps the best generator, puts back what goes astray.

Nothing here looks at the clock: what touches weights, or which of them become the model, happens at iteration numbers
that the recipe names, from seeds of its own, and is part of the checkpoint.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from napari_slicegan.core.asides import Aside
from napari_slicegan.core.choosing import MOST_RECOVERIES, Standing, Verdict
from napari_slicegan.core.clock import Clock
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import TrainingError
from napari_slicegan.core.events import Evaluation, Event, Recovered
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.heldout import HeldOut
from napari_slicegan.core.interruption import Flag
from napari_slicegan.core.networks import Generator

_SLOWER = 0.5  # the rate after a recovery


class Judge:
    """Judges a training.

    Parameters
    ----------
    gan : GAN
        The players.
    data : TrainingData
        The micrographs.
    clock : Clock
        Of the training; counts only when somebody waits.
    has_start : bool
        Whether the players begin with weights that are worth going back to.

    Attributes
    ----------
    standing : Standing
        What has been found so far.
    is_settled : bool
        Whether there was no progress for so long that the training is to end.
    """

    def __init__(self, gan: GAN, data: TrainingData, clock: Clock, has_start: bool = False) -> None:
        self._gan, self._data = gan, data
        self._every, self._patience = gan.training.evaluation_iterations, gan.training.patience
        self._aside = Aside("held-out errors", clock, self._every > 0)
        self._held_out: HeldOut | None = None  # made when it is needed: the micrographs may be large
        self._best: Generator | None = None
        self._sound = gan.players_state() if has_start and self._every else {}  # the players at their best
        self._latest: Evaluation | None = None  # decides nothing: the training might go on
        self.standing, self.is_settled = Standing(), False

    @property
    def best(self) -> Generator | None:
        """The best that was judged, whatever the players have become since; None where nobody judges any longer."""
        return self._best if self.is_on else None

    @property
    def newest(self) -> Evaluation | None:
        """The last evaluation."""
        return self.standing.newest or self._latest

    @property
    def is_on(self) -> bool:
        """Whether the training is judged at all: it is asked for, and has not failed."""
        return self._aside.is_on

    def is_due(self, iteration: int) -> bool:
        """Whether the training is to be judged before it goes on."""
        if not (self.is_on and iteration) or iteration % self._every:
            return False
        return not self.has_judged(iteration)

    def has_judged(self, iteration: int) -> bool:
        """Whether the training was judged at an iteration last, and what follows from that is done."""
        return self.standing.newest is not None and self.standing.newest.iteration == iteration

    def is_due_at_end(self, iteration: int, is_stopped: bool) -> bool:
        """Whether to evaluate a training that ends before it was judged at all."""
        return self.newest is None and iteration > 0 and self._aside.is_due_at_end(is_stopped)

    def look(self, generator: Generator, iteration: int, flag: Flag, begin: float) -> Evaluation | None:
        """Balance a snapshot, whose making has begun at a time (`time.monotonic`), evaluate it, and decide nothing.

        Returns
        -------
        Evaluation or None
            None if it was interrupted, or has failed; then there is never one again.
        """
        volumes = self._gan.training.balance_volumes

        def work() -> Evaluation:
            if self._held_out is None:
                self._held_out = HeldOut(self._data, self._gan.network, flag, volumes)
            return self._held_out.evaluate(generator.eval(), iteration, volumes > 0, flag)

        found = self._aside.do(work, begin)
        self._latest = found or self._latest
        return found

    def judge(self, iteration: int, flag: Flag) -> Iterator[Event]:
        """Evaluate the training and do what follows from it.

        Raises
        ------
        TrainingError
            It has gone astray too often.
        """
        begin = time.monotonic()
        if not self._gan.is_finite:
            yield self._recover(iteration, "Its numbers were no longer finite.")
            return
        generator = self._gan.snapshot(balanced=False)  # that is done when it is looked at
        found = self.look(generator, iteration, flag, begin)
        if found is None:
            return
        if self._held_out and not found.lost:
            self._gan.adjust_tension(self._held_out.excess, self._held_out.scale, self._every)
        self.standing, verdict = self.standing.after(found, self._patience)
        self.is_settled = verdict is Verdict.END
        if self.standing.best is found:
            self._best, self._sound = generator, self._gan.players_state()
        yield found
        if verdict is Verdict.RECOVER:
            yield self._recover(iteration, f"Its volumes had lost {found.lost}.")

    def put_back(self) -> bool:
        """Put players that are no longer finite back to their best; whether there is one."""
        if self.best and not self._gan.is_finite:
            self._gan.begin_again(self._sound, self._rate)
        return self._gan.is_finite

    @property
    def _rate(self) -> float:
        return float(self._gan.training.learning_rate * _SLOWER**self.standing.recoveries)

    def _recover(self, iteration: int, reason: str) -> Recovered:
        """Put the players back to where they were at their best, or to a new beginning, and slow them down."""
        self.standing = self.standing.recovered(iteration)
        if self.standing.recoveries > MOST_RECOVERIES:
            self.put_back()
            raise TrainingError(
                f"The training has gone astray for the {MOST_RECOVERIES + 1}th time by iteration {iteration}. {reason} "
                "The best model so far is kept; to get further, start a new run with a lower learning_rate."
            )
        self._gan.begin_again(self._sound, self._rate)
        best = self.standing.best
        return Recovered(iteration, reason, best.iteration if best else 0, self._rate)

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on, tensors, numbers and strings."""
        return {
            "standing": self.standing.to_dict(),
            "best": self._best.state_dict() if self._best else {},
            "sound": self._sound,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` gave; nothing where there was no judge."""
        if not state:
            return
        self.standing, self._sound = Standing.from_dict(state["standing"]), state["sound"]
        if self._patience and self.standing.waited >= self._patience:  # it was over, and is to go on all the same
            self.standing = replace(self.standing, waited=0)
        if state["best"]:
            self._best = self._gan.copy_with(state["best"])
