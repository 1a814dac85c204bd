"""The columns of the table of runs: what they say of a run, and by what they sort."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from napari_slicegan.core.runs import RunSummary

_PREFIX = re.compile(r"\d{4}-\d{2}-\d{2}_\d{6}_(?=.)")  # of the runs that this plugin starts


@dataclass(frozen=True)
class Column:
    """A column: the longest text it has room for, what a cell says, and by what it is sorted (None comes last)."""

    title: str
    tooltip: str
    longest: str
    text: Callable[[RunSummary], str]
    key: Callable[[RunSummary], Any]
    is_number: bool = False


def state_text(run: RunSummary) -> str:
    """The state, of a run that is trained with how far it has come."""
    return f"{run.state} {run.fraction:.0%}" if run.is_live else str(run.state)


def _error_text(run: RunSummary) -> str:
    return "" if run.correlation_error is None else f"{run.correlation_error:.4f}"


def _date_text(run: RunSummary) -> str:
    return f"{run.started.astimezone():%d %b %H:%M}" if run.started else ""


def short_name(name: str) -> str:
    """The name of a run without the time that stands before it, which has a column of its own."""
    return _PREFIX.sub("", name, count=1) if _PREFIX.match(name) else name


COLUMNS = (
    Column(
        "Name",
        "The run's directory, without the time before it.",
        "",
        lambda run: short_name(run.name),
        lambda run: (short_name(run.name).casefold(), run.name),
    ),
    Column("State", "How it stands.", "training 99%", state_text, lambda run: (str(run.state), run.fraction)),
    Column(
        "Iterations",
        "Updates of the generator.",
        "100,000",
        lambda run: f"{run.iterations:,}",
        lambda run: run.iterations,
        is_number=True,
    ),
    Column(
        "S2 error",
        "Held-out error: mean difference of the two-point correlations from those of the image.",
        "0.0000",
        _error_text,
        lambda run: run.correlation_error,
        is_number=True,
    ),
    Column(
        "Started",
        "When it was started.",
        "22 Nov 22:22",
        _date_text,
        lambda run: run.started and run.started.timestamp(),
    ),
    Column(
        "Layer",
        "What it was trained on.",
        "a micrograph",
        lambda run: ", ".join(run.images),
        lambda run: str(run.images).casefold(),
    ),
)
DATE = 4
