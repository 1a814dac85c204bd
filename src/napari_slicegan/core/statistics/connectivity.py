"""How far a phase of a volume hangs together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Connectivity:
    """Clusters of voxels that share faces.

    Attributes
    ----------
    largest : float
        Share of the phase that lies in its largest cluster; nan where the phase is absent.
    percolating : (float, float, float)
        Share of the phase in clusters that touch both ends of the volume along z, y and x; nan
        where the phase is absent.
    """

    largest: float
    percolating: tuple[float, float, float]


def connectivity(indicator: Array) -> Connectivity:
    """Find the clusters of a phase.

    Parameters
    ----------
    indicator : bool array (Z, Y, X)
        True inside of the phase.

    Returns
    -------
    Connectivity
        Of the volume as it is cut, which is not taken to be periodic.
    """
    from scipy import ndimage

    clusters, count = ndimage.label(indicator)  # 0 outside of the phase
    if not count:
        return Connectivity(np.nan, (np.nan, np.nan, np.nan))
    sizes = np.bincount(clusters.ravel())
    sizes[0] = 0
    shares = sizes / sizes.sum()
    first, last = ([np.unique(clusters.take(end, axis)) for axis in range(3)] for end in (0, -1))
    through = [float(shares[np.intersect1d(*ends)].sum()) for ends in zip(first, last, strict=True)]
    return Connectivity(float(shares.max()), (through[0], through[1], through[2]))
