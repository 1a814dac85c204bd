"""The results of `screening.py` in Markdown."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from ideas import IDEAS

Record = dict[str, Any]
"""What was tried, and the errors of what came of it."""

_ERRORS = {
    "updates": "iteration",
    "S2": "correlation_error",
    "fractions": "fraction_error",
    "surfaces": "surface_error",
    "patterns": "pattern_error",
    "score": "score",
}


def read(path: Path) -> list[Record]:
    """All results so far."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def table(path: Path, base: str, model: str, with_errors: bool) -> None:
    """Print what ideas are worth as one kind of model, then what the kinds of models of the same weights are worth."""
    known = read(path)
    for seconds in sorted({result["seconds"] for result in known}):
        found = [result for result in known if result["seconds"] == seconds]
        print(f"{seconds:g} s\n")
        _print_ideas([result for result in found if result["model"] == model], base)
        _print_models(found, model)
        for heading, chosen in (("idea", ("model", model)), ("model", ("idea", base))) if with_errors else ():
            _print_errors(heading, [result for result in found if result[chosen[0]] == chosen[1]])


def gains(known: Sequence[Record], base: Sequence[Record]) -> list[float]:
    """How many times as large scores are as those of a base: of each seed, the geometric mean over materials."""
    scores = {_run(result): result["score"] for result in base}
    ratios: dict[int, list[float]] = {}
    for result in known:
        if _run(result) in scores:
            ratios.setdefault(result["seed"], []).append(result["score"] / scores[_run(result)])
    return [statistics.geometric_mean(each) for each in ratios.values()]


def _print_ideas(known: Sequence[Record], base: str) -> None:
    """A line for each idea, the best first: scores, and what they are of the base's."""
    own = [result for result in known if result["idea"] == base]
    materials = sorted({result["material"] for result in known})
    lines = []
    for idea, found in _grouped(known, "idea"):
        each = [[one["score"] for one in found if one["material"] == material] for material in materials]
        ratios = gains(found, own)
        what = IDEAS[idea].text if idea in IDEAS else ""
        cells = [idea, what, str(min(map(len, each))), *map(_spread, (*each, ratios))]
        lines.append((statistics.median(ratios) if ratios else 0.0, cells))
    heading = ["idea", "what it is", "runs", *(f"{name}: score" for name in materials), f"of {base}"]
    _print_table(heading, [cells for _, cells in sorted(lines)])


def _print_models(known: Sequence[Record], model: str) -> None:
    """How the score of each other kind of model compares with that of one, of the same weights."""
    own = {(result["idea"], *_run(result)): result["score"] for result in known if result["model"] == model}
    lines = []
    for name, found in _grouped(known, "model"):
        keys = [((one["idea"], *_run(one)), one["score"]) for one in found]
        ratios = [score / own[key] for key, score in keys if key in own]
        if name != model and ratios:
            worse = f"{sum(ratio > 1 for ratio in ratios)} of {len(ratios)}"
            lines.append([name, worse, f"{statistics.geometric_mean(ratios):.2f}", _spread(ratios)])
    _print_table(["model", f"worse than {model}", "score, geometric mean of ratios", "median and range"], lines)


def _print_errors(heading: str, known: Sequence[Record]) -> None:
    """A line for each name, and the errors of each material side by side."""
    materials = sorted({result["material"] for result in known})
    lines = []
    for name, found in _grouped(known, heading):
        each = [[one for one in found if one["material"] == material] for material in materials]
        cells = [[_spread([run[key] for run in runs if key in run]) for key in _ERRORS.values()] for runs in each]
        lines.append([name, *chain.from_iterable(cells)])
    _print_table([heading, *(f"{material}: {title}" for material in materials for title in _ERRORS)], lines)


def _run(result: Record) -> tuple[str, int]:
    return result["material"], result["seed"]


def _grouped(known: Sequence[Record], key: str) -> Iterator[tuple[str, list[Record]]]:
    for name in dict.fromkeys(result[key] for result in known):
        yield name, [result for result in known if result[key] == name]


def _print_table(heading: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    for cells in (heading, ["---"] * len(heading), *lines):
        print(f"| {' | '.join(cells)} |")
    print()


def _spread(values: Sequence[float]) -> str:
    """The median and, of several, the least and the largest; nothing of none."""
    if not values:
        return ""
    shown = [statistics.median(values), *((min(values), max(values)) if len(values) > 1 else ())]
    texts = [f"{value:.0f}" if value >= 100 else f"{value:.2g}" for value in shown]
    return f"{texts[0]} ({texts[1]} .. {texts[2]})" if texts[1:] else texts[0]
