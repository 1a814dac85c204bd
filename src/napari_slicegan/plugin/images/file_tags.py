"""The pixel size in the tags of the file that a layer was opened from, which napari's own reader leaves out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

import numpy as np

from napari_slicegan.core.calibration import pixel_size, tiff_spacing
from napari_slicegan.core.tiff import opened

if TYPE_CHECKING:
    from napari.layers import Layer

_TIFF = (".tif", ".tiff")

_looked: WeakSet[Layer] = WeakSet()


def reading_of(layer: Layer) -> Callable[[], tuple[float, str] | None] | None:
    """What there is to read of a layer; asked a second time, there is nothing.

    Parameters
    ----------
    layer : Layer
        In pixels, and from a TIFF file; of others nothing is read.

    Returns
    -------
    callable or None
        Gives size and unit, one of `core.calibration.UNITS` but no pixel, or None where the file has none. It may take
        as long as a disk in a network does.
    """
    path = layer.source.path
    if layer in _looked or not path or Path(path).suffix.lower() not in _TIFF:
        return None
    _looked.add(layer)
    return partial(_read, Path(path)) if lacks_size(layer) else None


def forget(layer: Layer) -> None:
    """Let a layer be asked for again."""
    _looked.discard(layer)


def lacks_size(layer: Layer) -> bool:
    """Whether nobody has said how large the pixels of a layer are."""
    return bool(np.allclose(np.abs(layer.scale), 1)) and {str(unit) for unit in layer.units} == {"pixel"}


def _read(path: Path) -> tuple[float, str] | None:
    """What the header of a file says; nothing if it cannot be read, which the user did not ask for."""
    try:
        with opened(path) as tif:
            size, unit = pixel_size(tiff_spacing(tif, tif.pages.first), path.name)
    except Exception:  # noqa: BLE001  (decoders raise anything at all on damaged files)
        return None
    return None if size is None or unit is None or unit == "pixel" else (size, unit)
