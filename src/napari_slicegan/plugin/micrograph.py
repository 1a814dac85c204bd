"""The part of a micrograph that is shown beside a volume, in the volume's own values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari_slicegan.core.data import TrainingData


def middle_of(data: TrainingData, edge: int) -> npt.NDArray[Any]:
    """The middle of the first image, or of its first region, as large as a face of a preview.

    Parameters
    ----------
    data : TrainingData
        The images.
    edge : int
        Of a preview, in pixels.

    Returns
    -------
    array (edge, edge) or (edge, edge, 3)
        Values of phases, or intensities from 0 to 255.
    """
    stack = next(data.pieces(0))
    image = stack[len(stack) // 2]
    top, left = ((size - edge) // 2 for size in image.shape[:2])
    part = image[max(top, 0) : max(top, 0) + edge, max(left, 0) : max(left, 0) + edge]
    if data.phases:
        values: npt.NDArray[Any] = np.array(data.phases)[part]
        return values
    grey: npt.NDArray[Any] = part[..., 0]
    return grey if part.shape[-1] == 1 else part
