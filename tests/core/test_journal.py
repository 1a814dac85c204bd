"""What a journal remembers, whatever happened to the process that wrote it."""

import errno
import json
import subprocess
import sys

import pytest

from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.output import journal as module
from napari_slicegan.core.output.journal import Journal
from napari_slicegan.core.output.tally import Tally

HEADER = {"request": {"seed": 3}, "size": [0.4, "um"]}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "v.npy.part.journal"


@pytest.fixture
def written(path):
    """A journal with two records, closed."""
    journal = Journal(path)
    journal.begin(HEADER)
    journal.add([0, 2], Tally(10, (4, 6)))
    journal.add([1], Tally(5, (0, 5)))
    journal.close()
    return path


def reopened(path):
    journal = Journal(path)
    journal.close()
    return journal.header, journal.done, journal.tally


def test_what_was_recorded_is_known_again(written):
    assert reopened(written) == (HEADER, {0, 1, 2}, Tally(15, (4, 11)))


def test_a_new_journal_has_not_begun(path):
    assert reopened(path) == (None, set(), Tally())


def test_lines_are_only_appended(written):
    before = written.read_bytes()
    journal = Journal(written)
    journal.add([7], Tally(1, (1, 0)))
    journal.close()
    assert written.read_bytes().startswith(before)
    assert reopened(written) == (HEADER, {0, 1, 2, 7}, Tally(16, (5, 11)))


def test_a_file_cut_anywhere_holds_what_its_whole_lines_say(written):
    content = written.read_bytes()
    lines = content.splitlines(keepends=True)
    for length in range(len(content) + 1):
        written.write_bytes(content[:length])
        whole = content[:length].count(b"\n")
        header, done, tally = reopened(written)
        assert header == (HEADER if whole else None)
        assert done == set([0, 2][: 2 * (whole > 1)] + [1][: whole > 2])
        assert tally.voxels == (0, 0, 10, 15)[whole]
        assert written.read_bytes() == b"".join(lines[:whole])


@pytest.mark.parametrize("rubbish", [b"\0" * 40 + b"\n", b"{}\n", b"[]\n", b'{"pieces":[3]}\n', b'"\xff"\n'])
def test_nothing_behind_a_damaged_line_counts(written, rubbish):
    lines = written.read_bytes().splitlines(keepends=True)
    written.write_bytes(lines[0] + lines[1] + rubbish + lines[2])
    assert reopened(written) == (HEADER, {0, 2}, Tally(10, (4, 6)))


def test_beginning_again_forgets_all(written):
    journal = Journal(written)
    journal.begin({"request": {}})
    journal.close()
    assert reopened(written) == ({"request": {}}, set(), Tally())


def test_another_format_is_refused(written):
    lines = written.read_text().splitlines()
    written.write_text(json.dumps(json.loads(lines[0]) | {"format": 99}) + "\n")
    with pytest.raises(OutputError, match="another version of napari-slicegan"):
        Journal(written)


def test_a_line_that_could_not_be_written_whole_is_written_over(written, monkeypatch):
    journal = Journal(written)
    file = journal._file

    class Full:
        def write(self, line):
            return file.write(line[:9])

        def __getattr__(self, name):
            return getattr(file, name)

    journal._file = Full()
    with pytest.raises(OSError, match=r"\[Errno 28\]"):
        journal.add([7], Tally(1, (1, 0)))
    assert journal.done == {0, 1, 2}
    journal._file = file
    journal.add([8], Tally(1, (1, 0)))
    journal.close()
    assert reopened(written) == (HEADER, {0, 1, 2, 8}, Tally(16, (5, 11)))


def test_two_cannot_write_one_volume(path):
    first = Journal(path)
    with pytest.raises(OutputError, match="another process is writing this volume"):
        Journal(path)
    first.close()
    Journal(path).close()


def test_a_process_that_is_killed_leaves_no_lock(path):
    code = "import pathlib; from napari_slicegan.core.output.journal import Journal"
    code += f"; j = Journal(pathlib.Path({str(path)!r})); j.begin({{'request': 1}}); print('open', flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"open\n"
        with pytest.raises(OutputError, match="in use"):
            Journal(path)
    finally:
        process.kill()
        process.communicate()
    assert reopened(path)[0] == {"request": 1}


def test_a_disk_that_cannot_lock_is_used_without(path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    journal = Journal(path)
    journal.begin(HEADER)
    journal.close()
    assert reopened(path)[0] == HEADER


def test_a_journal_that_was_removed_by_whoever_had_it_is_made_anew(path, monkeypatch):
    lock, calls = module._lock, []

    def late(file):
        lock(file)
        calls.append(file)
        if len(calls) == 1:
            path.unlink()

    monkeypatch.setattr(module, "_lock", late)
    journal = Journal(path)
    journal.begin(HEADER)
    journal.close()
    assert len(calls) == 2
    assert reopened(path)[0] == HEADER
