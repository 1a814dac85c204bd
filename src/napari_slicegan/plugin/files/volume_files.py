"""TIFF files and OME-Zarr stores as layers, with voxel size, place, colours and names as far as the file tells.

Where a file was changed after napari-slicegan wrote it, what its own format says of it counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_slicegan.core.calibration import Spacing, believable
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.io import told
from napari_slicegan.core.output.stores import Store, open_store
from napari_slicegan.core.tiff import read_record, read_tiff
from napari_slicegan.plugin.files.layer_record import details_of, phase_details, place_of
from napari_slicegan.plugin.files.opening import ChannelsLast, Plane, shown_levels
from napari_slicegan.plugin.phases import tables_in
from napari_slicegan.plugin.volume_layers import AXIS_LABELS, OURS, LayerTuple, appearance

#: Bytes of pixels from which on a file is mapped instead of read: one that is read can be painted on.
_LARGE = 2**28
_NOT_PROVENANCE = ("layer", "complete")

Plain = dict[str, Any]


def read_images(paths: Sequence[Path]) -> list[LayerTuple]:
    """Read TIFF files as one layer; several of one shape become a stack.

    Raises
    ------
    DataError
        A file is damaged or cannot be decoded, or the shapes differ.
    """
    if len(paths) == 1:
        array, axes, spacing = _read(paths[0], _LARGE)
        record = read_record(paths[0])
    else:
        read = [_read(path) for path in paths]
        if len({array.shape for array, *_ in read}) > 1:
            raise DataError("The images have different sizes, so they are no stack: open them one by one.")
        array, (_, axes, spacing) = np.stack([array for array, *_ in read]), read[0]
        axes, record = f"I{axes}", {}
    array, axes = _arranged(array, axes, record)
    rgb = axes[-1] == "S"
    place = _tiff_place(axes.replace("S", ""), spacing)
    return [_layer(array, rgb, record, place, paths[0].stem.removesuffix(".ome"))]


def _read(path: Path, map_from: int | None = None) -> tuple[np.ndarray, str, Spacing]:
    """The values of a TIFF file, one letter for each axis, and the spacing."""
    with told(path, "TIFF"):
        return read_tiff(path, path.stat().st_size, map_from)


def read_store(path: Path) -> list[LayerTuple]:
    """Open an OME-Zarr store as a layer, or as one for each channel; voxels are read when they are looked at.

    Raises
    ------
    DataError
        It is damaged or incomplete.
    """
    store, name = open_store(path), path.name.removesuffix(".zarr").removesuffix(".ome")
    levels: list[Any] = list(store.levels)
    axes = store.axes
    first = store.levels[0]
    rgb = bool(store.record) and axes[0] == "c" and first.ndim == 4 and first.shape[0] == 3
    if rgb:
        levels, axes = [ChannelsLast(level) for level in levels], axes[1:]
    if _is_flat(store.record) and len(axes) == 3 and levels[0].shape[0] == 1:
        levels, axes = [Plane(level) for level in levels], axes[1:]
    space = axes[1:] if axes[0] == "c" else axes
    place = _store_place(store, space)
    is_volume = axes == AXIS_LABELS
    data = shown_levels(levels) if is_volume else levels if len(levels) > 1 else levels[0]
    data, details, kind = _layer(data, rgb, store.record, place, name)
    if axes[0] == "c":
        details["channel_axis"] = 0
        details.pop("rgb", None)
    return [(data, details, kind)]


def _layer(data: Any, rgb: bool, record: Mapping[str, Any], place: Plain, name: str) -> LayerTuple:
    """A layer of what a file holds, as its record says it was, or as volumes of ours are shown."""
    finest = data[0] if isinstance(data, list) else data
    found = record.get("layer")
    layer: Plain = found if isinstance(found, dict) else {}
    is_labels = layer.get("type", "labels" if record.get("phases") else "image") == "labels"
    kind = "labels" if is_labels and np.dtype(finest.dtype).kind in "ui" and not rgb else "image"
    ndim = len(place["axis_labels"])
    details: Plain = {"name": name, "multiscale": True} if isinstance(data, list) else {"name": name}
    if record:
        details |= appearance(kind, rgb)
    history = _history(record, layer)
    details["metadata"] = {OURS: history} if history else {}
    if kind == "labels":
        details |= phase_details(record)
    else:
        details["rgb"] = rgb
        details["metadata"] |= tables_in(layer)
    details |= details_of(kind, ndim, place | _origin(record, place), _still_true(layer, place, finest.shape))
    return data, details, kind


def _still_true(layer: Plain, place: Plain, shape: Sequence[int]) -> Plain:
    """What a record says, without the place if the file was cropped or given another voxel size by another program."""
    try:
        size, _, unit = place_of(place)
        known, _, known_unit = place_of(layer)
        axes = min(len(place["scale"]), len(layer["scale"]))
        same = unit == known_unit and np.allclose(size[-axes:], known[-axes:], rtol=1e-3)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        same = False
    gone = [] if same and list(shape) == layer.get("shape") else ["translate"]
    gone += [] if same else ["scale", "units"]
    return {name: value for name, value in layer.items() if name not in gone}


def _history(record: Mapping[str, Any], layer: Plain) -> Plain:
    """Provenance: what was in the layer's metadata, or all that the file says."""
    kept = layer.get("metadata")
    topics = kept if isinstance(kept, list) else [topic for topic in record if topic not in _NOT_PROVENANCE]
    return {topic: record[topic] for topic in topics if isinstance(topic, str) and topic in record}


