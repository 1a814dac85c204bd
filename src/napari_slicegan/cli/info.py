"""``napari-slicegan info``: the same facts for people and, as JSON, for programs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_slicegan.cli.images import read_grey_or_colour
from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import MAX_PHASES, detect_kind
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.output.formats import SUFFIXES
from napari_slicegan.core.presets import PRESETS
from napari_slicegan.core.statistics.fractions import phase_fractions
from napari_slicegan.core.values import distinct_values

Facts = dict[str, Any]
_MODEL_SUFFIXES = (".safetensors", ".pt")


def run(args: argparse.Namespace) -> int:
    """Show what something is."""
    facts = describe(args.what)
    if args.json:
        print(json.dumps(facts, indent=2, allow_nan=False))
    else:
        _print(facts)
    return 0


def describe(what: str) -> Facts:
    """Tell models, runs, images and presets apart and describe them.

    Parameters
    ----------
    what : str
        Path of a file or a run, or name of a preset; a file of that name wins.

    Returns
    -------
    dict
        JSON values; "type" is "model", "run", "image" or "preset".

    Raises
    ------
    SliceGANError
        It is none of these, or it is damaged.
    """
    path = Path(what)
    if path.is_dir():
        return _run(path)
    if path.suffix.lower() in _MODEL_SUFFIXES:
        return {"type": "model", "path": what, **_model(path)}
    if path.exists() or what not in PRESETS:
        return _image(what)
    preset = PRESETS[what]
    return {"type": "preset", **asdict(preset)}


def is_model(name: str) -> bool:
    """Whether a name is that of a model file, a checkpoint or a run, rather than of an image or a volume."""
    path = Path(name)
    return path.suffix.lower() in _MODEL_SUFFIXES or (
        path.is_dir() and not name.rstrip("/\\").lower().endswith(SUFFIXES)
    )


def _model(path: Path) -> Facts:
    from napari_slicegan.core.model import SliceGAN

    info = SliceGAN.load(path, "cpu").info
    provenance = dict(info.provenance)
    return {
        "kind": info.kind.value,
        "phases": list(info.phases),
        "phase_names": list(info.phase_names),
        "phase_colours": list(info.phase_colours),
        "voxel_size": info.voxel_size,
        "unit": info.unit,
        "iterations": provenance.pop("iterations", None),
        "seconds": provenance.pop("seconds", None),
        "heldout": provenance.pop("heldout", None),
        "card": dict(info.card),
        "network": asdict(info.network),
        "training": provenance.pop("training", None),
        "provenance": provenance,
    }


def _run(path: Path) -> Facts:
    from napari_slicegan.core.run import Run

    run = Run.open(path)
    log = run.log()
    reports = [line for line in log if line.get("event") == "progress"]
    facts = {
        "type": "run",
        "path": str(path),
        "preset": run.preset,
        "images": list(run.images),
        "state": _state(log),
        "iterations": 0,
        "seconds": 0.0,
        "last_report": {k: v for k, v in reports[-1].items() if k != "event"} if reports else None,
        "network": asdict(run.network),
        "training": asdict(run.training),
        "model": None,
    }
    if run.has_checkpoint:
        model = _model(path)
        facts |= {name: model.pop(name) for name in ("iterations", "seconds", "network", "training")}
        facts["model"] = model
    return facts


def _state(log: list[Facts]) -> str:
    """What the last line of the log says: new, unfinished, stopped, completed or failed."""
    if not log:
        return "new"
    last = log[-1]
    return {"end": str(last.get("reason")), "error": "failed"}.get(str(last.get("event")), "unfinished")


def _image(what: str) -> Facts:
    if not Path(what).exists():
        raise DataError(f"There is no file or directory {what}, and no preset of that name ({', '.join(PRESETS)}).")
    file = read_grey_or_colour(what)
    kind = detect_kind(file.array)
    phases = distinct_values(file.array, MAX_PHASES) if kind is OutputKind.PHASES else None
    values = phases or []
    fractions = phase_fractions(file.array, values)
    edge = min(file.array.shape[index] for index, axis in enumerate(file.axes) if axis != "S")
    return {
        "type": "image",
        "path": what,
        "kind": kind.value,
        "shape": list(file.array.shape),
        "axes": file.axes,
        "dtype": file.array.dtype.name,
        "phases": [{"value": value, "fraction": fraction} for value, fraction in zip(values, fractions, strict=True)],
        "pixel_size": file.pixel_size,
        "unit": file.unit,
        "presets": {
            name: {"crop": preset.network.edge, "large_enough": edge >= preset.network.edge}
            for name, preset in PRESETS.items()
        },
    }


def _print(facts: Mapping[str, Any], indent: str = "") -> None:
    """Write nested facts as indented lines."""
    for name, value in facts.items():
        if isinstance(value, Mapping) and value:
            print(f"{indent}{name}:")
            _print(value, indent + "  ")
        else:
            print(f"{indent}{name}: {_line(value)}")


def _line(value: Any) -> str:
    if isinstance(value, list | tuple):
        items = (
            ", ".join(f"{key} {_line(v)}" for key, v in item.items()) if isinstance(item, Mapping) else _line(item)
            for item in value
        )
        separator = "; " if any(isinstance(item, Mapping) for item in value) else ", "
        return separator.join(items) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "-" if value is None or value == {} else _plain(str(value))


def _plain(text: str) -> str:
    """A text from a file without what a terminal would obey; its lines become one."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in " ".join(text.split()))
