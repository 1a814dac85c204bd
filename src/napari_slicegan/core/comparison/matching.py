"""Bringing volumes and the truth to one kind, one set of phases, one voxel size and one shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.calibration import standard_size
from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.comparison.samples import SMALLEST, ModelVolumes, Volume
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.values import distinct_values, is_colour, phase_indices

Bytes = npt.NDArray[np.uint8]
Shape = tuple[int, int, int]

_NANOMETRES = {"nm": 1.0, "um": 1e3, "mm": 1e6, "m": 1e9}
_SAME = 1e-3  # relative: sizes of pixels are rounded when they are written


def to_bytes(volume: Volume, data: TrainingData) -> Bytes:
    """Turn a volume into what the sources of training data are.

    Parameters
    ----------
    volume : Volume
        In memory.
    data : TrainingData
        Whose kind, phases and levels count.

    Returns
    -------
    uint8 array (Z, Y, X) or (Z, Y, X, C)
        Indices of phases, or intensities of which 0 and 255 stand for the same as in the sources.

    Raises
    ------
    DataError
        The volume is of another kind, holds other labels, NaN or infinity.
    """
    voxels = np.asarray(volume.voxels)
    _check_kind(voxels, volume.name, data)
    if data.kind is OutputKind.PHASES:
        return phase_indices(voxels, data.phases)
    return np.asarray(voxels if voxels.ndim == 4 else voxels[..., None], np.uint8)[..., :3]


def check_kind(volume: Volume, data: TrainingData) -> None:
    """Refuse early, from a look at the middle plane, what `to_bytes` would refuse later.

    Raises
    ------
    DataError
        The volume is of another kind, holds other labels, NaN or infinity.
    """
    middle = volume.shape[0] // 2
    _check_kind(np.asarray(volume.voxels[middle : middle + 1]), volume.name, data)


def _check_kind(voxels: Any, name: str, data: TrainingData) -> None:
    if voxels.ndim not in (3, 4) or (voxels.ndim == 4 and not is_colour(voxels)):
        raise DataError(f"{name} has the shape {voxels.shape}: give a volume with the axes z, y, x.")
    if (voxels.ndim == 4) is not (data.kind is OutputKind.COLOUR):
        what = "in colour" if voxels.ndim == 4 else "not in colour"
        raise DataError(f"{name} is {what}, and the truth shows {_KINDS[data.kind]}: compare two of one kind.")
    if voxels.dtype.kind == "f" and not np.isfinite(voxels).all():
        raise DataError(f"{name} holds NaN or infinity: replace these values.")
    if data.kind is OutputKind.PHASES:
        _check_labels(voxels, name, data.phases)
    elif voxels.dtype != np.uint8:
        raise DataError(f"{name} holds {voxels.dtype} values: save it in 8 bits on the scale of the image.")


def _check_labels(voxels: Any, name: str, phases: Sequence[int]) -> None:
    if voxels.dtype.kind not in "bui":
        raise DataError(
            f"{name} holds {voxels.dtype} values, and the truth shows phases: segment it, or name the kind."
        )
    values = distinct_values(voxels, 2**10)
    if values is None or set(values) - set(phases):
        found = "more than 1024 different values" if values is None else f"the values {_listed(values)}"
        raise DataError(
            f"{name} holds {found}, but the phases of the truth are {_listed(phases)}: "
            "relabel one of them, or name the kind of the images."
        )


def check_size(volume: Volume) -> None:
    """Refuse a volume that is too small to tell anything.

    Raises
    ------
    DataError
        An edge is shorter than 16 voxels.
    """
    if min(volume.shape) < SMALLEST:
        size = " x ".join(map(str, volume.shape))
        raise DataError(f"{volume.name} has {size} voxels: a comparison needs at least {SMALLEST} along each axis.")


def cut(volume: Volume, shape: Sequence[int]) -> Volume:
    """The middle of a volume, of at most a shape; only that is read of a lazy one."""
    sizes = [min(have, most) for have, most in zip(volume.shape, shape, strict=True)]
    starts = [(have - size) // 2 for have, size in zip(volume.shape, sizes, strict=True)]
    part = tuple(slice(start, start + size) for start, size in zip(starts, sizes, strict=True))
    return replace(volume, voxels=np.asarray(volume.voxels[part]))


def pieces(voxels: Bytes, shape: Shape) -> list[Bytes]:
    """Cut a volume (Z, Y, X[, C]) into pieces of a shape that do not overlap, from the middle of it."""
    counts = [have // size for have, size in zip(voxels.shape[:3], shape, strict=True)]
    starts = [(have % size) // 2 for have, size in zip(voxels.shape[:3], shape, strict=True)]
    places = product(*map(range, counts))
    corners = [[start + i * size for start, i, size in zip(starts, place, shape, strict=True)] for place in places]
    return [voxels[tuple(slice(c, c + size) for c, size in zip(corner, shape, strict=True))] for corner in corners]


def ratio(data: TrainingData, volume: Volume | ModelVolumes) -> float:
    """How large the voxels of a volume are in pixels of the truth.

    Raises
    ------
    DataError
        One of both sizes is unknown.
    """
    size = relative_size((volume.voxel_size, volume.unit), (data.pixel_size, data.unit))
    if math.isnan(size):
        known, unknown = (f"{volume.voxel_size:g} {volume.unit}", "the truth")
        if volume.unit == "pixel":
            known, unknown = f"{data.pixel_size:g} {data.unit}", volume.name
        raise DataError(
            f"The size of the pixels is {known} on one side, and unknown for {unknown}: give both sides a size, or "
            "give both in pixels."
        )
    return size


def relative_size(one: tuple[float, str], other: tuple[float, str]) -> float:
    """How large one voxel is in another, each a size with its unit; 1 for nearly equal ones, nan if one is unknown."""
    if "pixel" in (one[1], other[1]) and one[1] != other[1]:
        return math.nan
    size = one[0] / other[0] if one[1] == other[1] else _nanometres(*one) / _nanometres(*other)
    return 1.0 if math.isclose(size, 1, rel_tol=_SAME) else size


def resampled(array: Bytes, step: float, axes: Sequence[int]) -> Bytes:
    """Take the nearest voxel at every step along some axes: point samples, which leave fractions and curves unbiased.

    Parameters
    ----------
    array : uint8 array
        Any shape.
    step : float
        Of at least 1 voxel.
    axes : sequence of int
        Along which.

    Returns
    -------
    uint8 array
        Smaller along these axes.
    """
    for axis in axes:
        places = np.arange(math.floor((array.shape[axis] - 1) / step) + 1) * step
        array = array.take(np.rint(places).astype(int), axis=axis)
    return array


def _nanometres(size: float, unit: str) -> float:
    size, unit = standard_size(size, unit)
    return size * _NANOMETRES[unit]


def _listed(values: Sequence[int], most: int = 10) -> str:
    return ", ".join(map(str, values[:most])) + (", ..." if len(values) > most else "")


_KINDS = {OutputKind.PHASES: "phases", OutputKind.GREY: "grey levels", OutputKind.COLOUR: "colours"}
