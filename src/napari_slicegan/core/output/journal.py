"""What of an unfinished volume is done: lines of JSON that are only ever appended, beside the volume's own file.

The first line says which volume it is; each other line names pieces that are on the disk. A process that is killed may
leave half a line at the end, which counts as not written. While the journal is open no other process can open it.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from io import FileIO
from pathlib import Path
from typing import Any

from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.output.tally import Tally

FORMAT = 1
_LARGEST = 2**100  # of any count: squares of intensities add up to a lot
_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
_LOCKED_BYTE = 2**30  # Windows keeps others from reading what is locked, so lock what is never there


class Journal:
    """The journal of one unfinished volume, open and locked.

    Parameters
    ----------
    path : Path
        Its file; made where there is none.

    Attributes
    ----------
    header : dict or None
        Which volume it is; None until `begin`.
    done : set of int
        The pieces that are on the disk.
    tally : Tally
        What these are made of.

    Raises
    ------
    OutputError
        Another process writes this volume at the moment.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header: dict[str, Any] | None = None
        self.done: set[int] = set()
        self.tally = Tally()
        self._end = 0  # of the last whole line
        self._file = _open_locked(path)
        try:
            self._read()
        except BaseException:
            self.close()
            raise

    def begin(self, header: dict[str, Any]) -> None:
        """Forget all and write the first line."""
        self._file.truncate(0)
        self._end = 0
        self.header, self.done, self.tally = header, set(), Tally()
        self._append({"format": FORMAT, **header})

    def add(self, pieces: list[int], tally: Tally) -> None:
        """Record pieces, which are on the disk, and what they are made of."""
        self._append({"pieces": pieces, "voxels": tally.voxels, "sums": tally.sums})
        self.done.update(pieces)
        self.tally += tally

    def close(self) -> None:
        """Let go of the file and of its lock."""
        self._file.close()

    def _append(self, fields: dict[str, Any]) -> None:
        """Add a line behind the last whole one."""
        line = json.dumps(fields, separators=(",", ":")).encode() + b"\n"
        self._file.seek(self._end)
        if self._file.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(self._file.fileno())
        self._end += len(line)

    def _read(self) -> None:
        """Take all whole lines and cut off what follows them."""
        self._file.seek(0)
        for line in self._file.readall().splitlines(keepends=True):
            if not line.endswith(b"\n") or not self._takes(line):
                break
            self._end += len(line)
        self._file.truncate(self._end)

    def _takes(self, line: bytes) -> bool:
        """Take what a line says, if it says anything."""
        try:
            fields = json.loads(line)
            if self.header is None:
                _check_format(self.path, fields.pop("format"))
                self.header = fields
            else:
                counts = [fields["voxels"], *fields["sums"], *fields["pieces"]]
                if not all(isinstance(count, int) and 0 <= count < _LARGEST for count in counts):
                    raise ValueError("no counts")
                self.tally += Tally(fields["voxels"], tuple(fields["sums"]))
                self.done.update(fields["pieces"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return False
        return True


def _check_format(path: Path, version: Any) -> None:
    if version != FORMAT:
        raise OutputError(
            f"{path} was written by another version of napari-slicegan: finish the volume with that one, or remove it."
        )


def _open_locked(path: Path) -> FileIO:
    """Open a file for one process at a time; the system unlocks it when that ends, however it ends."""
    if path.is_symlink() or (path.exists() and not path.is_file()):  # what is not understood of a journal is cut off
        raise OutputError(f"{path} is no ordinary file: remove it.")
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    while True:
        descriptor = os.open(path, flags, 0o666)
        file = FileIO(descriptor, "r+b")
        try:
            _lock(file)
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return file
        except OSError as error:
            file.close()
            if error.errno in _TAKEN:
                raise OutputError(f"{path} is in use: another process is writing this volume.") from error
            raise
        file.close()  # whoever had it has just finished and removed it


def _lock(file: FileIO) -> None:
    """Lock a file where its disk can; some network disks cannot, and are then used without.

    Raises
    ------
    OSError
        Another process holds the lock.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(_LOCKED_BYTE)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            raise
