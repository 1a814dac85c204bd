"""Finding the processes of a training: started here, or by torchrun or another launcher."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.distributed as dist

from napari_slicegan.core.device import choose_device
from napari_slicegan.core.errors import ConfigError, TrainingError
from napari_slicegan.core.parallel.group import SILENCE, Group
from napari_slicegan.core.parallel.peers import ALONE, Peers

_MEETING = "NAPARI_SLICEGAN_MEETING"  # a file in which processes of one computer find each other: no port is open
_SECONDS_BETWEEN_LOOKS = 0.05
_PATIENCE = 5.0  # seconds that processes which have met have to end by themselves
_LOOPBACK = {"linux": "lo", "darwin": "lo0"}  # where processes of one computer talk, and nobody else listens


@contextmanager
def together(count: int, device: str, command: Sequence[str]) -> Iterator[Peers]:
    """The processes of a training, while the block lasts.

    Parameters
    ----------
    count : int
        How many are wanted; 0 if that was not said: one, or as many as a launcher has started.
    device : str
        "auto", "cpu", "cuda", "cuda:1" or "mps"; each process takes a graphics card of its own.
    command : sequence of str
        Arguments of ``python -m napari_slicegan`` with which other processes are started.

    Yields
    ------
    Peers
        A `Group`, or `ALONE`.

    Raises
    ------
    ConfigError
        There are fewer cores or graphics cards, or a launcher has started another number.
    TrainingError
        The processes do not find each other.
    """
    launched = int(os.environ.get("WORLD_SIZE", 1)) if "RANK" in os.environ else 0
    if launched and count not in (0, launched):
        raise ConfigError(f"The launcher has started {launched} processes: leave out --devices.")
    if launched > 1:
        with _joined(_device_here(device)) as group:
            yield group
    elif count > 1:
        with _started(count, device, command) as group:
            yield group
    else:
        yield ALONE


@contextmanager
def _joined(device: torch.device) -> Iterator[Group]:
    """Meet the processes that the environment tells of."""
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    meeting = os.environ.get(_MEETING, "")
    if meeting and rank:
        threading.Thread(target=_end_with_first, daemon=True).start()
        _sign_of_life(Path(meeting), rank).touch()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    try:
        where = Path(meeting).as_uri() if meeting else "env://"
        dist.init_process_group(backend, where, timeout=SILENCE, rank=rank, world_size=size)
        group = Group(device)
    except (RuntimeError, ValueError) as error:
        raise TrainingError(f"The processes of the training do not find each other: {error}.") from error
    try:
        yield group
    finally:
        group.close()


@contextmanager
def _started(count: int, device: str, command: Sequence[str]) -> Iterator[Group]:
    """Start the other processes, on this computer, and meet them as the first."""
    here = _device_here(device)
    _check(count, here)
    threads = max(1, torch.get_num_threads() // count)
    shared = {"WORLD_SIZE": str(count)}
    if loopback := _LOOPBACK.get(sys.platform):
        shared.setdefault("GLOO_SOCKET_IFNAME", os.environ.get("GLOO_SOCKET_IFNAME", loopback))
    if here.type == "cpu" and "OMP_NUM_THREADS" not in os.environ:
        shared["OMP_NUM_THREADS"] = str(threads)
        torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory(prefix="napari-slicegan-") as folder:
        meeting = Path(folder) / "meeting"
        shared[_MEETING] = str(meeting)
        others, patience = [_follower(rank, shared, command) for rank in range(1, count)], 0.0
        try:
            _wait_for(others, meeting)
            patience = _PATIENCE
            with _environment(shared | {"RANK": "0", "LOCAL_RANK": "0"}), _joined(here) as group:
                yield group
        finally:
            _end(others, patience)


def _device_here(device: str) -> torch.device:
    """The device of this process: the graphics card of its number on this computer."""
    found = choose_device(device)
    local = int(os.environ.get("LOCAL_RANK", 0))
    return torch.device("cuda", local) if found.type == "cuda" and found.index is None else found


def _check(count: int, device: torch.device) -> None:
    """Refuse more processes than there is something to compute with."""
    there = {"cpu": os.cpu_count() or 1, "cuda": torch.cuda.device_count()}.get(device.type, 1)
    if count > there:
        what = {"cpu": "processor cores", "cuda": "graphics cards"}.get(device.type, f"{device.type} devices")
        raise ConfigError(f"--devices {count} is more than the {there} {what} of this computer.")


def _follower(rank: int, shared: Mapping[str, str], command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start one more process; what goes wrong in it is seen, Ctrl-C is for the first one alone.

    Its input is a pipe into which nothing is written: it is closed when the first process is no more.
    """
    environment = {**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}
    return subprocess.Popen(
        [sys.executable, "-m", "napari_slicegan", *command],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def _end_with_first() -> None:
    """End this process as soon as the first one has ended, however that came about; it keeps nothing of its own."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


def _wait_for(others: Sequence[subprocess.Popen[bytes]], meeting: Path) -> None:
    """Wait until all other processes have come so far that they look for the first one.

    Raises
    ------
    TrainingError
        One has ended before.
    """
    for rank, process in enumerate(others, start=1):
        while not _sign_of_life(meeting, rank).exists():
            if process.poll() is not None:
                raise TrainingError(f"Process {rank} of the training has ended before it began: see what it has said.")
            time.sleep(_SECONDS_BETWEEN_LOOKS)


def _sign_of_life(meeting: Path, rank: int) -> Path:
    return meeting.with_suffix(f".{rank}")


def _end(processes: Sequence[subprocess.Popen[bytes]], patience: float) -> None:
    """Wait some seconds for processes to end by themselves, and end those that do not."""
    for process in processes:
        with process:  # which closes its pipe in the end
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """While the block lasts, set variables of the environment, which torch reads."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
