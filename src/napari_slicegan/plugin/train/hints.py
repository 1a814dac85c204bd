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
    BACK = "Back to the micrograph"
    GENERATE = "Generate a volume"


@dataclass(frozen=True)
class Hint:
    """A sentence, and the step that it offers."""

    text: str
    step: Step = Step.NONE


@dataclass(frozen=True)
class Facts:
    """What the dock shows.

    Attributes
    ----------
    state : State
        Of the training.
    message : str
        What the training said last.
    problem : str
        Why no training can be started now; empty if one can.
    has_layer : bool
        Whether there is anything to choose.
    has_preview : bool
        Whether the training has given a preview.
    is_in_view : bool
        Whether the view has been turned to it.
    has_model : bool
        Whether a model came of the training.
    start_from : str
        The name of what the next training starts from; empty for new networks.
    """

    state: State
    message: str = ""
    problem: str = ""
    has_layer: bool = False
    has_preview: bool = False
    is_in_view: bool = False
    has_model: bool = False
    start_from: str = ""


_NO_LAYER = Hint("Open a micrograph (File > Open), or try it on a sample.", Step.SAMPLE)
_READY = Hint("Press Train: previews appear as it learns, and you can stop at any time.")
_BUSY = {
    State.CHECKING: "The images are being looked at; the training begins in a moment.",
    State.TRAINING: "The preview improves as it learns; stop when its slices look like the micrograph.",
    State.PAUSED: "The training waits, and its work is saved. Press Resume to go on.",
    State.STOPPING: "The model made so far is being saved.",
}
_MADE = {
    State.FINISHED: Hint("The model is ready: generate a volume of any size with it.", Step.GENERATE),
    State.STOPPED: Hint("The model made so far is ready; Runs… goes on with its training.", Step.GENERATE),
}


def hint_of(facts: Facts) -> Hint:
    """The hint for what the dock shows.

    Parameters
    ----------
    facts : Facts
        What that is.

    Returns
    -------
    Hint
        What to do next, or what is in the way.
    """
    if facts.state.is_busy:
        return Hint(_BUSY.get(facts.state, _READY.text), _look(facts))
    if facts.state is State.FAILED:
        return Hint(facts.message)
    if not facts.has_layer and not facts.has_model:
        return _NO_LAYER
    if facts.start_from and not facts.problem:
        return Hint(f"Press Train: it goes on from {facts.start_from}.")
    if facts.has_model:
        return _MADE.get(facts.state, _READY)
    return Hint(facts.problem) if facts.problem else _READY


def _look(facts: Facts) -> Step:
    """Turn to the preview, or back."""
    if facts.state not in (State.TRAINING, State.PAUSED):
        return Step.NONE
    if facts.is_in_view:
        return Step.BACK
    return Step.PREVIEW if facts.has_preview else Step.NONE
