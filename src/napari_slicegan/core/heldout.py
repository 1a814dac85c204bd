"""How near generated volumes are to the micrograph while the training goes on: errors of latent fields set aside."""

from __future__ import annotations

from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_slicegan.core.balance import balance, channel_means
from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.directions import of_planes, of_views
from napari_slicegan.core.events import Evaluation
from napari_slicegan.core.heldout_levels import HeldOutLevels
from napari_slicegan.core.heldout_patterns import HeldOutPatterns
from napari_slicegan.core.heldout_surfaces import HeldOutSurfaces
from napari_slicegan.core.interruption import Flag, Interrupted, interrupted_by
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.representative import image_channels
from napari_slicegan.core.sample import SEED, Sample
from napari_slicegan.core.statistics.correlation import mean_products, two_point_correlation
from napari_slicegan.core.thinning import thinned

VOLUMES = 16
"""About so many volumes of 64 x 64 x 64 voxels are judged where the recipe does not say how many."""

_LINES = 3  # from one line that is looked at to the next: no divisor of what a lattice repeats by
_LOST = 0.1  # of what the micrographs have of a phase
_FLAT = 0.01  # of the variance of their intensities

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


class HeldOut:
    """Compares volumes of latent fields, which the training never uses, with the micrographs.

    Parameters
    ----------
    data : TrainingData
        The micrographs.
    network : NetworkConfig
        The networks that are trained on them.
    flag : Flag, optional
        Interrupts the work on large micrographs.
    volumes : int
        About so many are judged, see `Sample`; 0 leaves their number to this module.
    seed : int
        Of the latent fields.

    Attributes
    ----------
    scale : array (3, K)
        Faces, or mean square steps, in the micrographs along each axis (see `HeldOutSurfaces`).
    excess : array (3, K)
        How much more of them the volumes of the newest evaluation had, relative to these.

    Raises
    ------
    Interrupted
        The flag was set meanwhile.
    """

    def __init__(
        self, data: TrainingData, network: NetworkConfig, flag: Flag | None = None, volumes: int = 0, seed: int = SEED
    ) -> None:
        self._flag = flag  # of the work on the micrographs alone
        self._kind, self._channels = data.kind, data.channels
        self._sample = Sample(network, volumes or VOLUMES, seed)
        smallest = min(min(piece.shape[1:3]) for source in range(len(data.sources)) for piece in data.pieces(source))
        self._reach = min(self._sample.edge, smallest) // 2
        self._names = [f"phase {phase}" for phase in data.phases]
        found = [self._of_source(data, source) for source in range(len(data.sources))]
        self._curves = of_views(found, data.views)  # (3, 2, C, R + 1)
        self._means = channel_means(data)  # (C,)
        self._levels = HeldOutLevels(data)
        self._surfaces = HeldOutSurfaces(data, flag)
        self.scale = self._surfaces.scale
        self.excess = np.zeros_like(self.scale)
        self._patterns = HeldOutPatterns(data, min(self._sample.edge, smallest), flag)
        self._flag = None

    @torch.no_grad()
    def evaluate(
        self, generator: Generator, iteration: int, balanced: bool = False, flag: Flag | None = None
    ) -> Evaluation:
        """Tell how near a generator's volumes are to the micrographs.

        Parameters
        ----------
        generator : Generator
            In evaluation mode; left as it is, but for its offsets.
        iteration : int
            Updates that made it.
        balanced : bool
            Whether to set its offsets first, by the volumes that are judged.
        flag : Flag, optional
            Interrupts the work.

        Returns
        -------
        Evaluation
            Of the mean over all volumes.

        Raises
        ------
        Interrupted
            The flag was set meanwhile.
        """
        flag = flag or Event()
        with interrupted_by(flag, generator):
            outputs = list(self._sample.outputs(generator))
        if balanced:
            balance(generator, outputs, self._means)
        means, curves, levels, surfaces, patterns = [], [], [], [], []
        for batch in outputs:
            if flag.is_set():
                raise Interrupted
            channels = self._volume_channels(generator.with_offsets(batch.float()))  # (B, C, Z, Y, X)
            rows = channels.mean((3, 4)).cpu().numpy()  # (B, C, Z); not every device knows 64 bits
            means.append(rows.mean(axis=2, dtype=np.float64))  # (B, C)
            curves.append(_correlations(channels, self._reach))
            levels.append(self._levels.of_volumes(channels))
            surfaces.append(self._surfaces.of_volumes(channels))
            patterns.append(self._patterns.of_volumes(channels))
        sizes = [len(batch) for batch in outputs]
        along, steps = (np.average(some, 0, sizes) for some in (curves, surfaces))  # (3, C, R + 1), (3, K)
        self.excess = self._surfaces.excess(steps)
        each = np.concatenate(means)  # (N, C)
        return Evaluation(
            iteration,
            float(np.abs(of_planes(along) - self._curves).mean()),
            max(_fraction_error(each, self._means), self._levels.error(torch.stack(levels).sum(dim=0))),
            self._surfaces.error(steps),
            self._patterns.error(torch.stack(patterns).sum(dim=0)),
            self._lost(each.mean(axis=0), along),
        )

    def _lost(self, means: Floats, along: Floats) -> str:
        """What of the micrographs the volumes have lost, in words."""
        if not np.isfinite(means).all():
            return "finite numbers"
        if self._kind is OutputKind.PHASES:
            is_lost = means < _LOST * self._means
            return " and ".join(name for name, lost in zip(self._names, is_lost, strict=True) if lost)
        made = (along[..., 0].mean(axis=0) - means**2).sum()
        true = (self._curves[..., 0].mean(axis=(0, 1)) - self._means**2).sum()
        return "all contrast" if made < _FLAT * true else ""

    def _volume_channels(self, outputs: torch.Tensor) -> torch.Tensor:
        """Indicators of phases, or intensities from 0 to 1, (B, C, Z, Y, X), of what the last layer gives."""
        if self._kind is not OutputKind.PHASES:
            return 0.5 * (torch.tanh(outputs) + 1)
        labels = _argmax(outputs)
        return torch.cat([labels == phase for phase in range(self._channels)], dim=1).float()

    def _of_source(self, data: TrainingData, source: int) -> Floats:
        """Correlations (2, C, R + 1) of each channel of the images of a source, down and across."""
        curves, weights = [], []
        for piece in data.pieces(source):
            stack, lines = thinned(piece)
            across = image_channels(data, stack[:, ::lines])
            down = across if lines == 1 else image_channels(data, stack[:, :, ::lines])
            curves.append([[self._curve(one, 1) for one in down], [self._curve(one, 2) for one in across]])
            weights.append(piece.shape[1] * piece.shape[2])
        return np.asarray(np.average(curves, 0, weights))

    def _curve(self, channel: Array, axis: int) -> Floats:
        if self._flag and self._flag.is_set():
            raise Interrupted
        correlate = two_point_correlation if self._kind is OutputKind.PHASES else mean_products
        return correlate(channel, axis, self._reach)


