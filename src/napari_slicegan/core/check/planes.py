"""What a check looks at: a part of large images, whole small ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import TrainingData

Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

MOST_PIXELS = 2**22
"""Looked at in all images together: the middle of larger ones."""

_STACK_PLANES = 8  # so few lie far enough apart to say something new each


@dataclass(frozen=True)
class Planes:
    """The part of one source that is looked at.

    Attributes
    ----------
    pixels : uint8 array (N, H, W)
        Indices of phases, or grey levels (of colours the mean of the channels).
    phases : int
        How many there are; 0 for grey levels.
    """

    pixels: Bytes
    phases: int

    def indicators(self) -> list[Bools]:
        """(N, H, W) each: where a phase is; of two the second only; or what is brighter than the mean.

        The statistics of one phase of two are those of the other.
        """
        if not self.phases:
            return [self.pixels > self.pixels.mean()]
        return [self.pixels == phase for phase in range(self.phases) if phase or self.phases > 2]


def planes_of(data: TrainingData) -> tuple[Planes, ...]:
    """The part of each image that is looked at; of a stack a few of its slices along z."""
    sources = data.sources[:1] if data.is_stack else data.sources
    parts = (_part(source, MOST_PIXELS // len(sources)) for source in sources)
    return tuple(Planes(grey(part, data.kind), len(data.phases)) for part in parts)


def _part(source: Bytes, most: int) -> Bytes:
    """Planes evenly spaced and not cut where it can be, else the middle of each."""
    count, height, width = source.shape[:3]
    number = max(1, min(count, _STACK_PLANES, most // (height * width)))
    chosen = (np.arange(number) * 2 + 1) * count // (2 * number)
    rows, columns = height, width
    if number * rows * columns > most:
        rows = min(height, max(most // width, int(most**0.5)))
        columns = min(width, most // rows)
    top, left = (height - rows) // 2, (width - columns) // 2
    return source[chosen, top : top + rows, left : left + columns]


def grey(source: Bytes, kind: OutputKind) -> Bytes:
    """One channel (..., H, W): indices of phases as they are, of intensities (..., H, W, C) the mean over C."""
    if kind is OutputKind.PHASES:
        return source
    result: Bytes = source.mean(axis=-1, dtype=np.float32).astype(np.uint8) if source.shape[-1] > 1 else source[..., 0]
    return result
