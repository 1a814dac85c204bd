"""Where to compute, and what there is to say of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import torch

from napari_slicegan.core.errors import TrainingError
from napari_slicegan.core.memory import free_memory

_PAGE = "pytorch.org/get-started/locally"


def choose_device(name: str = "auto") -> torch.device:
    """The device of a name: "auto" (a GPU where there is one), "cpu", "cuda" or "mps".

    Raises
    ------
    TrainingError
        The device is unknown or not there.
    """
    available: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
        "cpu": lambda: True,
    }
    if name == "auto":
        name = next(kind for kind, is_there in available.items() if is_there())
    kind = name.split(":")[0]
    if kind not in available:
        raise TrainingError(f"There is no kind of device called {name!r}: choose auto, cpu, cuda or mps.")
    if not available[kind]():
        raise TrainingError(
            f"This installation of torch finds no {kind} device: choose cpu, or install the torch build for your "
            "graphics card (see pytorch.org/get-started)."
        )
    return torch.device(name)


def synchronize(device: torch.device) -> None:
    """Wait until a device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def free_bytes(device: torch.device) -> int:
    """Memory that is free on a device."""
    if device.type == "cuda":
        # What torch keeps for itself without using it is free, too.
        own = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + own
    return free_memory()


def device_in_words(device: torch.device) -> str:
    """A device for people: "CPU, 2 threads" or "NVIDIA H200, 120 of 141 GB free"."""
    if device.type == "cuda":
        total = torch.cuda.mem_get_info(device)[1]
        free = free_bytes(device)
        return f"{torch.cuda.get_device_name(device)}, {_gigabytes(free)} of {_gigabytes(total)} GB free"
    if device.type == "mps":
        return "Apple graphics"
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' * (threads > 1)}"


def advice_for(device: torch.device) -> str:
    """How to train on something faster than a device; empty for a graphics card."""
    if device.type != "cpu":
        return ""
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        return "This computer has a graphics card that torch can use: choose the device 'auto' to train on it."
    if has_nvidia_driver():
        return (
            "This computer has an NVIDIA graphics card, but the torch that is installed cannot use it: install the "
            f"CUDA build as {_PAGE} says, and start napari again."
        )
    return (
        f"A graphics card trains many times faster. Where there is one, {_PAGE} says how to install the torch that "
        "uses it."
    )


def has_nvidia_driver() -> bool:
    """Whether the system has the driver of an NVIDIA graphics card."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def _gigabytes(number: int) -> str:
    return f"{number / 1e9:.3g}"
