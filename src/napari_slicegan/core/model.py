"""A trained generator and all that is needed to use it; saved as safetensors with a JSON header."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch
from safetensors.torch import save as to_bytes

from napari_slicegan.core.choices import Precision
from napari_slicegan.core.device import choose_device
from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.files import MODEL, write_atomically
from napari_slicegan.core.machine import Machine
from napari_slicegan.core.model_header import HEADER
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.output.sinks.base import VolumeDescription
from napari_slicegan.core.precision import resolved
from napari_slicegan.core.runs.lock import is_locked
from napari_slicegan.core.sample_models import model_path, sample_models
from napari_slicegan.core.volume.evaluation import Evaluation
from napari_slicegan.core.volume.generation import Generation
from napari_slicegan.core.volume.request import VolumeRequest
from napari_slicegan.core.weights import find_model, generator_with, read_weights


class SliceGAN:
    """A generator of volumes of one material.

    Parameters
    ----------
    generator : Generator
        The trained network.
    info : ModelInfo
        What it is.
    """

    def __init__(self, generator: Generator, info: ModelInfo) -> None:
        self.generator = generator.eval().requires_grad_(False)
        self.info = info
        self._evaluations: dict[Precision, Evaluation] = {}

    def generate(
        self,
        shape: tuple[int, int, int],
        seed: int = 0,
        periodic: str = "",
        progress: Callable[[float], None] | None = None,
        *,
        origin: tuple[int, int, int] = (0, 0, 0),
        precision: Precision | str = Precision.EXACT,
    ) -> npt.NDArray[Any]:
        """Generate a box of the endless volume that a seed defines.

        Parameters
        ----------
        shape : (int, int, int)
            Voxels along z, y, x; any numbers from 1.
        seed : int
            Which endless volume. A voxel of it has the same value in whatever box it is asked for.
        periodic : str
            Axes along which the volume repeats without a seam, for example "zy"; its size along these is a multiple
            of the generator's scale (32 voxels for Table 1).
        progress : callable, optional
            Is called with the finished fraction from time to time; what it raises ends the work.
        origin : (int, int, int)
            Where the box begins, in voxels along z, y, x; may be negative.
        precision : Precision or str
            "exact", "fast" (16 bits) or "auto" (fast where the device computes in 16 bits itself).

        Returns
        -------
        array (Z, Y, X) or (Z, Y, X, 3)
            Labels as in the training image in the smallest integer type that holds them, or uint8 intensities.

        Raises
        ------
        ModelError
            The shape cannot be made or does not fit into memory.
        """
        return self.generation(VolumeRequest(shape, seed, origin, periodic, Precision(precision))).whole(progress)

    def to_dask(
        self,
        shape: tuple[int, int, int],
        seed: int = 0,
        periodic: str = "",
        *,
        origin: tuple[int, int, int] = (0, 0, 0),
        precision: Precision | str = Precision.EXACT,
        chunks: int | None = None,
    ) -> Any:
        """Describe a box as a dask array whose chunks are made where and when they are needed.

        Parameters
        ----------
        shape : (int, int, int)
            Voxels along z, y, x.
        seed : int
            Which endless volume.
        periodic : str
            Axes along which the volume repeats.
        origin : (int, int, int)
            Where the box begins, in voxels along z, y, x.
        precision : Precision or str
            "exact", "fast" or "auto"; "auto" is decided here and not by each worker.
        chunks : int, optional
            Edge of a chunk in voxels; by default the chunks are the tiles in which volumes are made.

        Returns
        -------
        dask.array.Array (Z, Y, X) or (Z, Y, X, 3)
            The same voxels as `generate` gives.

        Raises
        ------
        ModelError
            The volume cannot be made, or dask is not installed.
        """
        from napari_slicegan.core.cluster.engine import to_dask

        return to_dask(self, VolumeRequest(shape, seed, origin, periodic, Precision(precision)), chunks)

    def generation(self, request: VolumeRequest) -> Generation:
        """Prepare to make a volume, in memory or piece by piece.

        Raises
        ------
        ModelError
            The volume cannot be made.
        """
        return Generation(self.evaluation(request.precision), self.resolved(request))

    def describe(self, request: VolumeRequest) -> VolumeDescription:
        """Tell what a file of a volume must know of it."""
        made, info = self.generation(request), self.info
        provenance = self.history(made.request)
        z, y, x = (start * info.voxel_size for start in made.request.origin)
        voxels = (made.shape, made.dtype, info.kind, info.phases, info.voxel_size, info.unit, made.tiles.edge)
        return VolumeDescription(*voxels, provenance, info.phase_names, info.phase_colours, (z, y, x))

    def history(self, request: VolumeRequest) -> dict[str, Any]:
        """Say where a volume comes from, as plain values: all that it takes to make it again, and the training."""
        made = {"request": self.resolved(request).to_dict(), "model": self.fingerprint}
        return self.info.history(**made, machine=Machine.here(self.device).to_dict())

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the weights and of what a voxel is: equal for models that make equal volumes."""
        digest = hashlib.sha256(json.dumps([asdict(self.info.network), self.info.phases, self.info.levels]).encode())
        for name, tensor in sorted(self.generator.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def resolved(self, request: VolumeRequest) -> VolumeRequest:
        """The request with "auto" turned into what this device does."""
        return replace(request, precision=resolved(request.precision, self.device))

    def evaluation(self, precision: Precision) -> Evaluation:
        """The generator as it is evaluated; kept, since preparing it takes as long as a tile."""
        precision = resolved(precision, self.device)
        if precision not in self._evaluations:
            self._evaluations[precision] = Evaluation(self.generator, self.info.phases, self.info.levels, precision)
        return self._evaluations[precision]

    @property
    def device(self) -> torch.device:
        """Where the generator is."""
        return next(self.generator.parameters()).device

    def save(self, path: str | Path, *, half: bool = False) -> None:
        """Write a safetensors file; an existing file is replaced at the very end.

        Parameters
        ----------
        path : path
            The file.
        half : bool
            Whether to keep only 16 bits of each weight of the layers: half the size, and a few voxels in 100,000
            become another phase.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        tensors = {name: tensor.cpu().contiguous() for name, tensor in self.generator.state_dict().items()}
        if half:  # the vectors are short, and variances may be too large or too small for 16 bits
            tensors = {name: tensor.half() if tensor.ndim > 1 else tensor for name, tensor in tensors.items()}
        content = to_bytes(tensors, metadata={HEADER: self.info.to_json()})
        write_atomically(Path(path), lambda file: file.write(content))

    @classmethod
    def load(cls, path: str | Path, device: str = "auto") -> SliceGAN:
        """Read a model file, a checkpoint or the model of a run's directory. Nothing in it is ever executed.

        "sample:cathode" and the like are the generators that come with the package.

        Raises
        ------
        ModelError
            There is no model at this place, it is damaged, or it comes from a newer version.
        """
        file = find_model(model_path(path))
        header, weights = read_weights(file)
        info = ModelInfo.from_json(header)
        return cls(generator_with(weights, info.network, file).to(choose_device(device)), info)


def save_card(path: str | Path, card: dict[str, str]) -> None:
    """Write what its author says of a model into its file, and change nothing else of it.

    Parameters
    ----------
    path : path
        A model file, or the directory of a run that has one.
    card : dict
        See `ModelInfo`.

    Raises
    ------
    ModelError
        There is no model file, or it is damaged.
    OutputError
        The file cannot be written, or belongs to the package or to a run that is being trained.
    """
    path = Path(path)
    file = path / MODEL if path.is_dir() else path
    if file in sample_models().values():
        raise OutputError(f"{file.stem} comes with the package: choose Save as… first, and say it of your copy.")
    if is_locked(file.parent):
        raise OutputError(f"{file.parent.name} is being trained: save the texts when it has ended, or with Save as…")
    model = SliceGAN.load(file, "cpu")
    model.info = replace(model.info, card=card)
    model.save(file)
