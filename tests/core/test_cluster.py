"""Volumes made by others: the same voxels, whoever makes them; run on a real cluster of two processes."""

import json
import socket
import sys
from concurrent.futures import CancelledError
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from distributed import Client, KilledWorker, LocalCluster
from distributed.comm.core import CommClosedError

from napari_slicegan.core.choices import Precision
from napari_slicegan.core.cluster import engine as cluster
from napari_slicegan.core.cluster.engine import stream_on_cluster, to_dask
from napari_slicegan.core.cluster.remote import Maker, SharedStore, Worker
from napari_slicegan.core.errors import ModelError, OutputError
from napari_slicegan.core.output.stores import open_store
from napari_slicegan.core.output.streaming import stream
from napari_slicegan.core.volume.generation import Generation
from napari_slicegan.core.volume.request import VolumeRequest
from tests.core.conftest import SETS
from tests.core.test_model import a_model
from tests.core.test_ome_zarr import files_of
from tests.core.test_streaming import StopError, stop_at

REQUESTS = {
    "on the grid": VolumeRequest((256, 130, 60), seed=3, origin=(-128, 256, 0)),
    "off the grid": VolumeRequest((140, 150, 130), seed=3, origin=(-50, -10, 120)),
    "periodic": VolumeRequest((64, 40, 160), seed=3, origin=(-128, 5, 7), periodic="zx"),
}


def in_memory(model, request):
    return model.generation(request).whole()


@pytest.fixture(scope="module")
def two_processes():
    options = {"dashboard_address": "127.0.0.1:0", "worker_dashboard_address": None}
    with LocalCluster(n_workers=2, threads_per_worker=1, **options) as running:
        yield running


@pytest.fixture
def made(monkeypatch):
    """The tiles that this process makes, by their starts."""
    starts, make = [], Generation.make

    def counted(self, tile, check=None):
        starts.append(tile.start)
        return make(self, tile, check)

    monkeypatch.setattr(Generation, "make", counted)
    return starts


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("name", REQUESTS)
def test_a_dask_array_has_the_voxels_that_generate_gives(kind, name, made):
    model, request = a_model(kind), REQUESTS[name]
    if name == "periodic" and kind == "6 3 3":
        request = VolumeRequest((81, 40, 162), seed=3, origin=(-128, 5, 7), periodic="zx")
    array = to_dask(model, request)
    volume = array.compute(scheduler="threads")
    assert len(set(made)) == len(made) == len(model.generation(request).tiles)  # none is made twice
    assert (array.shape, array.dtype) == (volume.shape, volume.dtype)
    np.testing.assert_array_equal(volume, in_memory(model, request))


@pytest.mark.parametrize(
    "model",
    [a_model(output="colour", image_channels=3), a_model(phases=(0, 300, 5000))],
    ids=["colours", "large labels"],
)
def test_every_kind_of_voxel_comes_through(model, two_processes):
    box = {"seed": 1, "origin": (-7, 0, 0)}
    volume = model.generate((60, 30, 140), **box)
    array = model.to_dask((60, 30, 140), **box)
    assert (array.shape, array.dtype) == (volume.shape, volume.dtype)
    np.testing.assert_array_equal(array.compute(scheduler="threads"), volume)
    with Client(two_processes):
        np.testing.assert_array_equal(array.compute(), volume)


@pytest.mark.parametrize("edge", [32, 50, 200])
def test_chunks_of_any_edge_begin_at_its_multiples(edge):
    model, request = a_model(), VolumeRequest((70, 40, 60), seed=3, origin=(-50, -10, 120))
    array = to_dask(model, request, edge)
    for start, sizes in zip(request.origin, array.chunks, strict=True):
        ends = start + np.cumsum(sizes)
        assert (ends[:-1] % edge == 0).all()
        assert max(sizes) <= edge
    np.testing.assert_array_equal(array.compute(scheduler="threads"), in_memory(model, request))


def test_only_what_is_looked_at_is_made(made):
    model = a_model()
    array = model.to_dask((2**12, 2**12, 2**12), seed=3, origin=(0, -5, 0))
    voxel = array[5, 7, 3000].compute(scheduler="threads")
    assert made == [(0, 0, 2944)]
    assert voxel == model.generate((1, 1, 1), seed=3, origin=(5, 2, 3000))


