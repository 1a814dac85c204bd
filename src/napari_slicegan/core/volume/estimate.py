"""What a volume costs before it is made: memory, disk and time. Needs no torch until it calibrates."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.choices import Precision
from napari_slicegan.core.memory import OTHER_COMPUTER, SMALLER_VOLUME, shortage
from napari_slicegan.core.output.formats import OME_ZARR, Format
from napari_slicegan.core.volume.footprint import working_bytes
from napari_slicegan.core.volume.request import Triple, VolumeRequest
from napari_slicegan.core.volume.tiles import Tiles, tile_edge
from napari_slicegan.core.words import size_in_words

if TYPE_CHECKING:
    from napari_slicegan.core.model import SliceGAN

_TILES_IN_FLIGHT = 4  # compressed, hashed or coarsened on their way to the disk
_STORE_BYTES = 60 * 2**20  # the libraries that write OME-Zarr, and their threads; measured
_WORTH_REPEATING = 1.0


@dataclass(frozen=True)
class Estimate:
    """What making a volume costs.

    Attributes
    ----------
    memory_bytes : int
        Peak of what the process takes beyond what it has; a graphics card's own memory is not counted.
    disk_bytes : int
        On the disk with the coarser levels of OME-Zarr, uncompressed: no format takes more. 0 in memory.
    seconds : float or None
        None as long as the speed of this machine is not known.
    typical_bytes : int or None
        About what OME-Zarr takes, by how well a sample was compressed; None as long as there is none.
    """

    memory_bytes: int
    disk_bytes: int
    seconds: float | None
    typical_bytes: int | None = None


@dataclass(frozen=True)
class _Sample:
    """What one tile has told: its seconds, and how much of it compression leaves."""

    seconds: float
    compression: float


_samples: WeakKeyDictionary[SliceGAN, dict[Precision, _Sample]] = WeakKeyDictionary()


def estimate(
    model: SliceGAN, request: VolumeRequest, kind: Format | None = None, seconds_per_tile: float | None = None
) -> Estimate:
    """Estimate what making a volume costs; takes no time.

    Parameters
    ----------
    model : SliceGAN
        Makes it.
    request : VolumeRequest
        What is wanted.
    kind : Format, optional
        That of the file to which it goes as it is made, rather than into memory.
    seconds_per_tile : float, optional
        What `calibrate` gave.

    Returns
    -------
    Estimate
        Memory within about 25 %, measured on a processor; time as steady as the machine is.
    """
    network, on_cpu = model.info.network, model.device.type == "cpu"
    precision = model.resolved(request).precision
    voxel = volume_bytes(model, (1, 1, 1))
    tile = tile_edge(network.geometry) ** 3 * voxel
    memory = 2 * tile + (working_bytes(network, precision) if on_cpu else 0)
    if kind is None or kind.in_memory:
        memory += prod(request.shape) * voxel * (2 if kind else 1)  # compressed in memory, too
    elif kind is OME_ZARR:
        memory += _TILES_IN_FLIGHT * tile + _STORE_BYTES
    disk = _stored_voxels(request.shape) * voxel if kind else 0
    seconds = None if seconds_per_tile is None else len(Tiles(request, network.geometry)) * seconds_per_tile
    sample = _samples.get(model, {}).get(precision)
    return Estimate(memory, disk, seconds, round(disk * sample.compression) if sample and kind else None)


def memory_problem(needed: int, kind: Format | None) -> str:
    """Why a volume cannot be made that takes so much memory, see `Estimate`; empty if it can be."""
    is_held = kind is None or kind.in_memory
    return shortage("The volume", needed, SMALLER_VOLUME if is_held else OTHER_COMPUTER)


def volume_bytes(model: SliceGAN, shape: Triple) -> int:
    """Bytes of the voxels of a volume."""
    from napari_slicegan.core.values import label_dtype

    phases = model.info.phases
    return prod(shape) * (label_dtype(phases).itemsize if phases else model.info.network.image_channels)


def calibrate(model: SliceGAN, precision: Precision, check: Callable[[float], None] | None = None) -> float:
    """Measure how long a tile takes on this machine; once for each model and precision.

    Parameters
    ----------
    model : SliceGAN
        Makes the tile.
    precision : Precision
        How numbers are held.
    check : callable, optional
        Is called with the finished fraction; what it raises ends the work.

    Returns
    -------
    float
        Seconds for one tile, warmed up where that does not take long.
    """
    request = model.resolved(VolumeRequest((tile_edge(model.info.network.geometry),) * 3, precision=precision))
    known = _samples.setdefault(model, {})
    if request.precision not in known:
        generation = model.generation(request)
        try:
            for _ in range(2):
                start = time.perf_counter()
                voxels = generation.make(generation.tiles[0], check)
                seconds = time.perf_counter() - start
                if seconds > _WORTH_REPEATING:
                    break
        finally:
            generation.release()
        known[request.precision] = _Sample(seconds, _compression(voxels))
    return known[request.precision].seconds


def as_text(costs: Estimate) -> str:
    """Put costs into words: "2.1 GB memory, 1.07 GB on disk, about 12 min"."""
    parts = [f"{size_in_words(costs.memory_bytes)} memory"]
    if costs.typical_bytes is not None:
        parts.append(f"about {size_in_words(costs.typical_bytes)} on disk")
    elif costs.disk_bytes:
        parts.append(f"up to {size_in_words(costs.disk_bytes)} on disk")
    if costs.seconds is not None:
        parts.append(f"about {_duration(costs.seconds)}")
    return ", ".join(parts)


def _stored_voxels(shape: Triple) -> int:
    """Voxels of all levels of a pyramid."""
    from napari_slicegan.core.output.sinks.pyramid import levels_of

    return sum(prod(level.shape) for level in levels_of(shape))


def _compression(voxels: npt.NDArray[np.generic]) -> float:
    """The part that is left of a tile as OME-Zarr compresses it."""
    from numcodecs.blosc import compress  # type: ignore[import-untyped]

    return len(compress(voxels.tobytes(), b"zstd", 5, 0, 0, voxels.itemsize)) / voxels.nbytes


def _duration(seconds: float) -> str:
    """About two digits in the unit that suits."""
    for factor, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 1.5 * factor:
            return f"{seconds / factor:.{1 if seconds < 9.95 * factor else 0}f} {unit}".replace(".0 ", " ")
    return f"{max(seconds, 1):.0f} s"
