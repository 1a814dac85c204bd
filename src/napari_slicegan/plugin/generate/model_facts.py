"""What there is to know of a model, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from napari_slicegan.core.files import CONFIG
from napari_slicegan.core.runs.status import read_text
from napari_slicegan.core.words import duration
from napari_slicegan.plugin.layers import unit_text
from napari_slicegan.plugin.models import ModelEntry

#: Rows of the card, each with what it means.
FACTS = {
    "Voxel": "Edge of a voxel.",
    "Preset": "What the settings of its training started from.",
    "Training": "Updates of the generator, and the time that they took.",
    "Held out": "How near volumes that were kept aside are to the training image: mean difference of the two-point "
    "correlations, and largest difference of a volume fraction, or how far grey levels have to move for the same "
    "histogram.",
    "Seed": "Of the random numbers of the training.",
    "Images": "What it was trained on.",
    "Created": "When it was saved last by the training.",
    "Versions": "Of the programs that trained it.",
    "File": "The model file or the directory of its run.",
}
_LONGEST = 300


def facts_of(entry: ModelEntry) -> dict[str, str]:
    """What is known of a model for each of `FACTS`; empty where nothing is.

    Parameters
    ----------
    entry : ModelEntry
        The model; its provenance may come from a file, so it may hold anything.

    Returns
    -------
    dict
        Plain text, of a length that fits into a dock.
    """
    info, record = entry.model.info, entry.model.info.provenance
    training, heldout = _table(record.get("training")), _table(record.get("heldout"))
    voxel = "size unknown" if info.unit == "pixel" else f"{info.voxel_size:.4g} {unit_text(info.unit)}"
    facts = {
        "Voxel": voxel,
        "Preset": record.get("preset") or _preset_of_run(entry.path),
        "Training": _length(record),
        "Held out": _errors(heldout),
        "Seed": training.get("seed", ""),
        "Images": ", ".join(map(str, _list(record.get("images")))),
        "Created": str(record.get("created", "")).replace("T", " ").replace("+00:00", " UTC"),
        "Versions": ", ".join(f"{name} {version}" for name, version in _table(record.get("versions")).items()),
        "File": str(entry.path),
    }
    return {name: _short(str(text)) for name, text in facts.items()}


def _preset_of_run(path: Path) -> str:
    """The preset that a run was started with; empty for a model file."""
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        return str(json.loads(read_text(path / CONFIG))["preset"])
    return ""


def _length(record: Mapping[str, Any]) -> str:
    """Iterations and time, as far as they are numbers."""
    iterations, seconds = record.get("iterations"), record.get("seconds")
    parts = [f"{iterations:,} iterations"] if isinstance(iterations, int) else []
    if isinstance(seconds, int | float) and 0 < seconds < float("inf"):
        parts.append(duration(seconds))
    return " in ".join(parts)


def _errors(heldout: Mapping[str, Any]) -> str:
    """The held-out errors, as far as they are numbers."""
    names = {"correlation_error": "S2 {:.4f}", "fraction_error": "fraction {:.4f}"}
    values = {text: heldout.get(name) for name, text in names.items()}
    return ", ".join(text.format(value) for text, value in values.items() if isinstance(value, int | float))


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _short(text: str) -> str:
    """Printable, and no longer than anyone reads."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text[: _LONGEST + 1])
    return plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]}…"
