"""What an order costs on this machine, and whether it can be paid."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.core.output.formats import format_of
from napari_slicegan.core.volume.estimate import Estimate, as_text, estimate
from napari_slicegan.plugin.generation_task import VolumeOrder

if TYPE_CHECKING:
    from napari_slicegan.core.model import SliceGAN

UNKNOWN = ", …"


@dataclass(frozen=True)
class Costs:
    """What an order costs.

    Attributes
    ----------
    text : str
        Memory, disk and time, for people.
    problem : str
        Why it cannot be made; empty if it can.
    """

    text: str
    problem: str = ""


def costs_of(model: SliceGAN, order: VolumeOrder, seconds_per_tile: float | None) -> Costs:
    """Find out what an order costs; quick enough for every key that is pressed.

    Parameters
    ----------
    model : SliceGAN
        Makes the volumes.
    order : VolumeOrder
        What is wanted.
    seconds_per_tile : float, optional
        The speed of this machine, as far as it is known.

    Returns
    -------
    Costs
        Of all volumes together.
    """
    from napari_slicegan.core.memory import free_memory  # imports torch, which a model has done already

    request, count, streamed = order.requests[0], len(order.requests), order.path is not None
    one = estimate(model, request, streamed, seconds_per_tile)
    working = estimate(model, request, True).memory_bytes
    memory = one.memory_bytes if streamed else working + count * max(0, one.memory_bytes - working)
    compressed = order.path is not None and _is_compressed(order.path)
    costs = Estimate(
        memory,
        count * one.disk_bytes,
        None if one.seconds is None else count * one.seconds,
        count * one.typical_bytes if one.typical_bytes is not None and compressed else None,
    )
    text = as_text(costs) + (UNKNOWN if costs.seconds is None else "")
    free = free_memory()
    if free is not None and memory > free:
        advice = "a smaller size" if streamed else "a file as output, which takes less, or a smaller size"
        return Costs(text, f"This takes {_size(memory)} of memory, of which {_size(free)} are free: choose {advice}.")
    return Costs(text, _disk_problem(order, costs) if streamed and not order.resume else "")


def _is_compressed(path: Path) -> bool:
    try:
        return format_of(path).compressed
    except SliceGANError:  # which is said elsewhere
        return False


def _disk_problem(order: VolumeOrder, costs: Estimate) -> str:
    """Why files do not fit on their disk; that there is no such folder is another matter."""
    try:
        free, kind = shutil.disk_usage(order.paths[0].parent).free, format_of(order.paths[0])
    except (OSError, SliceGANError):
        return ""
    needed = kind.smallest(costs.disk_bytes)
    if needed <= free:
        return ""
    least = "at least " if kind.compressed else ""
    return (
        f"This takes {least}{_size(needed)} on the disk, of which {_size(free)} are free: choose a smaller size or "
        "another disk."
    )


def _size(number: int) -> str:
    return f"{number / 1e9:.3g} GB"
