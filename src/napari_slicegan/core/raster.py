"""PNG, JPEG and NPY files, and how much a file of a given length may claim to hold."""

from __future__ import annotations

import io
import threading
import warnings
from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_slicegan.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL import Image

LARGEST_BYTES = 40_000_000_000
"""No picture above this is read: it would not fit beside a training run."""

LARGEST_EXPANSION = 10_000
"""Most bytes that one byte of a compressed file may become (a blank 1-bit PNG: 8,300)."""

_BAND_BYTES = 2**24
_LONGEST_HEADER = 2**16
_LIMIT = threading.Lock()  # the limit belongs to the whole process
_COPIED_MODES = {"1", "L", "I", "F", "RGB", "I;16", "I;16L", "I;16B"}


def check_claim(name: str, claimed: int, file_bytes: int, expansion: int) -> None:
    """Refuse a picture that its file cannot hold, before memory is asked for.

    Parameters
    ----------
    name : str
        The file's name, for the message.
    claimed : int
        Bytes that the decoded picture would take, from the header.
    file_bytes : int
        Length of the file.
    expansion : int
        Most bytes that one byte of the file can become.

    Raises
    ------
    DataError
        The header claims more than the file can hold, or more than `LARGEST_BYTES`.
    """
    if claimed > LARGEST_BYTES:
        raise DataError(
            f"{name} holds {_in_units(claimed, 1e9)} GB of pixels; at most {LARGEST_BYTES / 1e9:.0f} GB "
            "can be read. Crop it or save it with fewer bits."
        )
    check_held(name, claimed, file_bytes, expansion)


def check_held(name: str, claimed: int, file_bytes: int, expansion: int) -> None:
    """Refuse a picture, to be read in parts, that its file cannot hold; see `check_claim`.

    Raises
    ------
    DataError
        The header claims more than the file can hold.
    """
    if not 0 <= claimed <= expansion * file_bytes:
        raise DataError(
            f"{name} claims {_in_units(claimed, 1e6)} MB of pixels in a file of {file_bytes:,} bytes: "
            "it is damaged or cut short. Save or copy it again."
        )


def _in_units(claimed: int, unit: float) -> str:
    """A number of bytes as people read it; files may claim numbers that are too large to be divided."""
    return f"{min(claimed, 10**30) / unit:,.0f}"


def read_npy(path: Path, file_bytes: int) -> tuple[np.ndarray, str]:
    """Read a NPY file; Python objects in it are never loaded.

    Parameters
    ----------
    path : Path
        The file.
    file_bytes : int
        Its length.

    Returns
    -------
    tuple of ndarray and str
        The array as stored and its axes, guessed from the shape: (Y, X), (Z, Y, X), and colour
        when the last axis has 3 or 4 values and the others have more.

    Raises
    ------
    DataError
        The file holds Python objects.
    """
    shape, order, dtype, offset = npy_layout(path)
    count = prod(shape)
    check_claim(path.name, count * dtype.itemsize, file_bytes, 1)
    array = np.fromfile(path, dtype, count, offset=offset)
    return array.reshape(shape, order=order), guess_axes(shape)


def npy_layout(path: Path) -> tuple[tuple[int, ...], Literal["C", "F"], np.dtype[Any], int]:
    """What a NPY file holds, and where.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    tuple of tuple of int, str, dtype and int
        Shape, order ("C" or "F"), type, and bytes before the first value.

    Raises
    ------
    DataError
        The file holds Python objects, or its header cannot be understood.
    """
    with path.open("rb") as whole:
        file = io.BytesIO(whole.read(_LONGEST_HEADER))  # of which no more can be read, whatever it claims
        try:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0
            if version != (1, 0):
                read = np.lib.format.read_array_header_2_0
            shape, is_fortran, dtype = read(file)
        except Exception as error:  # the header is Python's text, of which even the depth may be too much
            raise DataError(f"{path.name} is damaged: its header cannot be read. Save it again.") from error
    offset = file.tell()
    if dtype.hasobject:
        raise DataError(f"{path.name} holds Python objects, not numbers: they are never loaded.")
    if not all(size >= 0 for size in shape) or not dtype.itemsize:
        raise DataError(f"{path.name} is damaged: it says that its shape is {str(shape)[:100]}.")
    return shape, "F" if is_fortran else "C", dtype, offset


