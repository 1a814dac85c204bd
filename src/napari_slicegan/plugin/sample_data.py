"""Sample data that open at once: the package's own micrographs, and a photograph that comes with scikit-image."""

from __future__ import annotations

from typing import Any

from napari_slicegan.core.config import OutputKind
from napari_slicegan.core.synthetic import MATERIALS, micrographs
from napari_slicegan.plugin.volume_layers import AXIS_LABELS, LayerTuple, phase_features

#: Colours of the phases 1, 2, ...; phase 0 is what lies between them and is not drawn, as in the volumes.
_COLOURS = ("#f4a259", "#5b8e7d", "#bc4b51")


def cathode() -> list[LayerTuple]:
    """A battery cathode of three phases."""
    return _layers("cathode")


def fibres() -> list[LayerTuple]:
    """Aligned fibres: three images, normal to z, y and x."""
    return _layers("fibres")


def polycrystal() -> list[LayerTuple]:
    """A polycrystal in grey levels."""
    return _layers("polycrystal")


def gravel() -> list[LayerTuple]:
    """A photograph of gravel, from scikit-image."""
    from skimage.data import gravel as photograph

    return [(photograph(), {"name": "gravel"}, "image")]


def _layers(name: str) -> list[LayerTuple]:
    material, layers = MATERIALS[name], []
    for normal, image in zip(material.normals, micrographs(name), strict=True):
        plane = [axis for axis in AXIS_LABELS if axis != normal]
        details: dict[str, Any] = {
            "name": name if len(material.normals) == 1 else f"{name} normal to {normal}",
            "scale": (image.pixel_size or 1.0,) * 2,
            "units": (image.unit or "pixel",) * 2,
            "axis_labels": plane,
        }
        if material.kind is OutputKind.PHASES:
            details |= {
                "colormap": _colormap(len(material.phases)),
                "opacity": 1.0,
                "features": phase_features(range(len(material.phases)), material.phases),
            }
            layers.append((image.array, details, "labels"))
        else:
            layers.append((image.array, details, "image"))
    return layers


def _colormap(phases: int) -> Any:
    from napari.utils.colormaps import DirectLabelColormap

    table: dict[int | None, str] = dict(enumerate(("transparent", *_COLOURS)[:phases]))
    return DirectLabelColormap(color_dict={**table, None: "transparent"})
