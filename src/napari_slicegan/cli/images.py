"""Training data from files and the options that go with them."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from napari_slicegan.core.calibration import standard_size
from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import ConfigError, DataError
from napari_slicegan.core.io import ImageFile, read_image
from napari_slicegan.core.shrinking import shrunk

Size = tuple[float, str]
_NANOMETRES = {"nm": 1.0, "um": 1e3, "mm": 1e6, "m": 1e9}


def stated_size(args: argparse.Namespace) -> Size | None:
    """The pixel size that was asked for.

    Raises
    ------
    ConfigError
        The size came without its unit, or the unit without a size.
    """
    if (args.pixel_size is None) != (args.unit is None):
        raise ConfigError("Give --pixel-size and --unit together, or neither.")
    return None if args.unit is None else (args.pixel_size, args.unit)


def read_files(paths: Sequence[str], crop: Sequence[int] | None = None) -> list[ImageFile]:
    """Read one, two or three images, or one stack.

    Parameters
    ----------
    paths : sequence of str
        The files.
    crop : sequence of int, optional
        Part of every image: first row, first column, and the row and column behind the last.

    Returns
    -------
    list of ImageFile
        With the values as they are in the files, of that part.

    Raises
    ------
    DataError
        A file cannot be read, or the part does not lie in it.
    """
    files = [read_grey_or_colour(path) for path in paths]
    return [_cropped(file, crop) for file in files] if crop else files


def read_training_data(
    paths: Sequence[str],
    kind: str = "auto",
    axis: str = "z",
    crop: Sequence[int] | None = None,
    size: Size | None = None,
    shrink: int = 1,
) -> TrainingData:
    """Read one, two or three images, or one stack, to train on: `training_data_of` the files of `read_files`."""
    return training_data_of(read_files(paths, crop), kind, axis, size, shrink)


def training_data_of(
    files: Sequence[ImageFile], kind: str = "auto", axis: str = "z", size: Size | None = None, shrink: int = 1
) -> TrainingData:
    """Make training data of images that were read.

    Parameters
    ----------
    files : sequence of ImageFile
        One, two or three images, or one stack.
    kind : str
        "auto" or the name of an `OutputKind`.
    axis : str
        Special axis of two images.
    size : tuple of float and str, optional
        Pixel size and unit instead of those of the files.
    shrink : int
        So many pixels along an edge become one, see `shrunk`.

    Returns
    -------
    TrainingData
        The images with their pixel size.

    Raises
    ------
    DataError
        A file cannot be trained on, or the files do not fit together.
    """
    for file in files:
        if kind == OutputKind.PHASES and file.axes.endswith("S"):
            raise DataError(
                f"{file.name} is in colour: give an image with one number for each phase, or train on it as colour."
            )
    pixel_size, unit = standard_size(*size) if size else _common_size(files)
    data = TrainingData.from_images(
        *(file.array for file in files),
        kind=kind if kind == "auto" else OutputKind(kind),
        pixel_size=pixel_size,
        unit=unit,
        axis=axis,
        names=tuple(file.name for file in files),
    )
    return shrunk(data, shrink)


def read_grey_or_colour(path: str) -> ImageFile:
    """Read an image; one that is stored in colour without showing any becomes grey or phases."""
    file = read_image(path)
    if not file.axes.endswith("S"):
        return file
    first, *others = np.moveaxis(file.array, -1, 0)
    if all(np.array_equal(first, other) for other in others):
        return replace(file, array=first.copy(), axes=file.axes[:-1])
    return file


def _cropped(file: ImageFile, crop: Sequence[int]) -> ImageFile:
    top, left, bottom, right = crop
    first = file.axes.index("Y")
    height, width = file.array.shape[first : first + 2]
    if not (0 <= top < bottom <= height and 0 <= left < right <= width):
        raise DataError(
            f"The crop {top} {left} {bottom} {right} does not lie in {file.name}: give Y0 X0 Y1 X1 "
            f"with 0 <= Y0 < Y1 <= {height} and 0 <= X0 < X1 <= {width}."
        )
    rows, columns = slice(top, bottom), slice(left, right)
    return replace(file, array=file.array[(slice(None),) * first + (rows, columns)].copy())


def _common_size(files: Sequence[ImageFile]) -> Size:
    """The one pixel size of all files that know theirs; 1 pixel when none does."""
    known = [
        (file.name, (file.pixel_size, file.unit))
        for file in files
        if file.pixel_size is not None and file.unit is not None and file.unit != "pixel"
    ]
    for name, (size, unit) in known[1:]:
        first_name, (first_size, first_unit) = known[0]
        ratio = size * _NANOMETRES[unit] / (first_size * _NANOMETRES[first_unit])
        if not math.isclose(ratio, 1, rel_tol=1e-3):
            raise DataError(
                f"The images have different pixel sizes: {first_name} {first_size:.6g} "
                f"{first_unit}, {name} {size:.6g} {unit}. Resample them to one size, or state it "
                "with --pixel-size and --unit."
            )
    return known[0][1] if known else (1.0, "pixel")
