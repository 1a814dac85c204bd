"""Generators of the published code of SliceGAN and of MicroLib as models of this package.

Their layers are transpose convolutions ``convs.N``, each but the last followed by a batch normalisation ``bns.N`` and a
ReLU. Some have a resize-convolution ``rcconv``, with a bias, in place of the last one, which then stands in the file
without being used, as the last normalisation always does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import Tensor

from napari_slicegan.core.choices import OutputKind, Upsampling
from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.data import MAX_PHASES
from napari_slicegan.core.errors import ConfigError, ModelError
from napari_slicegan.core.geometry import Geometry
from napari_slicegan.core.importing.parameters import Layers, read_layers
from napari_slicegan.core.importing.state import read_state
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.core.weights import generator_with

_PREFIX = "module."  # of a network that was trained on several graphics cards
_OF_NORM = ("weight", "bias", "running_mean", "running_var")
_LATENT_EDGE = 4  # cells that the published code trains with
_RESIZED_LAST = (4, 2, 3)  # what the resize-convolution stands in for


def import_generator(
    generator: str | Path,
    parameters: str | Path | None = None,
    kind: OutputKind | None = None,
    phases: Sequence[int] = (),
    voxel_size: float = 1.0,
    unit: str = "pixel",
) -> SliceGAN:
    """Turn a generator of the published code of SliceGAN or of MicroLib into a model. Nothing in it is executed.

    Parameters
    ----------
    generator : path
        State dictionary as ``torch.save`` wrote it, mostly ``NAME_Gen.pt``.
    parameters : path, optional
        Pickled list of its layers, mostly ``NAME_params.data``; without it they have strides of 2, and paddings of 2
        but for a 3 in the last, as published.
    kind : OutputKind, optional
        What a voxel is, which no file says; by default grey for one channel, else phases.
    phases : sequence of int, optional
        The label of each phase, ascending; by default 0, 1, ...
    voxel_size : float
        Edge of a voxel in `unit`.
    unit : str
        For example "um"; "pixel" when the size is not known.

    Returns
    -------
    SliceGAN
        On the CPU. In the first training cube of its endless volume, and without a resize-convolution everywhere, its
        voxels are those of the original.

    Raises
    ------
    ModelError
        A file is none of these, the two do not belong together, or the network is one that cannot be rebuilt.
    """
    path = Path(generator)
    state = {name.removeprefix(_PREFIX): tensor for name, tensor in read_state(path).items()}
    depth, is_resized = _check_names(state, path)
    layers = _as_published(state, depth, path) if parameters is None else read_layers(Path(parameters))
    _check_shapes(state, layers, depth, is_resized, path)
    network = _network(layers, is_resized, kind, path)
    names = {"generator": path.name, "parameters": Path(parameters).name if parameters else ""}
    imported = {**names, "sha256": _digest(path)}
    made = {"imported": imported, "created": datetime.now(UTC).isoformat(timespec="seconds")}
    info = ModelInfo(network, _labels(phases, network), voxel_size, unit, made)
    info = ModelInfo.from_json(info.to_json())  # refused as it would be when it is read from a file
    return SliceGAN(generator_with(_renamed(state, depth, is_resized), network, path), info)


def _check_names(state: Mapping[str, Tensor], path: Path) -> tuple[int, bool]:
    """How many layers a generator has, and whether the last is a resize-convolution; refuse other networks."""
    depth = sum(name.startswith("convs.") and name.endswith(".weight") for name in state)
    is_resized = any(name.startswith("rcconv.") for name in state)
    needed = [f"convs.{number}.weight" for number in range(depth)]
    needed += [f"bns.{number}.{part}" for number in range(depth) for part in _OF_NORM]
    needed += ["rcconv.weight", "rcconv.bias"] if is_resized else []
    missing = [name for name in needed if name not in state]
    counts = {f"bns.{number}.num_batches_tracked" for number in range(depth)}
    strange = [name for name in state if name not in counts.union(needed)]
    if depth < 2 or missing or strange:
        what = f"it lacks {missing[0]}" if missing else f"it has {strange[0][:80]!r}" if strange else "it has no layers"
        raise ModelError(f"{path} is no generator of the published code ({what}): give NAME_Gen.pt, not NAME_Disc.pt.")
    return depth, is_resized


def _as_published(state: Mapping[str, Tensor], depth: int, path: Path) -> Layers:
    """The layers of Table 1, with as many channels as the weights have."""
    shapes = [tuple(state[f"convs.{number}.weight"].shape) for number in range(depth)]
    if any(len(shape) != 5 or shape[2:] != (4, 4, 4) for shape in shapes):
        raise ModelError(f"{path} has other layers than the published ones: give its list of layers, NAME_params.data.")
    channels = (shapes[0][0], *(shape[1] for shape in shapes))
    return Layers((4,) * depth, (2,) * depth, (*(2,) * (depth - 1), 3), channels)


def _check_shapes(state: Mapping[str, Tensor], layers: Layers, depth: int, is_resized: bool, path: Path) -> None:
    """Refuse weights that are not those of the layers."""
    channels = layers.channels
    if not len(layers.kernel) == len(channels) - 1 == depth:
        raise ModelError(
            f"{path} has {depth} layers, but its list of layers has {len(layers.kernel)}, with {len(channels)} numbers "
            "of channels: these two files do not belong together."
        )
    shapes: dict[str, tuple[int, ...]] = {}
    for number, kernel in enumerate(layers.kernel):
        shapes[f"convs.{number}.weight"] = (*channels[number : number + 2], kernel, kernel, kernel)
        shapes |= {f"bns.{number}.{part}": (channels[number + 1],) for part in _OF_NORM}
    if is_resized:
        shapes |= {"rcconv.weight": (channels[-1], channels[-2], 3, 3, 3), "rcconv.bias": (channels[-1],)}
    for name, shape in shapes.items():
        if tuple(state[name].shape) != shape or not state[name].is_floating_point():
            raise ModelError(
                f"{path} has weights {name} of the shape {tuple(state[name].shape)}, but its layers need {shape}: "
                "give the list of layers that was saved with it."
            )


def _network(layers: Layers, is_resized: bool, kind: OutputKind | None, path: Path) -> NetworkConfig:
    """The network, refused where it is none whose volumes are the same in every piece."""
    channels = layers.channels[-1]
    shapes = list(zip(layers.kernel, layers.stride, layers.padding, strict=True))
    shapes[-1] = _RESIZED_LAST if is_resized else shapes[-1]
    kernel, stride, padding = zip(*shapes, strict=True)
    try:
        geometry = Geometry(tuple(shapes))
        network = NetworkConfig(
            kernel=kernel,
            stride=stride,
            padding=padding,
            channels=layers.channels[1:-1],
            latent_channels=layers.channels[0],
            discriminator_channels=_widths(geometry.edge),
            upsampling=Upsampling.STRETCH if is_resized else Upsampling.TRANSPOSE,
            output=_kind(kind, channels, path),
            image_channels=channels,
        )
    except ConfigError as error:
        raise ModelError(f"{path} cannot be imported. {error}") from error
    if is_resized and geometry.latent_edge != _LATENT_EDGE:
        raise ModelError(
            f"{path} cannot be imported: its layers make {geometry.latent_edge - 2} cells of each volume flow into the "
            f"next, so it was not trained with {_LATENT_EDGE} cells, and how far it interpolates is not known."
        )
    return network


def _kind(kind: OutputKind | None, channels: int, path: Path) -> OutputKind:
    """What a voxel of so many channels is."""
    kind = kind or (OutputKind.GREY if channels == 1 else OutputKind.PHASES)
    possible = {OutputKind.GREY: (1,), OutputKind.COLOUR: (3,), OutputKind.PHASES: range(2, MAX_PHASES + 1)}[kind]
    if channels not in possible:
        raise ModelError(
            f"{path} gives {channels} channels, which are not {kind}: 1 is grey, 3 are a colour, and 2 to {MAX_PHASES} "
            "are phases."
        )
    return kind


def _labels(phases: Sequence[int], network: NetworkConfig) -> tuple[int, ...]:
    """The label of each phase."""
    count = network.image_channels if network.output is OutputKind.PHASES else 0
    if list(phases) != sorted(set(phases)) or len(phases) not in (0, count):
        raise ModelError(f"The labels {', '.join(map(str, phases))} are not {count} different ones in ascending order.")
    return tuple(phases or range(count))


def _widths(edge: int) -> tuple[int, ...]:
    """Hidden layers of the discriminators, as published: halvings of a crop that leave 2 to 5 pixels."""
    widths: list[int] = []
    while edge >> len(widths) > 5:
        widths.append(min(64 << len(widths), 2048))
    return tuple(widths)


def _renamed(state: Mapping[str, Tensor], depth: int, is_resized: bool) -> dict[str, Tensor]:
    """The weights that are used, under the names of `Generator`, in 32 bits."""
    names = {f"layers.{number}.weight": f"convs.{number}.weight" for number in range(depth)}
    if is_resized:
        del names[f"layers.{depth - 1}.weight"]
        names |= {f"layers.{depth - 1}.convolution.weight": "rcconv.weight", "offsets": "rcconv.bias"}
    names |= {f"norms.{number}.{part}": f"bns.{number}.{part}" for number in range(depth - 1) for part in _OF_NORM}
    counts = {f"norms.{number}.num_batches_tracked": torch.tensor(0) for number in range(depth - 1)}
    return counts | {ours: state[theirs].float() for ours, theirs in names.items()}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
