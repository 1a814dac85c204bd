"""Sample data: the package's own micrographs, alone or with a generator that has learnt from them, and a photograph."""

from __future__ import annotations

from typing import Any

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.sample_models import sample_models
from napari_slicegan.core.synthetic import MATERIALS, micrographs
from napari_slicegan.core.volume.request import VolumeRequest
from napari_slicegan.plugin.files.dropped_models import open_model
from napari_slicegan.plugin.generate.task import VolumeOrder
from napari_slicegan.plugin.volume_layers import AXIS_LABELS, LayerTuple, phase_features, volume_layer, volume_record

#: The volume that a generator of the package makes when it is opened.
_FIRST_VOLUME = VolumeRequest((128,) * 3)


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


def generated_cathode() -> list[LayerTuple]:
    """The cathode, and volumes of it."""
    return _layers("cathode") + _generated("cathode")


def generated_fibres() -> list[LayerTuple]:
    """The fibres, and volumes of them."""
    return _layers("fibres") + _generated("fibres")


def generated_polycrystal() -> list[LayerTuple]:
    """The polycrystal, and volumes of it."""
    return _layers("polycrystal") + _generated("polycrystal")


def _generated(name: str) -> list[LayerTuple]:
    """A first volume: as a layer where nobody waits for a window, else as something that the dock makes."""
    from napari import current_viewer

    path = sample_models()[name]
    if (viewer := current_viewer()) is not None:
        open_model(path, viewer, VolumeOrder((_FIRST_VOLUME,)))
        return []
    from napari_slicegan.core.model import SliceGAN  # imports torch

    model = SliceGAN.load(path)
    record = volume_record(model, path, _FIRST_VOLUME)
    volume = model.generation(_FIRST_VOLUME).whole()
    return [volume_layer(volume, model.info, f"{name} volume, seed {_FIRST_VOLUME.seed}", None, record)]


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
                "colormap": _colormap(material.colours),
                "opacity": 1.0,
                "features": phase_features(range(len(material.phases)), material.phases),
            }
            layers.append((image.array, details, "labels"))
        else:
            layers.append((image.array, details, "image"))
    return layers


def _colormap(colours: tuple[str, ...]) -> Any:
    """The colours of all phases but the first, which is what lies between them and is not drawn, as in the volumes."""
    from napari.utils.colormaps import DirectLabelColormap

    table: dict[int | None, str] = dict(enumerate(("transparent", *colours[1:])))
    return DirectLabelColormap(color_dict={**table, None: "transparent"})
