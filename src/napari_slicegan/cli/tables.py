"""Numbers side by side, for people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_slicegan.core.output.tally import Tally
from napari_slicegan.core.statistics.fractions import phase_fractions

Row = tuple[str, ...]
_COLOURS = ("red", "green", "blue")


def phase_rows(images: Sequence[np.ndarray], phases: Sequence[int]) -> list[Row]:
    """A row for each phase with its fraction in every image."""
    columns = [phase_fractions(image, phases) for image in images]
    return [(f"phase {phase}", *(f"{column[index]:.2%}" for column in columns)) for index, phase in enumerate(phases)]


def intensity_rows(images: Sequence[np.ndarray]) -> list[Row]:
    """Mean and standard deviation of every image, grey or for each colour.

    Parameters
    ----------
    images : sequence of array
        Grey (Y, X) or (Z, Y, X), or colour with three channels last, all of one kind.

    Returns
    -------
    list of tuple of str
        Name of the quantity, and its value in each image.
    """
    colour = all(image.ndim > 2 and image.shape[-1] == 3 for image in images)
    rows = []
    for index, name in enumerate(_COLOURS if colour else ("grey",)):
        channels = [image[..., index] if colour else image for image in images]
        rows.append((f"{name}, mean", *(f"{channel.mean():.1f}" for channel in channels)))
        rows.append((f"{name}, deviation", *(f"{channel.std():.1f}" for channel in channels)))
    return rows


def tally_rows(tally: Tally, phases: Sequence[int]) -> list[Row]:
    """The same rows for one volume from what was counted while it was made."""
    if phases:
        return [(f"phase {phase}", f"{share:.2%}") for phase, share in zip(phases, tally.fractions, strict=True)]
    names = _COLOURS if len(tally.moments) == len(_COLOURS) else ("grey",)
    rows: list[Row] = []
    for name, (mean, deviation) in zip(names, tally.moments, strict=True):
        rows += [(f"{name}, mean", f"{mean:.1f}"), (f"{name}, deviation", f"{deviation:.1f}")]
    return rows


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in aligned columns, the first to the left and numbers to the right."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for first, *rest in lines:
        cells = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        print("  ".join(["  " + first.ljust(widths[0]), *cells]).rstrip())
