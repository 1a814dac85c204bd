"""What of large micrographs is looked at: enough of them to know them well, in a bounded time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

MOST_PIXELS = 2**22


def thinned(stack: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], int]:
    """Every few images of a stack (N, H, W) or (N, H, W, C); and every how many lines of these are enough."""
    few = stack[:: -(-int(np.prod(stack.shape[:3])) // MOST_PIXELS)]
    return few, -(-int(np.prod(few.shape[:3])) // MOST_PIXELS)
