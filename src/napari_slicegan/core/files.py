"""The files of a run: their names, and how they are written so that a crash never leaves half of one."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import torch

from napari_slicegan.core.errors import ModelError, OutputError

CONFIG = "config.json"
LOG = "log.jsonl"
CHECKPOINT = "checkpoint.pt"
MODEL = "model.safetensors"
PREVIEWS = "previews"


def write_atomically(path: Path, write: Callable[[BinaryIO], Any]) -> None:
    """Write a file under another name, bring it to the disk, and rename it at the very end.

    Raises
    ------
    OutputError
        The file cannot be written; what stood at the path is still there.
    """
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write tensors, numbers and strings as a checkpoint."""
    memory = io.BytesIO()  # torch hides the reason of a failed write; memory does not fail
    torch.save(state, memory)
    write_atomically(path, lambda file: file.write(memory.getbuffer()))


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint to the CPU: tensors, numbers and strings only; pickled objects are refused.

    Raises
    ------
    ModelError
        The file is missing, damaged, or not a checkpoint.
    """
    try:
        if not zipfile.is_zipfile(path):  # older formats are bare pickles
            raise ValueError("not in torch's zip format")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (
        OSError,
        RuntimeError,
        ValueError,
        EOFError,
        KeyError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
    ) as error:
        raise ModelError(f"{path} is not a checkpoint of napari-slicegan, or it is damaged.") from error
    if not isinstance(state, dict):
        raise ModelError(f"{path} is not a checkpoint of napari-slicegan.")
    return state
