"""Which latent cells make which voxels: the exact arithmetic of a stack of transpose convolutions.

A layer with kernel k, stride s and padding p turns n cells into ``s n - (s + 2 p - k)``. A whole generator with
the product of the strides S turns n cells into ``S n - c``; neighbouring passes overlap in m = ceil(c / S) cells,
and the first ``S (n - m)`` voxels of a pass over the cells ``lo ... lo + n`` are exactly the voxels
``[S lo, S (lo + n - m))`` of a pass over the whole latent field.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from napari_slicegan.core.errors import ConfigError


@dataclass(frozen=True)
class Geometry:
    """The geometry of a generator.

    Attributes
    ----------
    layers : tuple of (kernel, stride, padding)
        In voxels of each layer's own grid.

    Raises
    ------
    ConfigError
        A layer breaks a rule of uniform information density: kernels overlap (s < k), equally everywhere (k is a
        multiple of s), and the border that fewer kernels reach is cropped (p >= k - s).
    """

    layers: tuple[tuple[int, int, int], ...]

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
        """S: voxels for each latent cell along an axis."""
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
        sizes = [self.latent_edge]
        for kernel, stride, padding in self.layers:
            sizes.append(stride * sizes[-1] - (stride + 2 * padding - kernel))
        return tuple(sizes)

    def cells(self, voxels: int) -> int:
        """Latent cells along an axis that cover so many voxels."""
        return -(-voxels // self.scale) + self.overlap
