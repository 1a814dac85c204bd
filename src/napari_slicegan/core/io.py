"""Images from files and volumes to files, with their pixel size.

Reading: TIFF (plain, stacks, OME, ImageJ), PNG, JPEG and NPY, told apart by their first bytes.
Nothing a file claims is believed before its length is checked, and nothing in it is executed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_slicegan.core.calibration import Spacing, pixel_size
from napari_slicegan.core.errors import DataError, brief
from napari_slicegan.core.writing import check_writable, write_image, write_volume

if TYPE_CHECKING:
    import os

__all__ = ["ImageFile", "check_writable", "read_image", "told", "write_image", "write_volume"]

_SIGNATURES = {
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"\x93NUMPY": "NPY",
}
_AXIS_NAMES = {"C": "channels", "T": "times", "S": "colour samples", "Z": "slices"}
_WIDEST_NUMBER = 8  # bytes


@dataclass(frozen=True)
class ImageFile:
    """What a file holds.

    Attributes
    ----------
    array : ndarray
        Values as stored: bool, integers or floating-point numbers in the machine's byte order.
        Colour has its three channels last.
    axes : str
        "YX", "YXS", "ZYX" or "ZYXS": stack Z, rows Y, columns X, colour samples S.
    pixel_size : float or None
        Size of a pixel, or edge of a voxel, in `unit`; None when the file does not tell.
    unit : str or None
        "nm", "um", "mm", "m" or "pixel"; None when the file does not tell.
    name : str
        File name.
    """

    array: np.ndarray
    axes: str
    pixel_size: float | None
    unit: str | None
    name: str


def read_image(path: str | os.PathLike[str]) -> ImageFile:
    """Read an image or a stack.

    Parameters
    ----------
    path : str or path
        TIFF, PNG, JPEG or NPY file. Of a TIFF file with several series the first is read.
        Alpha channels are left out; axes of length one are dropped.

    Returns
    -------
    ImageFile
        The values with their axes and pixel size. The size comes from OME, ImageJ or microscope
        metadata, or from TIFF's resolution tags; a size in inches or centimetres is only
        believed when finer than 5 micrometres, since photo software writes others into every
        file. PNG, JPEG and NPY tell no size.

    Raises
    ------
    DataError
        No such file; empty, damaged or of another format; numbers that cannot be used; axes
        beyond a stack of colour images; pixels that are not square or voxels that are no cubes.
    """
    path = Path(path)
    file_bytes = _length(path)
    file_format = _recognise(path)
    with told(path, file_format):
        array, axes, spacing = _decode(path, file_format, file_bytes)
    _check_numbers(array, path.name)
    array, axes = _arrange(array, axes, path.name)
    size, unit = pixel_size(spacing, path.name)
    return ImageFile(array, axes, size, unit, path.name)


@contextmanager
def told(path: Path, file_format: str) -> Iterator[None]:
    """Say in a sentence what is wrong with an image file that the block decodes.

    Raises
    ------
    DataError
        The block raised an error.
    """
    try:
        yield
    except DataError:
        raise
    except MemoryError as error:
        raise DataError(f"{path.name} does not fit into memory: crop it first.") from error
    except Exception as error:  # decoders raise anything at all on damaged files
        raise DataError(
            f"{path.name} cannot be read as {file_format}: it is damaged, cut short or stored in "
            f"an unusual way ({brief(error)}). Save it again, as TIFF without compression."
        ) from error


def _length(path: Path) -> int:
    """Length of a file that exists and can be read."""
    try:
        if path.is_dir():
            raise DataError(f"{path} is a folder: name an image file in it.")
        if not path.exists():
            raise DataError(f"There is no file {path}.")
        if not path.is_file():
            raise DataError(f"{path} is not an ordinary file: name an image file.")
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        raise DataError(f"{path!s:.200} cannot be opened: {brief(error)}.") from error
    if size == 0:
        raise DataError(f"{path} is empty: copy or save it again.")
    return size


def _recognise(path: Path) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise DataError(f"{path} cannot be opened: {brief(error)}.") from error
    for signature, file_format in _SIGNATURES.items():
        if start.startswith(signature):
            return file_format
    raise DataError(
        f"{path.name} is not a TIFF, PNG, JPEG or NPY file, whatever its name says: it starts "
        f"with {start!r}. Export the image in one of these formats."
    )


def _decode(path: Path, file_format: str, file_bytes: int) -> tuple[np.ndarray, str, Spacing]:
    from napari_slicegan.core import raster, tiff

    if file_format == "TIFF":
        return tiff.read_tiff(path, file_bytes)
    read = raster.read_npy if file_format == "NPY" else raster.read_picture
    array, axes = read(path, file_bytes)
    return array, axes, {}


def _check_numbers(array: np.ndarray, name: str) -> None:
    if array.dtype.kind not in "buif" or array.dtype.itemsize > _WIDEST_NUMBER:
        raise DataError(
            f"{name} holds {array.dtype} values: only integers and ordinary floating-point "
            "numbers can be used. Convert it first."
        )
    if array.size == 0:
        raise DataError(f"{name} has no pixels: its shape is {array.shape}.")


def _arrange(array: np.ndarray, axes: str, name: str) -> tuple[np.ndarray, str]:
    """Drop axes of length one, name the stack Z, and put the axes into the order Z, Y, X, S."""
    keep = [i for i, size in enumerate(array.shape) if size > 1 or axes[i] in "YX"]
    array = array.reshape([array.shape[i] for i in keep])
    axes = "".join(axes[i] for i in keep)
    stacks = [letter for letter in axes if letter not in "YXSCT"]
    if len(stacks) == 1:
        axes = axes.replace(stacks[0], "Z")
    order = [letter for letter in "ZYXS" if letter in axes]
    if sorted(order) != sorted(axes) or not {"Y", "X"} <= set(axes):
        raise DataError(
            f"{name} has the axes {_describe(array.shape, axes)}: an image (Y, X), a stack "
            "(Z, Y, X) or either of them in RGB is needed. Export one channel at one time."
        )
    array = array.transpose([axes.index(letter) for letter in order])
    if "S" in order:
        samples = array.shape[-1]
        if samples > 4:
            raise DataError(f"{name} has {samples} samples in each pixel: export it as RGB.")
        array = array[..., :3] if samples > 2 else array[..., 0]
    return _native(array), "".join(order)[: array.ndim]


def _describe(shape: tuple[int, ...], axes: str) -> str:
    named = (_AXIS_NAMES.get(letter, letter) for letter in axes)
    return ", ".join(f"{name} ({size})" for name, size in zip(named, shape, strict=True))


def _native(array: np.ndarray) -> np.ndarray:
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
