"""The settings of a run as they stand in its directory; written once, and read without torch."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import ModelError, OutputError, SliceGANError, brief
from napari_slicegan.core.files import CONFIG, IMAGES, is_free, is_own_file, read_small, write_atomically
from napari_slicegan.core.runs.lock import RunLock
from napari_slicegan.core.stored_images import store_images

_FORMAT = 1
_LARGEST = 2**20  # bytes
_WRONG = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


def write_config(path: Path, data: TrainingData, fields: dict[str, Any]) -> None:
    """Make the directory of a new run: its images first, since the settings are what makes it a run.

    Parameters
    ----------
    path : Path
        The directory, new or empty.
    data : TrainingData
        The images, which are not stored when they take more than 512 MiB.
    fields : dict
        The settings, as JSON has them.

    Raises
    ------
    OutputError
        Something is there already, or the directory cannot be made.
    TrainingError
        Another process is making a run there.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not is_free(path):
            raise _taken(path)
    except OSError as error:
        raise OutputError(f"The directory {path} cannot be made: {error.strerror or error}.") from error
    with RunLock(path):  # another process may have had the same thought
        if not is_free(path):
            raise _taken(path)
        _write(path, data, fields)


def _taken(path: Path) -> OutputError:
    return OutputError(f"{path} exists already: resume the run, or choose another directory.")


def _write(path: Path, data: TrainingData, fields: dict[str, Any]) -> None:
    text = json.dumps({"format": _FORMAT, **fields}, indent=2)
    try:
        store_images(path, data)
        write_atomically(path / CONFIG, lambda file: file.write(text.encode()))
    except BaseException:
        with suppress(OSError):
            (path / IMAGES).unlink(missing_ok=True)
        raise


def read_config(path: Path) -> dict[str, Any]:
    """Read the settings of a run: `network`, `training`, `images` and what else was written.

    Raises
    ------
    ModelError
        The directory holds no run, or one that cannot be read.
    """
    if not is_own_file(path / CONFIG):
        raise ModelError(f"There is no run at {path}: give the directory that a training was written to.")
    try:
        fields: dict[str, Any] = json.loads(read_small(path / CONFIG, _LARGEST))
        if int(fields.pop("format")) > _FORMAT:
            raise ModelError("it comes from a newer napari-slicegan; install that version.")
        made: dict[str, Any] = {
            "network": NetworkConfig(**fields.pop("network")),
            "training": TrainingConfig(**fields.pop("training")),
            "images": tuple(fields.pop("images")),
        }
        _check_words(fields, made["images"])
        return fields | made
    except SliceGANError as error:
        raise ModelError(f"The run {path} cannot be read: {error}") from error
    except (OSError, *_WRONG) as error:
        raise damaged(path, error) from error


def _check_words(fields: dict[str, Any], images: tuple[Any, ...]) -> None:
    """Refuse what is no text where one belongs."""
    words = [fields["preset"], fields["fingerprint"], fields.get("started_from", ""), *images]
    if not all(isinstance(word, str) for word in words) or not isinstance(fields.get("facts", {}), dict):
        raise ValueError("something else stands where names and facts belong")


def damaged(path: Path, error: Exception) -> ModelError:
    """What to say of settings that cannot be read."""
    return ModelError(f"The run {path} cannot be read: its {CONFIG} is damaged ({brief(error)}).")