def test_a_cluster_makes_the_same_array(two_processes, monkeypatch):
    model, request, packed = a_model(), REQUESTS["off the grid"], []
    pack = Maker.__getstate__
    monkeypatch.setattr(Maker, "__getstate__", lambda self: (packed.append(self), pack(self))[1])
    with Client(two_processes) as client:
        array = to_dask(model, request)
        parts = zip(client.nthreads(), (array.blocks[:1], array.blocks[1:]), strict=True)
        halves = [client.persist(part, workers=[worker], allow_other_workers=False) for worker, part in parts]
        assert len(packed) == 2  # the model travels once with each, not with each chunk
        volume = np.concatenate([half.compute() for half in halves])
    np.testing.assert_array_equal(volume, in_memory(model, request))


def test_the_model_is_built_once_where_it_is_needed(monkeypatch):
    model, request = a_model(), REQUESTS["off the grid"]
    sent = deepcopy(Maker(model, request))  # travels as a pickle does
    again = deepcopy(sent)  # from one worker to the next, neither of which has used it
    built = []
    monkeypatch.setattr(Maker, "_unpacked", lambda self, unpack=Maker._unpacked: built.append(self) or unpack(self))
    for maker in (sent, again):
        for index in (0, 1):
            generation = model.generation(request)
            np.testing.assert_array_equal(maker.tile(index), generation.make(generation.tiles[index]))
    assert built == [sent, again]


def test_how_numbers_are_held_is_decided_once(monkeypatch):
    monkeypatch.setattr("napari_slicegan.core.precision._cpu_has_bfloat16", lambda: True)
    request = VolumeRequest((8, 8, 8), precision=Precision.AUTO)
    sent = deepcopy(Maker(a_model(), request))
    monkeypatch.setattr("napari_slicegan.core.precision._cpu_has_bfloat16", lambda: False)
    assert sent.generation.request.precision is Precision.FAST


@pytest.mark.parametrize("edge", [0, -3, 1.5, "64"])
def test_chunks_without_a_size_are_refused(edge):
    with pytest.raises(ModelError, match="whole number above 0"):
        to_dask(a_model(), REQUESTS["periodic"], edge)


def test_without_dask_there_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "dask.array", None)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ModelError, match="dask is not installed"):
        to_dask(a_model(), REQUESTS["periodic"])
    with pytest.raises(ModelError, match="dask is not installed"):
        stream_on_cluster(a_model(), REQUESTS["periodic"], tmp_path / "v.ome.zarr", "tcp://127.0.0.1:1")


@pytest.mark.parametrize("name", REQUESTS)
def test_a_cluster_writes_the_same_store(name, two_processes, tmp_path):
    model, request = a_model(), REQUESTS[name]
    heard = []
    path = tmp_path / "cluster.ome.zarr"
    tally = stream_on_cluster(model, request, path, two_processes.scheduler_address, progress=heard.append)
    np.testing.assert_array_equal(open_store(path).levels[0][...], in_memory(model, request))
    assert tally == stream(model, request, tmp_path / "alone.ome.zarr")
    assert files_of(path) == files_of(tmp_path / "alone.ome.zarr")
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (0, 1)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["alone.ome.zarr", "cluster.ome.zarr"]


@pytest.mark.parametrize("name", ["on the grid", "off the grid"])
@pytest.mark.parametrize("first", ["cluster", "alone"])
def test_what_is_broken_off_can_be_resumed_either_way(name, first, two_processes, tmp_path):
    model, request, path = a_model(), REQUESTS[name], tmp_path / "v.ome.zarr"

    def on_cluster(**options):
        return stream_on_cluster(model, request, path, two_processes.scheduler_address, **options)

    def alone(**options):
        return stream(model, request, path, **options)

    before, after = (on_cluster, alone) if first == "cluster" else (alone, on_cluster)
    with pytest.raises(StopError):
        before(progress=stop_at(0.7))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["v.ome.zarr.part", "v.ome.zarr.part.journal"]
    assert not list(tmp_path.glob("*.part/*.partial"))  # nobody writes into it any more
    heard = []
    tally = after(resume=True, progress=heard.append)
    assert heard[0] > 0.05 or name == "off the grid"  # where each file needs several tiles
    assert tally == stream(model, request, tmp_path / "whole.ome.zarr")
    assert files_of(path) == files_of(tmp_path / "whole.ome.zarr")


