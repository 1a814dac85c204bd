"""From volumes to layers: scale, units, colours and where a volume comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.output.sinks.base import phase_facts
from napari_slicegan.core.threads import used_threads
from napari_slicegan.plugin.layers import Look

if TYPE_CHECKING:
    from pathlib import Path

    from napari.layers import Layer
    from napari.utils.colormaps import DirectLabelColormap

    from napari_slicegan.core.model import SliceGAN
    from napari_slicegan.core.model_info import ModelInfo
    from napari_slicegan.core.volume.request import VolumeRequest

AXIS_LABELS = ("z", "y", "x")
#: The key of a layer's metadata under which this plugin keeps where a volume comes from.
OURS = "napari-slicegan"
_LABELS = {"rendering": "iso_categorical", "iso_gradient_mode": "smooth", "opacity": 1.0}

Array = npt.NDArray[Any]
LayerTuple = tuple[Any, dict[str, Any], str]


def volume_layer(
    volume: Array | list[Any], info: ModelInfo, name: str, look: Look | None, metadata: dict[str, Any] | None = None
) -> LayerTuple:
    """Describe a volume as a layer.

    Parameters
    ----------
    volume : array (Z, Y, X) or (Z, Y, X, 3), or a list of them
        Labels or uint8 intensities; of several levels the finest first.
    info : ModelInfo
        Of the model that made it.
    name : str
        Of the layer.
    look : Look, optional
        Of the training layer; by default napari's colours.
    metadata : dict, optional
        Where the volume comes from.

    Returns
    -------
    (array, dict, str)
        For `Layer.create`.
    """
    facts = phase_facts(info.phases, info.phase_names, info.phase_colours)
    details: dict[str, Any] = {
        "name": name,
        "scale": (info.voxel_size,) * 3,
        "units": (info.unit,) * 3,
        "axis_labels": AXIS_LABELS,
        "metadata": {OURS: (metadata or {}) | facts},
    }
    if isinstance(volume, list):
        details["multiscale"] = True
    if info.kind is OutputKind.PHASES:
        return volume, details | appearance("labels") | _phase_details(info, look), "labels"
    rgb = info.kind is OutputKind.COLOUR
    details |= {"rgb": rgb} | appearance("image", rgb)
    if not rgb and look and look.limits:
        details["colormap"] = look.colormap
    return volume, details, "image"


def volume_record(model: SliceGAN, path: Path, request: VolumeRequest, threads: int = 0) -> dict[str, Any]:
    """Where a volume comes from, as plain values: what it takes to make it again, and the training.

    Parameters
    ----------
    model : SliceGAN
        What made it.
    path : Path
        Of the model.
    request : VolumeRequest
        The box of the endless volume.
    threads : int
        Of the processor, as preferred; 0 where torch chose.
    """
    made = model.history(request)
    asked = made.pop("request")
    machine = made.pop("machine") | {"threads": used_threads(threads)}
    record: dict[str, Any] = made | {"model": str(path), "fingerprint": made["model"], "machine": machine} | asked
    return record


def appearance(kind: str, rgb: bool = False) -> dict[str, Any]:
    """How volumes are shown: phases as solid bodies with smooth shading, grey levels as glowing through."""
    if kind == "labels":
        return dict(_LABELS)
    return {"rendering": "translucent"} if rgb else {"rendering": "attenuated_mip", "contrast_limits": (0, 255)}


def _phase_details(info: ModelInfo, look: Look | None) -> dict[str, Any]:
    """Colours of the phases, from the training layer or as the model knows them, and their names."""
    details: dict[str, Any] = {}
    if look and (look.colormap is not None or look.colours):
        details["colormap"] = label_colormap(look, info.phases)
    elif info.phase_colours:
        details["colormap"] = coloured(dict(zip(info.phases, info.phase_colours, strict=True)))
    if info.phase_names:
        details["features"] = phase_features(info.phases, info.phase_names)
    return details


def phase_features(phases: Sequence[int], names: Sequence[str]) -> dict[str, list[Any]]:
    """The features of a Labels layer that tell the names of phases: napari shows them where the mouse is."""
    return {"index": list(phases), "name": list(names)}


def placed(layer_tuple: LayerTuple, origin: Sequence[int]) -> LayerTuple:
    """Put a layer where its box lies in the endless volume, so that boxes of one seed lie as they belong together."""
    data, details, kind = layer_tuple
    shift = tuple(size * start for size, start in zip(details["scale"], origin, strict=True))
    return data, details | {"translate": shift}, kind


def is_endless(layer: Layer) -> bool:
    """Whether a layer shows an endless volume, of which only what is looked at is there."""
    return bool(ours_in(layer.metadata).get("endless"))


def ours_in(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What this plugin wrote into the metadata of a layer, where others may write as well; empty if nothing."""
    ours = metadata.get(OURS)
    return ours if isinstance(ours, dict) else {}


def label_colormap(look: Look, phases: Sequence[int]) -> DirectLabelColormap:
    """The colours that phases have in the training layer; label 0 stays transparent, as everywhere in napari."""
    return coloured({phase: look.colour(phase) for phase in phases})


def coloured(colours: Mapping[int, Any]) -> DirectLabelColormap:
    """A colormap of labels; label 0 and those without a colour are transparent."""
    from napari.utils.colormaps import DirectLabelColormap

    table: dict[int | None, Any] = dict(colours.items())
    return DirectLabelColormap(color_dict={**table, 0: "transparent", None: "transparent"})
