"""Volumes and images into TIFF files that ImageJ, napari and others open with their voxel size."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_slicegan.core.calibration import standard_size
from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.files import output_error
from napari_slicegan.core.output.tiff_options import storable_type, tiff_options

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

TIFF_SUFFIXES = (".tif", ".tiff")
"""Endings of the names of the files that are written."""


def check_writable(path: str | os.PathLike[str], overwrite: bool = False, suffixes: tuple[str, ...] = ()) -> None:
    """Find out before long work whether a file can be written.

    Parameters
    ----------
    path : str or path
        The file to be.
    overwrite : bool
        Whether a file of this name may be replaced.
    suffixes : tuple of str
        Endings that the name may have; any when empty.

    Raises
    ------
    OutputError
        The name is taken or has another ending, or its folder is missing or cannot be written to.
    """
    path = Path(path)
    if suffixes and path.suffix.lower() not in suffixes:
        raise OutputError(f"{path} must end in {' or '.join(suffixes)}.")
    try:
        if path.is_dir():
            raise OutputError(f"{path} is a folder: give the name of a file.")
        if path.exists() and not overwrite:
            raise OutputError(f"{path} exists: choose another name, or remove it first.")
        if not path.parent.is_dir():
            raise OutputError(f"There is no folder {path.parent}: make it first.")
        _try_to_write(_part(path))
    except (OSError, ValueError) as error:
        raise output_error(path, error) from error


def write_volume(
    path: str | os.PathLike[str],
    volume: np.ndarray,
    voxel_size: float | None = None,
    unit: str | None = None,
    overwrite: bool = False,
    labels: bool = False,
) -> None:
    """Write a volume as TIFF, whole or not at all.

    Parameters
    ----------
    path : str or path
        File ending in .tif or .tiff. It appears when it is complete: until then the data is in a
        file of the same name with ".part" behind it.
    volume : ndarray
        (Z, Y, X) or, in colour, (Z, Y, X, 3). Of uint8, uint16 and float32 up to 4 GB an ImageJ
        TIFF is made, of everything else OME-TIFF (BigTIFF above 4 GB); bool is written as uint8,
        float16 as float32, and 64-bit integers in 32 bits.
    voxel_size : float, optional
        Edge of a voxel in `unit`; unknown when left out.
    unit : str, optional
        Unit of `voxel_size`; "pixel" when left out.
    overwrite : bool
        Whether a file of this name may be replaced.
    labels : bool
        The values are phase labels: ImageJ then shows them from black to white.

    Raises
    ------
    OutputError
        The file exists, or it cannot be written: no folder, no permission, a full disk; or 64-bit
        values that do not fit into 32 bits.
    DataError
        The unit is not known, or the size is not a positive number.
    """
    if volume.ndim not in (3, 4) or volume.shape[3:] not in ((), (3,)):
        raise ValueError(f"a volume is (Z, Y, X) or (Z, Y, X, 3), not {volume.shape}")
    _write(Path(path), volume, "ZYXS"[: volume.ndim], voxel_size, unit, overwrite, labels)


def write_image(
    path: str | os.PathLike[str],
    image: np.ndarray,
    pixel_size: float | None = None,
    unit: str | None = None,
    overwrite: bool = False,
    labels: bool = False,
) -> None:
    """Write an image as TIFF, whole or not at all.

    Parameters
    ----------
    path : str or path
        File ending in .tif or .tiff.
    image : ndarray
        (Y, X) or, in colour, (Y, X, 3).
    pixel_size : float, optional
        Edge of a pixel in `unit`; unknown when left out.
    unit : str, optional
        Unit of `pixel_size`; "pixel" when left out.
    overwrite : bool
        Whether a file of this name may be replaced.
    labels : bool
        The values are phase labels: ImageJ then shows them from black to white.

    Raises
    ------
    OutputError
        As in `write_volume`.
    DataError
        As in `write_volume`.
    """
    if image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)):
        raise ValueError(f"an image is (Y, X) or (Y, X, 3), not {image.shape}")
    _write(Path(path), image, "YXS"[: image.ndim], pixel_size, unit, overwrite, labels)


def _write(
    path: Path,
    array: np.ndarray,
    axes: str,
    size: float | None,
    unit: str | None,
    overwrite: bool,
    labels: bool,
) -> None:
    import tifffile

    check_writable(path, overwrite, TIFF_SUFFIXES)
    array = array.astype(_storable(array, path), copy=False)
    spacing = None
    if size is not None:
        size, unit = standard_size(size, unit or "pixel")
        spacing = (size,) * 3, unit
    shown = (int(array.min()), int(array.max())) if labels else None
    options = tiff_options(axes, array.dtype, array.nbytes, spacing, shown)

    def write(part: Path) -> None:
        tifffile.imwrite(part, array, compression="zlib", **options)

    _replace(path, write)


def _storable(array: np.ndarray, path: Path) -> np.dtype[Any]:
    whole = array.dtype.kind in "iu"
    return storable_type(array.dtype, array.min() if whole else 0, array.max() if whole else 0, path.name)


def _replace(path: Path, write: Callable[[Path], None]) -> None:
    """Write beside the file and then put it in place, so that no one sees half of it."""
    part = _part(path)
    try:
        write(part)
        part.replace(path)
    except (OSError, ValueError) as error:
        raise output_error(path, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _try_to_write(part: Path) -> None:
    """Make a file and remove it, but leave alone what is there."""
    try:
        part.touch(exist_ok=False)
    except FileExistsError:
        return
    part.unlink()
