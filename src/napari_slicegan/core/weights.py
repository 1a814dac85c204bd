"""Weights from files, believed only after every check; nothing in a file is ever executed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from napari_slicegan.core.checkpoint import read_checkpoint
from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.errors import ModelError, brief
from napari_slicegan.core.files import CHECKPOINT, MODEL, is_own_file
from napari_slicegan.core.model_header import HEADER
from napari_slicegan.core.networks import Generator

_NOT_A_MODEL = "is not a model of napari-slicegan"


def find_model(path: Path) -> Path:
    """The model file that a path means: itself, or the newer one of a run's directory.

    Raises
    ------
    ModelError
        There is none.
    """
    if path.is_dir():
        files = [path / name for name in (MODEL, CHECKPOINT) if is_own_file(path / name)]
        path = max(files, key=lambda file: file.stat().st_mtime, default=path)  # a crash may leave an older model
    if not path.is_file():
        raise ModelError(f"There is no model at {path}: give a model file or the directory of a run.")
    return path


def read_weights(path: Path) -> tuple[str, Mapping[str, Tensor]]:
    """Read the JSON header and the weights of a model file or a checkpoint.

    Raises
    ------
    ModelError
        The file is something else, or damaged.
    """
    return weights_in(read_checkpoint(path), path) if path.name.endswith(".pt") else _read_safetensors(path)


def weights_in(state: Mapping[str, Any], path: Path) -> tuple[str, Mapping[str, Tensor]]:
    """The JSON header and the weights of a checkpoint that has been read.

    Raises
    ------
    ModelError
        It is one of something else.
    """
    header, weights = state.get("info"), state.get("model")
    if not isinstance(header, str) or not isinstance(weights, Mapping):
        raise ModelError(f"{path} {_NOT_A_MODEL}.")
    return header, weights


def _read_safetensors(path: Path) -> tuple[str, dict[str, Tensor]]:
    """The JSON header and the weights of a model file."""
    try:
        with safe_open(path, framework="pt") as file:
            header = (file.metadata() or {}).get(HEADER)
            if header is None:
                raise ModelError(f"{path} {_NOT_A_MODEL}.")
            return header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(f"{path} {_NOT_A_MODEL}, or it is damaged ({brief(error)}).") from error


def generator_with(weights: Mapping[str, Tensor], network: NetworkConfig, path: Path) -> Generator:
    """A generator with these weights, refused unless every weight is there with its shape and finite.

    Weights of 16 bits, see `SliceGAN.save`, become 32 bits long.
    """
    with torch.device("meta"):  # costs no memory until the weights prove to be there
        generator = Generator(network)
    weights = {"offsets": torch.zeros(network.image_channels), **weights}  # models of before the offsets have none
    weights = {name: tensor.float() if _is_half(tensor) else tensor for name, tensor in weights.items()}
    expected = {name: (tensor.shape, tensor.dtype) for name, tensor in generator.state_dict().items()}
    tensors = all(isinstance(tensor, Tensor) for tensor in weights.values())
    if not tensors or expected != {name: (tensor.shape, tensor.dtype) for name, tensor in weights.items()}:
        raise ModelError(f"{path} is damaged: its weights do not fit the network that its header describes.")
    if not all(np.isfinite(tensor.float().sum().item()) for tensor in weights.values()):
        raise ModelError(f"{path} holds weights that are not finite: its training has failed; train again.")
    generator.load_state_dict(weights, assign=True)
    return generator


def _is_half(tensor: object) -> bool:
    return isinstance(tensor, Tensor) and tensor.dtype is torch.float16
