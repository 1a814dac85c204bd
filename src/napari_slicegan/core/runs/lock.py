"""One trainer for each run: a lock that the system lets go when its process dies."""

from __future__ import annotations

import os
from pathlib import Path

import filelock

from napari_slicegan.core.errors import OutputError, TrainingError
from napari_slicegan.core.files import LOCK, is_own_file
from napari_slicegan.core.runs.status import read_status, this_host

_PATIENCE = 0.5  # seconds: others hold the lock for a moment to see whether it is free
_GLANCE = 0.05  # seconds, for the same reason


class RunLock:
    """While its ``with`` block lasts, no other trainer writes to the run.

    Parameters
    ----------
    path : Path
        The run's directory.

    Raises
    ------
    TrainingError
        Another trainer, in this process or in another, has the run.
    OutputError
        The directory cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = filelock.FileLock(path / LOCK, thread_local=False)

    def __enter__(self) -> None:
        if (self._path / LOCK).is_symlink():
            raise OutputError(f"{self._path / LOCK} is a link to elsewhere: remove it.")
        try:
            self._lock.acquire(timeout=_PATIENCE)
        except filelock.Timeout as error:
            raise TrainingError(
                f"{self._path.name} is being trained {_holder(self._path)}: pause or stop it there, or start a new run."
            ) from error
        except OSError as error:
            raise OutputError(f"{self._path} cannot be written: {error.strerror or error}.") from error

    def __exit__(self, *error: object) -> None:
        self._lock.release()


def is_locked(path: Path) -> bool | None:
    """Whether a living process has the run; None where that cannot be found out."""
    if not is_own_file(path / LOCK):  # taking a lock empties the file that it stands for
        return False
    try:
        with filelock.FileLock(path / LOCK).acquire(timeout=_GLANCE, poll_interval=_GLANCE / 10):
            return False
    except filelock.Timeout:
        return True
    except (OSError, NotImplementedError):
        return None


def _holder(path: Path) -> str:
    """Who has the run: "by process 123 on host"."""
    status = read_status(path)
    if status is None:
        return "by another process"
    if (status.pid, status.host) == (os.getpid(), this_host()):
        return "in this window or another one of the same process"
    return f"by process {status.pid} on {status.host}"
