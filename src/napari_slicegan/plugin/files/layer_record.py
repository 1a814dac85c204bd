"""What a file keeps of how a layer is shown, as plain values, and the layer's details made of that again.

A file may come from anywhere: of what it says only values of the expected kind and size are used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from napari_slicegan.core.calibration import in_one_unit
from napari_slicegan.core.errors import DataError
from napari_slicegan.plugin.phases import tables_in
from napari_slicegan.plugin.volume_layers import coloured, phase_features

#: Colours that are kept of a colormap, characters of a text, phases with names.
_MOST, _LONGEST = 1024, 200
_NUMBERS = ("opacity", "gamma", "attenuation", "iso_threshold")
_TEXTS = ("name", "blending", "rendering", "iso_gradient_mode", "interpolation2d", "interpolation3d")

Plain = dict[str, Any]


def record_of(meta: Mapping[str, Any], kind: str, shape: Sequence[int]) -> Plain:
    """What to keep of a layer.

    Parameters
    ----------
    meta : mapping
        The details that napari gives to a writer.
    kind : str
        "labels" or "image".
    shape : sequence of int
        Of its data.

    Returns
    -------
    dict
        Plain values for JSON.
    """
    record: Plain = {"type": kind, "shape": list(shape)}
    record |= {name: float(meta[name]) for name in _NUMBERS if name in meta}
    record |= {name: str(meta[name]) for name in _TEXTS if name in meta}
    record |= {name: list(map(float, meta[name])) for name in ("scale", "translate")}
    record |= {name: list(map(str, meta[name])) for name in ("units", "axis_labels")}
    if kind == "labels":
        record["labels"] = _plain_labels(meta["colormap"])
    elif not meta.get("rgb"):
        record |= tables_in(meta["metadata"])  # an image has no features to keep names in
        record["contrast_limits"] = [float(limit) for limit in meta["contrast_limits"]]
        record["colormap"] = _plain_colormap(meta["colormap"])
    return record


def details_of(kind: str, ndim: int, *records: Mapping[str, Any]) -> Plain:
    """Details of a layer from what a file says of it.

    Parameters
    ----------
    kind : str
        "labels" or "image".
    ndim : int
        Axes of the layer, without that of colours.
    *records : mapping
        What `record_of` gave, or anything else; later ones count more.

    Returns
    -------
    dict
        For `Layer.create`; only what works.
    """
    details: Plain = {}
    for record in records:
        details |= _sensible(record, kind, ndim)
    if _works(details, kind, ndim):
        return details
    return {name: value for name, value in details.items() if _works({name: value}, kind, ndim)}


def _sensible(record: Mapping[str, Any], kind: str, ndim: int) -> Plain:
    """What of a record has the right type and size."""
    details: Plain = {name: record[name] for name in _NUMBERS if _is_number(record.get(name))}
    details |= {name: record[name] for name in _TEXTS if _is_text(record.get(name))}
    for name, is_right in _AXES.items():
        values = record.get(name)
        if isinstance(values, list) and len(values) == ndim and all(map(is_right, values)):
            details[name] = tuple(values)
    limits = record.get("contrast_limits")
    if isinstance(limits, list) and len(limits) == 2 and all(map(_is_number, limits)) and limits[0] < limits[1]:
        details["contrast_limits"] = tuple(limits)
    if colormap := _labels(record.get("labels")) if kind == "labels" else _colormap(record.get("colormap")):
        details["colormap"] = colormap
    return details


def _works(details: Plain, kind: str, ndim: int) -> bool:
    """Whether napari takes details: tried on a layer of one voxel, since it lists what it takes only in private."""
    from napari.layers import Layer

    try:
        Layer.create(np.zeros((1,) * ndim, np.uint8), dict(details), kind)
    except Exception:  # noqa: BLE001  (whatever napari makes of what a file says)
        return False
    return True


def place_of(record: Mapping[str, Any]) -> tuple[tuple[float, float, float], tuple[float, float, float], str]:
    """Where a layer lies, in one unit, as files want it.

    Parameters
    ----------
    record : mapping
        With "scale" and "units", and perhaps "translate", for two or three axes.

    Returns
    -------
    (float, float, float), (float, float, float), str
        Edges of a voxel and the place of the first one, along z, y, x, and their unit: "pixel", with the numbers as
        they are, where the layer's units are no lengths.
    """
    scale = list(map(float, record["scale"]))
    shift = list(map(float, record.get("translate", [0.0] * len(scale))))
    units = list(map(str, record["units"]))
    if len(scale) == 2:
        scale, shift, units = [scale[0], *scale], [0.0, *shift], [units[0], *units]
    edges = [abs(size) for size in scale]
    try:
        sizes, unit = in_one_unit(edges, units)
    except DataError:
        sizes, unit = tuple(edges), "pixel"
    (depth, height, width), factors = sizes, [size / edge for size, edge in zip(sizes, edges, strict=True)]
    z, y, x = (start * factor for start, factor in zip(shift, factors, strict=True))
    return (depth, height, width), (z, y, x), unit


def phase_details(record: Mapping[str, Any]) -> Plain:
    """Colours and names of phases from the facts that every volume of ours carries."""
    phases, names, colours = (_list(record.get(name)) for name in ("phases", "phase_names", "phase_colours"))
    details: Plain = {}
    if not phases or not all(isinstance(phase, int) for phase in phases):
        return details
    if len(names) == len(phases) and all(map(_is_text, names)):
        details["features"] = phase_features(phases, names)
    if len(colours) == len(phases) and all(_is_hex(colour) for colour in colours):
        details["colormap"] = coloured(dict(zip(phases, colours, strict=True)))
    return details


def _plain_labels(colormap: Any) -> Plain:
    """The colours of labels: one for each, or the cycle of colours that napari takes when nobody chose any."""
    table = getattr(colormap, "color_dict", None)
    if table is None:
        return {"cycle": _plain_colours(colormap.colors)}
    known = {str(label): _plain_colour(colour) for label, colour in table.items() if label is not None}
    return {"colours": dict(list(known.items())[:_MOST]), "others": _plain_colour(table[None])}


def _labels(plain: Any) -> Any:
    """A colormap of labels, or None."""
    from napari.utils.colormaps import CyclicLabelColormap, DirectLabelColormap

    if not isinstance(plain, Mapping):
        return None
    cycle, colours, others = plain.get("cycle"), plain.get("colours"), plain.get("others")
    if _are_colours(cycle):
        return CyclicLabelColormap(colors=cycle, background_value=0)
    if not isinstance(colours, Mapping) or not _are_colours([*colours.values(), others]):
        return None
    try:
        table: dict[int | None, Any] = {int(label): colour for label, colour in colours.items()}
    except ValueError:
        return None
    return DirectLabelColormap(color_dict={**table, None: others})


def _plain_colormap(colormap: Any) -> Plain:
    """A colormap of intensities, which napari gives as its fields."""
    fields = colormap if isinstance(colormap, Mapping) else colormap.model_dump()
    controls = [round(float(place), 6) for place in fields["controls"][:_MOST]]
    return {"name": str(fields["name"]), "colours": _plain_colours(fields["colors"]), "controls": controls}


def _colormap(plain: Any) -> Any:
    """A colormap of intensities, or None."""
    from napari.utils.colormaps import AVAILABLE_COLORMAPS, Colormap

    if not isinstance(plain, Mapping) or not _is_text(name := plain.get("name")):
        return None
    if name in AVAILABLE_COLORMAPS:
        return name
    colours, controls = plain.get("colours"), _list(plain.get("controls"))
    if not _are_colours(colours) or not all(map(_is_number, controls)):
        return None
    try:
        return Colormap(colors=colours, name=name, controls=controls)
    except ValueError:  # controls that do not rise from 0 to 1
        return None


def _plain_colours(colours: Any) -> list[list[float]]:
    return [_plain_colour(colour) for colour in colours[:_MOST]]


def _plain_colour(colour: Any) -> list[float]:
    return [round(float(part), 6) for part in np.asarray(colour)]


def _are_colours(values: Any) -> bool:
    if not isinstance(values, list) or not 0 < len(values) <= _MOST + 1:
        return False
    return all(isinstance(each, list) and len(each) == 4 and all(map(_is_share, each)) for each in values)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) and len(value) <= _MOST else []


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_hex(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("#[0-9a-fA-F]{6}", value) is not None


def _is_unit(value: Any) -> bool:
    return _is_text(value) and value.replace("_", "").isalpha()  # pint would compute whatever else it is given


def _is_edge(value: Any) -> bool:
    return _is_number(value) and value != 0


_AXES: dict[str, Callable[[Any], bool]] = {
    "scale": _is_edge,
    "translate": _is_number,
    "units": _is_unit,
    "axis_labels": _is_text,
}
