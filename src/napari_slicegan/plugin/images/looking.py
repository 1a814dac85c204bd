"""Looking at the pixels of what is chosen: small images at once, others beside the window."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from psygnal import Signal
from qtpy.QtCore import QObject

from napari_slicegan.core.errors import DataError
from napari_slicegan.plugin.images.finding import Found, is_quick, look_at
from napari_slicegan.plugin.layers import LayerImage, is_in_memory
from napari_slicegan.plugin.work.background import Background
from napari_slicegan.plugin.work.worker import Control


@dataclass(frozen=True)
class _Subject:
    """What is looked at. It holds no array, so that a removed layer can go."""

    arrays: tuple[Callable[[], Any], ...]
    facts: tuple[object, ...]

    @classmethod
    def of(cls, arrays: Sequence[Any], images: Sequence[LayerImage], kind: str) -> _Subject:
        facts = (kind, *((image.regions, image.slices) for image in images))
        return cls(tuple(map(_reference, arrays)), facts)

    def is_same(self, other: _Subject | None) -> bool:
        """Whether the same arrays are looked at in the same way; their values may have changed."""
        if other is None or self.facts != other.facts:
            return False
        return all(mine() is theirs() for mine, theirs in zip(self.arrays, other.arrays, strict=True))


def _reference(array: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(array)
    except TypeError:  # some lazy arrays take none, and hold no pixels themselves
        return lambda: array


class PixelLook:
    """The last look at the pixels of images; of several that are asked for, only the last is taken.

    Parameters
    ----------
    parent : QObject
        When it goes, nothing more is told.

    Attributes
    ----------
    changed : Signal
        A look beside the window has come to its end.
    """

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        self._background = Background(parent)
        self._control = Control()
        self._subject: _Subject | None = None
        self._found: Found | None = None
        self._error = ""

    @property
    def found(self) -> Found | None:
        """What a pixel is; None while that is being looked at.

        Raises
        ------
        DataError
            The images cannot be trained on.
        """
        if self._error:
            raise DataError(self._error)
        return self._found

    def start(self, arrays: Sequence[Any], images: Sequence[LayerImage], kind: str) -> None:
        """Look at images; until that is done, what was found in the same arrays before stands.

        Parameters
        ----------
        arrays : sequence of array
            Of the layers, by which they are known again.
        images : sequence of LayerImage
            One, two or three.
        kind : str
            An `OutputKind` or "auto".

        Raises
        ------
        DataError
            Small images cannot be trained on; of others `found` tells that later.
        """
        subject = _Subject.of(arrays, images, kind)
        is_same = subject.is_same(self._subject)
        if is_same and not self._error and not all(is_in_memory(image.array) for image in images):
            return  # it is read once: nobody can tell whether it has changed
        self._control.stop()
        control = self._control = Control()
        if not is_same:
            self._found, self._error = None, ""
        self._subject = subject
        if is_quick(images):
            self._error, self._found = "", look_at(images, kind, control)
            return
        self._background.run(
            lambda: look_at(images, kind, control),
            lambda found: self._take(control, found, ""),
            lambda error: self._take(control, None, error),
        )

    def _take(self, control: Control, found: Found | None, error: str) -> None:
        """Keep an answer, unless something else was asked for since."""
        if control is self._control:
            self._found, self._error = found, error
            self.changed.emit()
