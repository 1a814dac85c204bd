"""A run from its directory: what is read in a thread of its own, without torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError, ModelError, SliceGANError
from napari_slicegan.core.files import CONFIG, IMAGES
from napari_slicegan.core.model_header import read_info
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.core.runs import Follower, RunSummary, list_runs, previews, read_preview
from napari_slicegan.core.runs.status import read_text
from napari_slicegan.core.stored_images import read_images
from napari_slicegan.plugin.micrograph import middle_of
from napari_slicegan.plugin.work.run_view import RunView

_DAMAGED = (SliceGANError, OSError, ValueError, TypeError, KeyError, RecursionError)
#: Bytes that previews over time may take in memory.
MOST_BYTES = 2**28


@dataclass(frozen=True)
class Listing:
    """What there is in a folder.

    Attributes
    ----------
    folder : Path
        The folder.
    runs : sequence of RunSummary
        The newest first.
    with_images : set of Path
        Those of the runs that hold their training images.
    """

    folder: Path
    runs: Sequence[RunSummary]
    with_images: frozenset[Path]


@dataclass(frozen=True)
class LoadedRun:
    """What a run has written so far.

    Attributes
    ----------
    view : RunView
        What there is to see.
    follower : Follower
        Tells what comes next.
    info : ModelInfo or None
        Of its model, or of the one that it will be.
    """

    view: RunView
    follower: Follower
    info: ModelInfo | None


@dataclass(frozen=True)
class Previews:
    """Preview volumes of a run.

    Attributes
    ----------
    volumes : array (N, Z, Y, X) or (N, Z, Y, X, 3)
        The oldest first.
    iterations : tuple of int
        Of each.
    info : ModelInfo
        Of the run's model.
    left_out : int
        How many were left out since they would take too much memory.
    """

    volumes: npt.NDArray[Any]
    iterations: tuple[int, ...]
    info: ModelInfo
    left_out: int


def list_folder(folder: Path) -> Listing:
    """List the runs in a folder; empty where it cannot be read."""
    runs = list_runs(folder)
    return Listing(folder, runs, frozenset(run.path for run in runs if (run.path / IMAGES).is_file()))


def load_run(path: Path) -> LoadedRun:
    """Read a run to look at it."""
    follower = Follower(path)  # first: what is written meanwhile is told twice rather than never
    view, data = RunView.from_disk(path), _stored_images(path)
    if data is not None and view.preview is not None:
        view.micrograph = middle_of(data, view.preview.shape[0])
    return LoadedRun(view, follower, _info(path, data))


def _info(path: Path, data: TrainingData | None) -> ModelInfo | None:
    """What the run's model is, or is to be; None where nothing says so."""
    with suppress(ModelError):
        return read_info(path)
    with suppress(*_DAMAGED):
        return None if data is None else ModelInfo.of(data, NetworkConfig(**_config(path)["network"]))
    return None


def _stored_images(path: Path) -> TrainingData | None:
    """The training images in a run's directory; None where there are none, as in older runs."""
    with suppress(*_DAMAGED):
        config = _config(path)
        return read_images(path, config["facts"], config["fingerprint"])
    return None


def _config(path: Path) -> Any:
    return json.loads(read_text(path / CONFIG))


def load_previews(path: Path, *, all_of_them: bool) -> Previews:
    """Read the newest preview, or those of all times as far as memory allows.

    Raises
    ------
    DataError
        There are none, or there is no model that says what they are.
    """
    files, info = previews(path), _info(path, _stored_images(path))
    if not files or info is None:
        raise DataError(f"{path.name} has no previews, or no model that says what they are.")
    newest = read_preview(files[-1])
    chosen = files[-1:]
    if all_of_them:
        room = max(1, MOST_BYTES // newest.volume.nbytes)
        chosen = _spread(files, room)
    read = [newest if file == files[-1] else read_preview(file) for file in chosen]
    read = [each for each in read if each.volume.shape == newest.volume.shape]
    volumes = np.stack([each.volume for each in read])
    left_out = len(files) - len(read) if all_of_them else 0
    return Previews(volumes, tuple(each.iteration for each in read), info, left_out)


def _spread(files: Sequence[Path], most: int) -> list[Path]:
    """At most so many of the files, evenly chosen, with the last."""
    if len(files) <= most:
        return list(files)
    places = np.linspace(len(files) - 1, 0, most, endpoint=most > 1).round().astype(int)
    return [files[place] for place in sorted(set(places.tolist()))]
