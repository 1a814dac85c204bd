"""Disks that become full and folders that may not be written to, for tests."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIZE = "4m"
KINDS = ("mounted", "limited")
_NOBODY = 65534


class _Mounted:
    """A disk of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> None:
        """Write until nothing more goes."""
        with (self.path / "ballast").open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))

    def free(self) -> None:
        """Make room."""
        (self.path / "ballast").unlink(missing_ok=True)


class _Limited:
    """A folder of a process that may write no byte to any file while the disk is said to be full."""

    def __init__(self, path: Path) -> None:
        self.path, self._before = path, resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self) -> None:
        """Let nothing more be written."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, self._before[1]))

    def free(self) -> None:
        """Make room."""
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


@contextmanager
def small_disk(path: Path, kind: str) -> Iterator[_Mounted | _Limited]:
    """A disk of a few megabytes; "mounted" where that may be done."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(path)]
    with suppress(FileNotFoundError):
        if kind == "mounted" and os.geteuid() == 0 and not subprocess.run(mount, capture_output=True).returncode:
            try:
                yield _Mounted(path)
            finally:
                subprocess.run(["umount", "-l", path], check=True)
            return
    disk = _Limited(path)
    try:
        yield disk
    finally:
        disk.free()


@contextmanager
def read_only(*folders: Path) -> Iterator[None]:
    """Let nobody write into folders; who may do everything is somebody else meanwhile."""
    before, modes = os.geteuid(), [folder.stat().st_mode for folder in folders]
    for folder in folders:
        folder.chmod(0o555)
    if before == 0:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)
        for folder, mode in zip(folders, modes, strict=True):
            folder.chmod(mode)
