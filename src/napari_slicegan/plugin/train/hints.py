"""What the *Train* dock says about the next step: one sentence for each state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from napari_slicegan.plugin.work.job import State


class Step(Enum):
    """What the button beside a hint does, by what is written on it."""

    NONE = ""
    SAMPLE = "Open a sample"
    PREVIEW = "Show preview"
    GENERATE = "Generate a volume"


@dataclass(frozen=True)
class Hint:
    """A sentence, and the step that it offers."""

    text: str
    step: Step = Step.NONE


_NO_LAYER = Hint("Open a micrograph (File > Open), or try it on a sample.", Step.SAMPLE)
_NOT_READY = Hint("Choose images that can be trained on: what is in the way stands below.")
_READY = Hint("Press Train: previews appear as it learns, and you can stop at any time.")
_LEARNS = Hint("The preview improves as it learns; stop when its slices look like the micrograph.")
_LEARNS_SEEN = Hint(_LEARNS.text, Step.PREVIEW)
_STATES = {
    State.CHECKING: Hint("The images are being looked at; the training begins in a moment."),
    State.PAUSED: Hint("The training waits, and its work is saved. Press Resume to go on.", Step.PREVIEW),
    State.STOPPING: Hint("The model made so far is being saved."),
    State.FINISHED: Hint("The model is ready: generate a volume of any size with it.", Step.GENERATE),
    State.STOPPED: Hint("The model made so far is ready; Runs… goes on with its training.", Step.GENERATE),
    State.FAILED: Hint("The sentence below says what went wrong; change that, and press Train again."),
}


def hint_of(state: State, *, has_layer: bool, is_ready: bool, has_preview: bool, has_model: bool) -> Hint:
    """The hint for what the dock shows.

    Parameters
    ----------
    state : State
        Of the training.
    has_layer : bool
        Whether there is anything to choose.
    is_ready : bool
        Whether the choice can be trained on.
    has_preview : bool
        Whether the training has given a preview.
    has_model : bool
        Whether a model came of it.

    Returns
    -------
    Hint
        One sentence or two.
    """
    if state is State.TRAINING:
        return _LEARNS_SEEN if has_preview else _LEARNS
    if state is State.PAUSED and not has_preview:
        return Hint(_STATES[state].text)
    if state.is_busy or state is State.FAILED or has_model:
        return _STATES.get(state, _READY)
    if not has_layer:
        return _NO_LAYER
    return _READY if is_ready else _NOT_READY
