"""A guess at where torch will compute, without importing it: that takes seconds, which would freeze the window."""

from __future__ import annotations

import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def likely_device() -> str:
    """The kind of device that torch will most likely find: "cuda", "mps" or "cpu".

    It only chooses the preset that a dock starts with; the training itself reports the device it runs on.
    """
    if sys.platform == "darwin":
        return "mps" if platform.machine() == "arm64" else "cpu"
    try:
        build = version("torch").partition("+")[2]
    except PackageNotFoundError:
        return "cpu"
    if build.startswith("rocm"):
        return "cuda"
    may_be_cuda = build.startswith("cu") or (not build and sys.platform == "linux")
    has_driver = Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None
    return "cuda" if may_be_cuda and has_driver else "cpu"
