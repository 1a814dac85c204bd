"""3D microstructures from 2D micrographs, in napari and without a screen.

The names below are resolved on first use, so that importing the package stays light.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

try:
    __version__ = version("napari-slicegan")
except PackageNotFoundError:  # run from a source tree that is not installed
    __version__ = "unknown"

_HOMES = {
    "NetworkConfig": "config",
    "TrainingConfig": "config",
    "PRESETS": "presets",
    "TrainingData": "data",
    "read_image": "io",
    "write_volume": "writing",
    "SliceGAN": "model",
    "Trainer": "training",
    "Run": "run",
    "SliceGANError": "errors",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.core.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