def guess_axes(shape: tuple[int, ...]) -> str:
    """Name the axes of an array of which only the shape is known.

    Parameters
    ----------
    shape : tuple of int
        The array's shape.

    Returns
    -------
    str
        One letter for each axis; "Q" for an axis without a meaning.
    """
    if len(shape) > 2 and shape[-1] == 1:
        return guess_axes(shape[:-1]) + "Q"
    is_colour = len(shape) > 2 and shape[-1] in (3, 4) and min(shape[-3:-1]) > 4
    return ("Q" * len(shape) + ("ZYXS" if is_colour else "ZYX"))[-len(shape) :]


def read_picture(path: Path, file_bytes: int) -> tuple[np.ndarray, str]:
    """Read a PNG or JPEG file.

    Parameters
    ----------
    path : Path
        The file.
    file_bytes : int
        Its length.

    Returns
    -------
    tuple of ndarray and str
        (Y, X) bool, uint8 or uint16, or (Y, X, 3) uint8 colour. An alpha channel is left out; a
        palette gives its colours, or grey levels when all of them are grey.

    Raises
    ------
    DataError
        The header claims more pixels than the file can hold.
    """
    from PIL import JpegImagePlugin, PngImagePlugin

    # Opened by class: Image.open refuses large micrographs, and its limit is one for the process.
    # What is damaged beside the pixels is no reason for a warning.
    with warnings.catch_warnings(action="ignore"), _Bounded(path, file_bytes) as file:
        is_png = file.read(1) == b"\x89"
        file.seek(0)
        opener = PngImagePlugin.PngImageFile if is_png else JpegImagePlugin.JpegImageFile
        with opener(file) as image:
            depth = 2 if image.mode.startswith("I") else 1  # bytes of a number
            claimed = image.width * image.height * len(image.getbands()) * depth
            check_claim(path.name, claimed, file_bytes, LARGEST_EXPANSION)
            array = picture_array(image)
    return array, "YXS" if array.ndim == 3 else "YX"


class _Bounded(io.FileIO):
    """A file of which no more is read than there is: Python takes all the memory that is asked for beforehand."""

    def __init__(self, path: Path, length: int) -> None:
        super().__init__(path)
        self._length = length

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to so many bytes."""
        left = max(0, self._length - self.tell())
        return super().read(left if size is None or size < 0 else min(size, left)) or b""


@contextmanager
def _any_number_of_pixels() -> Iterator[None]:
    """Lift Pillow's limit, which refuses large micrographs; the claim was checked before."""
    from PIL import Image

    with _LIMIT:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


@_any_number_of_pixels()
def picture_array(image: Image.Image) -> np.ndarray:
    """Copy an open Pillow image, band by band, since Pillow copies each piece several times.

    Parameters
    ----------
    image : PIL.Image.Image
        The image; its pixels may still be in the file.

    Returns
    -------
    ndarray
        (Y, X) of the image's own type, or (Y, X, 3) uint8.
    """
    mode = _copied_mode(image)
    rows = max(1, _BAND_BYTES // (4 * image.width))
    array: np.ndarray | None = None
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        band = image.crop((0, top, image.width, bottom))
        pixels = np.asarray(band if band.mode == mode else band.convert(mode))
        if array is None:
            array = np.empty((image.height, *pixels.shape[1:]), pixels.dtype)
        array[top:bottom] = pixels
    if array is None:
        raise DataError("The picture has no pixels.")
    return array


def _copied_mode(image: Image.Image) -> str:
    image.load()
    if image.mode in _COPIED_MODES:
        return image.mode
    if image.mode == "P":
        palette = np.array(image.getpalette("RGB")).reshape(-1, 3)
        return "L" if np.all(palette == palette[:, :1]) else "RGB"
    return "L" if image.mode == "LA" else "RGB"
