"""Memory that a processor takes to make one tile, from the numbers of a network alone. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from napari_slicegan.core.choices import OutputKind, Precision, Upsampling
from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.volume.request import REDUCED_LAYERS
from napari_slicegan.core.volume.tiles import tile_edge

_SLAB_BYTES = 24 * 2**20  # as in `stages`
_UNCOUNTED = 10 * 2**20  # what the libraries keep after the first tile; measured, as the next
_WASTE = 1.12  # memory that was given back and lies idle between what is held


def working_bytes(network: NetworkConfig, precision: Precision) -> int:
    """Memory that a processor takes to make one tile.

    Held all the time are the kernels, and for each layer the room for its outputs. Besides, a layer takes for a while
    its kernel in the order that the processor wants and, for a slab of its outputs, a copy of inputs that do not lie
    side by side, the outputs as they are convolved, and what the last layer makes of these.

    Parameters
    ----------
    network : NetworkConfig
        The generator's.
    precision : Precision
        EXACT or FAST.

    Returns
    -------
    int
        Bytes.
    """
    *hidden, last = layers = _layers(network, precision)
    weights = [layer.number * layer.weights for layer in layers]
    preparing = sum(weights) + 2 * 4 * max(layer.weights for layer in layers)
    kept = sum(weights) + sum(layer.number * layer.outputs for layer in hidden)
    if network.upsampling is not Upsampling.TRANSPOSE:  # in one piece, interpolated before it is convolved
        copies = 2 if network.upsampling is Upsampling.STRETCH else 1  # the cells before and behind all points
        passing = copies * 8 * last.number * last.inputs + _finished(network, last.number, last.number * last.outputs)
    else:
        kept += last.outputs if network.output is not OutputKind.PHASES else last.outputs // network.image_channels
        slab, copied = _slab(last, hidden[-1:])
        passing = copied + _finished(network, last.number, slab)
    for place, layer in enumerate(hidden):
        slab, copied = _slab(layer, hidden[:place])
        passing = max(passing, layer.number * layer.weights + copied + slab)
    return round(_WASTE * max(preparing, kept + passing)) + _UNCOUNTED


@dataclass(frozen=True)
class _Layer:
    """Numbers that a layer has to do with in a tile, the places along an axis of its kernel, and bytes of a number."""

    weights: int
    inputs: int
    outputs: int
    places: int
    number: int


def _layers(network: NetworkConfig, precision: Precision) -> list[_Layer]:
    """From the first layer to the last."""
    widths = (network.latent_channels, *network.channels, network.image_channels)
    low, high = 0, tile_edge(network.geometry)
    layers: list[_Layer] = []
    for (before, after), shape in list(zip(pairwise(widths), network.layers, strict=True))[::-1]:
        kernel, stride, padding = shape
        low, high = (low + padding) // stride - kernel // stride + 1, (high - 1 + padding) // stride + 1
        places = high - low - kernel // stride + 1
        outputs = (stride * places) ** 3 * after
        number = 2 if precision is Precision.FAST and len(layers) < REDUCED_LAYERS else 4
        layers.insert(0, _Layer(kernel**3 * before * after, (high - low) ** 3 * before, outputs, places, number))
    return layers


def _slab(layer: _Layer, before: list[_Layer]) -> tuple[float, float]:
    """Bytes of a slab of outputs, and of the copied inputs of it: those that were cut out of more."""
    part = min(1.0, max(_SLAB_BYTES / (layer.number * layer.outputs), 1 / layer.places))
    is_cut = bool(before) and before[-1].outputs > layer.inputs
    return part * layer.number * layer.outputs, part * layer.number * layer.inputs * is_cut


def _finished(network: NetworkConfig, number: int, outputs: float) -> float:
    """Bytes of the last layer's outputs while they turn into voxels."""
    if network.output is OutputKind.PHASES:
        return outputs * (1 + (2 + 2 / number) / network.image_channels)
    return outputs * (1 + 4 / number + 1 / number)  # float32, then uint8
