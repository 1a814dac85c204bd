"""An endless volume as an array of which only the planes are made that someone looks at."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable
from itertools import product

import numpy as np

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.memory import is_out_of_memory
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.values import label_dtype
from napari_slicegan.core.volume.evaluation import Evaluation
from napari_slicegan.core.volume.lazy import LazyArray, Places
from napari_slicegan.core.volume.planes import TILE, Array, Patch, Place, Plane, PlaneCache, PlaneView, patch_of
from napari_slicegan.core.volume.request import Triple, VolumeRequest

#: Edge of the array in voxels, and of its coarsest level.
EDGE, COARSEST = 16384, 64
#: Bytes of planes that are kept.
CACHE_BYTES = 2**28
#: Most voxels of a plane that are made for one view.
WIDEST = 2048**2
#: How long the end of the interpreter waits for a layer of the network.
_LAST_SECONDS = 10.0


class EndlessVolume:
    """A cube of the endless volume of a seed, around its origin, that is looked at plane by plane.

    Reading it makes nothing: voxels that have not been made are 0. What `look` is told is made in a thread of its own,
    the middle first, and nothing else; a new view takes the place of the one before.

    Parameters
    ----------
    model : SliceGAN
        What makes the voxels; its weights are copied when the first plane is looked at.
    seed : int
        Which endless volume.
    edge : int
        Edge of the cube in voxels, a power of two.
    memory_bytes : int
        Most bytes of planes that are kept; those not looked at for longest go first.

    Attributes
    ----------
    origin : (int, int, int)
        Where in the endless volume the array begins, along z, y, x.
    levels : list of LazyArray
        The cube (Z, Y, X) or (Z, Y, X, 3), then every second voxel of it, every fourth, and so on.
    made : int
        How many pieces have been made so far.
    on_change : callable, optional
        Is called in the thread when voxels have been made or the message has changed; it must return at once.
    """

    def __init__(self, model: SliceGAN, seed: int = 0, *, edge: int = EDGE, memory_bytes: int = CACHE_BYTES) -> None:
        self._model, self._request = model, VolumeRequest((1, 1, 1), seed)
        self.origin: Triple = (-edge // 2,) * 3
        self._dtype = label_dtype(model.info.phases) if model.info.phases else np.dtype(np.uint8)
        self._colours = (3,) if model.info.kind is OutputKind.COLOUR else ()
        places = [(range(0, edge, 2**level),) * 3 for level in range(max(1, (edge // COARSEST).bit_length()))]
        self.levels = [LazyArray(self._read, (*cube, *map(range, self._colours)), self._dtype) for cube in places]
        self.on_change: Callable[[], None] | None = None
        self._cache = PlaneCache(memory_bytes)
        self._view: PlaneView | None = None
        self._plane: Plane = (0, 0)
        self._missing: list[Place] = []
        self._reads: dict[int, Plane] = {}
        self._message, self.made, self._is_closed = "", 0, False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def message(self) -> str:
        """What is being made, what to do, or what went wrong; empty when all that is looked at is there."""
        with self._changed:
            count = len(self._missing)
            return self._message or (f"Computing {count} tile{'s' * (count > 1)} …" if count else "")

    def look(self, view: PlaneView | None) -> None:
        """Say what is looked at now; None for nothing. Returns at once.

        Parameters
        ----------
        view : PlaneView, optional
            In voxels of the array.
        """
        with self._changed:
            if self._is_closed or view == self._view:
                return
            self._view, self._message, self._missing = view, "", []
            if view is not None and len(view.rows) * len(view.columns) > WIDEST:
                self._message = f"Zoom in: up to {WIDEST / 1e6:.0f} million voxels of a plane are computed at once."
            elif view is not None:
                self._plane, self._missing = view.plane, self._cache.missing(view)
            if self._missing and self._thread is None:
                self._thread = threading.Thread(target=self._work, name="endless volume", daemon=True)
                self._thread.start()
                _working.add(self)
            self._changed.notify_all()

    def last_read(self, plane: Plane, step: int) -> Plane:
        """The plane of a level (1 for the finest, 2, 4, ...) that was read last, if it lies next to the given one.

        Where a position lies half-way between two planes, only the reader knows which of them it takes.
        """
        axis, index = self._reads.get(step, plane)
        return (axis, index) if axis == plane[0] and abs(index - plane[1]) <= step else plane

    def close(self) -> None:
        """Forget all planes and end the thread, which takes it no longer than a layer of the network."""
        with self._changed:
            self._is_closed, self.on_change, self._missing = True, None, []
            self._cache.clear()
            self._changed.notify_all()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end of the thread, after `close`; says whether it has ended."""
        if self._thread is not None:
            self._thread.join(timeout)
        return self._thread is None or not self._thread.is_alive()

    def _read(self, places: Places) -> Array:
        """The voxels that have been made, 0 elsewhere; of what is thicker than a plane everything is 0."""
        spans = [place if isinstance(place, range) else range(place, place + 1) for place in places]
        cube, colours = spans[:3], spans[3:]
        voxels = np.zeros((*map(len, cube), *self._colours), self._dtype)
        with self._changed:
            for axis, span in enumerate(cube):
                if len(span) == 1:
                    rows, columns = cube[:axis] + cube[axis + 1 :]
                    self._cache.paste(np.moveaxis(voxels, axis, 0)[0], (axis, span[0]), rows, columns)
                    self._reads[max(rows.step, columns.step)] = axis, span[0]
        for span in colours:
            voxels = voxels[..., span.start : span.stop : span.step]
        return voxels[tuple(slice(None) if isinstance(place, range) else 0 for place in places)]

    def _work(self) -> None:
        """Make what is missing, until the end."""
        evaluation: Evaluation | None = None
        while (wanted := self._next()) is not None:
            try:
                evaluation = evaluation or Evaluation(
                    self._model.generator, self._model.info.phases, self._model.info.levels
                )
                self._make(evaluation, *wanted)
            except _UnwantedError:
                continue
            except Exception as error:  # noqa: BLE001  (a thread that ended in silence would leave the view empty)
                self._fail(error)

    def _next(self) -> tuple[Plane, Patch] | None:
        """Wait for something to make; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._missing or self._is_closed)
            return None if self._is_closed else (self._plane, patch_of(self._missing))

    def _make(self, evaluation: Evaluation, plane: Plane, patch: Patch) -> None:
        """Make a patch and keep it, unless it is no longer looked at."""
        (axis, index), places = plane, set(product(*patch))

        def check(_: float) -> None:
            with self._changed:
                if self._plane != plane or places.isdisjoint(self._missing):
                    raise _UnwantedError

        ranges = [(tiles.start * TILE, tiles.stop * TILE) for tiles in patch]
        ranges.insert(axis, (index, index + 1))
        z, y, x = ((low + start, high + start) for (low, high), start in zip(ranges, self.origin, strict=True))
        voxels = np.moveaxis(evaluation.box(self._request, (z, y, x), check, thin=axis), axis, 0)[0]
        with self._changed:
            check(1.0)
            self._cache.add(plane, patch, voxels)
            self._missing = [place for place in self._missing if place not in places]
            self.made += 1
            self._tell()

    def _fail(self, error: Exception) -> None:
        """Give up what is looked at, and say why; the next view is tried again."""
        with self._changed:
            self._missing = []
            self._message = f"This plane could not be computed ({error}): move on, or browse anew."
            if is_out_of_memory(error):
                self._message = "There is not enough memory to compute this plane: zoom in, or end other programs."
            self._tell()

    def _tell(self) -> None:
        if self.on_change:
            self.on_change()


class _UnwantedError(Exception):
    """What is being made is no longer looked at."""


_working: weakref.WeakSet[EndlessVolume] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    """End all threads before the interpreter ends: one that is stopped inside torch takes the process down."""
    for volume in list(_working):
        volume.close()
        volume.wait(_LAST_SECONDS)
