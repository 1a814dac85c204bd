"""What every test stands on."""

from __future__ import annotations

import os
import signal

import pytest

# Whoever runs the tests in the background may have told them to ignore Ctrl-C, and so all processes that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Before napari is imported: an empty name keeps the user's settings out of the tests and untouched.
os.environ["NAPARI_CONFIG"] = ""
os.environ.setdefault("QT_API", "pyqt6")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the long forms of tests be asked for: docs/reliability.md has their figures."""
    parser.addoption("--long", action="store_true", help="run the long forms of tests too, which take hours")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long forms unless they are asked for."""
    if not config.getoption("--long"):
        left_out = [item for item in items if item.get_closest_marker("long")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
