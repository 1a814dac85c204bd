"""The files of a run: their names, and how they are written so that a crash never leaves half of one."""

from __future__ import annotations

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


def is_free(folder: Path) -> bool:
    """Whether a directory holds nothing but what a start that was cut short has left behind.

    Raises
    ------
    OSError
        The directory cannot be read.
    """
    return all(entry.suffix == ".part" or entry.name == IMAGES for entry in folder.iterdir())


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
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
