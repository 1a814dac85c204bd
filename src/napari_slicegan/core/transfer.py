"""Starting a training from the weights of another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from torch import nn

from napari_slicegan.core.checkpoint import read_checkpoint
from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.files import CHECKPOINT, is_own_file
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.core.sample_models import model_path
from napari_slicegan.core.weights import find_model, generator_with, read_weights, weights_in


def transfer(source: str | Path, gan: GAN) -> str:
    """Let players begin with the weights of a model; of a checkpoint the discriminators' as well, where they fit.

    Parameters
    ----------
    source : path
        A model file, a checkpoint, or a run, whose checkpoint is taken where it has one; "sample:cathode" and the like
        are the generators that come with the package.
    gan : GAN
        The players; their optimizers and random numbers stay as they are.

    Returns
    -------
    str
        The file that the weights are from.

    Raises
    ------
    ModelError
        There is no model, it is damaged, or it is one of other networks.
    """
    path = source_of(source)
    state = read_checkpoint(path) if path.name.endswith(".pt") else {}
    header, weights = weights_in(state, path) if state else read_weights(path)
    network = ModelInfo.from_json(header).network
    _check_same(network, gan.network, path)
    gan.begin_with(generator_with(weights, network, path))
    for critic, its_weights in zip(gan.critics, _critics(state, gan), strict=False):
        critic.load_state_dict(its_weights)
    return str(path)


def source_of(source: str | Path) -> Path:
    """The file that weights to begin with come from: a run's checkpoint, which holds more than its model.

    Raises
    ------
    ModelError
        There is none.
    """
    place = model_path(source)
    path = place / CHECKPOINT
    return path if is_own_file(path) else find_model(place)


def _check_same(before: NetworkConfig, now: NetworkConfig, path: Path) -> None:
    """Refuse a generator whose weights do not fit."""
    other = asdict(replace(before, discriminator_channels=now.discriminator_channels))
    changed = [name for name, value in asdict(now).items() if other[name] != value]
    if {"output", "image_channels"} & set(changed):
        raise ModelError(
            f"{path} makes volumes of {_what(before)}, but these images are of {_what(now)}: start from a model of the "
            "same kind of image."
        )
    if changed:
        raise ModelError(
            f"{path} has networks with another {', '.join(changed)}: choose the preset and settings that it was "
            "trained with, or start from another model."
        )


def _what(network: NetworkConfig) -> str:
    return f"{network.image_channels} phases" if network.output == "phases" else f"{network.output} values"


def _critics(state: Mapping[str, Any], gan: GAN) -> Sequence[Mapping[str, Any]]:
    """The discriminators' weights of a checkpoint; none where they are of other images or other layers."""
    players = state.get("gan")
    if not isinstance(players, dict) or players.get("sources") != len(gan.discriminators):
        return []  # they saw other images, or wide slices
    found = players.get("discriminators")
    if not isinstance(found, list) or len(found) != len(gan.critics):
        return []
    fit = all(_fits(critic, weights) for critic, weights in zip(gan.critics, found, strict=True))
    return found if fit else []


def _fits(critic: nn.Module, weights: Any) -> bool:
    expected = {name: tensor.shape for name, tensor in critic.state_dict().items()}
    try:
        found = {name: tensor.shape for name, tensor in weights.items()}
        return found == expected and all(bool(tensor.isfinite().all()) for tensor in weights.values())
    except (AttributeError, TypeError):
        return False
