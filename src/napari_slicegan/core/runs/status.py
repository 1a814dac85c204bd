"""What a run last said of itself: the file ``status.json``."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from napari_slicegan.core.events import Evaluation
from napari_slicegan.core.files import STATUS, read_small

_LARGEST = 2**20  # bytes: a status has a few hundred
_LARGEST_NUMBER = 1e300  # whole numbers of JSON have no end


class RunState(StrEnum):
    """How a run stands."""

    TRAINING = "training"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # it says that it is training or paused, but no living process has it


LIVE = (RunState.TRAINING, RunState.PAUSED)


@dataclass(frozen=True)
class RunStatus:
    """What a run last said of itself.

    Attributes
    ----------
    state : RunState
        Never "interrupted", which a run cannot say.
    iteration : int
        Generator updates made.
    fraction : float
        How much of the run is done, 0 to 1.
    seconds : float
        Time of training since the start of the run.
    eta_seconds : float or None
        Expected time to the end.
    evaluation : Evaluation or None
        The newest one.
    message : str
        What went wrong.
    started, updated : datetime or None
        When the run was first started, and when this was written.
    pid : int
        Number of the process that wrote it.
    host : str
        Name of the computer that the process runs on.
    """

    state: RunState
    iteration: int = 0
    fraction: float = 0.0
    seconds: float = 0.0
    eta_seconds: float | None = None
    evaluation: Evaluation | None = None
    message: str = ""
    started: datetime | None = None
    updated: datetime | None = None
    pid: int = 0
    host: str = ""

    def to_json(self) -> str:
        """The text of the file."""
        times = {
            name: moment and moment.isoformat()
            for name, moment in (("started", self.started), ("updated", self.updated))
        }
        return json.dumps(asdict(self) | times, indent=2)

    @classmethod
    def from_json(cls, text: str) -> RunStatus:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError
            The text is something else.
        """
        fields = json.loads(text)
        if not isinstance(fields, dict):
            raise ValueError("no object")
        return cls(
            RunState(fields["state"]),
            int(number(fields, "iteration")),
            min(max(number(fields, "fraction"), 0.0), 1.0),
            number(fields, "seconds"),
            None if fields.get("eta_seconds") is None else number(fields, "eta_seconds"),
            evaluation_of(fields.get("evaluation")),
            words(fields, "message"),
            _moment(fields.get("started")),
            _moment(fields.get("updated")),
            int(number(fields, "pid")),
            words(fields, "host"),
        )


def this_host() -> str:
    """Name of this computer."""
    return platform.node()


def read_status(path: Path) -> RunStatus | None:
    """The status in a run's directory; None where there is none that can be read."""
    try:
        return RunStatus.from_json(read_text(path / STATUS))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def read_text(path: Path) -> str:
    """A small text file.

    Raises
    ------
    ValueError
        It is too large, or no text.
    OSError
        It cannot be read.
    """
    return read_small(path, _LARGEST).decode()


def evaluation_of(fields: Any) -> Evaluation | None:
    """An evaluation from JSON; None from anything else."""
    if not isinstance(fields, dict):
        return None
    try:
        return Evaluation(
            int(number(fields, "iteration")),
            number(fields, "correlation_error"),
            number(fields, "fraction_error"),
            number(fields, "surface_error"),
            number(fields, "pattern_error"),
            words(fields, "lost"),
        )
    except ValueError:
        return None


def number(fields: dict[str, Any], name: str) -> float:
    """A finite number from JSON, 0 where it is left out.

    Raises
    ------
    ValueError
        It is none.
    """
    value = fields.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST_NUMBER:
        raise ValueError(f"{name} is no number")
    return value


def words(fields: dict[str, Any], name: str) -> str:
    """A text from JSON, empty where it is left out; a long one is cut.

    Raises
    ------
    ValueError
        It is none.
    """
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")
    return value[:2000]


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone() if isinstance(text, str) else None
    except OverflowError as error:  # of the years 1 and 9999
        raise ValueError(f"{text} is no time") from error
