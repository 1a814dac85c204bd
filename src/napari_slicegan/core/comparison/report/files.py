"""A report on the disk: three files in a directory of their own, all of them or none."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from napari_slicegan.core.comparison.report.numbers import as_csv, as_json
from napari_slicegan.core.comparison.report.page import as_html
from napari_slicegan.core.comparison.result import Comparison
from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.files import output_error

PAGE, TABLE, NUMBERS = "report.html", "table.csv", "numbers.json"


def check_report(directory: str | os.PathLike[str]) -> Path:
    """Find out before long work whether a report can be written to a place.

    Parameters
    ----------
    directory : str or path
        Where the report is to be.

    Returns
    -------
    Path
        The place.

    Raises
    ------
    OutputError
        There is something already, or the folder around it is missing or cannot be written to.
    """
    place = Path(directory)
    try:
        if place.exists() and not (place.is_dir() and not any(place.iterdir())):
            raise OutputError(f"{place} exists already: choose another place for the report, or remove it first.")
        if not place.absolute().parent.is_dir():
            raise OutputError(f"There is no folder {place.absolute().parent}: make it first.")
        _clear(_part(place))
        _part(place).mkdir()
        _part(place).rmdir()
    except (OSError, ValueError) as error:
        raise output_error(place, error) from error
    return place


def write_report(comparison: Comparison, directory: str | os.PathLike[str]) -> Path:
    """Write a comparison as a page, a table and numbers.

    Parameters
    ----------
    comparison : Comparison
        What was found.
    directory : str or path
        New directory, or an empty one. It appears when all files in it are complete: until then they are in one of the
        same name with ".part" behind it.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    OutputError
        The place is taken, or it cannot be written to.
    """
    place = check_report(directory)
    texts = {
        PAGE: as_html(comparison),
        TABLE: as_csv(comparison),
        NUMBERS: json.dumps(as_json(comparison), indent=1, allow_nan=False, ensure_ascii=False) + "\n",
    }
    part = _part(place)
    try:
        part.mkdir()
        for name, text in texts.items():
            _write(part / name, text)
        if place.exists():
            place.rmdir()  # it is empty
        part.replace(place)
    except OSError as error:
        raise output_error(place, error) from error
    finally:
        _clear(part)
    return place / PAGE


def _part(place: Path) -> Path:
    return Path(f"{place.absolute()}.part")


def _clear(part: Path) -> None:
    """Remove what is left of a report that was broken off, and nothing else."""
    if part.is_dir() and {entry.name for entry in part.iterdir()} <= {PAGE, TABLE, NUMBERS}:
        shutil.rmtree(part)


def _write(path: Path, text: str) -> None:
    """Bring a text to the disk before the directory gets its name."""
    with path.open("x", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
