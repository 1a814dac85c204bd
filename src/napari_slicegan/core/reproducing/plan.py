"""What a model says of its training, as a plan of how to do that again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.errors import ConfigError, ModelError
from napari_slicegan.core.machine import Machine
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.core.runs.status import evaluation_of
from napari_slicegan.core.sessions import ORIGIN, Session, sessions_in
from napari_slicegan.core.threads import using_threads

_LONGEST = 2000  # characters of a text


@dataclass(frozen=True)
class Leg:
    """A part of the training that is made in one go.

    Attributes
    ----------
    recipe : TrainingConfig
        Its end is the leg's.
    end, steps : int
        Where it ends: updates of the generator, and updates of the discriminators after these.
    is_judged : bool
        Whether the training is evaluated, where that is due, after the last update of the generator.
    machine : Machine or None
        What computed; None where the model does not say.
    """

    recipe: TrainingConfig
    end: int
    steps: int
    is_judged: bool
    machine: Machine | None

    @property
    def threads(self) -> AbstractContextManager[None]:
        """While its ``with`` block lasts, as many threads compute as did then."""
        return using_threads(self.machine.threads if self.machine else 0)


@dataclass(frozen=True)
class Plan:
    """How a model came about.

    Attributes
    ----------
    network : NetworkConfig
        Of the training.
    fingerprint : str
        Digest of the training images.
    iteration : int
        Updates of the generator that made the model.
    legs : tuple of Leg
        The training until then.
    origin, origin_sha256 : str
        The file of the weights that it began with, and its digest; empty for random weights, or where it is not known.
    is_whole : bool
        Whether the model tells of its training from the beginning.
    """

    network: NetworkConfig
    fingerprint: str
    iteration: int
    legs: tuple[Leg, ...]
    origin: str
    origin_sha256: str
    is_whole: bool

    @classmethod
    def of(cls, info: ModelInfo) -> Plan:
        """Read what a model says of its training.

        Raises
        ------
        ModelError
            It does not say enough, or it makes no sense.
        """
        made = info.provenance
        try:
            recipe = TrainingConfig(**made["training"])
            fingerprint = str(made["fingerprint"])
            sessions = sessions_in(made)
            iteration, steps, _ = end = _end(made, recipe, sessions)
        except (KeyError, TypeError, ValueError, AttributeError, ConfigError) as error:
            raise ModelError(
                f"The model does not say how it was trained ({error!s:.200}), so that it cannot be made again."
            ) from error
        most = max([steps, *(each.steps for each in sessions)])
        if not (0 <= iteration <= 10**8 and steps >= 0 and most <= recipe.discriminator_steps):
            raise ModelError("The model says that it was trained for a number of updates that cannot be.")
        sessions = tuple(each for each in sessions if each.place < (iteration, steps)) or sessions[:1]
        ends = [*((each.iteration, each.steps, each.judged) for each in sessions[1:]), end]
        legs = tuple(_leg(recipe, session, *end) for session, end in zip_longest(sessions, ends))
        origin, digest = (str(made.get(topic, ""))[:_LONGEST] for topic in ORIGIN)
        is_whole = bool(sessions) and sessions[0].place == (0, 0)
        return cls(info.network, fingerprint, iteration, legs, origin, digest, is_whole)

    @property
    def machines(self) -> tuple[Machine, ...]:
        """What computed, as far as the model says so."""
        return tuple(dict.fromkeys(leg.machine for leg in self.legs if leg.machine))

    @property
    def device(self) -> str:
        """Where it was trained last; "auto" where the model does not say."""
        return self.machines[-1].device if self.machines else "auto"


def _leg(recipe: TrainingConfig, session: Session | None, end: int, steps: int, is_judged: bool) -> Leg:
    """The part of a training from the beginning of a session to an end."""
    recipe = replace(
        recipe,
        iterations=max(end, 1),
        minutes=0.0,
        report_seconds=0.0,  # every iteration is seen
        preview_seconds=0.0,
        checkpoint_minutes=10.0**4,
        checkpoint_iterations=0,
    )
    if session is None:
        return Leg(recipe, end, steps, is_judged, None)
    every = session.evaluation_iterations
    recipe = replace(recipe, evaluation_iterations=every, precision=session.precision)
    return Leg(recipe, end, steps, is_judged, session.machine)


def _end(made: dict[str, Any], recipe: TrainingConfig, sessions: Sequence[Session]) -> tuple[int, int, bool]:
    """The iteration whose generator the model is, updates of the discriminators after it, and whether it was evaluated.

    These updates change what the generator remembers of its batches.
    """
    if "generator" not in made:
        return _end_of_old(made, recipe)
    taken = made["generator"]
    iteration, is_judged = int(taken["iteration"]), taken["judged"] is True
    # the best generator was taken when it was judged, which a resume with other evaluations may do late
    late = [each.steps for each in sessions if each.iteration == iteration and not each.judged]
    return iteration, int(taken.get("steps", late[-1] if late else 0)), is_judged


def _end_of_old(made: dict[str, Any], recipe: TrainingConfig) -> tuple[int, int, bool]:
    """The same for models of before this was recorded, as far as it can be told."""
    iterations, found = int(made["iterations"]), evaluation_of(made.get("heldout"))
    if found is None or not recipe.evaluation_iterations:
        return iterations, 0, False
    if found.lost or found.iteration % recipe.evaluation_iterations:
        return iterations, 0, found.iteration == iterations
    return found.iteration, 0, False


def differences(machines: Sequence[Machine], now: Machine) -> list[str]:
    """How what computes now differs from what computed then; but for threads, of which there can be as many."""
    found = [text for each in machines for text in each.differences(replace(now, threads=each.threads))]
    return list(dict.fromkeys(found))
