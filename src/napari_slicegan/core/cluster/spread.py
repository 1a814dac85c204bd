"""The files of a store, shared out among the workers of a cluster: a few at a time, each written by one worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from napari_slicegan.core.cluster.remote import Maker, SharedStore, make_tile, write_block
from napari_slicegan.core.output.sinks.pyramid import blocks_of
from napari_slicegan.core.output.tally import Tally
from napari_slicegan.core.volume.tiles import Slices, Tiles

if TYPE_CHECKING:
    from distributed import Client, Future

    from napari_slicegan.core.output.unfinished import Unfinished
    from napari_slicegan.core.volume.request import VolumeRequest

_SECONDS_BETWEEN_REPORTS = 0.3
_SECONDS_TO_END = 10.0


@dataclass(frozen=True)
class Block:
    """The voxels of one file of the store, and the tiles that reach into it."""

    place: Slices
    tiles: tuple[int, ...]


def blocks(request: VolumeRequest, tiles: Tiles) -> Iterator[Block]:
    """All files of a store; each is one tile where the volume begins at a multiple of the tile's edge."""
    _, rows, columns = tiles.counts
    for place in blocks_of(request.shape, tiles.edge):
        spans = []
        for part, origin in zip(place, request.origin, strict=True):
            shift = origin % tiles.edge
            spans.append(range((part.start + shift) // tiles.edge, (part.stop - 1 + shift) // tiles.edge + 1))
        yield Block(place, tuple((k * rows + j) * columns + i for k, j, i in product(*spans)))


class Spread:
    """A volume that the workers of a cluster make.

    A file that several tiles reach into waits for all of them, so that one worker writes it in one go: nothing that
    the machines know of a shared disk is then ever too old.

    Parameters
    ----------
    client : distributed.Client
        Knows the cluster.
    maker : Maker
        Makes the tiles.
    store : SharedStore
        Where they go.
    volume : Unfinished
        Is told which tiles are written.
    """

    def __init__(self, client: Client, maker: Maker, store: SharedStore, volume: Unfinished) -> None:
        self._client, self._volume = client, volume
        self._maker, self._store = (client.scatter(each, broadcast=True, hash=False) for each in (maker, store))
        self._tiles = maker.generation.tiles
        self._all = list(blocks(maker.generation.request, self._tiles))
        self._missing = set(range(len(self._tiles))) - volume.done
        self._made: dict[int, Future[Any]] = {}
        self._writing: dict[Future[Any], Block] = {}
        self._files: Counter[int] = Counter()  # that a tile reaches into and that are not written
        self._tallies: dict[int, Tally] = {}

    def run(self, report: Callable[[float], None]) -> None:
        """Make what is missing; `report` gets the finished fraction all the time, and what it raises ends the work."""
        wanted = [block for block in self._all if not self._missing.isdisjoint(block.tiles)]
        self._files.update(tile for block in wanted for tile in block.tiles)
        waiting, left = iter(wanted), len(wanted)
        try:
            while left:
                report(1 - left / len(self._all))
                for block in islice(waiting, self._room()):
                    self._submit(block)
                left -= self._collect()
            report(1.0)
        except BaseException:
            self._abandon()
            raise

    def _room(self) -> int:
        """How many more files can be under way: twice what the workers do at once, so that none has to wait."""
        threads: dict[str, int] = self._client.nthreads()
        most = max(1, 2 * sum(threads.values()))
        return max(0, most - len(self._writing))

    def _submit(self, block: Block) -> None:
        for index in block.tiles:
            if index not in self._made:
                self._made[index] = self._client.submit(make_tile, self._maker, index, pure=False)
        places = [self._tiles[index].place for index in block.tiles]
        made = [self._made[index] for index in block.tiles]
        future = self._client.submit(write_block, self._store, block.place, places, *made, pure=False)
        self._writing[future] = block

    def _collect(self) -> int:
        """Wait a moment and take note of what was written by then: how many files."""
        from distributed import wait

        try:
            written = wait(list(self._writing), timeout=_SECONDS_BETWEEN_REPORTS, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            return 0
        for future in written:
            for index, tally in zip(self._writing.pop(future).tiles, future.result(), strict=True):
                self._note(index, tally)
        return len(written)

    def _note(self, index: int, tally: Tally) -> None:
        """Take note of a tile's part in a file, and of the tile when that was the last one."""
        total = self._tallies.pop(index, Tally()) + tally
        self._files[index] -= 1
        if self._files[index]:
            self._tallies[index] = total
            return
        del self._made[index]
        if index in self._missing:
            self._volume.note(index, total)

    def _abandon(self) -> None:
        """Let the workers end; those that are just writing are waited for, since the store may be removed then."""
        from distributed import wait

        ends = [future for future, block in self._writing.items() if all(self._made[i].done() for i in block.tiles)]
        others = [future for future in (*self._writing, *self._made.values()) if future not in ends]
        self._client.cancel([future for future in others if not future.done()])
        with suppress(TimeoutError, CancelledError, OSError):  # a cluster that is gone writes nothing either
            wait(ends, timeout=_SECONDS_TO_END)
