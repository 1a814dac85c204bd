"""Runs as things in a folder: their state, their history, and what can be done with them. No torch."""

from __future__ import annotations

from napari_slicegan.core.runs.changes import delete_run, rename_run
from napari_slicegan.core.runs.history import (
    Follower,
    History,
    newest_preview,
    previews,
    read_history,
    read_preview,
)
from napari_slicegan.core.runs.requests import Request, ask
from napari_slicegan.core.runs.status import RunState
from napari_slicegan.core.runs.summary import RunSummary, is_run, list_runs, summary_of

__all__ = [
    "Follower",
    "History",
    "Request",
    "RunState",
    "RunSummary",
    "ask",
    "delete_run",
    "is_run",
    "list_runs",
    "newest_preview",
    "previews",
    "read_history",
    "read_preview",
    "rename_run",
    "summary_of",
]
