"""The metadata of an OME-Zarr folder, after the OME-NGFF specification 0.5.

A volume of phases is an image like any other here. The specification knows label images too, but only within another
image: readers that find one elsewhere look for its image in the folders around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari_slicegan.core.calibration import standard_size
from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.output.sinks.base import VolumeDescription
from napari_slicegan.core.output.sinks.pyramid import Level
from napari_slicegan.core.volume.request import AXES

VERSION = "0.5"
_UNITS = {"nm": "nanometer", "um": "micrometer", "mm": "millimeter", "m": "meter"}
_COLOURS = {"red": "FF0000", "green": "00FF00", "blue": "0000FF"}

Json = dict[str, Any]


def image(description: VolumeDescription, levels: Sequence[Level]) -> Json:
    """What a store with these levels says of itself."""
    phases = description.kind is OutputKind.PHASES
    what = "the label of most of the voxels, of equals the smallest" if phases else "the mean of the voxels, rounded"
    multiscale = {
        "name": "volume",
        "axes": axes(description),
        "datasets": [_dataset(description, number, level) for number, level in enumerate(levels)],
        "type": "mode" if phases else "mean",
        "metadata": {"description": f"2 x 2 x 2 voxels become one: {what}"},
    }
    return {"version": VERSION, "multiscales": [multiscale], "omero": {"channels": _channels(description)}}


def spacing_of(ome: Json) -> tuple[float, str]:
    """Edge of a voxel and its unit, of a store of any maker; 1 pixel when it does not tell or voxels are no cubes."""
    multiscale = ome["multiscales"][0]
    steps = next(each["scale"] for each in multiscale["datasets"][0]["coordinateTransformations"] if "scale" in each)
    units = {each.get("unit", "") for each in multiscale["axes"] if each.get("type") == "space"}
    sizes = set(steps[-3:])
    if units == {""} and len(sizes) == 1 and float(steps[-1]).is_integer():  # pixels of an image that was shrunk
        return max(float(steps[-1]), 1.0), "pixel"
    if len(sizes) > 1 or len(units) > 1 or not units & set(_UNITS.values()):
        return 1.0, "pixel"
    return standard_size(float(sizes.pop()), units.pop())


def axes(description: VolumeDescription) -> list[Json]:
    """The axes of the arrays: the specification wants channels before space."""
    _, unit = _unit(description)
    named = {"unit": _UNITS[unit]} if unit in _UNITS else {}
    space = [{"name": axis, "type": "space", **named} for axis in AXES]
    return [{"name": "c", "type": "channel"}, *space] if description.kind is OutputKind.COLOUR else space


def _dataset(description: VolumeDescription, number: int, level: Level) -> Json:
    """Where a level is, and where the centres of its voxels lie."""
    factor, _ = _unit(description)
    sizes = [size * factor for size in description.sizes]
    channel = description.kind is OutputKind.COLOUR
    scale = [1.0] * channel + [size * step for size, step in zip(sizes, level.step, strict=True)]
    start = [begin * factor for begin in description.translation]
    inside = [size * offset for size, offset in zip(sizes, level.shift, strict=True)]
    shift = [0.0] * channel + [first + offset for first, offset in zip(start, inside, strict=True)]
    transformations: list[Json] = [{"type": "scale", "scale": scale}]
    if any(shift):
        transformations.append({"type": "translation", "translation": shift})
    return {"path": str(number), "coordinateTransformations": transformations}


def _unit(description: VolumeDescription) -> tuple[float, str]:
    """A unit of the package, and how many of it the description's unit is long."""
    try:
        return standard_size(1.0, description.unit)
    except DataError:  # a unit that only the maker of the model knows
        return 1.0, description.unit


def _channels(description: VolumeDescription) -> list[Json]:
    """How to show the volume: phases from black to white, since their labels are small numbers."""
    low, high = description.shown
    high = high if high > low else low + 1
    window = {"min": low, "start": low, "end": high, "max": high}
    colours = _COLOURS if description.kind is OutputKind.COLOUR else {str(description.kind): "FFFFFF"}
    return [{"label": name, "color": colour, "active": True, "window": window} for name, colour in colours.items()]
