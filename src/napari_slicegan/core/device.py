"""Where to compute."""

from __future__ import annotations

from collections.abc import Callable

import torch

from napari_slicegan.core.errors import TrainingError


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
