"""What every test stands on."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guard import loopback_only

# First of all: from here on this process and those that it starts reach nobody but this computer.
loopback_only.watch()
os.environ.update(loopback_only.watched(os.environ))

# Whoever runs the tests in the background may have told them to ignore Ctrl-C, and so all processes that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Before napari is imported: an empty name keeps the user's settings out of the tests and untouched.
os.environ["NAPARI_CONFIG"] = ""
os.environ.setdefault("QT_API", "pyqt6")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the long forms of tests be asked for: docs/reliability.md has their figures."""
    parser.addoption("--long", action="store_true", help="run the long forms of tests too, which take hours")


def pytest_configure() -> None:
    """Give this process, which may be one of several that run tests, a file for the notes of the guard."""
    handle, os.environ[loopback_only.NOTES] = tempfile.mkstemp(suffix=".txt", prefix="loopback-only-")
    os.close(handle)


def pytest_unconfigure() -> None:
    """Take the file of the notes away."""
    Path(os.environ.pop(loopback_only.NOTES)).unlink()


@pytest.fixture(autouse=True)
def _reaches_nobody() -> Iterator[None]:
    """Fail a test that has looked for another computer, even if the program lived with not finding it."""
    yield
    notes = Path(os.environ[loopback_only.NOTES])
    if looked_for := notes.read_text(encoding="utf-8"):
        notes.write_text("", encoding="utf-8")
        pytest.fail(f"Somebody beyond this computer was looked for: {looked_for}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long forms unless they are asked for."""
    if not config.getoption("--long"):
        left_out = [item for item in items if item.get_closest_marker("long")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
