"""Whether a volume can be written to a place, and what stands there of one that is not complete."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.files import output_error
from napari_slicegan.core.output.formats import Format, format_of
from napari_slicegan.core.output.sinks.base import VolumeDescription
from napari_slicegan.core.words import size_in_words
from napari_slicegan.core.writing import check_writable


def part_of(path: str | os.PathLike[str]) -> Path:
    """Where the data of an unfinished volume is."""
    return Path(f"{os.fspath(path)}.part")


def journal_of(path: str | os.PathLike[str]) -> Path:
    """Where it is written down what of an unfinished volume is done."""
    return Path(f"{os.fspath(path)}.part.journal")


def remove_part(path: str | os.PathLike[str]) -> None:
    """Remove the data of an unfinished volume, if there is any."""
    part = part_of(path)
    if part.is_dir():
        shutil.rmtree(part)
    else:
        part.unlink(missing_ok=True)


def remove_unfinished(path: str | os.PathLike[str]) -> None:
    """Remove what there is of an unfinished volume."""
    remove_part(path)
    journal_of(path).unlink(missing_ok=True)


def left_over(path: Path) -> OutputError:
    """Say that something unfinished stands where a volume is to be written."""
    part, kind = part_of(path), format_of(path)
    if kind.resumable:
        return OutputError(f"{part} is an unfinished volume: resume it (--resume), or remove it and its journal.")
    return OutputError(f"{part} is left of a volume that was broken off and cannot be resumed: remove it.")


def check_output(
    path: str | os.PathLike[str],
    description: VolumeDescription | None = None,
    *,
    resume: bool = False,
    besides: int = 0,
) -> int:
    """Find out before long work whether a volume can be written.

    Parameters
    ----------
    path : str or path
        The file or store to be.
    description : VolumeDescription, optional
        What is to be written; without it the room on the disk is not looked at.
    resume : bool
        Whether an unfinished volume of this name is to be gone on with.
    besides : int
        Bytes on the disk that others will have taken by then.

    Returns
    -------
    int
        Bytes on the disk that the volume takes yet, or at least those that it cannot do without.

    Raises
    ------
    OutputError
        The name is taken or has an unknown ending, its folder is missing or cannot be written to, an unfinished volume
        stands there, or the disk is too small.
    """
    path, kind = Path(path), format_of(path)
    try:
        _check_free(path, kind, resume)
        check_writable(path)
        return _check_room(part_of(path), description, kind, besides) if description else 0
    except (OSError, ValueError) as error:
        raise output_error(path, error) from error


def _check_free(path: Path, kind: Format, resume: bool) -> None:
    companion = kind.companion_of(path)
    for taken in (path, companion):
        if taken and taken.exists() and not (resume and taken is companion and part_of(path).exists()):
            raise OutputError(f"{taken} exists: choose another name, or remove it first.")
    part = part_of(path)
    if part.is_symlink():
        raise OutputError(f"{part} is a link to elsewhere: remove it.")
    if part.exists() and not (resume and kind.resumable):
        raise left_over(path)
    if part.exists() and not journal_of(path).exists():
        raise OutputError(f"{part} has no journal beside it and cannot be resumed: remove it.")


def _check_room(part: Path, description: VolumeDescription, kind: Format, besides: int) -> int:
    needed, free = kind.smallest(description.nbytes, bool(description.phases)), shutil.disk_usage(part.parent).free
    if part.exists():  # nobody knows how much of what is compressed is still to come
        needed = 0 if kind.compressed else needed - _taken(part)
    if needed + besides > free:
        least = "at least " if kind.compressed else ""
        raise OutputError(
            f"A volume of {description.shape[:3]} voxels needs {least}{size_in_words(needed)} on the disk, where "
            f"{size_in_words(max(0, free - besides))} are left for it: choose a smaller volume or another disk."
        )
    return max(0, needed)


def _taken(part: Path) -> int:
    """Bytes that a file takes on the disk, which are fewer than its length where it has holes."""
    status = part.stat()
    blocks = getattr(status, "st_blocks", None)
    return status.st_size if blocks is None else int(blocks) * 512
