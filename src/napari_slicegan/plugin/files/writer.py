"""Layers to files that keep voxel size, place, colours, names of phases and provenance; napari calls this to save."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from napari_slicegan.core.calibration import in_one_unit
from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.output.arrays import TILE, phases_in, range_of, write_array
from napari_slicegan.core.output.sinks.base import VolumeDescription
from napari_slicegan.core.output.tiff_options import storable_type
from napari_slicegan.plugin.files.layer_record import place_of, record_of
from napari_slicegan.plugin.phases import NAMES, named, names_in
from napari_slicegan.plugin.volume_layers import ours_in

TIFF, OME_ZARR = (".tif", ".tiff", ".ome.tif", ".ome.tiff"), (".ome.zarr",)
_STEPS = 1000
_LOOK = 0.3  # the part of the work that looking for phases is

Meta = Mapping[str, Any]
Progress = Callable[[float], None]


def write_labels_tiff(path: str, data: Any, meta: Meta) -> list[str]:
    """Write a Labels layer as calibrated TIFF."""
    return _write(_ending_in(TIFF, path), data, meta, "labels")


def write_image_tiff(path: str, data: Any, meta: Meta) -> list[str]:
    """Write an Image layer as calibrated TIFF."""
    return _write(_ending_in(TIFF, path), data, meta, "image")


def write_labels_ome_zarr(path: str, data: Any, meta: Meta) -> list[str]:
    """Write a Labels layer as OME-Zarr."""
    return _write(_ending_in(OME_ZARR, path), data, meta, "labels")


def write_image_ome_zarr(path: str, data: Any, meta: Meta) -> list[str]:
    """Write an Image layer as OME-Zarr."""
    return _write(_ending_in(OME_ZARR, path), data, meta, "image")


class Volume:
    """The data of a layer seen as (Z, Y, X) or (Z, Y, X, 3), in a type that files have; read when it is sliced.

    Parameters
    ----------
    data : array-like (Y, X) or (Z, Y, X), with 3 or 4 colours behind that for `rgb`
        The data of a layer, or its finest level.
    rgb : bool
        Whether the last axis is colour.
    """

    def __init__(self, data: Any, rgb: bool) -> None:
        self._data, self._rgb = data, rgb
        self.is_flat = data.ndim - rgb == 2
        self.shape = ((1,) if self.is_flat else ()) + data.shape[: data.ndim - rgb] + ((3,) if rgb else ())
        types = {"bool": np.uint8, "float16": np.float32}
        self._dtype = np.dtype(data.dtype)
        self.dtype = np.dtype(np.uint8 if rgb else types.get(self._dtype.name, self._dtype.newbyteorder("=")))

    def __getitem__(self, place: tuple[slice, ...]) -> Any:
        """Read a part."""
        part = np.asarray(self._data[place[1:] if self.is_flat else place])
        if self._rgb:
            part = part[..., :3]
            if self._dtype.kind == "f":  # napari shows 1.0 as white
                part = np.round(np.clip(part, 0, 1) * 255)
        return (part[None] if self.is_flat else part).astype(self.dtype, copy=False)


def _write(path: Path, data: Any, meta: Meta, kind: str) -> list[str]:
    array = data[0] if meta.get("multiscale") else data
    _check(array, meta)
    volume = Volume(array, bool(meta.get("rgb")))
    with _progress_of(meta["name"]) as progress:
        phases = phases_in(volume, lambda share: progress(share * _LOOK)) if kind == "labels" else ()
        description = _description(volume, meta, phases, record_of(meta, kind, array.shape), path)
        write_array(path, volume, description, lambda share: progress(_LOOK + share * (1 - _LOOK)))
    _tell_what_is_lost(meta, has_alpha=bool(meta.get("rgb")) and array.shape[-1] == 4)
    return [str(path)]


def _check(array: Any, meta: Meta) -> None:
    """Refuse what a file cannot hold."""
    name, axes = meta["name"], array.ndim - bool(meta.get("rgb"))
    if ours_in(meta["metadata"]).get("endless"):
        raise DataError(f"{name} is endless: take the box in view in the dock Generate volume, and save that.")
    if axes not in (2, 3):
        raise DataError(f"{name} has {axes} dimensions: an image or a volume is needed. Save one of them at a time.")
    if 0 in array.shape:
        raise DataError(f"{name} has no voxels.")


def _description(
    volume: Volume, meta: Meta, phases: tuple[int, ...], layer: dict[str, Any], path: Path
) -> VolumeDescription:
    """What the file is to say."""
    labels = layer["type"] == "labels"
    sizes, translation, unit = place_of(meta)
    known = _plain(ours_in(meta["metadata"]))
    phases = tuple(sorted({*phases, *_known_colours(known)})) if phases else ()
    layer["metadata"] = list(known)
    dtype, limits = volume.dtype, meta.get("contrast_limits")
    if path.suffix != ".zarr" and dtype.kind in "iu" and dtype.itemsize == 8:
        least, greatest = range_of(volume)
        dtype = storable_type(dtype, int(least), int(greatest), path.name)
    return VolumeDescription(
        volume.shape,
        dtype,
        OutputKind.PHASES if labels else OutputKind.COLOUR if len(volume.shape) == 4 else OutputKind.GREY,
        phases,
        sizes[-1],
        unit,
        TILE,
        known,
        phase_names=_names(meta, phases),
        phase_colours=_colours(meta, phases, _known_colours(known)),
        translation=translation,
        edges=sizes,
        limits=None if limits is None or meta.get("rgb") else (float(limits[0]), float(limits[1])),
        layer=layer,
    )


def _names(meta: Meta, phases: tuple[int, ...]) -> tuple[str, ...]:
    """What the phases are called, in the metadata or the features of the layer; () without a name."""
    names = named(meta["metadata"].get(NAMES)) or names_in(meta.get("features"))
    return tuple(names.get(phase) or str(phase) for phase in phases) if names else ()


def _colours(meta: Meta, phases: tuple[int, ...], known: Mapping[int, str]) -> tuple[str, ...]:
    """The colours of the phases as "#rrggbb"; of one that the layer does not show, as its model knows it."""
    colours = []
    for phase in phases:
        red, green, blue, alpha = np.round(255 * np.asarray(meta["colormap"].map(phase)).ravel()).astype(int)
        shown = f"#{red:02x}{green:02x}{blue:02x}"
        colours.append(shown if alpha else known.get(phase, shown))
    return tuple(colours)


def _known_colours(known: Mapping[str, Any]) -> dict[int, str]:
    """The colours of phases that a volume of ours carries along."""
    phases, colours = known.get("phases", ()), known.get("phase_colours", ())
    pairs = zip(phases, colours, strict=False) if isinstance(phases, list) and isinstance(colours, list) else ()
    return {phase: colour for phase, colour in pairs if isinstance(phase, int) and isinstance(colour, str)}


def _plain(history: Any) -> dict[str, Any]:
    """Provenance as JSON gives it back, without what says how a layer is shown."""
    plain: Any = json.loads(json.dumps(history, default=str))
    return {topic: value for topic, value in plain.items() if topic not in ("layer", "complete")}


def _ending_in(endings: tuple[str, ...], path: str) -> Path:
    """A path with one of these endings."""
    return Path(path if path.lower().endswith(endings) else path + endings[0])


def _tell_what_is_lost(meta: Meta, *, has_alpha: bool) -> None:
    """Say what of a layer no file keeps."""
    from napari.utils.notifications import show_info

    axes = len(meta["scale"])
    if has_alpha:
        show_info(f"Saved {meta['name']} without its transparency: files keep red, green and blue.")
    turned = not np.allclose(meta["rotate"], np.eye(axes)) or np.any(meta["shear"])
    if turned or not np.allclose(meta["affine"], np.eye(axes + 1)):
        show_info(f"Saved {meta['name']} without its rotation and shear: files keep scale and place only.")
    try:
        in_one_unit([1.0] * axes, list(map(str, meta["units"])))
    except DataError:
        show_info(f"Saved {meta['name']} with a unit that only napari-slicegan reads back: it is no length.")


@contextmanager
def _progress_of(name: str) -> Iterator[Progress]:
    """A bar in napari's activity dock; none in a thread, where it would end the program."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda _: None
        return
    from napari.utils import progress

    with progress(total=_STEPS, desc=f"Saving {name}") as bar:
        yield lambda share: bar.update(round(share * _STEPS) - bar.n)
