"""Whether the pixels of layers have changed: painted on, replaced, or changed in place."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from psygnal import Signal

if TYPE_CHECKING:
    from napari.layers import Layer

_CERTAIN = ("data", "paint", "labels_update")
_PERHAPS = ("set_data", "scale", "units")  # set_data: an undo, or a refresh, but a slider that is moved as well
_MOST_BYTES = 2**23  # that are read in the window's own thread to find out
_SAMPLE = 2**19


class Versions:
    """Numbers that tell one state of a layer's pixels from another.

    Attributes
    ----------
    changed : Signal
        Something happened to a layer that is followed; `settle` finds out whether it matters.
    """

    changed = Signal()

    def __init__(self) -> None:
        self._numbers: WeakKeyDictionary[Layer, int] = WeakKeyDictionary()
        self._digests: WeakKeyDictionary[Layer, int] = WeakKeyDictionary()
        self._next = count()

    def follow(self, layers: Sequence[Layer]) -> None:
        """Watch these layers, and no others."""
        for layer in [old for old in self._numbers if old not in layers]:
            self._connect(layer, "disconnect")
            del self._numbers[layer], self._digests[layer]
        for layer in layers:
            if layer not in self._numbers:
                self._numbers[layer], self._digests[layer] = next(self._next), _digest(layer)
                self._connect(layer, "connect")

    def of(self, layers: Sequence[Layer]) -> tuple[int, ...]:
        """The state of each layer: never the same for other pixels; -1 if it is not followed."""
        return tuple(self._numbers.get(layer, -1) for layer in layers)

    def settle(self) -> None:
        """Look whether pixels were changed in place; of what is not in memory that is not known."""
        for layer in list(self._numbers):
            digest = _digest(layer)
            if digest != self._digests[layer]:
                self._numbers[layer], self._digests[layer] = next(self._next), digest

    def _connect(self, layer: Layer, how: str) -> None:
        for names, slot in ((_CERTAIN, self._renew), (_PERHAPS, self._tell)):
            for name in names:
                if (emitter := getattr(layer.events, name, None)) is not None:
                    getattr(emitter, how)(slot)

    def _renew(self, event: Any) -> None:
        layer = getattr(event.source, "__wrapped__", event.source)
        if layer in self._numbers:
            self._numbers[layer] = next(self._next)
            self.changed.emit()

    def _tell(self, _event: object) -> None:
        self.changed.emit()


def _digest(layer: Layer) -> int:
    """A number of the pixels, or of some of very many; 0 for what is not in memory."""
    array = layer.data[0] if layer.multiscale else layer.data
    if not isinstance(array, np.ndarray) or isinstance(array, np.memmap):
        return 0
    if array.nbytes > _MOST_BYTES:
        step = int(np.ceil((array.size / _SAMPLE) ** (1 / array.ndim)))
        array = array[(slice(None, None, step),) * array.ndim]
    return zlib.crc32(np.ascontiguousarray(array).data)
