"""All numbers of a comparison as JSON, and those of its table as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from napari_slicegan.core.comparison.result import Comparison, Estimate, Judgement, Row

FORMAT = 1
"""Rises when fields of the JSON change their meaning or go."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute text that begins so
_SIDES = ("truth", "volumes", "random")


def as_json(comparison: Comparison) -> dict[str, Any]:
    """A comparison with its curves, without its pictures.

    Parameters
    ----------
    comparison : Comparison
        What was found.

    Returns
    -------
    dict
        Plain JSON with the attributes of `Comparison` and `Row` by name, `format`, and `counts` of the verdicts; null
        where a number is not known or not finite.
    """
    facts = _plain(comparison, leave=("rows", "pictures"))
    counts = {verdict.value: count for verdict, count in comparison.counts.items()}
    return {"format": FORMAT, **facts, "counts": counts, "rows": [_plain(row) for row in comparison.rows]}


def as_csv(comparison: Comparison) -> str:
    """The table, one line for each row; cells are empty where a number is not known.

    Parameters
    ----------
    comparison : Comparison
        What was found.

    Returns
    -------
    str
        With a line of names above. Text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    lines = [_cells(row) for row in comparison.rows]
    file = io.StringIO()
    writer = csv.DictWriter(file, list(lines[0]) if lines else ["key"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return file.getvalue()


def _cells(row: Row) -> dict[str, str]:
    cells = {"key": row.key, "group": row.group.value, "name": row.name, "unit": row.unit}
    for side in _SIDES:
        cells |= {f"{side}_{name}": _number(value) for name, value in _numbers_of(getattr(row, side)).items()}
    cells |= _judged(row.judgement) | {"note": row.note}
    cells |= {f"random_{name}": value for name, value in _judged(row.of_random).items()}
    text = ("key", "name", "unit", "note")
    return {
        name: f"'{value}" if name in text and value.startswith(_FORMULA) else value for name, value in cells.items()
    }


def _numbers_of(estimate: Estimate | None) -> dict[str, float]:
    found = estimate or Estimate(math.nan)
    low, high = found.interval
    return {"value": found.value, "uncertainty": found.uncertainty, "low": low, "high": high, "spread": found.spread}


def _judged(judgement: Judgement) -> dict[str, str]:
    numbers = {name: _number(getattr(judgement, name)) for name in ("difference", "multiple", "natural")}
    return numbers | {"verdict": judgement.verdict.value}


def _number(value: float) -> str:
    return "" if math.isnan(value) else repr(float(value))


def _plain(value: Any, leave: tuple[str, ...] = ()) -> Any:
    """Anything as what JSON knows; fields of dataclasses by name."""
    if hasattr(value, "__dataclass_fields__"):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value) if item.name not in leave}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    return str(value)
