"""Which latent cells make which voxels: the exact arithmetic of a stack of transpose convolutions.

A layer with kernel k, stride s and padding p turns n cells into ``s n - (s + 2 p - k)``. A whole generator with
the product of the strides S turns n cells into ``S n - c``; neighbouring passes overlap in m = ceil(c / S) cells,
and the first ``S (n - m)`` voxels of a pass over the cells ``lo ... lo + n`` are exactly the voxels
``[S lo, S (lo + n - m))`` of a pass over the whole latent field.

Of a generator that was imported with a resize-convolution (`stretching`) the last layer stands for one of stride 2 in
these rules, but gives a little less than two voxels for each of its cells, and passes agree only where whole blocks do.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, prod

from napari_slicegan.core.errors import ConfigError
from napari_slicegan.core.stretching import Stretch


@dataclass(frozen=True)
class Geometry:
    """The geometry of a generator.

    Attributes
    ----------
    layers : tuple of (kernel, stride, padding)
        In voxels of each layer's own grid.
    is_stretched : bool
        Whether the last layer is a published resize-convolution, see `stretching`.

    Raises
    ------
    ConfigError
        A layer breaks a rule of uniform information density: kernels overlap (s < k), equally everywhere (k is a
        multiple of s), and the border that fewer kernels reach is cropped (p >= k - s).
    """

    layers: tuple[tuple[int, int, int], ...]
    is_stretched: bool = False

    def __post_init__(self) -> None:
        for number, (kernel, stride, padding) in enumerate(self.layers, start=1):
            name = f"Layer {number} (kernel {kernel}, stride {stride}, padding {padding})"
            if not stride < kernel:
                raise ConfigError(f"{name} breaks 'stride < kernel': its kernels do not overlap.")
            if kernel % stride:
                raise ConfigError(
                    f"{name} breaks 'kernel a multiple of stride': voxels would get unequal numbers of contributions."
                )
            if padding < kernel - stride:
                raise ConfigError(
                    f"{name} breaks 'padding >= kernel - stride': it keeps a border that fewer kernels reach; "
                    f"use a padding of at least {kernel - stride}."
                )

    @property
    def scale(self) -> int:
        """S: voxels for each latent cell along an axis; of a stretched generator a little more than it makes."""
        return prod(stride for _, stride, _ in self.layers)

    @property
    def surplus(self) -> int:
        """c: n cells give ``S n - c`` voxels."""
        lost = 0
        for kernel, stride, padding in self.layers:
            lost = stride * lost + stride + 2 * padding - kernel
        return lost

    @property
    def overlap(self) -> int:
        """m: latent cells that neighbouring passes share."""
        return -(-self.surplus // self.scale)

    @property
    def latent_edge(self) -> int:
        """Latent cells along each axis in training: the overlap, and two cells more."""
        return self.overlap + 2

    @property
    def edge(self) -> int:
        """Edge of a training cube in voxels, ``S (n - m)``."""
        return self.scale * 2

    @property
    def edges(self) -> tuple[int, ...]:
        """Edge of the training cube before and after each layer, before its far end is cropped to `edge`."""
        return self._edges(self.latent_edge)

    @property
    def stretch(self) -> Stretch:
        """The grid of the last layer of a stretched generator: its blocks are as long as its cells in training."""
        return Stretch(self.edges[-2])

    @property
    def period(self) -> tuple[int, int]:
        """Voxels, and cells, along an axis after which a repeated latent field at the earliest repeats the volume."""
        if not self.is_stretched:
            return self.scale, 1
        each, block = self.scale // self.layers[-1][1], self.stretch.cells  # cells of the last layer
        blocks = each // gcd(each, block)
        return blocks * self.stretch.points, blocks * block // each

    def voxels(self, cells: int) -> int:
        """Voxels along an axis that a pass over so many latent cells gives."""
        if not self.is_stretched:
            return self.scale * (cells - self.overlap)
        return self.stretch.points_between(self._edges(cells)[-2]) - 2

    def cells(self, voxels: int) -> int:
        """Latent cells along an axis that cover so many voxels."""
        cells = -(-voxels // self.scale) + self.overlap
        while self.voxels(cells) < voxels:
            cells += 1
        return cells

    def _edges(self, cells: int) -> tuple[int, ...]:
        """Cells along an axis before and after each layer."""
        sizes = [cells]
        for kernel, stride, padding in self.layers:
            sizes.append(stride * sizes[-1] - (stride + 2 * padding - kernel))
        return tuple(sizes)
