"""Each state has its sentence and its next step."""

from __future__ import annotations

import pytest

from napari_slicegan.plugin.train.hints import Facts, Step, hint_of
from napari_slicegan.plugin.work.job import State


@pytest.mark.parametrize(
    ("state", "facts", "words", "step"),
    [
        (State.IDLE, "problem", "Open a micrograph", Step.SAMPLE),
        (State.IDLE, "problem has_layer", "the problem", Step.NONE),
        (State.IDLE, "has_layer", "Press Train: previews", Step.NONE),
        (State.IDLE, "has_layer start_from", "Press Train: it goes on from the start_from.", Step.NONE),
        (State.STOPPED, "has_layer has_model start_from", "goes on from the start_from", Step.NONE),
        (State.IDLE, "has_layer start_from problem", "the problem", Step.NONE),
        (State.CHECKING, "has_layer is_in_view", "begins in a moment", Step.NONE),
        (State.TRAINING, "has_layer", "improves as it learns", Step.NONE),
        (State.TRAINING, "has_layer has_preview", "improves as it learns", Step.PREVIEW),
        (State.TRAINING, "has_layer has_preview is_in_view", "improves as it learns", Step.BACK),
        (State.PAUSED, "has_preview", "Press Resume", Step.PREVIEW),
        (State.PAUSED, "", "Press Resume", Step.NONE),
        (State.STOPPING, "has_preview", "is being saved", Step.NONE),
        (State.FINISHED, "has_layer has_model", "is ready", Step.GENERATE),
        (State.FINISHED, "problem has_model", "is ready", Step.GENERATE),  # without the layer it is
        (State.STOPPED, "has_layer has_model", "made so far is ready", Step.GENERATE),
        (State.STOPPED, "has_layer", "Press Train", Step.NONE),  # stopped before there was a model
        (State.FAILED, "message", "the message", Step.NONE),
        (State.FAILED, "has_layer message", "the message", Step.NONE),
    ],
)
def test_hint(state, facts, words, step):
    given = {name: f"the {name}" if name in ("message", "problem", "start_from") else True for name in facts.split()}
    hint = hint_of(Facts(state, **given))
    assert words in hint.text
    assert hint.step is step
