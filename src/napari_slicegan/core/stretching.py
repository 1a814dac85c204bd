"""The grid of a published resize-convolution: so many cells, and a few less than twice as many points between them.

The code of SliceGAN's authors interpolates n cells to 2 (n - 1) points, so that the ratio of the two depends on the
size of the volume: 34 cells become 66 points at the size that is trained, and nearly twice as many of a large volume.
Here the ratio is that of the training everywhere. Cells are cut into blocks as long as the training's, and each block
is interpolated as if it were alone, as it was there: its first and last points lie on its first and last cell. Blocks
stand side by side, so that an endless volume has no gap, and its first block is what the published code makes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stretch:
    """Blocks of cells along an axis, and the points that they are interpolated to.

    Attributes
    ----------
    cells : int
        Of a block; at least 2.
    """

    cells: int

    @property
    def points(self) -> int:
        """Of a block."""
        return 2 * (self.cells - 1)

    def cell(self, point: int) -> int:
        """The cell at or before a point; the point lies between it and the next one, of the same block."""
        block, place = divmod(point, self.points)
        before = ((2 * place + 1) * self.cells - self.points) // (2 * self.points)  # of (place + 1/2) ratio - 1/2
        return block * self.cells + min(max(before, 0), self.cells - 2)

    def points_between(self, cells: int) -> int:
        """How many of the first points lie between the first so many cells."""
        blocks, rest = divmod(cells, self.cells)
        return blocks * self.points + sum(self.cell(place) + 1 < rest for place in range(self.points))
