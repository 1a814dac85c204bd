"""What the phases of a layer are called and how they are coloured; what a user changes of it stays with the layer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.layers import Layer

#: Keys of a layer's metadata: a dict from value to name, and one from value to "#rrggbb".
NAMES, COLOURS = "phase_names", "phase_colours"
LONGEST_NAME = 100
_COLUMNS = ("name", "label", "class", "phase")
_COLOUR = re.compile("#[0-9a-fA-F]{6}")
_MOST_ROWS = 1000


def names_of(layer: Layer) -> dict[int, str]:
    """The names of a layer's values: those in its metadata, else those in a column "name" of its features."""
    return named(layer.metadata.get(NAMES)) or names_in(getattr(layer, "features", None))


def colours_of(layer: Layer) -> dict[int, str]:
    """The colours "#rrggbb" that were chosen for a layer's values."""
    return colours_in(layer.metadata.get(COLOURS))


def colours_in(table: Any) -> dict[int, str]:
    """The colours "#rrggbb" in a table from value to text; it may come from anywhere."""
    return {value: colour.lower() for value, colour in named(table).items() if _COLOUR.fullmatch(colour)}


def tables_in(metadata: Mapping[str, Any]) -> dict[str, dict[int, str]]:
    """The names and the colours in the metadata of a layer, under their keys, as far as there are some."""
    found = {NAMES: named(metadata.get(NAMES)), COLOURS: colours_in(metadata.get(COLOURS))}
    return {key: table for key, table in found.items() if table}


def set_name(layer: Layer, value: int, name: str) -> None:
    """Call a value of a layer by another name; "" takes its name away."""
    names = names_of(layer) | {value: name.strip()[:LONGEST_NAME]}
    layer.metadata[NAMES] = {key: text for key, text in sorted(names.items()) if text}


def set_colour(layer: Layer, value: int, colour: str, shown: Mapping[int, str]) -> None:
    """Give a value of a layer another colour; a Labels layer is shown in it.

    Parameters
    ----------
    layer : Image or Labels layer
        Its own colours of the other values are kept.
    value : int
        Which.
    colour : str
        "#rrggbb".
    shown : mapping of int to str
        The colours of all values as they are shown now; values without one are transparent.
    """
    from napari.layers import Labels
    from napari.utils.colormaps import DirectLabelColormap

    layer.metadata[COLOURS] = colours_of(layer) | {value: colour}
    if isinstance(layer, Labels):
        table: dict[int | None, Any] = dict({0: "transparent", **shown, value: colour}.items())
        table[None] = "transparent"
        layer.colormap = DirectLabelColormap(color_dict=table)


def named(table: Any) -> dict[int, str]:
    """What can be used of a table of texts, by value or by place; it may come from anywhere."""
    pairs = table.items() if isinstance(table, Mapping) else enumerate(table) if isinstance(table, list | tuple) else ()
    named: dict[int, str] = {}
    for key, text in list(pairs)[:_MOST_ROWS]:
        try:
            number = int(key)
        except (TypeError, ValueError, OverflowError):
            continue
        if isinstance(text, str) and text.strip():
            named[number] = text.strip()[:LONGEST_NAME]
    return named


def names_in(table: Any) -> dict[int, str]:
    """Names in the features of a Labels layer, whose rows belong to the values in "index", or else to 0, 1, 2, ..."""
    if table is None or not len(table.columns) or len(table) > _MOST_ROWS:
        return {}
    column = next((each for each in table.columns if str(each).strip().lower() in _COLUMNS), None)
    if column is None:
        return {}
    values: Sequence[Any] = list(table["index"]) if "index" in table.columns else range(len(table))
    return named(dict(zip(values, table[column], strict=True)))
