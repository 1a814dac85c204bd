"""Planes of images and volumes in the colours of a layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.plugin.layers import Look
from napari_slicegan.plugin.volume_layers import label_colormap

_MOST_LABELS = 8
_MOST_COLOURS = 256  # of labels: napari gives them one by one

Array = npt.NDArray[Any]


def painted(plane: Array, look: Look | None) -> npt.NDArray[np.uint8]:
    """The colours of pixels.

    Parameters
    ----------
    plane : array (H, W), (H, W, 3) or (H, W, 4)
        Labels or intensities; colours are bytes, or numbers from 0 to 1.
    look : Look, optional
        The colours; by default napari's own for at most eight values, else grey.

    Returns
    -------
    uint8 array (H, W, 4)
        Red, green, blue and alpha; transparent where the layer is.
    """
    result = np.full((*plane.shape[:2], 4), 255, np.uint8)
    if plane.ndim == 3:
        colours = plane[..., :4]
        result[..., : colours.shape[-1]] = colours if plane.dtype == np.uint8 else np.clip(colours, 0, 1) * 255
        return result
    values, places = np.unique(plane, return_inverse=True)
    table = np.asarray(np.round(255 * np.asarray(_colours(values, look))), np.uint8)
    result[:] = table[places.reshape(plane.shape)]
    return result


def _colours(values: Array, look: Look | None) -> Array:
    """Red, green, blue and alpha of each value, from 0 to 1."""
    if look is None or (look.colormap is None and not look.colours):
        return _default_colours(values)
    if look.limits is None:
        table = _label_colours(values, look)
    else:
        low, high = look.limits
        table = np.array(look.colormap.map(np.clip((values.astype(float) - low) / max(high - low, 1e-12), 0, 1)))
    for value in look.colours:  # chosen for phases, also where these are the grey levels of an image
        table[values == value] = look.colour(value)
    return table


def _default_colours(values: Array) -> Array:
    if values.size <= _MOST_LABELS and values.dtype.kind in "bui":
        from napari.utils.colormaps import label_colormap as default_labels

        return _label_colours(values, Look(default_labels()))
    top = 255.0 if values.dtype == np.uint8 else max(float(values.max()), 1e-12)
    grey = (values / top)[:, None]
    return np.hstack([grey, grey, grey, np.ones_like(grey)])


def _label_colours(values: Array, look: Look) -> Array:
    """The colours of labels, of which 0 is transparent; those of very many are alike from some label on."""
    some = [int(value) for value in values[:_MOST_COLOURS]]
    by_label = label_colormap(look, some).color_dict
    table = np.array([by_label[value] for value in some])
    return table[np.minimum(np.arange(values.size), len(some) - 1)]
