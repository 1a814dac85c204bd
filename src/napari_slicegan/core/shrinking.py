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

    Of intensities it gets the mean, of phases the most frequent; of equally frequent ones that of the first pixel,
    which prefers none of them.

    Parameters
    ----------
    data : TrainingData
        The images. What is left over at their right and lower edges is dropped; a stack is shrunk along all axes.
    times : int
        From 1, which changes nothing, to `MOST_TIMES`.

    Returns
    -------
    TrainingData
        With larger pixels, and with the regions that lie within the old ones.

    Raises
    ------
    DataError
        The number is out of range, or an image, a region or a phase is lost.
    """
    if not 1 <= times <= MOST_TIMES:
        raise DataError(f"Images cannot be shrunk {times} times: give a whole number from 1 to {MOST_TIMES}.")
    if times == 1:
        return data
    if data.is_stack:
        first = _shrunk(data.sources[0], (times,) * 3, data.phases)
        sources = [first, *(np.ascontiguousarray(np.moveaxis(first, axis, 0)) for axis in (1, 2))]
    else:
        sources = [_shrunk(source, (1, times, times), data.phases) for source in data.sources]
    regions = [[_within(region, times) for region in some] for some in data.regions]
    made = replace(data, sources=tuple(sources), pixel_size=data.pixel_size * times, regions=tuple(map(tuple, regions)))
    _check_phases(made, times)
    return made


def _shrunk(stack: Array, factors: tuple[int, int, int], phases: tuple[int, ...]) -> Array:
    """A stack (N, H, W) or (N, H, W, C) of which boxes of pixels have become one."""
    sizes = [size // factor for size, factor in zip(stack.shape, factors, strict=False)]
    if not all(sizes):
        shape = " x ".join(map(str, stack.shape[1:3]))
        raise DataError(f"An image of {shape} pixels is too small to be shrunk {max(factors)} times: shrink it less.")
    ends = (slice(size * factor) for size, factor in zip(sizes, factors, strict=True))
    split = [edge for pair in zip(sizes, factors, strict=True) for edge in pair]
    boxes = stack[tuple(ends)].reshape(*split, *stack.shape[3:])  # (N, n, H, h, W, w) or (..., C)
    inside = (1, 3, 5)  # axes of a box
    if not phases:
        return np.asarray(np.rint(boxes.mean(axis=inside)), stack.dtype)
    first = boxes[:, 0, :, 0, :, 0]  # (N, H, W)
    counts = np.stack([2 * (boxes == phase).sum(axis=inside) + (first == phase) for phase in range(len(phases))])
    return np.asarray(counts.argmax(axis=0), stack.dtype)


def _within(region: Region, times: int) -> Region:
    """The coarser pixels that lie within a region."""
    top, left, bottom, right = region
    made = -(-top // times), -(-left // times), bottom // times, right // times
    if made[0] >= made[2] or made[1] >= made[3]:
        shape = f"{bottom - top} x {right - left}"
        raise DataError(f"A region of {shape} pixels is too small to be shrunk {times} times: shrink it less.")
    return made


def _check_phases(data: TrainingData, times: int) -> None:
    """Refuse images from which a phase has vanished."""
    for source in range(len(data.sources)):
        left = set(np.unique(np.concatenate([piece.ravel() for piece in data.pieces(source)]))) if data.phases else ()
        for index, phase in enumerate(data.phases):
            if index not in left:
                name = data.phase_names[index] if data.phase_names else ""
                raise DataError(
                    f"Shrunk {times} times, an image has no pixel of {name or f'phase {phase}'} any more, "
                    "which is nowhere as wide as that: shrink it less."
                )
