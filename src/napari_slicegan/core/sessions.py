"""With what a training was done from one iteration to another, as far as its last bits depend on it.

A run that goes on with another number of threads, on another computer, or with evaluations at other iterations is not
the run that goes on with the same: whoever makes it again has to change them at the same updates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_slicegan.core.choices import Precision
from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.files import sha256_of
from napari_slicegan.core.machine import Machine
from napari_slicegan.core.precision import resolved

if TYPE_CHECKING:
    from napari_slicegan.core.gan import GAN

#: What a model tells of the weights that its training began with: the file, and its SHA-256.
ORIGIN = ("started_from", "started_from_sha256")

_MOST = 10_000  # sessions that are read of a file
_LARGEST = 10**8


@dataclass(frozen=True)
class Session:
    """A part of a training that was done with the same.

    Attributes
    ----------
    iteration, steps : int
        Where it begins: updates of the generator, and updates of the discriminators since.
    judged : bool
        Whether the training had been evaluated at this iteration when it began.
    evaluation_iterations : int
        As in the recipe.
    precision : Precision
        EXACT or FAST.
    machine : Machine
        What computed.
    """

    iteration: int
    steps: int
    judged: bool
    evaluation_iterations: int
    precision: Precision
    machine: Machine

    @property
    def place(self) -> tuple[int, int]:
        """Where it begins."""
        return self.iteration, self.steps

    def is_like(self, other: Session) -> bool:
        """Whether another one was done with the same."""
        mine, theirs = ((each.evaluation_iterations, each.precision, each.machine) for each in (self, other))
        return mine == theirs

    @classmethod
    def from_dict(cls, fields: Any) -> Session:
        """Read what `dataclasses.asdict` gave.

        Raises
        ------
        ModelError
            It is something else.
        """
        try:
            machine, precision = Machine.from_dict(fields["machine"]), Precision(fields["precision"])
            session = cls(**{**fields, "machine": machine, "precision": precision})
        except (TypeError, KeyError, ValueError) as error:
            raise ModelError(f"A session of the training cannot be read ({error}).") from None
        numbers = session.iteration, session.steps, session.evaluation_iterations
        if not all(type(number) is int and 0 <= number <= _LARGEST for number in numbers):
            raise ModelError("A session of the training gives numbers that make no sense.")
        return session


def begun(before: Sequence[Session], now: Session) -> tuple[Session, ...]:
    """All sessions when one more begins: one that did nothing is forgotten, one like the last is a part of it."""
    done = tuple(before)
    while done and done[-1].place == now.place:
        done = done[:-1]
    return done if done and done[-1].is_like(now) else (*done, now)


def sessions_in(provenance: dict[str, Any]) -> tuple[Session, ...]:
    """The sessions that a model tells of; none of a model of before they were recorded.

    Raises
    ------
    ModelError
        They cannot be read, or do not follow one another.
    """
    found = provenance.get("sessions", [])
    if not isinstance(found, list) or len(found) > _MOST:
        raise ModelError("The sessions of the training cannot be read.")
    sessions = tuple(map(Session.from_dict, found))
    if [each.place for each in sessions] != sorted({each.place for each in sessions}):
        raise ModelError("The sessions of the training do not follow one another.")
    return sessions


class Past:
    """What a model tells of how its training came about: the weights that it began with, and its sessions.

    Parameters
    ----------
    origin : dict
        The topics of `ORIGIN`; none where the training began with random weights.
    sessions : tuple of Session
        Those so far.
    """

    def __init__(self, origin: dict[str, Any], sessions: tuple[Session, ...] = ()) -> None:
        self._origin, self._sessions = origin, sessions

    @classmethod
    def beginning(cls, started_from: str) -> Past:
        """Of a training that begins with the weights of a file, or, without one, with random ones."""
        origin = (started_from, sha256_of(Path(started_from))) if started_from else ()
        return cls(dict(zip(ORIGIN, origin, strict=False)))

    @classmethod
    def told(cls, provenance: dict[str, Any]) -> Past:
        """As a checkpoint tells it.

        Raises
        ------
        ModelError
            It makes no sense.
        """
        return cls({topic: told for topic, told in provenance.items() if topic in ORIGIN}, sessions_in(provenance))

    @property
    def started_from(self) -> str:
        """The file of the weights that the training began with; empty for random ones."""
        return str(self._origin.get(ORIGIN[0], ""))

    def go_on(self, gan: GAN, iteration: int, steps: int, is_judged: bool) -> None:
        """Begin a session at a place, see `Session`."""
        recipe, machine = gan.training, Machine.here(gan.device, gan.peers.size)
        precision = resolved(recipe.precision, gan.device)
        now = Session(iteration, steps, is_judged, recipe.evaluation_iterations, precision, machine)
        self._sessions = begun(self._sessions, now)

    @property
    def facts(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {**self._origin, "sessions": [asdict(session) for session in self._sessions]}
