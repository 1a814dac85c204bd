"""Renaming and deleting runs, without touching one that is being trained or anything that no run makes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from napari_slicegan.core.errors import ModelError, OutputError, TrainingError
from napari_slicegan.core.files import CHECKPOINT, CONFIG, IMAGES, LOCK, LOG, MODEL, PREVIEWS, REQUEST, STATUS
from napari_slicegan.core.runs.lock import RunLock
from napari_slicegan.core.runs.summary import is_run, summary_of

_FILES = (CHECKPOINT, MODEL, IMAGES, LOG, REQUEST, STATUS, CONFIG)  # last what makes it a run
_LONGEST_NAME = 200  # bytes: systems take 255, and files of other names are made beside it
_NOT_IN_NAMES = frozenset('<>:"/\\|?*')
_DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))}


def rename_run(path: str | Path, name: str) -> Path:
    """Give a run's directory another name, and its new path back.

    Raises
    ------
    OutputError
        The name cannot be one of a directory, or is taken.
    SliceGANError
        There is no run, or it is being trained.
    """
    path, name = _checked(path), name.strip()
    if name == path.name:
        return path
    printable = name.isprintable() and not _NOT_IN_NAMES & set(name)
    if not printable or name.startswith(".") or name.endswith(".") or not 0 < len(os.fsencode(name)) <= _LONGEST_NAME:
        raise OutputError(f"{name!r:.120} cannot be the name of a run: use letters, digits, spaces, - and _.")
    if name.split(".")[0].lower() in _DEVICES:
        raise OutputError(f"{name!r} is a device on some systems: choose another name.")
    target = path.with_name(name)
    try:
        if target.exists() or target.is_symlink():
            raise OutputError(f"There is something called {name} already: choose another name.")
        return path.rename(target)
    except OSError as error:
        raise OutputError(f"{path} cannot be renamed: {error.strerror or error}.") from error


def delete_run(path: str | Path) -> list[str]:
    """Delete what a run has made, and its directory if that is then empty.

    Returns
    -------
    list of str
        Names of what else lies in the directory, and stays there.

    Raises
    ------
    SliceGANError
        There is no run, it is being trained, or it cannot be deleted.
    """
    path = _checked(path)
    if path.is_symlink():
        raise OutputError(f"{path} is a link to a run elsewhere: delete the run at {path.resolve()}.")
    try:
        with RunLock(path):
            for file in _made_by(path):
                file.unlink(missing_ok=True)
        (path / LOCK).unlink(missing_ok=True)
        with suppress(OSError):  # something else is in it
            path.rmdir()
        return sorted(entry.name for entry in path.iterdir()) if path.exists() else []
    except OSError as error:
        raise OutputError(f"{path} cannot be deleted: {error.strerror or error}. Some of it may be gone.") from error


def _made_by(path: Path) -> Iterator[Path]:
    """The files of a run; its emptied folder of previews is removed on the way."""
    folder = path / PREVIEWS
    if folder.is_dir() and not folder.is_symlink():
        yield from [file for file in folder.iterdir() if _is_preview(file)]
        with suppress(OSError):
            folder.rmdir()
    for name in _FILES:
        yield from unfinished(path, name)
        if not (path / name).is_dir():
            yield path / name


def unfinished(path: Path, name: str) -> list[Path]:
    """What was being written into a run's directory under this name when the process died."""
    return [*path.glob(f"{name}.part"), *path.glob(f"{name}.*.part")]


def _is_preview(file: Path) -> bool:
    stem, dot, ending = file.name.partition(".")
    return stem.isdecimal() and bool(dot) and ending in ("tif", "tif.part")


def _checked(path: str | Path) -> Path:
    """The path of a run that nobody trains."""
    path = Path(path)
    if not is_run(path):
        raise ModelError(f"There is no run at {path}.")
    summary = summary_of(path)
    if summary.is_live:
        raise TrainingError(f"{summary.name} is being trained: stop it first.")
    return path
