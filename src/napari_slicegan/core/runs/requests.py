"""What a training in another process is asked for, through a small file in the run's directory."""

from __future__ import annotations

import os
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from napari_slicegan.core.errors import TrainingError
from napari_slicegan.core.files import REQUEST, read_small, write_atomically
from napari_slicegan.core.runs.summary import summary_of


class Request(StrEnum):
    """What to ask for."""

    PAUSE = "pause"
    PROCEED = "proceed"
    STOP = "stop"


def ask(path: str | Path, request: Request) -> None:
    """Ask the process that trains a run, this one or another; it acknowledges within a second, in the run's state.

    A stop that has been asked for and not yet been heard stands.

    Raises
    ------
    TrainingError
        Nobody trains it.
    OutputError
        The directory cannot be written to.
    """
    summary = summary_of(path)
    if not summary.is_live:
        raise TrainingError(f"{summary.name} is not being trained now: there is nothing to {Request(request)}.")
    if _read(summary.path / REQUEST) is Request.STOP:
        return
    write_atomically(summary.path / REQUEST, lambda file: file.write(Request(request).encode()), durable=False)


def take_request(path: Path) -> Request | None:
    """The request that stands in a run's directory, which is then gone; None if there is none."""
    mine = path / f"{REQUEST}.{os.getpid()}.part"  # what is asked for from now on is another request
    try:
        (path / REQUEST).replace(mine)
    except OSError:
        return None
    request = _read(mine)
    with suppress(OSError):
        mine.unlink(missing_ok=True)
    return request


def _read(file: Path) -> Request | None:
    try:
        return Request(read_small(file, 100).decode("ascii", "replace"))
    except (OSError, ValueError):
        return None
