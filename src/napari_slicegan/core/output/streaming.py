"""A volume straight to the disk: made piece by piece, so that it may be far larger than memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.output.formats import SUFFIXES, format_of
from napari_slicegan.core.output.places import check_output, journal_of, part_of, remove_unfinished
from napari_slicegan.core.output.tally import Tally
from napari_slicegan.core.output.unfinished import Unfinished
from napari_slicegan.core.volume.estimate import estimate, memory_problem

if TYPE_CHECKING:
    from napari_slicegan.core.model import SliceGAN
    from napari_slicegan.core.volume.request import VolumeRequest

__all__ = ["SUFFIXES", "check_output", "format_of", "journal_of", "part_of", "remove_unfinished", "stream"]

Progress = Callable[[float], None]


def stream(
    model: SliceGAN,
    request: VolumeRequest,
    path: str | os.PathLike[str],
    *,
    resume: bool = False,
    progress: Progress | None = None,
) -> Tally:
    """Make a volume and write it as it is made. The memory that this takes does not depend on its size.

    Parameters
    ----------
    model : SliceGAN
        What generates.
    request : VolumeRequest
        The volume.
    path : str or path
        New file or store whose ending, one of `SUFFIXES`, says the format. It appears when it is complete: until then
        the data is in a file of the same name with ".part" behind it, and a journal beside that.
    resume : bool
        Go on with what an earlier call left; start where there is nothing. The result is the same, byte for byte.
    progress : callable, optional
        Is called with the finished fraction; what it raises ends the work. What is done is then kept where the format
        can be resumed.

    Returns
    -------
    Tally
        What the volume is made of.

    Raises
    ------
    OutputError
        The place is taken or cannot be written to, the disk is or becomes full, or what is there is another volume.
    ModelError
        The volume cannot be made, or there is too little memory to make it.
    """
    description = model.describe(request)
    kind = format_of(path)
    if problem := memory_problem(estimate(model, request, kind).memory_bytes, kind):
        raise ModelError(problem)
    report = progress or (lambda _: None)
    made = 1.0 - kind.finishing
    with Unfinished(path, description, resume, model.device.type) as volume:
        _make_missing(model, request, volume, lambda fraction: report(fraction * made))
        volume.finish(lambda fraction: report(made + fraction * kind.finishing))
        return volume.tally


def _make_missing(model: SliceGAN, request: VolumeRequest, volume: Unfinished, report: Progress) -> None:
    """Make and write the tiles that are not there yet, in their order."""
    generation = model.generation(request)
    count, finished = len(generation.tiles), len(volume.done)
    try:
        report(finished / count)
        for index, tile in enumerate(generation.tiles):
            if index in volume.done:
                continue
            volume.write(index, tile.place, generation.make(tile, generation.part_of(report, finished)))
            finished += 1
            report(finished / count)
    finally:
        generation.release()
