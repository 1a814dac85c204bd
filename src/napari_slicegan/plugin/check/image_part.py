"""The part of a large image that a check looks at, so that the rest is never read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_slicegan.core.check.planes import MOST_PIXELS
from napari_slicegan.core.check.result import Crop
from napari_slicegan.plugin.layers import LayerImage
from napari_slicegan.plugin.work.worker import Control

_MOST_BYTES = 2**24  # so many of few bytes each are quick as well, and whole images show what lies along their edges
_PLANES = 8


@dataclass(frozen=True)
class Part:
    """A part of an image, in memory.

    Attributes
    ----------
    image : LayerImage
        The part; of a stack a few of its slices along z.
    note : str
        Which part, in a sentence; empty if it is all.
    top, left : int
        Where it begins.
    size : (int, int)
        Rows and columns of the whole.
    """

    image: LayerImage
    note: str
    top: int
    left: int
    size: tuple[int, int]

    def placed(self, crop: Crop) -> Crop:
        """The region of the whole for one of the part; what reaches to an edge of this reaches to that of the whole."""
        height, width = self.image.array.shape[:2]
        top = self.top + crop.top if crop.top else 0
        left = self.left + crop.left if crop.left else 0
        bottom = self.top + crop.bottom if crop.bottom < height else self.size[0]
        right = self.left + crop.right if crop.right < width else self.size[1]
        return replace(crop, top=top, left=left, bottom=bottom, right=right)


def part_of(image: LayerImage, control: Control) -> Part:
    """Read the part that tells enough: all of small images, else the middle, of a stack of slices that are far apart.

    Parameters
    ----------
    image : LayerImage
        Its array may be of any size, in memory or not; of several regions only the largest is read.
    control : Control
        Asked between slices.

    Returns
    -------
    Part
        Of at most 4 million pixels, or 16 MiB.

    Raises
    ------
    CancelledError
        A stop was asked for.
    """
    shape = image.array.shape[:-1] if image.rgb else image.array.shape
    *depth, height, width = shape
    pixels = int(np.prod(shape, dtype=np.int64))
    bytes_each = np.dtype(image.array.dtype).itemsize * (image.array.shape[-1] if image.rgb else 1)
    most = max(MOST_PIXELS, _MOST_BYTES // bytes_each)
    control.check()
    if image.regions:
        region, note = _largest(image)
        part = part_of(region, control)
        return replace(part, note=f"{note} {part.note}".strip())
    if pixels <= most:
        return Part(replace(image, array=np.asarray(image.array)), "", 0, 0, (height, width))
    if not depth:
        (top, rows), (left, columns) = _middle(height, width, most)
        array: Any = np.asarray(image.array[top : top + rows, left : left + columns])
        note = f"Only the middle of {image.name} was looked at, {rows} x {columns} pixels."
        return Part(replace(image, array=array), note, top, left, (height, width))
    number = max(2, min(depth[0], _PLANES, MOST_PIXELS // (height * width)))
    (top, rows), (left, columns) = _middle(height, width, MOST_PIXELS // number)
    slices = []
    for place in (np.arange(number) * 2 + 1) * depth[0] // (2 * number):
        control.check()
        slices.append(np.asarray(image.array[int(place), top : top + rows, left : left + columns]))
    note = f"Only {number} slices of {image.name} were looked at, {rows} x {columns} pixels of each."
    return Part(replace(image, array=np.stack(slices)), note, top, left, (height, width))


def _largest(image: LayerImage) -> tuple[LayerImage, str]:
    """The largest region of an image, and a note if there are others."""
    sizes = [(bottom - top, right - left) for top, left, bottom, right in image.regions]
    height, width = max(sizes, key=lambda size: size[0] * size[1])
    region = image.regions[sizes.index((height, width))]
    note = ""
    if len(sizes) > 1:
        note = f"Only the largest of {len(sizes)} regions was looked at, {height} x {width} pixels."
    return replace(image, regions=(region,)).cut(), note


def _middle(height: int, width: int, most: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Start and length of rows and of columns that hold at most so many pixels."""
    rows = min(height, max(most // width, int(most**0.5)))
    columns = min(width, most // rows)
    return ((height - rows) // 2, rows), ((width - columns) // 2, columns)
