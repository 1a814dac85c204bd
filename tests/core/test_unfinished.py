"""What stays of a volume that is broken off, and what may go on with it."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from napari_slicegan.core.errors import ModelError, OutputError
from napari_slicegan.core.output import unfinished
from napari_slicegan.core.output.journal import Journal
from napari_slicegan.core.output.sinks.contiguous import ContiguousSink
from napari_slicegan.core.output.streaming import journal_of, part_of, stream
from napari_slicegan.core.volume.request import VolumeRequest
from tests.core.streams import (
    CONTIGUOUS,
    REQUEST,
    RESUMABLE,
    TILES,
    StopError,
    content,
    names,
    read,
    stop_at,
)
from tests.core.test_model import a_model

pytestmark = pytest.mark.usefixtures("small_tiles")


def test_what_was_written_but_not_recorded_is_made_again(tmp_path, model, monkeypatch):
    stream(model, REQUEST, tmp_path / "whole.npy")
    with pytest.raises(StopError):
        stream(model, REQUEST, tmp_path / "v.npy", progress=stop_at(0.8))
    journal = journal_of(tmp_path / "v.npy")
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:4]))
    with part_of(tmp_path / "v.npy").open("r+b") as file:  # half a tile
        file.seek(-1000, os.SEEK_END)
        file.write(b"\xff" * 1000)
    stream(model, REQUEST, tmp_path / "v.npy", resume=True)
    assert content(tmp_path / "v.npy") == content(tmp_path / "whole.npy")


@pytest.mark.parametrize("header", [b"", b'{"format":1,"requ'])
def test_killed_before_the_journal_began_it_starts_anew(tmp_path, model, header):
    path = tmp_path / "v.npy"
    part_of(path).write_bytes(b"half a header")
    journal_of(path).write_bytes(header)
    stream(model, REQUEST, path, resume=True)
    stream(model, REQUEST, tmp_path / "whole.npy")
    assert content(path) == content(tmp_path / "whole.npy")


def test_a_journal_alone_is_no_unfinished_volume(tmp_path, model):
    path = tmp_path / "v.npy"
    with pytest.raises(StopError):
        stream(model, REQUEST, path, progress=stop_at(0.5))
    part_of(path).unlink()
    stream(model, REQUEST, path)
    np.testing.assert_array_equal(np.load(path), model.generate(REQUEST.shape, 3, origin=REQUEST.origin))


def test_killed_between_the_two_files_of_raw(tmp_path, model, monkeypatch):
    path = tmp_path / "v.raw"

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", interrupt)
        with pytest.raises(KeyboardInterrupt):
            stream(model, REQUEST, path)
    assert names(tmp_path) == {"v.raw.json", "v.raw.part", "v.raw.part.journal"}
    stream(model, REQUEST, path, resume=True)
    assert names(tmp_path) == {"v.raw", "v.raw.json"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 4}, "seed 3, not 4"),
        ({"origin": (0, 122, -20)}, r"origin \[-1, 122, -20\], not \[0, 122, -20\]"),
        ({"shape": (33, 60, 49)}, r"shape \[33, 60, 48\], not \[33, 60, 49\]"),
        ({"precision": "fast"}, "precision exact, not fast"),
    ],
)
def test_another_volume_is_not_gone_on_with(tmp_path, model, change, words):
    path = tmp_path / "v.npy"
    with pytest.raises(StopError):
        stream(model, REQUEST, path, progress=stop_at(0.5))
    before = content(tmp_path)
    with pytest.raises(OutputError, match=f"v.npy.part was begun with {words}: "):
        stream(model, VolumeRequest(**{**REQUEST.to_dict(), **change}), path, resume=True)
    assert content(tmp_path) == before


def test_another_model_or_device_is_not_gone_on_with(tmp_path, model, monkeypatch):
    path = tmp_path / "v.npy"
    with pytest.raises(StopError):
        stream(model, REQUEST, path, progress=stop_at(0.5))
    other = a_model(phases=(0, 1, 255), channels=(3, 2, 2, 2))
    with pytest.raises(OutputError, match="begun with another model"):
        stream(other, REQUEST, path, resume=True)
    text = journal_of(path).read_text()
    journal_of(path).write_text(text.replace('"cpu"', '"cuda"'))
    with pytest.raises(OutputError, match="device cuda, not cpu"):
        stream(model, REQUEST, path, resume=True)
    journal_of(path).write_text(text.replace('"torch":"', '"torch":"1'))
    with pytest.raises(OutputError, match="begun with torch 1"):
        stream(model, REQUEST, path, resume=True)


def test_two_processes_do_not_write_one_volume(tmp_path, model):
    def again(fraction):
        if fraction > 0.5:
            stream(model, REQUEST, tmp_path / "v.npy", resume=True)

    with pytest.raises(OutputError, match="another process is writing this volume"):
        stream(model, REQUEST, tmp_path / "v.npy", progress=again)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ModelError, ZeroDivisionError])
def test_whatever_ends_it_what_is_done_is_kept(tmp_path, model, error, monkeypatch):
    monkeypatch.setattr(unfinished, "SECONDS_BETWEEN_RECORDS", 1000)

    def progress(fraction):
        if fraction > 0.5:
            raise error

    with pytest.raises(error):
        stream(model, REQUEST, tmp_path / "v.npy", progress=progress)
    assert names(tmp_path) == {"v.npy.part", "v.npy.part.journal"}
    lines = journal_of(tmp_path / "v.npy").read_text().splitlines()
    assert json.loads(lines[1])["pieces"] == list(range(6))


def test_pieces_are_on_the_disk_before_they_count_as_done(tmp_path, model, monkeypatch):
    happened = []
    write, fsync, add = ContiguousSink.write, os.fsync, Journal.add
    monkeypatch.setattr(ContiguousSink, "write", lambda *args: happened.append("write") or write(*args))
    monkeypatch.setattr(os, "fsync", lambda file: happened.append("to the disk") or fsync(file))
    monkeypatch.setattr(Journal, "add", lambda *args: happened.append("done") or add(*args))
    stream(model, REQUEST, tmp_path / "v.npy")
    first = happened.index("write")
    assert happened[first : first + 4] == ["write", "to the disk", "done", "to the disk"]
    assert happened.count("done") == TILES


def test_pieces_are_recorded_every_few_seconds(tmp_path, model, monkeypatch):
    now, recorded, add = [0.0], [], Journal.add

    def tick():
        now[0] += 1
        return now[0]

    monkeypatch.setattr(unfinished, "SECONDS_BETWEEN_RECORDS", 4.5)
    monkeypatch.setattr(unfinished.time, "monotonic", tick)
    monkeypatch.setattr(Journal, "add", lambda *args: recorded.append(args[1]) or add(*args))
    stream(model, REQUEST, tmp_path / "v.npy")
    assert [piece for pieces in recorded for piece in pieces] == list(range(TILES))
    assert all(len(pieces) in (2, 3, 4, 5) for pieces in recorded[:-1])


def test_before_the_first_piece_there_is_nothing_to_keep(tmp_path, model):
    for suffix in RESUMABLE:
        with pytest.raises(StopError):
            stream(model, REQUEST, tmp_path / f"v{suffix}", progress=stop_at(0.01))
    assert names(tmp_path) == set()


@pytest.mark.parametrize("fraction", [0.01, 0.5, 1])
def test_what_cannot_be_resumed_is_removed(tmp_path, model, fraction):
    with pytest.raises(StopError):
        stream(model, REQUEST, tmp_path / "v.vti", progress=stop_at(fraction))
    assert names(tmp_path) == set()
    stream(model, REQUEST, tmp_path / "v.vti", resume=True)


@pytest.mark.parametrize("suffix", CONTIGUOUS)
def test_a_disk_that_becomes_full(tmp_path, model, monkeypatch, suffix):
    put, room = ContiguousSink._put, [40_000]

    def fill(self, position, stored):
        room[0] -= len(stored)
        if room[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        put(self, position, stored)

    path = tmp_path / f"v{suffix}"
    with monkeypatch.context() as patch:
        patch.setattr(ContiguousSink, "_put", fill)
        with pytest.raises(OutputError, match=r"No space left on device. Free some space .* kept in .*: resume it"):
            stream(model, REQUEST, path)
    assert names(tmp_path) == {f"v{suffix}.part", f"v{suffix}.part.journal"}
    stream(model, REQUEST, path, resume=True)
    np.testing.assert_array_equal(read(path), model.generate(REQUEST.shape, 3, origin=REQUEST.origin))


@pytest.mark.parametrize(
    ("works", "left"), [(0, set()), *((count, {"v.npy.part", "v.npy.part.journal"}) for count in (7, 8))]
)
def test_a_disk_that_is_full_when_it_is_flushed(tmp_path, model, monkeypatch, works, left):
    calls, fsync = [], os.fsync

    def full(file):
        calls.append(file)
        if len(calls) > works:
            raise OSError(errno.EDQUOT, "Disk quota exceeded")
        fsync(file)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match=r"Disk quota exceeded\. Free some space"):
            stream(model, REQUEST, tmp_path / "v.npy")
    assert names(tmp_path) == left
    stream(model, REQUEST, tmp_path / "v.npy", resume=True)
    np.testing.assert_array_equal(np.load(tmp_path / "v.npy"), model.generate(REQUEST.shape, 3, origin=REQUEST.origin))


def test_a_file_that_appeared_meanwhile_is_not_overwritten(tmp_path, model):
    path = tmp_path / "v.npy"

    def progress(fraction):
        if fraction >= 1 and not path.exists():
            path.write_text("precious")

    with pytest.raises(OutputError, match=r"v\.npy exists by now: move it away"):
        stream(model, REQUEST, path, progress=progress)
    assert path.read_text() == "precious"
    path.unlink()
    stream(model, REQUEST, path, resume=True)
    np.testing.assert_array_equal(np.load(path), model.generate(REQUEST.shape, 3, origin=REQUEST.origin))