def test_stopped_before_anything_is_done_it_leaves_nothing(two_processes, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        stream_on_cluster(
            a_model(),
            REQUESTS["on the grid"],
            tmp_path / "v.ome.zarr",
            two_processes.scheduler_address,
            progress=lambda _: (_ for _ in ()).throw(KeyboardInterrupt),
        )
    assert not list(tmp_path.iterdir())


def no_store_there(monkeypatch, tmp_path):
    @contextmanager
    def elsewhere(part, description):
        yield SharedStore(part, tmp_path / "on another machine", description)

    monkeypatch.setattr(cluster, "_shared", elsewhere)


def test_workers_that_do_not_see_the_store_are_refused(two_processes, tmp_path, monkeypatch):
    no_store_there(monkeypatch, tmp_path)
    monkeypatch.setattr(cluster, "Spread", None)  # said before anything is made
    with pytest.raises(OutputError, match=r"does not see .*share"):
        stream_on_cluster(a_model(), REQUESTS["periodic"], tmp_path / "v.ome.zarr", two_processes.scheduler_address)
    assert not list(tmp_path.iterdir())


def test_a_worker_that_comes_later_makes_no_store_of_its_own(two_processes, tmp_path, monkeypatch):
    no_store_there(monkeypatch, tmp_path)
    monkeypatch.setattr(
        Client, "run", lambda self, function, run=Client.run: "check" in str(function) or run(self, function)
    )
    with pytest.raises(OutputError, match="does not see"):
        stream_on_cluster(a_model(), REQUESTS["periodic"], tmp_path / "v.ome.zarr", two_processes.scheduler_address)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nowhere", "http://127.0.0.1:1", "", "a file"])
def test_a_scheduler_that_is_not_there_is_a_sentence(address, tmp_path, monkeypatch):
    if address == "a file":
        monkeypatch.chdir(tmp_path.parent)
        Path("a file").write_text('{"address": "tcp://127.0.0.1:1"}', encoding="utf-8")
    with pytest.raises(ModelError, match="There is no dask scheduler at"):
        stream_on_cluster(a_model(), REQUESTS["periodic"], tmp_path / "v.ome.zarr", address)
    assert not list(tmp_path.iterdir())


def test_what_listens_but_is_no_scheduler_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_SECONDS_TO_CONNECT", 1)
    monkeypatch.setattr(cluster, "_SECONDS_FOR_WORKERS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ModelError, match="There is no dask scheduler"):
            stream_on_cluster(a_model(), REQUESTS["periodic"], tmp_path / "v.ome.zarr", address)


def test_a_scheduler_without_workers_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_SECONDS_TO_CONNECT", 1)
    monkeypatch.setattr(cluster, "_SECONDS_FOR_WORKERS", 1)
    with (
        LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as empty,
        pytest.raises(ModelError, match="has no workers: start some"),
    ):
        stream_on_cluster(a_model(), REQUESTS["periodic"], tmp_path / "v.ome.zarr", empty.scheduler_address)
    assert not list(tmp_path.iterdir())


def test_the_scheduler_may_be_named_by_its_file(two_processes, tmp_path):
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps(two_processes.scheduler.identity()), encoding="utf-8")
    request = VolumeRequest((8, 9, 10), seed=3)
    stream_on_cluster(a_model(), request, tmp_path / "v.ome.zarr", str(file))
    np.testing.assert_array_equal(open_store(tmp_path / "v.ome.zarr").levels[0][...], in_memory(a_model(), request))


def test_a_cluster_writes_one_format(tmp_path):
    with pytest.raises(OutputError, match=r"ending in \.ome\.zarr"):
        stream_on_cluster(a_model(), REQUESTS["periodic"], tmp_path / "v.npy", "tcp://127.0.0.1:1")


def test_other_versions_are_refused(two_processes, tmp_path, monkeypatch):
    here = Worker.here()
    monkeypatch.setattr(Worker, "here", lambda: Worker({**here.versions, "torch": "0.1"}, here.device))
    with pytest.raises(ModelError, match=r"here is 0\.1: install the same version"):
        stream_on_cluster(a_model(), REQUESTS["periodic"], tmp_path / "v.ome.zarr", two_processes.scheduler_address)


def test_workers_of_two_kinds_are_refused(monkeypatch):
    class Mixed:
        def run(self, _):
            return {"one": Worker.here(), "two": Worker(Worker.here().versions, "cuda")}

    with pytest.raises(ModelError, match="cpu, cuda"):
        cluster._device_of(Mixed())


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (KilledWorker("task", "worker", 3), ModelError, "lack of memory"),
        (CancelledError(), ModelError, "does not answer any more"),
        (CommClosedError(), ModelError, "does not answer any more"),
        (OSError(28, "No space left on device"), OutputError, "Free some space"),
    ],
)
def test_what_goes_wrong_on_a_cluster_is_a_sentence(error, kind, words, tmp_path):
    with pytest.raises(kind, match=words), cluster._sentences(tmp_path / "v.ome.zarr", "tcp://node:8786"):
        raise error
