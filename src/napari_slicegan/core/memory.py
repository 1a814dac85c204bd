"""How much memory there is, and whether it ran out."""

from __future__ import annotations

from pathlib import Path

import torch


def free_memory() -> int | None:
    """Bytes that new arrays can take without swapping; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return int(kilobytes) * 1024 if kilobytes else None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of numpy or torch, on any device, says that memory ran out."""
    words = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory")
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words)
