"""What a process that trains and the one that looks after it say to each other: a line of JSON for each message.

Events of a training are not among them: they stand in the run's log, its previews are files, and whoever comes later
reads the same. But that something cannot be written is said here, since it may be the log.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from napari_slicegan.core.events import EndReason, Hindered
from napari_slicegan.core.runs.requests import Request


@dataclass(frozen=True)
class Measure:
    """Measure what a training would take.

    Attributes
    ----------
    data : Path
        The folder that the images were handed over in.
    network, training : dict
        The settings.
    device : str
        "auto", "cpu", "cuda" or "mps".
    threads : int
        Of the processor; 0 leaves the choice to torch.
    """

    data: Path
    network: dict[str, Any]
    training: dict[str, Any]
    device: str = "auto"
    threads: int = 0


@dataclass(frozen=True)
class Begin:
    """Begin a new run.

    Attributes
    ----------
    path : Path
        The directory of the run.
    data, network, training, device, threads
        As for `Measure`.
    preset : str
        The name that the settings were derived from.
    start_from : str
        A model, checkpoint or run whose networks are taken over; empty for new ones.
    outlives : bool
        Whether the training goes on when nobody looks after it any more.
    """

    path: Path
    data: Path
    network: dict[str, Any]
    training: dict[str, Any]
    preset: str
    device: str = "auto"
    threads: int = 0
    start_from: str = ""
    outlives: bool = False


@dataclass(frozen=True)
class GoOn:
    """Go on with a run from its directory alone.

    Attributes
    ----------
    path : Path
        The directory of the run.
    minutes, iterations : float, int
        How much further; without either, to the run's own end.
    device, threads, outlives
        As for `Begin`.
    """

    path: Path
    minutes: float = 0
    iterations: int = 0
    device: str = "auto"
    threads: int = 0
    outlives: bool = False


@dataclass(frozen=True)
class Ready:
    """The process has loaded all that it needs."""


@dataclass(frozen=True)
class Measured:
    """What a training would take: the fields of `TrainingCosts`; none when it was broken off."""

    costs: dict[str, Any] | None


@dataclass(frozen=True)
class Begun:
    """The training is about to begin; `device` is where, in words."""

    device: str


@dataclass(frozen=True)
class Ended:
    """The training has ended, and all that it made is on the disk.

    Attributes
    ----------
    reason : EndReason
        Why.
    iterations : int
        Generator updates made since the start of the run.
    seconds : float
        Time of training since the start of the run.
    """

    reason: EndReason
    iterations: int
    seconds: float


@dataclass(frozen=True)
class Failed:
    """What was asked for cannot be done.

    Attributes
    ----------
    kind : str
        Name of the error's class.
    sentence : str
        What to tell the user.
    details : str
        The traceback of a defect; else empty.
    """

    kind: str
    sentence: str
    details: str = ""


Order = Measure | Begin | GoOn
Answer = Ready | Measured | Begun | Hindered | Ended | Failed
Message = Order | Answer
_MESSAGES: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (Measure, Begin, GoOn, Ready, Measured, Begun, Hindered, Ended, Failed)
}


def line_of(message: Message | Request) -> bytes:
    """A message, or what is asked of the work under way, as a line."""
    content = (
        {"request": message} if isinstance(message, Request) else {"is": type(message).__name__, **asdict(message)}
    )
    return json.dumps(content, default=str).encode() + b"\n"


def message_of(line: bytes) -> Message | Request:
    """Read what `line_of` wrote.

    Raises
    ------
    ValueError
        The line is something else.
    """
    try:
        fields = json.loads(line)
        if "request" in fields:
            return Request(fields["request"])
        paths = {name: Path(fields[name]) for name in ("path", "data") if name in fields}
        made = _MESSAGES[fields.pop("is")](**fields | paths)
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"no message: {error}") from error
    if isinstance(made, Ended):
        return Ended(EndReason(made.reason), made.iterations, made.seconds)
    message: Message = made
    return message
