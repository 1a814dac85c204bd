"""Each state has its sentence and its next step."""

from __future__ import annotations

import pytest

from napari_slicegan.plugin.train.hints import Step, hint_of
from napari_slicegan.plugin.work.job import State


@pytest.mark.parametrize(
    ("state", "facts", "words", "step"),
    [
        (State.IDLE, "", "Open a micrograph", Step.SAMPLE),
        (State.IDLE, "has_layer", "in the way", Step.NONE),
        (State.IDLE, "has_layer is_ready", "Press Train", Step.NONE),
        (State.CHECKING, "has_layer is_ready", "begins in a moment", Step.NONE),
        (State.TRAINING, "has_layer is_ready", "improves as it learns", Step.NONE),
        (State.TRAINING, "has_layer is_ready has_preview", "improves as it learns", Step.PREVIEW),
        (State.PAUSED, "has_preview", "Press Resume", Step.PREVIEW),
        (State.PAUSED, "", "Press Resume", Step.NONE),
        (State.STOPPING, "has_preview", "is being saved", Step.NONE),
        (State.FINISHED, "has_layer is_ready has_model", "is ready", Step.GENERATE),
        (State.STOPPED, "has_layer is_ready has_model", "made so far is ready", Step.GENERATE),
        (State.STOPPED, "has_layer is_ready", "Press Train", Step.NONE),  # stopped before there was a model
        (State.FAILED, "", "what went wrong", Step.NONE),
    ],
)
def test_hint(state, facts, words, step):
    names = ("has_layer", "is_ready", "has_preview", "has_model")
    hint = hint_of(state, **{name: name in facts.split() for name in names})
    assert words in hint.text
    assert hint.step is step
