"""The row that says which seeds: one volume for each."""

from __future__ import annotations

import random
import re

from magicgui.widgets import LineEdit
from psygnal import Signal

from napari_slicegan.core.errors import ModelError
from napari_slicegan.plugin.parts.dock import Rows, button, row

_LARGEST = 2**31 - 1
_MOST = 1000


class SeedRow:
    """The row for seeds.

    Parameters
    ----------
    rows : Rows
        Where the row is added.
    """

    changed = Signal()

    def __init__(self, rows: Rows) -> None:
        self.text = LineEdit(
            value="0",
            tooltip="The same seed gives the same volume. Several make a volume each: for example 1, 2, 5-8.",
        )
        self.random = button("Random", "Draw another seed.", self.draw)
        rows.add(row(self.text, self.random, label="Seeds", tooltip="The seeds, one volume for each."))
        self.text.changed.connect(lambda *_: self.changed.emit())

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds.

        Raises
        ------
        ModelError
            The text cannot be read.
        """
        return seeds_of(self.text.value)

    def draw(self) -> None:
        """Choose one seed at random."""
        self.show(random.randint(0, _LARGEST))  # nosec B311

    def show(self, seed: int) -> None:
        """Choose one seed."""
        self.text.value = str(seed)


def seeds_of(text: str) -> tuple[int, ...]:
    """Read seeds such as "1, 2, 5-8"; one that is named twice counts once.

    Raises
    ------
    ModelError
        The text cannot be read, or names too many.
    """
    seeds: dict[int, None] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,18})\s*(?:-\s*(\d{1,18})\s*)?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            raise ModelError(f"The seeds {text[:40]!r} cannot be read: write for example 3, or 1, 2, 5-8.")
        if len(seeds) + last - first >= _MOST:
            raise ModelError(f"These are more than {_MOST} seeds: choose fewer.")
        seeds |= dict.fromkeys(range(first, last + 1))
    return tuple(seeds)
