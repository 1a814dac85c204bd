"""Opening a volume that was streamed to a file as a layer, without reading more of it than is looked at."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QApplication

from napari_slicegan.core.output.formats import OME_ZARR, format_of
from napari_slicegan.core.output.reading import open_volume

if TYPE_CHECKING:
    pass

#: Voxels that are drawn in 3D at once, 512^3: graphics cards take them, and turning stays smooth.
MOST_IN_3D = 2**27
_USUAL_TEXTURE = 2048


def layer_data(path: Path, shape: tuple[int, ...] = ()) -> Any:
    """Open a volume for a layer.

    Parameters
    ----------
    path : Path
        The file or store.
    shape : tuple of int
        (Z, Y, X) or (Z, Y, X, 3), if it is known.

    Returns
    -------
    array or list of arrays or None
        The volume. Of one that is too large for 3D several levels, of which napari shows the last there; None where
        the format has none, or cannot be read in parts.
    """
    kind = format_of(path)
    if kind is not OME_ZARR:
        if kind.compressed:
            return None  # not without reading all of it
        volume = open_volume(path, shape)
        return volume if fits_in_3d(volume.shape) else None
    from napari_slicegan.core.output.stores import open_store

    return shown_levels([ChannelsLast(array) if array.ndim == 4 else array for array in open_store(path).levels])


def shown_levels(levels: list[Any]) -> Any:
    """Of the resolutions (Z, Y, X) or (Z, Y, X, 3) of a volume those that napari is to have, or the only one.

    It shows the last one in 3D: that is the finest that the graphics card takes.
    """
    count = next((number for number, level in enumerate(levels, start=1) if fits_in_3d(level.shape)), len(levels))
    return levels[:count] if count > 1 else levels[0]


def fits_in_3d(shape: tuple[int, ...]) -> bool:
    """Whether the graphics card shows a volume (Z, Y, X) or (Z, Y, X, 3) as it is."""
    return max(shape[:3]) <= _largest_texture() and prod(shape[:3]) <= MOST_IN_3D


def _largest_texture() -> int:
    """The longest edge of a volume that the graphics card takes."""
    if QApplication.instance() is None:
        return _USUAL_TEXTURE  # asking would make a window, and end a program that has no screen
    try:
        from napari._vispy.utils.gl import get_max_texture_sizes  # napari offers no public way

        return int(get_max_texture_sizes()[1] or _USUAL_TEXTURE)
    except Exception:  # noqa: BLE001  (another version of napari, or no window)
        return _USUAL_TEXTURE


class ChannelsLast:
    """An array (3, Z, Y, X) seen as (Z, Y, X, 3), which is read when it is sliced.

    Parameters
    ----------
    array : zarr.Array or Level
        The colours first, as OME-Zarr has them.
    """

    def __init__(self, array: Any) -> None:
        self._array = array
        self.shape = (*array.shape[1:], array.shape[0])
        self.dtype, self.ndim, self.size = array.dtype, array.ndim, array.size

    def __getitem__(self, key: Any) -> Any:
        """Read a part."""
        axes = key if isinstance(key, tuple) else (key,)
        part: Any = self._array[(slice(None), *axes[:3])]
        moved = np.moveaxis(np.asarray(part), 0, -1)
        return moved[(..., axes[3])] if len(axes) > 3 else moved

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """Read all of it."""
        return np.asarray(self[()], dtype)


class Plane:
    """An array (1, Y, X) or (1, Y, X, 3) seen without its first axis, read when it is sliced.

    Parameters
    ----------
    array : array-like
        Of one plane.
    """

    def __init__(self, array: Any) -> None:
        self._array = array
        self.shape = tuple(array.shape[1:])
        self.dtype, self.ndim, self.size = array.dtype, array.ndim - 1, array.size

    def __getitem__(self, key: Any) -> Any:
        """Read a part."""
        return np.asarray(self._array[(slice(None), *(key if isinstance(key, tuple) else (key,)))])[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """Read all of it."""
        return np.asarray(self[()], dtype)
