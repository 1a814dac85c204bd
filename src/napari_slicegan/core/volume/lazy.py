"""Arrays larger than any memory: sliced without reading a voxel, read when numpy asks for one. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.errors import ModelError

#: Most bytes that are read at once.
LARGEST = 2**29

#: Of each axis the indices that are meant, or the only one.
Places = tuple[range | int, ...]


class LazyArray:
    """A part of an endless array. Parts of it are such arrays again; `numpy.asarray` reads.

    Parameters
    ----------
    read : callable
        Gives the elements at some places as a numpy array with an axis for each range.
    places : tuple of range or int
        Of each axis of the whole.
    dtype : numpy.dtype
        Of an element.
    """

    def __init__(self, read: Callable[[Places], npt.NDArray[Any]], places: Places, dtype: np.dtype[Any]) -> None:
        self._read, self._places, self.dtype = read, places, dtype
        self.shape = tuple(len(place) for place in places if isinstance(place, range))

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that the elements would take."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        keys = key if isinstance(key, tuple) else (key,)
        dots = [number for number, each in enumerate(keys) if each is Ellipsis]
        if len(dots) == 1:
            keys = (*keys[: dots[0]], *[slice(None)] * (self.ndim - len(keys) + 1), *keys[dots[0] + 1 :])
        if not all(map(_is_plain, keys)):
            return np.asarray(self)[key]
        if len(keys) > self.ndim:
            raise IndexError(f"{len(keys)} indices for an array of {self.ndim} axes.")
        rest = iter(keys + (slice(None),) * (self.ndim - len(keys)))
        places = tuple(place[next(rest)] if isinstance(place, range) else place for place in self._places)
        part = LazyArray(self._read, places, self.dtype)
        return part if part.ndim else np.asarray(part)[()]

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if self.nbytes > LARGEST:
            size = " x ".join(map(str, self.shape))
            raise ModelError(
                f"{size} voxels of an endless volume are more than are held in memory at once "
                f"({LARGEST // 2**20} MiB): take a smaller box of it."
            )
        return np.asarray(self._read(self._places), dtype or self.dtype)

    def __deepcopy__(self, _memo: object) -> LazyArray:
        """Itself, since nothing of it can change."""
        return self


def _is_plain(key: object) -> bool:
    """Whether a key is a whole number or a slice that runs forwards."""
    if isinstance(key, slice):
        return key.step is None or key.step > 0
    return hasattr(key, "__index__") and not isinstance(key, bool | np.ndarray)
