"""What other processes do for a volume: make its tiles, and put them into a store that all can reach."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.output.sinks.base import VolumeDescription
from napari_slicegan.core.output.tally import Tally
from napari_slicegan.core.volume.request import Triple, VolumeRequest
from napari_slicegan.core.volume.tiles import Slices, Tiles

if TYPE_CHECKING:
    from napari_slicegan.core.model import SliceGAN
    from napari_slicegan.core.volume.generation import Generation

Array = npt.NDArray[np.generic]

_building = threading.Lock()


class Maker:
    """Makes the voxels of one volume in whatever process it is sent to.

    It travels as the model's header and weights; the model is built where and when it is first needed. In the process
    where it was made it uses the model itself.

    Parameters
    ----------
    model : SliceGAN
        What generates.
    request : VolumeRequest
        The volume.
    device : str
        Where other processes compute; "auto" is a GPU where they find one.
    """

    def __init__(self, model: SliceGAN, request: VolumeRequest, device: str = "auto") -> None:
        self._device = device
        self._model: SliceGAN | None = model
        self._request = model.resolved(request)
        self._parcel: tuple[str, bytes] | None = None
        self._generation: Generation | None = model.generation(request)

    def __getstate__(self) -> dict[str, Any]:
        with _building:
            if self._parcel is None:
                self._parcel = self._packed()
        return {"request": self._request.to_dict(), "parcel": self._parcel, "device": self._device}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._model = self._generation = None
        self._request = VolumeRequest.from_dict(state["request"])
        self._parcel, self._device = state["parcel"], state["device"]

    def tile(self, index: int) -> Array:
        """One of the tiles of the volume."""
        generation = self.generation
        return generation.make(generation.tiles[index])

    def chunk(self, edge: int, index: Sequence[int]) -> Array:
        """One of the chunks that a grid through the endless volume's origin cuts the volume into."""
        place = chunk_place(self._request, edge, index)
        generation = self.generation
        tiles = Tiles(box_request(self._request, place), generation.geometry)
        if len(tiles) == 1:
            return generation.make(tiles[0])
        sizes = (part.stop - part.start for part in place)
        values: Array = np.empty((*sizes, *generation.shape[3:]), generation.dtype)
        for tile in tiles:
            values[tile.place] = generation.make(tile)
        return values

    @property
    def generation(self) -> Generation:
        """The volume's generation in this process."""
        with _building:
            if self._generation is None:
                self._model = self._unpacked()
                self._generation = self._model.generation(self._request)
            return self._generation

    def _packed(self) -> tuple[str, bytes]:
        from safetensors.torch import save

        assert self._model is not None
        weights = self._model.generator.state_dict()
        content = save({name: tensor.cpu().contiguous() for name, tensor in weights.items()})
        return self._model.info.to_json(), content

    def _unpacked(self) -> SliceGAN:
        from safetensors.torch import load

        from napari_slicegan.core.device import choose_device
        from napari_slicegan.core.model import SliceGAN
        from napari_slicegan.core.model_info import ModelInfo
        from napari_slicegan.core.weights import generator_with

        assert self._parcel is not None
        header, content = self._parcel
        info = ModelInfo.from_json(header)
        generator = generator_with(load(content), info.network, Path("The model that was sent"))
        return SliceGAN(generator.to(choose_device(self._device)), info)


@dataclass(frozen=True)
class SharedStore:
    """An unfinished OME-Zarr store that other processes write into.

    Attributes
    ----------
    part : Path
        Its folder, under the same name for all.
    sign : Path
        A file in it that is there as long as writing is wanted, so that nobody writes to a folder of his own.
    description : VolumeDescription
        What is written.
    """

    part: Path
    sign: Path
    description: VolumeDescription

    def check(self) -> None:
        """Refuse a machine that does not see the store.

        Raises
        ------
        OutputError
            The store is not there.
        """
        if not self.sign.is_file():
            raise OutputError(
                f"A worker on {_host()} does not see {self.part}: write to a folder that all machines of the cluster "
                "share under the same name."
            )


@dataclass(frozen=True)
class Worker:
    """What a worker tells of itself.

    Attributes
    ----------
    versions : dict
        Of the packages that make the voxels.
    device : str
        Where it would compute.
    """

    versions: dict[str, str]
    device: str

    @classmethod
    def here(cls) -> Worker:
        """Tell of this process."""
        from napari_slicegan.core.device import choose_device

        return cls({package: version(package) for package in ("napari-slicegan", "torch")}, choose_device().type)


def make_tile(maker: Maker, index: int) -> Array:
    """Make a tile of the volume."""
    return maker.tile(index)


def write_block(store: SharedStore, block: Slices, places: Sequence[Slices], *tiles: Array) -> list[Tally]:
    """Write one file of a store: the parts of tiles that lie in it.

    Parameters
    ----------
    store : SharedStore
        Where to.
    block : (slice, slice, slice)
        The voxels of the file.
    places : sequence of (slice, slice, slice)
        Where the tiles are in the volume.
    *tiles : array
        Their voxels.

    Returns
    -------
    list of Tally
        What the part of each tile in this block is made of.
    """
    from napari_slicegan.core.output.sinks.ome_zarr import OmeZarrSink

    description = store.description
    sizes = tuple(part.stop - part.start for part in block)
    values: Array = np.empty((*sizes, *description.shape[3:]), description.dtype)
    tallies = []
    for place, tile in zip(places, tiles, strict=True):
        there, here = common(place, block), common(block, place)
        values[here] = tile[there]
        tallies.append(Tally.of(tile[there], description.phases))
    store.check()
    sink = OmeZarrSink(store.part, description, resume=True)
    sink.write(block, values)
    sink.flush()
    sink.close()
    return tallies


def common(outer: Slices, other: Slices) -> Slices:
    """What two boxes share, counted from the start of the first."""
    pairs = zip(outer, other, strict=True)
    z, y, x = (slice(max(a.start, b.start) - a.start, min(a.stop, b.stop) - a.start) for a, b in pairs)
    return z, y, x


def chunk_place(request: VolumeRequest, edge: int, index: Sequence[int]) -> Slices:
    """Where a chunk is in a volume: chunks begin at multiples of their edge in the endless volume."""
    axes = zip(request.origin, request.shape, index, strict=False)  # the index has one more where voxels are colours
    lows = ((start, size, (start // edge + number) * edge - start) for start, size, number in axes)
    z, y, x = (slice(max(low, 0), min(low + edge, size)) for _, size, low in lows)
    return z, y, x


def box_request(request: VolumeRequest, place: Slices) -> VolumeRequest:
    """The voxels of a box of a volume, as a volume of their own that is not periodic."""
    starts = [start + part.start for start, part in zip(request.origin, place, strict=True)]
    sizes = [part.stop - part.start for part in place]
    origin: Triple = (starts[0], starts[1], starts[2])
    return replace(request, origin=origin, shape=(sizes[0], sizes[1], sizes[2]), periodic="")


def _host() -> str:
    import platform

    return platform.node()