def _argmax(outputs: torch.Tensor) -> torch.Tensor:
    """The channel (B, 1, Z, Y, X) with the largest output, the first of equals; torch's takes twenty times as long."""
    largest, labels = outputs[:, :1], torch.zeros_like(outputs[:, :1], dtype=torch.uint8)
    for channel in range(1, outputs.shape[1]):
        other = outputs[:, channel : channel + 1]
        labels.masked_fill_(other > largest, channel)
        largest = torch.maximum(largest, other)
    return labels


def _correlations(volumes: torch.Tensor, reach: int) -> Floats:
    """Mean products of two values of a channel at distances along the axes, (3, C, R + 1), of volumes (B, C, Z, Y, X).

    As `statistics.correlation.mean_products` has them; here on the device of the volumes, and of every third line.
    """
    curves = []
    for axis in range(3):
        lines = volumes.movedim(2 + axis, -1)[:, :, ::_LINES, ::_LINES]  # (B, C, ..., length)
        length = lines.shape[-1]
        size = length + reach  # the zeros keep the ends apart
        power = torch.fft.rfft(lines, size).abs().square().mean((0, 2, 3))  # (C, size / 2 + 1)
        curves.append(torch.fft.irfft(power, size)[:, : reach + 1].cpu().numpy() / (length - np.arange(reach + 1.0)))
    return np.stack(curves)


def _fraction_error(made: Floats, true: Floats) -> float:
    """Largest difference of a channel's mean over volumes (N, C) in pairs, or what chance leaves in it if more."""
    pairs = made.reshape(-1, 2, made.shape[1]).mean(axis=1)  # (N / 2, C)
    chance = pairs.std(axis=0, ddof=1) / len(pairs) ** 0.5 if len(pairs) > 1 else 0.0
    return float(np.maximum(np.abs(pairs.mean(axis=0) - true), chance).max())
