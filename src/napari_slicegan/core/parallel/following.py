"""What all processes but the first do: the updates that the first one calls for."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import TrainingError
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.interruption import Interrupted, readable_errors
from napari_slicegan.core.parallel.group import Group
from napari_slicegan.core.parallel.peers import Call


def begin(gan: GAN, data: TrainingData, group: Group) -> None:
    """Tell the others what is trained, in the first process and before its first update."""
    facts = {"network": asdict(gan.network), "training": asdict(gan.training), "fingerprint": data.fingerprint}
    group.send_facts(facts)


def follow(data: TrainingData, group: Group) -> None:
    """Take part in a training until the first process ends it.

    Parameters
    ----------
    data : TrainingData
        The images of the training.
    group : Group
        The processes.

    Raises
    ------
    TrainingError
        The images are others than those of the first process, or it has died.
    """
    facts = group.receive_facts()
    if not facts:
        return  # the first process has found nothing to train
    if facts["fingerprint"] != data.fingerprint:
        raise TrainingError("The images are others than those of the first process: give all processes the same files.")
    with readable_errors():
        gan = _players(facts, data, group)
        while (call := group.hear()) is not Call.END:
            _answer(call, gan, group)


def _players(facts: dict[str, Any], data: TrainingData, group: Group) -> GAN:
    network, training = NetworkConfig(**facts["network"]), TrainingConfig(**facts["training"])
    return GAN(data, network, training, group.device, group)


def _answer(call: Call, gan: GAN, group: Group) -> None:
    """Do what was called for; an update that the first process abandons leaves no trace here either."""
    if call is Call.STATE:
        gan.load_state_dict(group.receive_state())
        return
    before = gan.volatile_state()
    try:
        gan.update(call)
    except Interrupted:
        gan.restore_volatile_state(before)
