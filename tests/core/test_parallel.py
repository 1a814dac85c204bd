"""Several processes make the step of one."""

import os
import subprocess
import sys

import pytest
import torch

from napari_slicegan.core.errors import ConfigError, TrainingError
from napari_slicegan.core.parallel import launch
from napari_slicegan.core.parallel.launch import together
from napari_slicegan.core.parallel.peers import ALONE, Peers
from tests.core.peer import CASES, step


def in_processes(case, count, folder) -> list[dict]:
    """What a step leaves in each of several processes."""
    shared = {"WORLD_SIZE": str(count), launch._MEETING: str(folder / "meeting")}
    shared |= {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    files = [folder / f"{rank}.pt" for rank in range(count)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.core.peer", case, str(file)],
            env=os.environ | shared | {"RANK": str(rank)},
            stdin=subprocess.PIPE,  # whose end is that of the process
        )
        for rank, file in enumerate(files)
    ]
    try:
        assert [process.wait(120) for process in processes] == count * [0]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    return [torch.load(file, weights_only=True) for file in files]


@pytest.mark.parametrize(("case", "count"), [*((case, 2) for case in CASES), ("few", 3)])
def test_a_step_of_several_processes_is_that_of_one(case, count, tmp_path):
    alone, together_ = step(case), in_processes(case, count, tmp_path)
    for left in together_:
        assert left.keys() == alone.keys()
        for key, expected in alone.items():
            scale = expected.abs().max().clamp(min=1e-3) if expected.is_floating_point() else 1
            assert (left[key] - expected).abs().max() <= 1e-5 * scale, key
    assert all(torch.equal(left[key], together_[0][key]) for left in together_ for key in alone if "critic" in key)


@pytest.mark.parametrize("size", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 7, 8, 96])
def test_all_of_the_work_is_done_once(size, count):
    done = []
    for rank in range(size):
        peers = Peers()
        peers.rank, peers.size = rank, size
        done += list(range(count))[peers.own(count)]
        assert len(range(count)[peers.own(count)]) <= peers.most(count)
    assert done == list(range(count))


def test_a_single_process_is_alone(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    for count in (0, 1):
        with together(count, "cpu", []) as peers:
            assert peers is ALONE
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    with together(0, "cpu", []) as peers:
        assert peers is ALONE


@pytest.mark.parametrize(
    ("cards", "device", "count", "message"),
    [(0, "cpu", 10**4, "processor cores of this computer"), (2, "cuda", 3, "more than the 2 graphics cards")],
)
def test_more_processes_than_devices_are_refused(cards, device, count, message, monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cards > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
    with pytest.raises(ConfigError, match=message), together(count, device, []):
        pass


def test_what_a_launcher_has_started_stands(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="has started 2 processes: leave out --devices"), together(3, "cpu", []):
        pass


def test_processes_that_are_not_there_are_a_sentence(monkeypatch):
    monkeypatch.setattr(launch.dist, "init_process_group", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("late")))
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match="do not find each other: late"), together(0, "cpu", []):
        pass


def test_a_process_that_does_not_get_so_far_is_noticed(monkeypatch, capfd):
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with pytest.raises(TrainingError, match="Process 1 of the training has ended before"), together(2, "cpu", ["none"]):
        pass
    assert "invalid choice" in capfd.readouterr().err


def test_each_process_takes_a_card_of_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert launch._device_here("auto") == torch.device("cuda", 3)
    assert launch._device_here("cpu") == torch.device("cpu")
