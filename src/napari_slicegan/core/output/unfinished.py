"""A volume on its way to the disk: in FILE.part, with a journal beside it, until it is complete and gets its name."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from math import prod
from pathlib import Path
from typing import Any

from napari_slicegan.core.errors import OutputError, brief
from napari_slicegan.core.files import output_error, to_disk
from napari_slicegan.core.output.formats import format_of
from napari_slicegan.core.output.journal import Journal
from napari_slicegan.core.output.places import (
    check_output,
    journal_of,
    left_over,
    part_of,
    remove_part,
    remove_unfinished,
)
from napari_slicegan.core.output.sinks.base import Array, Sink, VolumeDescription
from napari_slicegan.core.output.tally import Tally
from napari_slicegan.core.volume.tiles import Slices

SECONDS_BETWEEN_RECORDS = 5.0
"""How much work a crash can cost, in exchange for waiting for the disk no more often."""


class Unfinished:
    """A volume that is being written; its ``with`` block keeps or removes what is there when it ends with an error.

    Parameters
    ----------
    path : str or path
        The file or store to be.
    description : VolumeDescription
        What is written.
    resume : bool
        Whether to go on with what is there.
    device : str
        Where the voxels are made; when resuming it must be the same, since devices round differently.

    Attributes
    ----------
    sink : Sink
        What the pieces are written into.
    """

    sink: Sink

    def __init__(
        self, path: str | os.PathLike[str], description: VolumeDescription, resume: bool = False, device: str = ""
    ) -> None:
        self._path, self._description, self._resume = Path(path), description, resume
        self._header = _header(description, device)
        self._kind = format_of(path)
        self._pending: list[tuple[int, Tally]] = []
        self._recorded = time.monotonic()

    @property
    def done(self) -> set[int]:
        """The pieces that need not be made again."""
        return self._journal.done

    @property
    def tally(self) -> Tally:
        """What the finished pieces are made of."""
        return sum((tally for _, tally in self._pending), self._journal.tally)

    def __enter__(self) -> Unfinished:
        check_output(self._path, self._description, resume=self._resume)
        with self._sentences():
            self._journal = Journal(journal_of(self._path))
            try:
                self._open()
            except BaseException:
                self._journal.close()
                raise
        return self

    def _open(self) -> None:
        """Open the sink. The journal begins when that is ready: one that has begun stands for a whole sink."""
        part, before = part_of(self._path), self._journal.header
        if part.exists() and not self._resume:  # another process was quicker
            raise left_over(self._path)
        if part.exists() and before is not None:
            if before != self._header:
                raise OutputError(_difference(part, before, self._header))
            self._check_counts()
            self.sink = self._found(part)
            return
        try:
            self._start(part)
        except BaseException:
            self._journal.close()
            remove_unfinished(self._path)
            raise

    def _found(self, part: Path) -> Sink:
        """The sink of what is there."""
        try:
            return self._kind.make(part, self._description, True)
        except (OutputError, OSError):
            raise
        except Exception as error:  # its header may hold anything at all
            raise OutputError(f"{part} is damaged ({brief(error)}): remove it and its journal.") from error

    def _check_counts(self) -> None:
        """Refuse a journal that counts something else than the voxels of this volume."""
        shape = self._description.shape
        if not self._journal.tally.fits(prod(shape[:3]), len(self._description.phases), prod(shape[3:])):
            raise OutputError(f"{self._journal.path} is damaged: remove it and {part_of(self._path)}.")

    def _start(self, part: Path) -> None:
        remove_part(self._path)  # of a process that was killed before the journal began
        self.sink = self._kind.make(part, self._description, False)
        try:
            self.sink.flush()
            self._journal.begin(self._header)
        except BaseException:
            self.sink.close()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is None:
            return
        try:
            if self._kind.resumable:
                with suppress(OSError):  # on a full disk; what is not recorded is made again
                    self._record()
        finally:
            self.sink.close()
            self._journal.close()
            is_there = part_of(self._path).exists() and journal_of(self._path).exists()  # nobody has removed it
            keep = self._kind.resumable and bool(self.done) and is_there
            if not keep:
                remove_unfinished(self._path)
        if keep and isinstance(error, OutputError):
            kept = f"What is done is kept in {part_of(self._path)}: resume it (--resume)."
            raise OutputError(f"{error} {kept}") from error

    def write(self, piece: int, place: Slices, values: Array) -> None:
        """Write one piece of the volume."""
        with self._sentences():
            self.sink.write(place, values)
        self.note(piece, Tally.of(values, self._description.phases))

    def note(self, piece: int, tally: Tally) -> None:
        """Note a piece that was written, here or by another process; recorded every few seconds."""
        self._pending.append((piece, tally))
        if time.monotonic() - self._recorded > SECONDS_BETWEEN_RECORDS:
            with self._sentences():
                self._record()

    def finish(self, progress: Callable[[float], None]) -> None:
        """Complete the volume and give it its name; `progress` gets the finished fraction of that."""
        with self._sentences():
            self._record()
            self.sink.finish(progress)
            progress(1.0)
            self.sink.flush()
            self.sink.close()
            if self._path.exists():
                raise OutputError(f"{self._path} exists by now: move it away.")
            part_of(self._path).rename(self._path)
            with suppress(OSError):  # not every disk can; first, since without its journal nothing can be gone on with
                to_disk(self._path.parent)
            self._journal.close()
            journal_of(self._path).unlink(missing_ok=True)

    def _record(self) -> None:
        """Write down what is done, once that is on the disk."""
        if self._pending:
            self.sink.flush()
            pending, self._pending = self._pending, []  # first, lest an interrupt lets them count twice
            self._journal.add([piece for piece, _ in pending], sum((tally for _, tally in pending), Tally()))
        self._recorded = time.monotonic()

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        """Turn the errors of the system into sentences."""
        try:
            yield
        except OSError as error:
            raise output_error(self._path, error) from error


def _header(description: VolumeDescription, device: str) -> dict[str, Any]:
    """All that the bytes of the file depend on, as JSON gives it back."""
    made = description.provenance
    return {
        "request": made.get("request", {}),
        "made with": {**made.get("versions", {}), "device": device},
        "model": made.get("model", ""),
        "voxels": [list(description.shape), description.dtype.str, description.tile],
        "size": [description.voxel_size, description.unit],
    }


def _difference(part: Path, before: dict[str, Any], now: dict[str, Any]) -> str:
    """Say how the unfinished volume differs from the one that is wanted."""
    names = []
    for topic in ("request", "made with"):
        found = before.get(topic)
        old = found if isinstance(found, dict) else {}
        names += [
            f"{name} {old.get(name)!s:.100}, not {new}" for name, new in now[topic].items() if old.get(name) != new
        ]
    if before.get("model") != now["model"]:
        names.append("another model")
    what = "; ".join(names) or "another kind of voxels"
    return f"{part} was begun with {what}: resume it with what it was begun with, or remove it and its journal."
