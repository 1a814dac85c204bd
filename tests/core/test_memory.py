"""What is free, as Linux tells it, and what is said when memory has run out."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from napari_slicegan.core import memory
from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.memory import free_memory, is_out_of_memory, memory_errors, shortage
from napari_slicegan.core.memory_limits import free_in_container

GIGABYTE = 2**30


def group(folder: Path, **files: object) -> None:
    """The files of a control group."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(f"{content}\n")


def system(root: Path, groups: str, mounts: str) -> None:
    """What Linux tells of a process."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    (root / "proc/self/mountinfo").write_text(mounts)


@pytest.fixture
def version_2(tmp_path):
    """A process in a job within a container."""
    system(tmp_path, "0::/box/job\n", "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw\n")
    top = tmp_path / "sys/fs/cgroup"
    group(top)
    group(top / "box", memory__max=8 * GIGABYTE, memory__high="max", memory__current=6 * GIGABYTE)
    group(top / "box/job", memory__max="max", memory__high=5 * GIGABYTE, memory__current=GIGABYTE)
    return tmp_path


def test_the_group_that_leaves_least_counts(version_2):
    assert free_in_container(version_2) == 2 * GIGABYTE
    group(version_2 / "sys/fs/cgroup/box/job", memory__high=1.5 * GIGABYTE)  # no number: not known
    assert free_in_container(version_2) == 2 * GIGABYTE
    group(version_2 / "sys/fs/cgroup/box/job", memory__high=GIGABYTE + 5)
    assert free_in_container(version_2) == 5


def test_files_that_the_system_keeps_count_as_free(version_2):
    kept = f"anon 7\nactive_file {GIGABYTE}\ninactive_file {GIGABYTE // 2}\nfile {9 * GIGABYTE}\n"
    group(version_2 / "sys/fs/cgroup/box", memory__stat=kept)
    assert free_in_container(version_2) == 3.5 * GIGABYTE


def test_groups_of_the_first_version(tmp_path):
    system(
        tmp_path,
        "5:cpu:/elsewhere\n4:memory:/docker/box\n0::/\n",
        "35 31 0:32 /docker/box /groups/memory rw - cgroup cgroup rw,memory\n"
        "36 31 0:33 / /groups/cpu rw - cgroup cgroup rw,cpu\n",
    )
    place = tmp_path / "groups/memory"
    group(place, memory__limit_in_bytes=4 * GIGABYTE, memory__usage_in_bytes=GIGABYTE)
    group(place, memory__stat=f"inactive_file 9\ntotal_inactive_file {GIGABYTE // 2}\n")
    assert free_in_container(tmp_path) == 3.5 * GIGABYTE


def test_without_groups_nothing_is_known(tmp_path):
    assert free_in_container(tmp_path) is None
    system(tmp_path, "0::/\nnonsense\n", "31 23 0:28 / /sys rw - cgroup2 cgroup2 rw\ntoo short\n")
    assert free_in_container(tmp_path) is None


def test_a_container_and_the_computer_bound_each_other(monkeypatch):
    monkeypatch.setattr(memory, "free_in_system", lambda: 5)
    for container, process, free in ((None, None, 5), (3, None, 3), (9, 4, 4), (9, -2, 0)):
        monkeypatch.setattr(memory, "free_in_container", lambda room=container: room)
        monkeypatch.setattr(memory, "free_in_process", lambda room=process: room)
        assert free_memory() == free


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_the_limit_of_a_process_counts():
    script = """if True:
        import resource
        from napari_slicegan.core.memory import free_memory
        before = free_memory()
        resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
        print(before, free_memory())
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert 0 < after < GIGABYTE < before


def test_shortage_is_a_sentence(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 10**9)
    assert shortage("It", 10**9, "wait") == ""
    assert shortage("It", 2 * 10**9, "wait") == "It takes about 2 GB of memory, of which 1 GB are free: wait."
    assert shortage("It", 2 * 10**9, "wait", free=3 * 10**9) == ""


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("could not create a memory object"), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (OSError(errno.ENOENT, "out of memory"), False),
        (RuntimeError("shapes do not fit"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_errors_that_say_that_memory_ran_out(error, is_one):
    assert is_out_of_memory(error) is is_one
    with pytest.raises(ModelError if is_one else type(error)) as raised, memory_errors(lambda: ModelError("too much")):
        raise error
    assert (raised.value.__cause__ is error) is is_one


def test_what_the_work_held_is_let_go():
    held = []

    class Large:
        def __del__(self):
            held.append("gone")

    def work():
        large = Large()
        raise MemoryError(str(large)[:0])

    try:
        with memory_errors(lambda: ModelError("too much")):
            work()
    except ModelError:
        assert held == ["gone"]  # while the error is still being handled
