"""What there is to see of a run, from events and from its directory."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from napari_slicegan.core.events import Evaluation, Paused, Preview, Proceeded, Progress
from napari_slicegan.plugin.work import run_view
from napari_slicegan.plugin.work.job import State
from napari_slicegan.plugin.work.run_view import RunView


def report(iteration: int) -> Progress:
    return Progress(iteration, *[0.0] * 8)


def test_events_are_kept_and_told(tmp_path):
    view, told = RunView(tmp_path), []
    view.changed.connect(lambda: told.append(view.state))
    volume = np.zeros((4, 4, 4), np.uint8)
    for event in (State.TRAINING, report(1), Evaluation(1, 0.1, 0.2), Preview(1, volume), Paused(1), Proceeded(1)):
        view.feed(event)
    assert [event.iteration for event in view.progress] == [1]
    assert view.evaluations == [Evaluation(1, 0.1, 0.2)]
    assert view.preview is volume
    assert told == [*[State.TRAINING] * 4, State.PAUSED, State.TRAINING]
    view.feed("something else")
    assert len(told) == 6


def test_a_long_run_is_thinned_but_keeps_its_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(run_view, "MOST", 20)
    view = RunView(tmp_path)
    for iteration in range(1000):
        view.feed(report(iteration))
    kept = [event.iteration for event in view.progress]
    assert len(kept) <= 20
    assert kept == sorted(kept)
    assert kept[0] < 100  # the beginning is still to be seen
    assert kept[-1] == 999
    assert max(b - a for a, b in pairwise(kept)) < 200
