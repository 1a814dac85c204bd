"""A comparison as one HTML page that needs nothing beside it: no network, no script."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.comparison.report import words
from napari_slicegan.core.comparison.report.figures import COLOURS, Panel, draw, panels, picture
from napari_slicegan.core.comparison.result import Comparison, Picture, Verdict
from napari_slicegan.core.figure import PALETTE, scale_bar_length
from napari_slicegan.core.words import readable

_WIDEST = 265.0  # CSS pixels of a picture
_MARKS = {
    Verdict.AGREES: ("good", "✓"),
    Verdict.DIFFERS: ("bad", "✗"),
    Verdict.TOO_SMALL: ("open", "?"),
    Verdict.ONLY_3D: ("none", "·"),
    Verdict.MISSING: ("none", "·"),
}


def as_html(comparison: Comparison) -> str:
    """A comparison as a page.

    Parameters
    ----------
    comparison : Comparison
        What was found; its names and notes are shown as text, whatever they hold.

    Returns
    -------
    str
        HTML with all figures in it.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("napari_slicegan.core.comparison.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "estimated": words.estimated,
        "difference": words.difference,
        "scattered": words.scattered,
        "times": words.times,
        "readable": readable,
    }
    zoom = _zoom(comparison)
    side = "true volume" if comparison.truth_is_volume else "image"
    return environment.get_template("page.html").render(
        comparison=comparison,
        summary=words.summary(comparison),
        side=side,
        marks=_MARKS,
        verdicts=words.SHORT,
        footnotes=list(dict.fromkeys(row.note for row in comparison.rows if row.note)),
        groups=[(group, list(rows)) for group, rows in groupby(comparison.rows, key=lambda row: row.group)],
        has_natural=any(row.judgement.natural == row.judgement.natural for row in comparison.rows),
        pictures=[[_shown(each, comparison.kind, zoom) for each in some] for some in _side_by_side(comparison)],
        bar=_scale_bar(comparison, zoom),
        legend=_legend(comparison),
        panels=[(group, [_drawn(each) for each in some]) for group, some in _grouped(panels(comparison))],
        axes={axis: colour for axis, colour in COLOURS.items() if axis},
        provenance=list(_flat(comparison.provenance)),
    )


def _grouped(found: list[Panel]) -> Iterator[tuple[str, Iterator[Panel]]]:
    return groupby(found, key=lambda panel: panel.group)


def _drawn(panel: Panel) -> tuple[str, str]:
    unit = next(iter(panel.rows.values())).unit
    return f"{panel.title} ({readable(unit)})" if unit else panel.title, _embedded(draw(panel), "svg+xml")


def _embedded(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _side_by_side(comparison: Comparison) -> list[list[Picture]]:
    """A single image before the planes of the volume; of several each above the plane that it belongs to."""
    truth = [each for each in comparison.pictures if each.of_truth]
    volume = [each for each in comparison.pictures if not each.of_truth]
    return [truth, volume] if len(truth) > 1 else [truth + volume]


def _zoom(comparison: Comparison) -> float:
    """CSS pixels of a pixel, the same in all pictures, so that structures can be compared by eye."""
    widest = max((each.pixels.shape[1] for each in comparison.pictures), default=1)
    return min(4.0, _WIDEST / widest)


def _shown(each: Picture, kind: OutputKind, zoom: float) -> dict[str, Any]:
    height, width = each.pixels.shape[:2]
    source = _embedded(picture(each.pixels, kind), "png")
    return {
        "title": each.title,
        "source": source,
        "width": round(width * zoom),
        "size": f"{width} x {height} pixels",
    }


def _scale_bar(comparison: Comparison, zoom: float) -> tuple[int, str] | None:
    """Length on the page and in words of a bar that fits below all pictures."""
    if not comparison.pictures:
        return None
    extent = min(each.pixels.shape[1] for each in comparison.pictures) * comparison.voxel_size
    length = scale_bar_length(extent)
    unit = "pixels" if comparison.unit == "pixel" else readable(comparison.unit)
    return round(length / comparison.voxel_size * zoom), f"{length:g} {unit}"


def _legend(comparison: Comparison) -> list[tuple[str, str]]:
    if comparison.kind is not OutputKind.PHASES:
        return []
    return [
        (name, "#{:02x}{:02x}{:02x}".format(*colour))
        for name, colour in zip(comparison.phase_names, PALETTE, strict=False)
    ]


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Nested facts as lines: where each is, and what it is."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _flat(item, f"{path}: {key}" if path else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        for place, item in enumerate(value, 1):
            yield from _flat(item, f"{path} {place}")
    elif isinstance(value, list | tuple):
        yield path, ", ".join(map(str, value)) or "-"
    else:
        yield path, "-" if value is None or value == {} else str(value)
