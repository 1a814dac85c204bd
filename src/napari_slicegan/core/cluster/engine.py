"""A volume made by many processes or machines, on an engine that exists: dask."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.cluster.remote import Maker, SharedStore, Worker
from napari_slicegan.core.cluster.spread import Spread
from napari_slicegan.core.errors import ModelError, OutputError
from napari_slicegan.core.files import output_error
from napari_slicegan.core.output.formats import OME_ZARR, format_of
from napari_slicegan.core.output.places import part_of
from napari_slicegan.core.output.sinks.base import VolumeDescription
from napari_slicegan.core.output.tally import Tally
from napari_slicegan.core.output.unfinished import Unfinished
from napari_slicegan.core.volume.request import VolumeRequest

if TYPE_CHECKING:
    from dask.array import Array as DaskArray
    from distributed import Client

    from napari_slicegan.core.model import SliceGAN

NO_DASK = "dask is not installed: install it with pip install 'napari-slicegan[dask]'."
_SECONDS_TO_CONNECT = 8
_SECONDS_FOR_WORKERS = 120  # many that start at once from a shared disk take as long


def to_dask(model: SliceGAN, request: VolumeRequest, chunks: int | None = None) -> DaskArray:
    """Describe a volume as a dask array, each chunk of which is made from its position alone.

    Parameters
    ----------
    model : SliceGAN
        What generates; it is a part of the array and goes to each worker once.
    request : VolumeRequest
        The volume.
    chunks : int, optional
        Edge of a chunk in voxels; by default the tile in which volumes are made, so that none is made twice. Chunks
        begin at its multiples in the endless volume, so the first ones may be smaller.

    Returns
    -------
    dask.array.Array (Z, Y, X) or (Z, Y, X, 3)
        The voxels that `SliceGAN.generate` gives.

    Raises
    ------
    ModelError
        The volume cannot be made, or dask is not installed.
    """
    try:
        import dask.array as da
        from dask.base import tokenize
        from dask.delayed import delayed
    except ImportError as error:
        raise ModelError(NO_DASK) from error
    maker = Maker(model, request)
    made = maker.generation
    edge = made.tiles.edge if chunks is None else chunks
    if not isinstance(edge, int) or edge < 1:
        raise ModelError(f"The edge of a chunk is {chunks!r}: give a whole number above 0.")
    sizes = [_chunk_sizes(start, size, edge) for start, size in zip(request.origin, request.shape, strict=True)]
    token = tokenize(model.fingerprint, str(model.device), made.request.to_dict(), edge)
    array: DaskArray = da.map_blocks(
        _chunk,
        delayed(maker, traverse=False, name=f"slicegan-model-{token}"),  # one node of the graph, on which all depend
        edge,
        name=f"slicegan-volume-{token}",
        chunks=(*sizes, *((size,) for size in made.shape[3:])),
        dtype=made.dtype,
        meta=np.empty((0,) * len(made.shape), made.dtype),
    )
    return array


def _chunk(maker: Maker, edge: int, block_id: tuple[int, ...] = ()) -> npt.NDArray[np.generic]:
    return maker.chunk(edge, block_id)


def _chunk_sizes(start: int, size: int, edge: int) -> tuple[int, ...]:
    """Lengths of the chunks along an axis."""
    first = min(size, edge - start % edge)
    whole, rest = divmod(size - first, edge)
    return (first, *(edge,) * whole, *(rest,) * bool(rest))


def stream_on_cluster(
    model: SliceGAN,
    request: VolumeRequest,
    path: str | os.PathLike[str],
    address: str,
    *,
    resume: bool = False,
    progress: Callable[[float], None] | None = None,
) -> Tally:
    """Let the workers of a running dask cluster make a volume and write it into one OME-Zarr store.

    Parameters
    ----------
    model : SliceGAN
        What generates; it is sent to the workers.
    request : VolumeRequest
        The volume.
    path : str or path
        New store ending in ".ome.zarr", in a folder that all workers see under this name.
    address : str
        Of the scheduler, for example "tcp://node1:8786", or the path of its scheduler file.
    resume : bool
        Go on with what an earlier call left, on a cluster or not.
    progress : callable, optional
        Is called with the finished fraction; what it raises ends the work. What is done is then kept.

    Returns
    -------
    Tally
        What the volume is made of.

    Raises
    ------
    OutputError
        The store cannot be written, or a worker does not see it.
    ModelError
        There is no such cluster, it has no fitting workers, or the volume cannot be made.
    """
    if format_of(path) is not OME_ZARR:
        raise OutputError(f"A cluster writes OME-Zarr only, not {path!s:.200}: choose a name ending in .ome.zarr.")
    path, report = Path(path).absolute(), progress or (lambda _: None)
    description, made = model.describe(request), 1.0 - OME_ZARR.finishing
    with _connected(address) as client:
        device = _device_of(client)
        with Unfinished(path, description, resume, device) as volume:
            with _sentences(path, address), _shared(part_of(path), description) as store:
                client.run(store.check)
                Spread(client, Maker(model, request, device), store, volume).run(
                    lambda fraction: report(fraction * made)
                )
            volume.finish(lambda fraction: report(made + fraction * OME_ZARR.finishing))
    report(1.0)
    return volume.tally


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    """A client of a running cluster that has workers."""
    try:
        from distributed import Client
    except ImportError as error:
        raise ModelError(NO_DASK) from error
    try:
        _check_reachable(address)
        where = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
        client = Client(**where, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"There is no dask scheduler at {address!s:.200}: start one with 'dask scheduler' and give the "
            "address that it prints, for example tcp://node1:8786."
        ) from error
    with client, client.as_current():
        try:
            client.wait_for_workers(1, timeout=_SECONDS_FOR_WORKERS)
        except TimeoutError as error:
            raise ModelError(
                f"The dask scheduler at {address} has no workers: start some with 'dask worker' for the same scheduler."
            ) from error
        yield client


def _check_reachable(address: str) -> None:
    """Refuse at once where no scheduler listens: a `Client` goes on trying, and waits for ever for a web page."""
    from distributed.comm.addressing import get_address_host_port

    if Path(address).is_file():
        address = json.loads(Path(address).read_text(encoding="utf-8"))["address"]
    with socket.create_connection(get_address_host_port(address), timeout=_SECONDS_TO_CONNECT) as connection:
        plain = "://" not in address or address.startswith("tcp://")
        if plain and not connection.recv(1):  # a scheduler speaks first
            raise ConnectionError


async def _worker() -> Worker:
    """What a worker tells of itself; torch is imported beside its event loop, which must not wait."""
    return await asyncio.to_thread(Worker.here)


def _device_of(client: Client) -> str:
    """The kind of device of all workers, which must be the same, as devices round differently."""
    try:
        workers: list[Worker] = list(client.run(_worker).values())
    except ImportError as error:
        raise ModelError(f"The workers have no napari-slicegan of this version: install it there ({error}).") from error
    here = Worker.here()
    for worker in workers:
        for package, version in here.versions.items():
            if worker.versions[package] != version:
                raise ModelError(
                    f"A worker has {package} {worker.versions[package]}, but here is {version}: install the same "
                    "version everywhere."
                )
    devices = sorted({worker.device for worker in workers})
    if len(devices) > 1:
        raise ModelError(
            f"The workers compute on different devices ({', '.join(devices)}), which round differently: start workers "
            "of one kind."
        )
    return devices[0]


@contextmanager
def _shared(part: Path, description: VolumeDescription) -> Iterator[SharedStore]:
    """A store that workers may write into until the block ends; `OmeZarrSink.finish` removes a sign that is left."""
    sign = part / f"{uuid4().hex}.partial"
    sign.touch()
    try:
        yield SharedStore(part, sign, description)
    finally:
        sign.unlink(missing_ok=True)


@contextmanager
def _sentences(path: Path, address: str) -> Iterator[None]:
    """Turn what goes wrong on a cluster into sentences."""
    from distributed import KilledWorker
    from distributed.comm.core import CommClosedError

    try:
        yield
    except KilledWorker as error:
        raise ModelError(
            "Several workers ended while they made the same tile, probably for lack of memory: start fewer on each "
            "machine."
        ) from error
    except (CancelledError, CommClosedError) as error:
        raise ModelError(f"The dask cluster at {address} does not answer any more: start it again.") from error
    except OSError as error:
        raise output_error(path, error) from error
