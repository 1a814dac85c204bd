"""What a bug report needs: versions, settings, the last lines of the log and the traceback; no image data."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from napari_slicegan.core.files import CONFIG, LOG
from napari_slicegan.plugin.work.job import Status

_PACKAGES = ("napari-slicegan", "napari", "torch", "numpy", "superqt", "magicgui")
_SETTINGS = ("preset", "network", "training")
_LINES = 20
_MOST_BYTES = 2**16


def bug_report(status: Status) -> str:
    """Put together all that helps to find out what went wrong.

    Parameters
    ----------
    status : Status
        Of the job that failed.

    Returns
    -------
    str
        Markdown; the user's home directory is written as ~.
    """
    parts = [
        f"**{status.state}**: {status.message}",
        _section("Versions", "\n".join(_versions())),
        _section("Settings", _settings(status.path)),
        _section("Log", "\n".join(_log(status.path))),
        _section("Traceback", status.details.strip()),
    ]
    return "\n\n".join(filter(None, parts)).replace(str(Path.home()), "~") + "\n"


def _section(title: str, text: str) -> str:
    return f"### {title}\n```\n{text}\n```" if text else ""


def _versions() -> list[str]:
    import qtpy

    lines = [f"{package} {_version(package)}" for package in _PACKAGES]
    binding = f"{qtpy.API_NAME} {qtpy.PYQT_VERSION or qtpy.PYSIDE_VERSION}, Qt {qtpy.QT_VERSION}"
    return [*lines, binding, f"Python {platform.python_version()}", platform.platform()]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _settings(path: Path | None) -> str:
    """The settings of a run; names of images stay out."""
    if path is None:
        return ""
    try:
        content = json.loads((path / CONFIG).read_text(encoding="utf-8"))
        return json.dumps({name: content.get(name) for name in _SETTINGS}, indent=1)
    except (OSError, ValueError, AttributeError):
        return ""


def _log(path: Path | None) -> list[str]:
    """The last lines of a run's log."""
    if path is None:
        return []
    try:
        with (path / LOG).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _MOST_BYTES))
            return file.read().decode("utf-8", "replace").splitlines()[-_LINES:]
    except OSError:
        return []
