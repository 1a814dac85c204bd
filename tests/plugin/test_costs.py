"""What an order takes, and when it is too much."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from napari_slicegan.core.volume.request import VolumeRequest
from napari_slicegan.plugin.generate import costs
from napari_slicegan.plugin.generate.costs import costs_of
from napari_slicegan.plugin.generate.task import VolumeOrder
from tests.core.test_model import a_model


class Usage(NamedTuple):
    """What `shutil.disk_usage` gives."""

    total: int
    used: int
    free: int


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A machine with 10 GB of memory and 1 GB of disk."""
    free = {"memory": 10**10, "disk": 10**9}
    monkeypatch.setattr("napari_slicegan.core.memory.free_memory", lambda: free["memory"])
    monkeypatch.setattr(costs.shutil, "disk_usage", lambda _: Usage(0, 0, free["disk"]))
    return free


def order(edge: int, count: int = 1, **options: Any) -> VolumeOrder:
    return VolumeOrder(tuple(VolumeRequest((edge,) * 3, seed) for seed in range(count)), **options)


def test_the_time_is_left_open_until_it_is_known():
    assert costs_of(a_model(), order(256), None).text.startswith("… · ")
    assert costs_of(a_model(), order(256), 2.0).text.startswith("about 16 s · ")  # 8 tiles
    assert costs_of(a_model(), order(256, count=3), 2.0).text.startswith("about 48 s · ")


def test_too_much_for_the_memory():
    assert not costs_of(a_model(), order(2000), None).problem
    problem = costs_of(a_model(), order(2200), None).problem
    assert problem.startswith("The volume takes about 10.")
    assert "of which 10 GB are free: choose a smaller one, or let it be written to a file" in problem


def test_several_volumes_are_in_memory_together():
    assert not costs_of(a_model(), order(1700), None).problem
    assert "to a file" in costs_of(a_model(), order(1700, count=3), None).problem


def test_files_take_disk_instead(tmp_path, room):
    assert not costs_of(a_model(), order(900, path=tmp_path / "v.npy"), None).problem
    problem = costs_of(a_model(), order(1100, path=tmp_path / "v.npy"), None).problem
    assert problem.startswith("This takes 1.")
    assert "on the disk, of which 1 GB are free" in problem
    assert "on the disk" in costs_of(a_model(), order(900, count=2, path=tmp_path / "v.npy"), None).problem
    room["memory"] = 10**6
    problem = costs_of(a_model(), order(10, path=tmp_path / "v.npy"), None).problem
    assert "of memory" in problem
    assert "end other programs" in problem  # since a smaller one takes as much


def test_what_is_compressed_is_refused_only_where_it_cannot_fit(tmp_path):
    path = tmp_path / "v.ome.zarr"
    assert not costs_of(a_model(), order(1100, path=path), None).problem
    assert "at least" in costs_of(a_model(), order(8000, path=path), None).problem


def test_what_goes_on_is_not_measured_again(tmp_path):
    assert not costs_of(a_model(), order(1100, path=tmp_path / "v.npy", resume=True), None).problem


@pytest.mark.parametrize("name", ["v.what", "v"])
def test_what_is_no_file_yet_has_costs_all_the_same(tmp_path, name):
    assert "memory" in costs_of(a_model(), order(64, path=tmp_path / name), None).text


def test_what_is_held_in_memory_until_it_is_written_counts(tmp_path):
    model = a_model()
    paths = [tmp_path / name for name in ("v.vti", "v.ome.zarr")]
    held, streamed = (
        costs_of(model, VolumeOrder((VolumeRequest((1000, 1000, 1000)),), path), None).text for path in paths
    )
    assert "GB of memory" in held
    assert "MB of memory" in streamed


def test_uncompressed_files_have_no_pyramid(tmp_path):
    model, order = a_model(), VolumeRequest((1000, 1000, 1000))
    assert "1 GB on disk" in costs_of(model, VolumeOrder((order,), tmp_path / "v.npy"), None).text
    assert "1.14 GB on disk" in costs_of(model, VolumeOrder((order,), tmp_path / "v.ome.zarr"), None).text
