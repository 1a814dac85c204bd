"""The files of a run: their names, and how they are written so that a crash never leaves half of one."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from napari_slicegan.core.errors import OutputError

CONFIG = "config.json"
STATUS = "status.json"
LOG = "log.jsonl"
IMAGES = "images.safetensors"
CHECKPOINT = "checkpoint.pt"
MODEL = "model.safetensors"
PREVIEWS = "previews"
LOCK = "run.lock"
REQUEST = "request"

_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


def is_free(folder: Path) -> bool:
    """Whether a directory holds nothing but what a start that was cut short has left behind.

    Raises
    ------
    OSError
        The directory cannot be read.
    """
    return all(entry.suffix == ".part" or entry.name in (IMAGES, LOCK) for entry in folder.iterdir())


def is_own_file(path: Path) -> bool:
    """Whether a file stands at a path itself: a directory from elsewhere may hold links to anywhere, and pipes."""
    return path.is_file() and not path.is_symlink()


def read_small(path: Path, most: int) -> bytes:
    """All of a small file that stands at the path itself.

    Raises
    ------
    ValueError
        It is larger than `most` bytes, or no file.
    OSError
        It cannot be read.
    """
    if not is_own_file(path):
        raise ValueError(f"{path.name} is no file, or a link to one")
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{path.name} is larger than such a file can be")
    return content


def write_atomically(path: Path, write: Callable[[BinaryIO], Any], durable: bool = True) -> None:
    """Write a file under another name, bring it to the disk, and rename it at the very end.

    Parameters
    ----------
    path : Path
        The file; what stands there is replaced.
    write : callable
        Writes the content to an open file.
    durable : bool
        Wait until the disk has it, so that it outlives a power cut; not worth it for what is soon written again.

    Raises
    ------
    OutputError
        The file cannot be written; what stood at the path is still there.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}-{uuid4().hex[:8]}.part")  # nobody else writes to this one
    try:
        with part.open("wb") as file:
            write(file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    if durable:
        with suppress(OSError):  # the file is there; not every disk brings a folder's names to itself when asked
            to_disk(path.parent)


def to_disk(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk, so that a power cut cannot take them.

    Raises
    ------
    OSError
        The disk is full or broken. That there is nothing to bring, or that the system opens no folders, is none.
    """
    try:
        handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    except (FileNotFoundError, PermissionError):
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def output_error(path: Path, error: Exception) -> OutputError:
    """Say what the system refused and what to do about it."""
    reason = getattr(error, "strerror", None) or str(error)
    full = getattr(error, "errno", None) in _FULL
    advice = "Free some space or choose another disk." if full else "Choose another place."
    return OutputError(f"{path!s:.200} cannot be written: {reason}. {advice}")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
