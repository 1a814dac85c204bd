"""Memory that is free: in the computer, in the container or batch job, and under the limit of the process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

_ROOT = Path("/")


class _Version(NamedTuple):
    """The file system of a version of control groups, and what its files are called."""

    file_system: str
    limits: tuple[str, ...]
    used: str
    caches: tuple[str, ...]


_VERSIONS = (
    _Version("cgroup2", ("memory.max", "memory.high"), "memory.current", ("active_file", "inactive_file")),
    _Version(
        "cgroup", ("memory.limit_in_bytes",), "memory.usage_in_bytes", ("total_active_file", "total_inactive_file")
    ),
)


def free_in_system() -> int:
    """Bytes that the computer can give without swapping."""
    return int(psutil.virtual_memory().available)


def free_in_container(root: Path = _ROOT) -> int | None:
    """Bytes that the control groups of this process leave, as containers, batch jobs and services have; None without.

    Files that the system keeps in memory count as free, as outside of groups: it drops them when asked for more.
    """
    return min(_rooms_of_groups(root), default=None)


def free_in_process() -> int | None:
    """Bytes that the limit of this process (`ulimit -v`) leaves; None where there is none."""
    try:
        import resource
    except ImportError:  # on Windows
        return None
    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if most == resource.RLIM_INFINITY else most - int(psutil.Process().memory_info().vms)


def _rooms_of_groups(root: Path) -> Iterator[int]:
    """What each group that this process is in leaves, from its own to that of the whole container."""
    for version in _VERSIONS:
        for mount, place in _groups(version.file_system, root):
            while place.is_relative_to(mount):
                limits = [limit for name in version.limits if (limit := _number(_text(place / name))) is not None]
                used = _number(_text(place / version.used))
                if limits and used is not None:
                    yield min(limits) - max(0, used - _cached(place / "memory.stat", version.caches))
                place = place.parent


def _groups(file_system: str, root: Path) -> Iterator[tuple[Path, Path]]:
    """Where the groups of a version that know of memory are mounted, and the place of this process's own there."""
    entries = [line.split(":", 2) for line in _text(root / "proc/self/cgroup").splitlines() if line.count(":") >= 2]
    own = [
        path for _, kinds, path in entries if (not kinds if file_system == "cgroup2" else "memory" in kinds.split(","))
    ]
    for line in _text(root / "proc/self/mountinfo").splitlines():
        fields, _, rest = line.partition(" - ")
        kind, _, options = (*rest.split(), "", "", "")[:3]
        if kind != file_system or not own or (kind == "cgroup" and "memory" not in options.split(",")):
            continue
        top, mount = fields.split()[3:5]
        inner = Path(own[0]).relative_to(top) if Path(own[0]).is_relative_to(top) else Path()  # else of the host
        place = root / mount.lstrip("/")
        yield place, place / inner


def _cached(file: Path, names: tuple[str, ...]) -> int:
    """Bytes of files that a group keeps in memory."""
    lines = (line.split() for line in _text(file).splitlines())
    return sum(_number(line[1]) or 0 for line in lines if len(line) == 2 and line[0] in names)


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None


def _text(file: Path) -> str:
    """What a file of the system says; nothing where there is none."""
    try:
        return file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
