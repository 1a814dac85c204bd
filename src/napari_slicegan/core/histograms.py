"""How often each grey level or colour intensity occurs, in micrographs and in generated volumes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.representative import image_channels
from napari_slicegan.core.thinning import thinned

LEVELS = 256
_MOST_VALUES = 2**22  # that are held as numbers at once

Floats = npt.NDArray[np.float64]


def counts_of_levels(intensities: Tensor) -> Tensor:
    """How often each of 256 levels is the nearest, (256,), of numbers from 0 to 1; what is no number counts as 0."""
    known = intensities.nan_to_num()
    return torch.bincount((known * (LEVELS - 1)).round().long().flatten(), minlength=LEVELS)


def shares_of_levels(data: TrainingData) -> Floats:
    """Shares (C, 256) of the levels of each channel over all images and directions, within their regions.

    Parameters
    ----------
    data : TrainingData
        Grey or colour images; of very large ones some rows are looked at.
    """
    found = [_of_source(data, source) for source in range(len(data.sources))]
    return np.asarray(np.mean([found[source] for source, _ in data.views], axis=0))


def _of_source(data: TrainingData, source: int) -> Floats:
    shares, weights = [], []
    for piece in data.pieces(source):
        stack, every = thinned(piece)
        lines, counts = stack[:, ::every], torch.zeros(data.channels, LEVELS, dtype=torch.int64)
        for rows in np.array_split(lines, -(-lines.size // _MOST_VALUES), axis=1):
            channels = image_channels(data, rows)
            counts += torch.stack([counts_of_levels(torch.from_numpy(channel)) for channel in channels])
        shares.append((counts.double() / counts.sum(dim=1, keepdim=True)).numpy())
        weights.append(piece.shape[1] * piece.shape[2])
    return np.asarray(np.average(shares, 0, weights))
