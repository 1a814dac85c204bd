"""Checkpoints: tensors, numbers and strings in torch's format, without pickled objects."""

from __future__ import annotations

import io
import pickle  # nosec B403  (its errors alone)
import zipfile
from pathlib import Path
from typing import Any

import torch

from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.files import write_atomically


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
