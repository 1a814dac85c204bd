"""From a generator and a seed to a volume of any shape, tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_slicegan.core.config import NetworkConfig, OutputKind
from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.geometry import Geometry
from napari_slicegan.core.memory import free_memory, is_out_of_memory
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.values import label_dtype

AXES = "zyx"
#: Edge of a tile in voxels that is made in one pass; a balance of memory and overlap.
TILE = 96

Shape = tuple[int, int, int]


def generate(
    generator: Generator,
    phases: Sequence[int],
    levels: tuple[float, float],
    shape: Shape,
    seed: int,
    periodic: str = "",
    progress: Callable[[float], None] | None = None,
) -> npt.NDArray[Any]:
    """Generate a volume (see `SliceGAN.generate`)."""
    config = generator.config
    geometry = config.geometry
    _check(shape, seed, periodic, geometry)
    channels = (3,) if config.output is OutputKind.COLOUR else ()
    dtype = label_dtype(phases) if phases else np.dtype(np.uint8)
    try:
        _check_memory(shape, prod(channels) * dtype.itemsize, config)
        volume = np.empty((*shape, *channels), dtype)
        field = latent_field(shape, seed, periodic, config.latent_channels, geometry)
        tiles = tile_starts(shape, geometry)
        count = prod(-(-(geometry.cells(size) - geometry.overlap) // _step(geometry)) for size in shape)
        with torch.inference_mode():
            for done, (cells, voxels) in enumerate(tiles, start=1):
                tile = generator(field[(slice(None), *cells)][None].to(next(generator.parameters()).device))[0]
                place = volume[voxels]  # the far end of the last tiles is cropped to the shape
                place[...] = as_values(tile, phases, levels)[tuple(slice(n) for n in place.shape[:3])]
                if progress:
                    progress(done / count)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise ModelError(f"A volume of {shape} voxels does not fit into memory: choose a smaller one.") from error
    return volume


def latent_field(shape: Shape, seed: int, periodic: str, channels: int, geometry: Geometry) -> Tensor:
    """Draw the latent cells that cover a volume.

    Parameters
    ----------
    shape : (int, int, int)
        Voxels along z, y, x.
    seed : int
        The same seed and shape give the same cells.
    periodic : str
        Axes along which the last `overlap` cells repeat the first.
    channels : int
        Random numbers in a cell.
    geometry : Geometry
        The generator's.

    Returns
    -------
    Tensor (channels, z, y, x)
        Standard normal numbers on the CPU.
    """
    cells = [geometry.cells(size) for size in shape]
    own = [n - geometry.overlap * (axis in periodic) for axis, n in zip(AXES, cells, strict=True)]
    field = torch.randn((channels, *own), generator=torch.Generator().manual_seed(seed))
    for axis, n in enumerate(cells, start=1):
        field = field.index_select(axis, torch.arange(n) % field.shape[axis])
    return field


def tile_starts(shape: Shape, geometry: Geometry) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Cut the work into tiles: the latent cells (z, y, x) of each, and the voxels (z, y, x) that they make."""
    step = _step(geometry)
    counts = [geometry.cells(size) - geometry.overlap for size in shape]
    for start in product(*(range(0, count, step) for count in counts)):
        ends = [min(lo + step, count) for lo, count in zip(start, counts, strict=True)]
        cells = tuple(slice(lo, hi + geometry.overlap) for lo, hi in zip(start, ends, strict=True))
        scale = geometry.scale
        yield (
            cells,
            tuple(slice(scale * lo, scale * hi) for lo, hi in zip(start, ends, strict=True)),
        )


def _step(geometry: Geometry) -> int:
    """Latent cells that a tile advances along each axis."""
    return max(1, TILE // geometry.scale)


def as_values(tile: Tensor, phases: Sequence[int], levels: tuple[float, float]) -> npt.NDArray[Any]:
    """Turn the generator's output (C, Z, Y, X) into labels (Z, Y, X), grey (Z, Y, X) or colour (Z, Y, X, 3)."""
    if phases:
        labels: npt.NDArray[Any] = np.array(phases, label_dtype(phases))
        volume: npt.NDArray[Any] = labels[tile.argmax(dim=0).cpu().numpy()]
        return volume
    low, high = levels
    intensities: npt.NDArray[Any] = (
        (low + tile * (high - low)).round().to(torch.uint8).movedim(0, -1).cpu().numpy()
    )  # (Z, Y, X, C)
    return intensities[..., 0] if intensities.shape[-1] == 1 else intensities


def _check_memory(shape: Shape, voxel_bytes: int, config: NetworkConfig) -> None:
    """Refuse what this machine cannot hold before the system ends the process for it."""
    cells = prod(config.geometry.cells(size) for size in shape)
    need, free = prod(shape) * voxel_bytes + 8 * cells * config.latent_channels, free_memory()
    if free is not None and need > free:
        raise ModelError(
            f"A volume of {shape} voxels takes {need / 1e9:.3g} GB and does not fit into memory, of which "
            f"{free / 1e9:.3g} GB are free: choose a smaller one."
        )


def _check(shape: Shape, seed: int, periodic: str, geometry: Geometry) -> None:
    if len(shape) != 3 or any(int(size) != size or size < 1 for size in shape):
        raise ModelError(f"The shape {shape} is not three whole numbers above 0, for z, y and x.")
    if not 0 <= seed < 2**63:
        raise ModelError(f"The seed {seed} is not a whole number from 0 to 2^63 - 1.")
    if not set(periodic) <= set(AXES):
        raise ModelError(f"The periodic axes are {periodic!r}: give letters of z, y and x.")
    for axis, size in zip(AXES, shape, strict=True):
        below = size // geometry.scale * geometry.scale
        if axis in periodic and below != size:
            sizes = " or ".join(str(size) for size in (below, below + geometry.scale) if size)
            raise ModelError(
                f"A periodic volume is a multiple of {geometry.scale} voxels long, but {axis} has {size}: "
                f"choose {sizes}."
            )
