"""How near generated volumes are to the micrograph while the training goes on: errors of latent fields set aside."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_slicegan.core.asides import Aside
from napari_slicegan.core.clock import Clock
from napari_slicegan.core.config import NetworkConfig, OutputKind
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.events import Evaluation
from napari_slicegan.core.interruption import Flag, Interrupted, interrupted_by
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.statistics.correlation import mean_products, two_point_correlation

_SEED = 20_000  # neither the preview's nor likely a training's: what is judged here is never shown or learnt
_VOLUMES = 4
_MOST_PIXELS = 2**22  # of a source that are looked at

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


class HeldOut:
    """Compares volumes of four latent fields, which the training never uses, with the micrographs.

    Parameters
    ----------
    data : TrainingData
        The micrographs.
    network : NetworkConfig
        The networks that are trained on them.
    flag : Flag, optional
        Interrupts the work on large micrographs.

    Raises
    ------
    Interrupted
        The flag was set meanwhile.
    """

    def __init__(self, data: TrainingData, network: NetworkConfig, flag: Flag | None = None) -> None:
        self._flag = flag  # of the work on the micrographs alone
        self._kind, self._channels, self._views = data.kind, data.channels, data.views
        self._reach = network.edge // 2
        cells = (_VOLUMES, network.latent_channels, *(network.geometry.latent_edge,) * 3)
        self._latents = torch.randn(cells, generator=torch.Generator().manual_seed(_SEED))
        found = [self._of_source(data, source) for source in range(len(data.sources))]
        self._means = np.mean([found[source][0] for source, _ in data.views], axis=0)  # (C,)
        self._curves = np.array([self._directed(found[source][1], turn) for source, turn in data.views])
        self._flag = None

    @torch.no_grad()
    def evaluate(self, generator: Generator, iteration: int) -> Evaluation:
        """Tell how near a generator's volumes are to the micrographs.

        Parameters
        ----------
        generator : Generator
            In evaluation mode; left as it is.
        iteration : int
            Updates that made it.

        Returns
        -------
        Evaluation
            Of the mean over four volumes.
        """
        device = next(generator.parameters()).device
        means, curves = [], []
        for latent in self._latents:
            volume = generator(latent[None].to(device))[0]  # (C, Z, Y, X)
            channels = self._volume_channels(volume)
            means.append([channel.mean(dtype=np.float64) for channel in channels])
            curves.append([[self._curve(channel, axis) for axis in range(3)] for channel in channels])
        along = np.mean(curves, axis=0)  # (C, 3, R + 1)
        planes = np.array([along[:, [other for other in range(3) if other != axis]] for axis in range(3)])
        return Evaluation(
            iteration,
            float(np.abs(planes - self._curves).mean()),
            float(np.abs(np.mean(means, axis=0) - self._means).max()),
        )

    def _volume_channels(self, volume: torch.Tensor) -> list[Array]:
        """Indicators of phases, or intensities from 0 to 1."""
        if self._kind is not OutputKind.PHASES:
            return list(volume.float().cpu().numpy())
        labels = volume.argmax(dim=0).to(torch.uint8).cpu().numpy()
        return [labels == phase for phase in range(self._channels)]

    def _of_source(self, data: TrainingData, source: int) -> tuple[Floats, Floats]:
        """Mean (C,) of each channel of the images of a source, and its correlations (C, 2, R + 1) down and across."""
        means, curves, weights = [], [], []
        for piece in data.pieces(source):
            stack = piece[:: -(-piece.shape[0] * piece.shape[1] * piece.shape[2] // _MOST_PIXELS)]
            lines = -(-stack.shape[1] * stack.shape[2] // _MOST_PIXELS)  # of one very large image not every line
            across = self._image_channels(stack[:, ::lines], data)
            down = across if lines == 1 else self._image_channels(stack[:, :, ::lines], data)
            means.append([channel.mean(dtype=np.float64) for channel in across])
            curves.append([[self._curve(d, 1), self._curve(a, 2)] for d, a in zip(down, across, strict=True)])
            weights.append(piece.shape[1] * piece.shape[2])
        return np.average(means, 0, weights), np.average(curves, 0, weights)

    def _image_channels(self, stack: Array, data: TrainingData) -> list[Array]:
        if data.kind is OutputKind.PHASES:
            return [stack == phase for phase in range(data.channels)]
        low, high = data.levels
        scaled = ((stack.astype(np.float32) - low) / (high - low)).clip(0, 1)
        return list(np.moveaxis(scaled, -1, 0))

    def _curve(self, channel: Array, axis: int) -> Floats:
        if self._flag and self._flag.is_set():
            raise Interrupted
        correlate = two_point_correlation if self._kind is OutputKind.PHASES else mean_products
        return correlate(channel, axis, self._reach)

    def _directed(self, curves: Floats, transpose: bool) -> Floats:
        """Correlations (C, 2, R + 1) of an image along the two axes, in array order, of the planes it stands for."""
        if len(set(self._views)) == 1:  # the material is alike in all directions, whatever chance made of the image
            return np.repeat(curves.mean(axis=1, keepdims=True), 2, axis=1)
        return curves[:, ::-1] if transpose else curves


class Evaluator:
    """Evaluates a training now and then, so that all of it takes a small part of the training time.

    Parameters
    ----------
    data : TrainingData
        The micrographs.
    network : NetworkConfig
        The networks that are trained on them.
    iterations : int
        Generator updates between two evaluations; 0 means never.
    clock : Clock
        Of the training.

    Attributes
    ----------
    newest : Evaluation or None
        The last one.
    """

    def __init__(self, data: TrainingData, network: NetworkConfig, iterations: int, clock: Clock) -> None:
        self._data, self._network, self._iterations = data, network, iterations
        self.newest: Evaluation | None = None
        self._held_out: HeldOut | None = None  # made when it is needed: the micrographs may be large
        self._aside = Aside("held-out errors", clock, iterations > 0)

    def is_due(self, iteration: int) -> bool:
        """Whether it is time for an evaluation."""
        return self._aside.is_affordable and iteration - self._last >= self._iterations

    def is_due_at_end(self, iteration: int, is_stopped: bool) -> bool:
        """Whether to make a last one: always at the end, at a stop if nobody has to wait for it."""
        return iteration != self._last and self._aside.is_due_at_end(is_stopped)

    def evaluate(self, generator: Generator, iteration: int, flag: Flag, begin: float) -> Evaluation | None:
        """Evaluate a snapshot of the generator, whose making has begun at a time (`time.monotonic`).

        Parameters
        ----------
        generator : Generator
            The snapshot.
        iteration : int
            Updates that made it.
        flag : Flag
            Interrupts the evaluation.
        begin : float
            When its making has begun.

        Returns
        -------
        Evaluation or None
            None if it was interrupted, or has failed; then there is never one again.
        """

        def work() -> Evaluation:
            if self._held_out is None:
                self._held_out = HeldOut(self._data, self._network, flag)
            with interrupted_by(flag, generator):
                return self._held_out.evaluate(generator.eval(), iteration)

        found = self._aside.do(work, begin)
        self.newest = found or self.newest
        return found

    @property
    def _last(self) -> int:
        return self.newest.iteration if self.newest else 0
