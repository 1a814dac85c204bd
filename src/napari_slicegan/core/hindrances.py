"""What of a run cannot be written at the moment: a training that can save its checkpoints goes on without the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.events import Hindered


class Hindrances:
    """Remembers what cannot be written, so that each is told of once."""

    def __init__(self) -> None:
        self._now = dict[str, str]()
        self._told = set[str]()

    def spare(self, what: str, write: Callable[[], Any]) -> None:
        """Write something that is not worth a training."""
        try:
            write()
        except OutputError as error:
            self._now[what] = str(error)
        else:
            self._now.pop(what, None)

    def holds_up(self, what: str) -> bool:
        """Whether something could not be written the last time."""
        return what in self._now

    def news(self, iteration: int) -> Hindered | None:
        """What is to be told now: a new hindrance, or that all are gone."""
        new = [what for what in self._now if what not in self._told]
        is_over = bool(self._told) and not self._now
        self._told = set(self._now)
        words = " ".join(f"The training goes on without its {what}: {self._now[what]}" for what in new)
        return Hindered(iteration, words) if new or is_over else None
