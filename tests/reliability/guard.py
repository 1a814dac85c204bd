"""Watches what a reader does: files that it opens, programs that it starts, memory that it asks for, its time."""

import ast
import os
import signal
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

import pytest

from napari_slicegan.core.errors import SliceGANError

#: Bytes of memory that reading tiny files may take, beside what there was before.
ROOM = 2**29
#: Seconds after which a reader counts as hanging.
PATIENCE = 60
_NO_MEMORY = ("allocate", "bad_alloc", "not enough memory", "does not fit into memory")
_NEVER = {
    *("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "subprocess.Popen", "pty.spawn"),
    *(
        "pickle.find_class",
        "socket.connect",
        "socket.getaddrinfo",
        "urllib.Request",
        "webbrowser.open",
    ),
}
_WITH_PATHS = {
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "shutil.rmtree",
}
_OF_LINKS = {"os.remove", "os.rename", "os.link", "os.symlink"}
_OF_PYTHON = tuple(str(Path(path).resolve()) for path in (sys.prefix, sys.base_prefix, *sys.path) if path)
_HARMLESS = ("/proc/", "/sys/", "/dev/null", "/dev/urandom", "/etc/mime.types", "/usr/share/zoneinfo", "/etc/localtime")


class _Watch:
    """What the hook has seen; hooks cannot be taken away, so this one sleeps between cases."""

    def __init__(self) -> None:
        self.folder: str | None = None
        self.seen: list[str] = []

    def __call__(self, event: str, args: tuple) -> None:
        if self.folder is None:
            return
        if event in _NEVER:
            self._report(f"{event} {args!r:.200}")
        elif event == "open" and isinstance(args[0], str | bytes | os.PathLike):
            writes = bool(args[2] & (os.O_WRONLY | os.O_RDWR)) if isinstance(args[2], int) else False
            self._look(event, args[0], writes)
        elif event in _WITH_PATHS:
            folder = args[-1] if event != "os.truncate" and isinstance(args[-1], int) and args[-1] > 2 else None
            for path in args[:2]:
                if isinstance(path, str | bytes | os.PathLike):
                    self._look(event, _within(folder, os.fsdecode(path)), True)

    def _look(self, event: str, path: str | bytes | os.PathLike, writes: bool) -> None:
        itself = Path(os.fsdecode(path))
        place = os.path.realpath(itself)
        if event in _OF_LINKS:  # which are not followed there
            place = os.path.realpath(itself.parent)
        if place.startswith(self.folder) or (not writes and place.startswith(_OF_PYTHON + _HARMLESS)):
            return
        self._report(f"{event} {place}")

    def _report(self, what: str) -> None:
        self.seen.append(what)
        raise PermissionError(what)


def _within(folder: int | None, path: str) -> str:
    """A path that may be meant from an open folder on."""
    return path if folder is None else str(Path(f"/proc/self/fd/{folder}").readlink() / path)


_watch = _Watch()
sys.addaudithook(_watch)


@contextmanager
def little_memory():
    """Let this process have no more memory than it has now, and `ROOM`; where the system can."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextmanager
def watched(folder: Path, frugal: bool = True):
    """Refuse all that a reader of files in a folder has no business with: the block ends well or with an error of ours.

    Gives a list, which holds the error afterwards. Of a reader that is frugal it must not be about memory.
    """
    errors: list[SliceGANError] = []
    with warnings.catch_warnings(record=True) as said, _in_time():
        warnings.simplefilter("always")
        _watch.folder, _watch.seen = os.path.realpath(folder), []
        try:
            yield errors
        except SliceGANError as error:
            errors.append(error)
        finally:
            _watch.folder = None
    assert not _watch.seen, f"it did {_watch.seen}"
    assert not said, f"it warns: {said[0].message} ({said[0].filename}:{said[0].lineno})"
    for error in errors:
        assert_is_a_sentence(error)
        if frugal:
            assert_asks_for_little(error)


def assert_is_a_sentence(error: SliceGANError) -> None:
    """An error that people can read."""
    assert 10 < len(str(error)) < 3000, f"no sentence: {str(error)[:200]}"


def assert_asks_for_little(error: SliceGANError) -> None:
    """An error that is not about memory that was asked for in vain."""
    chain: BaseException | None = error
    while chain is not None:
        asked = isinstance(chain, MemoryError) or any(words in str(chain) for words in _NO_MEMORY)
        assert not asked or _is_of_python(chain), f"it asked for too much memory: {chain!r}"
        chain = chain.__cause__ or chain.__context__


def _is_of_python(error: BaseException) -> bool:
    """Whether Python's own parser has found a text too deep, which it tells as a lack of memory."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place is not None and place.tb_frame.f_code.co_filename == ast.__file__


@contextmanager
def _in_time():
    """End what takes for ever."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def end(*_: object) -> None:
        pytest.fail(f"it hangs: still not read after {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
