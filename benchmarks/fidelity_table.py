"""The results of `fidelity.py` in Markdown."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rows import GROUPS

_SHOWN = {
    "within_3": "rows within 3 spreads",
    "median": "median multiple",
    "p90": "90th percentile",
    "scatter": "scatter of blocks",
    "lattice_worst": "worst lattice artefact",
    "fraction_error": "fractions, image",
    "correlation_error": "S2, image",
    "faces_error": "faces, image",
    "anisotropy": "anisotropy of faces",
    "diagonals": "anisotropy of diagonals",
    "patterns": "patterns, image",
}
_OF_ROWS = ("generated", "relative", "multiple", "scatter")

Record = dict[str, Any]
"""What was asked for, and what was found."""


def read(path: Path) -> list[Record]:
    """All results so far."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def table(wanted: Sequence[str], path: Path, with_rows: bool) -> None:
    """Print what is known of some materials, or of all: medians over repetitions, and from where to where they go."""
    known = [record for record in read(path) if not wanted or record["material"] in wanted]
    conditions = dict.fromkeys(_conditions(record) for record in known if "threads" in record)
    recipes: dict[str, set[str]] = defaultdict(set)
    for record in known:
        recipes[_title(record, with_conditions=True)].add(record.get("recipe", ""))
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in known:
        is_one = len(recipes[_title(record, with_conditions=True)]) < 2
        title = _title(record, with_conditions=len(conditions) > 1)
        groups[title if is_one else f"{title}, recipe {record.get('recipe', 'unknown')}"].append(record)
    print(f"Each with {' or '.join(conditions)}.\n" if conditions else "")
    judged = {title: [one for one in records if "rows" in one] for title, records in groups.items()}
    lines, worst = [], []
    for title, records in judged.items():
        told = [one["summary"] for one in records]
        failed = len(groups[title]) - len(records)
        runs = f"{len(records)}" + f", {failed} more failed" * bool(failed)
        updates = _range([one["iterations"] for one in records if "iterations" in one])
        lines.append([title, runs, updates, *(_range([one[name] for one in told if name in one]) for name in _SHOWN)])
        multiples = [[one["worst"][group]["multiple"] for one in told if group in one["worst"]] for group in GROUPS]
        worst.append([title, *map(_range, multiples)])
    _print_table(["Material, preset, minutes", "runs", "updates", *_SHOWN.values()], lines)
    _print_table(["The worst row of each group, in spreads", *GROUPS], worst)
    for title, records in judged.items() if with_rows else ():
        _print_rows(title, records)


def _print_rows(title: str, records: Sequence[Record]) -> None:
    """Every row of the repetitions of one result, and what was left out."""
    found: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        for row in record["rows"]:
            found[row["group"], row["name"]].append(row)
    lines = []
    for key, rows in sorted(found.items(), key=lambda one: GROUPS.index(one[0][0])):
        truth = [f"{rows[0][part]:.3g}" for part in ("truth", "spread")]
        lines.append([*key, *truth, *(_range([row[part] for row in rows if part in row]) for part in _OF_ROWS)])
    print(f"{title}\n")
    _print_table(["Group", "Row", "Truth", "its spread", *_OF_ROWS], lines)
    for note in dict.fromkeys(note for record in records for note in record["notes"]):
        print(f"Left out: {note}\n")


def _print_table(heading: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    for cells in (heading, ["---"] * len(heading), *lines):
        print(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    print()


def _conditions(record: Record) -> str:
    return "{threads} threads on {device}, {volumes} volumes".format_map(record)


def _title(record: Record, with_conditions: bool) -> str:
    words = [record["preset"], *(f"{name}={value}" for name, value in record.get("overrides", {}).items())]
    if "start_from" in record:
        words.append(f"from {record['start_from']}")
    if "threads" in record:
        words += ["with diffusivity"] if record.get("diffusivity") else []
        end = ", {updates:,} updates" if "updates" in record else ", {at:g} of {minutes:g} min"
        words[-1] += end.format_map(record)
        words[-1] += f", {_conditions(record)}" * with_conditions
    return f"{record['material']}, {' '.join(words)}"


def _range(numbers: Sequence[float]) -> str:
    """The median and, of several, the least and the largest; nothing of none."""
    if not numbers:
        return ""
    shown = [*numbers] if len(numbers) < 2 else [float(np.median(numbers)), min(numbers), max(numbers)]
    digits = 3 if len(shown) < 2 else 2  # more would tell of chance
    texts = [f"{number:.0f}" if abs(number) >= 100 else f"{number:.{digits}g}" for number in shown]
    return f"{texts[0]} ({texts[1]} .. {texts[2]})" if texts[1:] else "".join(texts)
