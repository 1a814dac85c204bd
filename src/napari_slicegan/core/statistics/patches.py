"""How much small patches differ between planes: a sliced Wasserstein distance without trained weights.

Patches at several scales are points in a space of many dimensions. Along each principal axis of the truth's own patches
both clouds of points are compared by the way it takes to move one onto the other (sliced Wasserstein distance: Rabin et
al. 2011; of patches at several scales: Karras et al. 2018), in units of the truth's standard deviation along that axis.
Random directions, which are common, see little but the brightness of whole patches. Two finite samples of one material
differ as well: the distances between halves of the truth say by how much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.errors import DataError

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.floating[Any]]
Progress = Callable[[float], None]
_LEAST_VARIANCE = 1e-3  # of the largest: what is flatter is the rounding of the image, not the material


def _silent(_: float) -> None:
    """Tell nobody of the progress."""


@dataclass(frozen=True)
class PatchConfig:
    """How to compare patches.

    Attributes
    ----------
    edge : int
        Pixels of a patch along each side, after scaling.
    scales : tuple of int
        Edges of the boxes of pixels that are averaged to one.
    count : int
        Patches of each side in a draw.
    draws : int
        How often halves of the image are drawn.
    seed : int
        Of all that is random.
    """

    edge: int = 7
    scales: tuple[int, ...] = (1, 2, 4)
    count: int = 1024
    draws: int = 8
    seed: int = 0

    @property
    def span(self) -> int:
        """Pixels of the largest patch along each side; no block can be smaller."""
        return self.edge * max(self.scales)


def patch_features(
    planes: Array, scale: int, count: int, rng: np.random.Generator, phases: int = 0, edge: int = 7
) -> Floats:
    """Draw patches at random places.

    Parameters
    ----------
    planes : uint8 array (N, H, W) or (N, H, W, C)
        Indices of phases, or intensities from 0 to 255.
    scale : int
        Edge of the boxes of pixels that are averaged to one.
    count : int
        How many patches.
    rng : Generator
        Says where.
    phases : int
        How many phases there are; 0 for intensities.
    edge : int
        Pixels of a patch along each side, after scaling.

    Returns
    -------
    float32 array (count, D)
        A patch in each row, with values from 0 to 1: of each phase whether it is there, or the intensities.
    """
    span = edge * scale
    height, width = planes.shape[1:3]
    if min(height, width) < span:
        raise ValueError(f"patches of {span} x {span} pixels do not fit into {height} x {width}")
    sizes = (len(planes), height - span + 1, width - span + 1)
    number, top, left = (rng.integers(size, size=count)[:, None, None] for size in sizes)
    steps = scale * np.arange(edge)
    rows, columns = top + steps[:, None], left + steps  # (count, edge, 1) and (count, 1, edge)
    features = [_box_means(channel, scale)[number, rows, columns] for channel in _channels(planes, phases)]
    return np.stack(features, axis=1).reshape(count, -1)


def _channels(planes: Array, phases: int) -> Iterator[Array]:
    """Images (N, H, W) with values from 0 to 1, one for each phase or channel."""
    if phases:
        return ((planes == phase).astype(np.float32) for phase in range(phases))
    channels = planes if planes.ndim == 4 else planes[..., None]
    return (channels[..., channel] / np.float32(255) for channel in range(channels.shape[3]))


def _box_means(image: Array, scale: int) -> Array:
    """Means of the boxes that begin at each pixel, (N, H - scale + 1, W - scale + 1)."""
    height, width = (size - scale + 1 for size in image.shape[1:])
    rows = np.sum([image[:, step : step + height] for step in range(scale)], axis=0)
    sums = np.sum([rows[:, :, step : step + width] for step in range(scale)], axis=0)
    return np.asarray(sums / np.float32(scale**2))


def principal_directions(features: Floats) -> Floats:
    """The directions along which patches differ most, each scaled to a standard deviation of 1 of these patches.

    Parameters
    ----------
    features : float array (K, D)
        Patches of the truth.

    Returns
    -------
    float array (D, M)
        One direction in each column; those along which patches hardly differ are left out.

    Raises
    ------
    DataError
        All patches are the same.
    """
    variances, vectors = np.linalg.eigh(np.cov(features, rowvar=False))  # (D,), (D, D)
    if variances[-1] <= 0:
        raise DataError("The image has no structure: all its patches are the same.")
    kept = variances > _LEAST_VARIANCE * variances[-1]
    return np.asarray(vectors[:, kept] / np.sqrt(variances[kept]), np.float32)


def sliced_wasserstein(first: Floats, second: Floats, directions: Floats) -> float:
    """The distance between two clouds of points.

    Parameters
    ----------
    first, second : float array (K, D)
        As many points on both sides.
    directions : float array (D, M)
        Of `principal_directions`, or others.

    Returns
    -------
    float
        The mean over the directions of the Wasserstein distance between what the points are along each: moving all
        points by a vector counts the mean of its lengths along the directions. With principal directions, 0.1 is a
        tenth of the standard deviation of the truth.
    """
    if first.shape != second.shape:
        raise ValueError(f"both sides need as many points: {first.shape}, {second.shape}")
    ordered = [np.sort(points @ directions, axis=0) for points in (first, second)]  # (K, M) each
    return float(np.abs(ordered[0] - ordered[1]).mean())


class PatchReference:
    """Planes of the truth, dealt out to two halves again and again, to measure other planes by.

    Parameters
    ----------
    planes : uint8 array (N, H, W) or (N, H, W, C)
        Indices of phases, or intensities. Of a volume take planes that are a block apart: halves of planes that
        resemble each other are no two samples.
    block : int
        Edge of the square blocks that are dealt out, in pixels; beyond it the material should have forgotten what it
        is. Where fewer than two fit they are smaller, at least `config.span`.
    phases : int
        How many phases there are; 0 for intensities.
    config : PatchConfig
        How to compare.

    Raises
    ------
    DataError
        The planes are too small for two blocks, or without structure.
    """

    def __init__(self, planes: Array, block: int, phases: int = 0, config: PatchConfig = PatchConfig()) -> None:
        self._planes, self._phases, self._config = planes, phases, config
        self._corners, self._block = _blocks(planes, block, config)
        rng = np.random.default_rng(config.seed)
        self._directions = [
            principal_directions(patch_features(planes, scale, 4 * config.count, rng, phases, config.edge))
            for scale in config.scales
        ]

    def blocks_in(self, planes: Array) -> int:
        """How many blocks planes (N, H, W) or (N, H, W, C) hold."""
        return len(_corners(planes, self._block))

    def self_distances(self, most: int | None = None, progress: Progress = _silent) -> Floats:
        """How far one half is from the other.

        Parameters
        ----------
        most : int, optional
            Blocks that are taken of each half: as many as those have with which the result is compared.
        progress : callable
            Takes the finished fraction; what it raises ends the work.

        Returns
        -------
        float array (draws, scales)
            What two samples of one material differ by.
        """
        draws = self._draws(progress)
        return np.array([self._distances(first[:most], second[:most], rng) for first, second, rng in draws])

    def distances(self, others: Array, progress: Progress = _silent) -> Floats:
        """How far one half is from as many blocks of other planes.

        Parameters
        ----------
        others : uint8 array (N, H, W) or (N, H, W, C)
            What is judged, of any size; of a volume planes that are a block apart. Of fewer blocks than a half has,
            fewer of the half are taken.
        progress : callable
            Takes the finished fraction; what it raises ends the work.

        Returns
        -------
        float array (draws, scales)
            Of planes of the same material these are the `self_distances` of as many blocks, but for chance.

        Raises
        ------
        DataError
            The other planes are smaller than a block.
        """
        places = _corners(others, self._block)
        if not len(places):
            raise DataError(
                f"A volume with planes of {others.shape[1]} x {others.shape[2]} voxels is smaller than the blocks of "
                f"{self._block} x {self._block} whose patches are compared: make it larger."
            )
        found = []
        for half, _, rng in self._draws(progress):
            count = min(len(half), len(places))
            chosen = rng.choice(places, count, replace=False)
            found.append(self._distances(half[:count], _cut(others, chosen, self._block), rng))
        return np.array(found)

    def _draws(self, progress: Progress) -> Iterator[tuple[Array, Array, np.random.Generator]]:
        """Both halves (B, block, block, ...), and the source of further randomness; the same ones each time."""
        half = len(self._corners) // 2
        for number, rng in enumerate(np.random.default_rng(self._config.seed).spawn(self._config.draws)):
            progress(number / self._config.draws)
            blocks = _cut(self._planes, rng.permutation(self._corners)[: 2 * half], self._block)
            yield blocks[:half], blocks[half:], rng

    def _distances(self, first: Array, second: Array, rng: np.random.Generator) -> list[float]:
        """The distance between blocks at each scale."""
        config, found = self._config, []
        for scale, directions in zip(config.scales, self._directions, strict=True):
            one, other = (
                patch_features(blocks, scale, config.count, rng, self._phases, config.edge)
                for blocks in (first, second)
            )
            found.append(sliced_wasserstein(one, other, directions))
        return found


def _blocks(planes: Array, block: int, config: PatchConfig) -> tuple[Array, int]:
    """Corners (B, 3) of at least two blocks, and their edge, which may have to be smaller than asked for."""
    for edge in range(block, config.span - 1, -1):
        corners = _corners(planes, edge)
        if len(corners) > 1:
            return corners, edge
    raise DataError(
        f"An image of {planes.shape[1]} x {planes.shape[2]} pixels is too small to be compared with itself by "
        f"patches of {config.span} pixels."
    )


def _corners(planes: Array, block: int) -> Array:
    """First plane, row and column (B, 3) of the blocks of a regular grid, in the middle of what is left over."""
    grids = [size % block // 2 + block * np.arange(size // block) for size in planes.shape[1:3]]
    return np.stack(np.meshgrid(np.arange(len(planes)), *grids, indexing="ij"), axis=-1).reshape(-1, 3)


def _cut(planes: Array, corners: Array, block: int) -> Array:
    """The blocks (B, block, block, ...)."""
    return np.stack([planes[n, y : y + block, x : x + block] for n, y, x in corners])
