"""Images of coarser pixels, for structures that are too large for a training crop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.regions import Region

MOST_TIMES = 16
"""An image is shrunk by no more than this."""

Array = npt.NDArray[Any]


def shrunk(data: TrainingData, times: int) -> TrainingData:
    """Make each square of so many pixels along an edge one pixel.

    Of intensities it gets the mean, of phases the most frequent one. Of equally frequent phases it gets that of the
    square's first pixel, which prefers none of them, or else the lowest.

    Parameters
    ----------
    data : TrainingData
        The images. What is left over at their right and lower edges is dropped; a stack is shrunk along all axes.
    times : int
        From 1, which changes nothing, to `MOST_TIMES`.

    Returns
    -------
    TrainingData
        With larger pixels, with the regions that lie within the old ones, and with names that say so.

    Raises
    ------
    DataError
        The number is out of range, or an image, a region or a phase is lost.
    """
    check_times(times)
    if times == 1:
        return data
    if data.is_stack:
        first = _shrunk(data.sources[0], (times,) * 3, data.phases)
        sources = [first, *(np.ascontiguousarray(np.moveaxis(first, axis, 0)) for axis in (1, 2))]
    else:
        sources = [_shrunk(source, (1, times, times), data.phases) for source in data.sources]
    made = replace(
        data,
        sources=tuple(sources),
        pixel_size=data.pixel_size * times,
        regions=tuple(tuple(shrunk_region(region, times) for region in some) for some in data.regions),
        names=tuple(f"{name}, shrunk by a factor of {times}" for name in data.names),
    )
    _check_phases(made, times)
    return made


def check_times(times: int) -> None:
    """Refuse a number out of range.

    Raises
    ------
    DataError
        It is not from 1 to `MOST_TIMES`.
    """
    if not 1 <= times <= MOST_TIMES:
        raise DataError(f"Images cannot be shrunk by a factor of {times}: give a whole number from 1 to {MOST_TIMES}.")


def shrunk_region(region: Region, times: int) -> Region:
    """The coarser pixels that lie within a region.

    Raises
    ------
    DataError
        There is none.
    """
    top, left, bottom, right = region
    made = -(-top // times), -(-left // times), bottom // times, right // times
    if made[0] >= made[2] or made[1] >= made[3]:
        raise _too_small("A region", (bottom - top, right - left), times)
    return made


def _shrunk(stack: Array, factors: tuple[int, int, int], phases: tuple[int, ...]) -> Array:
    """A stack (N, H, W) or (N, H, W, C) of which boxes of pixels have become one."""
    sizes = [size // factor for size, factor in zip(stack.shape, factors, strict=False)]
    if not all(sizes):
        raise _too_small(
            *(("A stack", stack.shape[:3]) if factors[0] > 1 else ("An image", stack.shape[1:3])), factors[1]
        )
    ends = (slice(size * factor) for size, factor in zip(sizes, factors, strict=True))
    split = [edge for pair in zip(sizes, factors, strict=True) for edge in pair]
    boxes = stack[tuple(ends)].reshape(*split, *stack.shape[3:])  # (N, n, H, h, W, w) or (..., C)
    inside = (1, 3, 5)  # axes of a box
    if not phases:
        return np.asarray(np.rint(boxes.mean(axis=inside, dtype=np.float32)), stack.dtype)
    first = boxes[:, 0, :, 0, :, 0]  # (N, H, W)
    result, most = np.zeros_like(first), np.zeros(first.shape, np.uint16)
    for phase in range(len(phases)):
        count = (boxes == phase).sum(axis=inside, dtype=np.uint16) * 2 + (first == phase)  # (N, H, W)
        more = count > most
        result[more], most[more] = phase, count[more]
    return result


def _too_small(what: str, shape: tuple[int, ...], times: int) -> DataError:
    sizes = " x ".join(map(str, shape))
    return DataError(f"{what} of {sizes} pixels is too small to be shrunk by a factor of {times}: shrink it less.")


def _check_phases(data: TrainingData, times: int) -> None:
    """Refuse images from which a phase has vanished."""
    for source in range(len(data.sources)):
        left = {int(index) for piece in data.pieces(source) for index in np.unique(piece)} if data.phases else set()
        for index, phase in enumerate(data.phases):
            if index not in left:
                name = (data.phase_names[index] if data.phase_names else "") or f"phase {phase}"
                raise DataError(
                    f"Nothing is left of {name} when the images are shrunk by a factor of {times}, for it is too thin: "
                    "shrink them less."
                )
