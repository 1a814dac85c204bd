"""What an order costs on this machine, and whether it can be paid."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.core.output.formats import Format, format_of
from napari_slicegan.core.volume.estimate import Estimate, estimate, memory_problem, volume_bytes
from napari_slicegan.core.words import size_in_words
from napari_slicegan.plugin.generate.task import VolumeOrder
from napari_slicegan.plugin.train.cost_rows import in_words

if TYPE_CHECKING:
    from napari_slicegan.core.model import SliceGAN

UNKNOWN = "…"


@dataclass(frozen=True)
class Costs:
    """What an order costs.

    Attributes
    ----------
    text : str
        Time, memory and disk, for people.
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
    request, count, kind = order.requests[0], len(order.requests), _format(order)
    one, size = estimate(model, request, kind, seconds_per_tile), volume_bytes(model, request.shape)
    memory = one.memory_bytes + (0 if order.path else (count - 1) * size)  # files are written one after the other
    disk = size if kind and not kind.compressed else one.disk_bytes
    costs = Estimate(
        memory,
        count * disk,
        None if one.seconds is None else count * one.seconds,
        count * one.typical_bytes if one.typical_bytes is not None and kind and kind.compressed else None,
    )
    text = _in_words(costs)
    if problem := memory_problem(memory, kind):
        return Costs(text, problem)
    if kind is None or order.resume:
        return Costs(text)
    return Costs(text, _disk_problem(order, kind, kind.smallest(costs.disk_bytes, bool(model.info.phases))))


def _in_words(costs: Estimate) -> str:
    """Costs as "about 4 min · 198 MB of memory · up to 1.07 GB on disk"; the time is left open while it is unknown."""
    parts = [UNKNOWN if costs.seconds is None else f"about {in_words(costs.seconds)}"]
    parts.append(f"{size_in_words(costs.memory_bytes)} of memory")
    if costs.typical_bytes is not None:
        parts.append(f"about {size_in_words(costs.typical_bytes)} on disk")
    elif costs.disk_bytes:
        parts.append(f"up to {size_in_words(costs.disk_bytes)} on disk")
    return " · ".join(parts)


def _format(order: VolumeOrder) -> Format | None:
    """The format of the files of an order; None in memory, and of a name that is refused elsewhere."""
    try:
        return format_of(order.path) if order.path is not None else None
    except SliceGANError:
        return None


def _disk_problem(order: VolumeOrder, kind: Format, needed: int) -> str:
    """Why files do not fit on their disk; that there is no such folder is another matter."""
    try:
        free = shutil.disk_usage(order.paths[0].parent).free
    except OSError:
        return ""
    if needed <= free:
        return ""
    least = "at least " if kind.compressed else ""
    return (
        f"This takes {least}{size_in_words(needed)} on the disk, of which {size_in_words(free)} are free: choose a "
        "smaller size or another disk."
    )
