"""What a training has done of its own accord, in sentences. No torch, so that a window can tell it, too."""

from __future__ import annotations

from napari_slicegan.core.events import EndReason, Recovered
from napari_slicegan.core.model_info import ModelInfo


def ending_in_words(reason: EndReason, iterations: int, info: ModelInfo) -> str:
    """Why a training has ended by itself, and which generator is its model; empty where there is nothing to say.

    Parameters
    ----------
    reason : EndReason
        Why it has ended.
    iterations : int
        Generator updates that were made.
    info : ModelInfo
        Of its model.
    """
    sentences = []
    if reason is EndReason.PLATEAU:
        sentences.append("It ended by itself, since its volumes no longer came nearer to the micrograph.")
    chosen = info.provenance.get("heldout", {}).get("iteration")
    if chosen is not None and chosen != iterations:
        sentences.append(f"The model is the best generator, that of iteration {chosen:,}.")
    return " ".join(sentences)


def recovery_in_words(event: Recovered) -> str:
    """What has happened to a training that had gone astray."""
    whence = f"from its best weights, of iteration {event.back_to:,}," if event.back_to else "from new weights"
    return (
        f"The training had gone astray by iteration {event.iteration:,}: {event.reason} "
        f"It goes on {whence} with a learning_rate of {event.learning_rate:.2g}."
    )