def _origin(record: Mapping[str, Any], place: Plain) -> Plain:
    """Where a volume from the command line lies in its endless volume; OME-Zarr says so itself."""
    request = record.get("request")
    origin = request.get("origin") if isinstance(request, dict) else None
    if "translate" in place or not isinstance(origin, list) or len(origin) != len(place["scale"]):
        return {}
    if not all(isinstance(start, int) and abs(start) < 2**62 for start in origin):
        return {}
    return {"translate": [start * size for start, size in zip(origin, place["scale"], strict=True)]}


def _is_flat(record: Mapping[str, Any]) -> bool:
    """Whether a store of ours holds a 2D layer, of which OME-Zarr makes a volume of one plane."""
    layer = record.get("layer")
    return isinstance(layer, dict) and isinstance(layer.get("axis_labels"), list) and len(layer["axis_labels"]) == 2


def _arranged(array: Any, axes: str, record: Mapping[str, Any]) -> tuple[Any, str]:
    """Put colours last, and leave axes of length one out unless the file is ours and has them on purpose."""
    request, layer = (record.get(name) for name in ("request", "layer"))
    shape = next((each.get("shape") for each in (layer, request) if isinstance(each, dict)), None)
    colours = array.shape[axes.index("S")] if "S" in axes else 0
    if "S" in axes:
        array, axes = np.moveaxis(array, axes.index("S"), -1), axes.replace("S", "") + "S"
    if isinstance(shape, list) and all(isinstance(size, int) for size in shape):
        wanted = [*shape, colours] if colours and shape[-1] != colours else shape
        names = "ZYX"[-len(shape) :] if wanted is not shape or not colours else "ZYX"[-len(shape) + 1 :]
        if np.prod(wanted) == array.size and len(names) in (2, 3):
            return array.reshape(wanted), names + ("S" if colours else "")
    keep = [index for index, size in enumerate(array.shape) if size > 1 or axes[index] in "YXS"]
    array, axes = array.reshape([array.shape[index] for index in keep]), "".join(axes[index] for index in keep)
    if colours not in (0, 3, 4):
        return np.moveaxis(array, -1, 0), f"C{axes[:-1]}"
    return array, axes


def _tiff_place(axes: str, spacing: Spacing) -> Plain:
    """Scale and units for each axis. Slices whose distance the file does not tell are as far apart as pixels."""
    labels = [axis.lower() for axis in axes]
    known = dict(believable(spacing))
    plane = known.get("x", known.get("y"))
    stack = labels[0] if len(labels) == 3 and labels[0] in "ziqs" else "z"
    labels = ["z" if label == stack else label for label in labels]
    sizes = [known.get(axis, plane if axis in AXIS_LABELS else None) or (1.0, "pixel") for axis in labels]
    return {"scale": [size for size, _ in sizes], "units": [unit for _, unit in sizes], "axis_labels": labels}


def _store_place(store: Store, axes: Sequence[str]) -> Plain:
    """Scale, units, place and names of the axes that the layer has."""
    where = [store.axes.index(axis) for axis in axes]
    return {
        "scale": [store.scale[index] for index in where],
        "translate": [store.translation[index] for index in where],
        "units": [store.units[index] or "pixel" for index in where],
        "axis_labels": list(axes),
    }
