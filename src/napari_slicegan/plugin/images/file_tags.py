"""The pixel size in the tags of the file that a layer was opened from, which napari's own reader leaves out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

import numpy as np

from napari_slicegan.core.calibration import pixel_size, tiff_spacing

if TYPE_CHECKING:
    from napari.layers import Layer

_TIFF = (".tif", ".tiff")

_looked: WeakSet[Layer] = WeakSet()


def size_in_tags(layer: Layer) -> tuple[float, str] | None:
    """The pixel size that a layer lacks and its file has; asked a second time, a layer lacks none.

    Parameters
    ----------
    layer : Layer
        In pixels, and from a TIFF file; of others nothing is read.

    Returns
    -------
    (float, str) or None
        Size and unit, one of `core.calibration.UNITS` but no pixel.
    """
    path = layer.source.path
    if layer in _looked or not path or Path(path).suffix.lower() not in _TIFF:
        return None
    _looked.add(layer)
    if not np.allclose(np.abs(layer.scale), 1) or {str(unit) for unit in layer.units} != {"pixel"}:
        return None
    return _read(Path(path))


def _read(path: Path) -> tuple[float, str] | None:
    """What the header of a file says; nothing if it cannot be read, which the user did not ask for."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as tif:
            size, unit = pixel_size(tiff_spacing(tif, tif.pages.first), path.name)
    except Exception:  # noqa: BLE001  (decoders raise anything at all on damaged files)
        return None
    return None if size is None or unit is None or unit == "pixel" else (size, unit)
