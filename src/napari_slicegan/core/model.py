"""A trained generator and all that is needed to use it; saved as safetensors with a JSON header."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from napari_slicegan.core.config import NetworkConfig, OutputKind
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.device import choose_device
from napari_slicegan.core.errors import ModelError, SliceGANError
from napari_slicegan.core.files import CHECKPOINT, MODEL, read_checkpoint, write_atomically
from napari_slicegan.core.generation import generate
from napari_slicegan.core.networks import Generator

FORMAT = 1
HEADER = "napari-slicegan"
_NOT_A_MODEL = "is not a model of napari-slicegan"


@dataclass(frozen=True)
class ModelInfo:
    """What a model is and where it comes from.

    Attributes
    ----------
    network : NetworkConfig
        The layers of its generator, and what a voxel is.
    phases : tuple of int
        The label of each phase; empty for grey and colour.
    voxel_size : float
        Edge of a voxel in `unit`.
    unit : str
        For example "um"; "pixel" when the size is not known.
    provenance : dict
        Training images, settings, iterations and the like; for people to read.
    levels : (float, float)
        The intensities that the generator's 0 and 1 stand for.
    """

    network: NetworkConfig
    phases: tuple[int, ...] = ()
    voxel_size: float = 1.0
    unit: str = "pixel"
    provenance: dict[str, Any] = field(default_factory=dict)
    levels: tuple[float, float] = (0.0, 255.0)

    @property
    def kind(self) -> OutputKind:
        """What a voxel is: a phase, a grey level or a colour."""
        return self.network.output

    @classmethod
    def of(cls, data: TrainingData, network: NetworkConfig, **provenance: Any) -> ModelInfo:
        """Describe a model of these training images."""
        record = {"images": list(data.names), "fingerprint": data.fingerprint, **provenance}
        return cls(network, data.phases, data.pixel_size, data.unit, record, data.levels)

    def to_json(self) -> str:
        """Write as the JSON text of a model file's header."""
        return json.dumps({"format": FORMAT, **asdict(self)})

    @classmethod
    def from_json(cls, text: str) -> ModelInfo:
        """Read what `to_json` wrote.

        Raises
        ------
        ModelError
            The text is no header of a model, or one of a newer format.
        """
        try:
            fields = json.loads(text)
            version = fields.pop("format")
            if not isinstance(version, int) or version > FORMAT:
                raise ModelError(
                    f"The model has the format {version}, but this version of napari-slicegan reads formats up to "
                    f"{FORMAT}: install a newer napari-slicegan."
                )
            phases = tuple(map(int, fields.pop("phases")))
            low, high = map(float, fields.pop("levels"))
            info = cls(network=NetworkConfig(**fields.pop("network")), phases=phases, levels=(low, high), **fields)
        except SliceGANError as error:
            raise ModelError(str(error)) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"The header of the model cannot be read ({error}).") from error
        info._check()
        return info

    def _check(self) -> None:
        sizes_are_right = isinstance(self.voxel_size, int | float) and 0 < self.voxel_size < float("inf")
        channels = {OutputKind.GREY: 1, OutputKind.COLOUR: 3}.get(self.kind, len(self.phases))
        if self.network.image_channels != channels or list(self.phases) != sorted(set(self.phases)):
            raise ModelError("The header of the model does not name one label for each of its phases.")
        if self.phases and (self.kind is not OutputKind.PHASES or max(map(abs, self.phases)) >= 2**32):
            raise ModelError("The header of the model names labels that its volumes cannot hold.")
        if not 0 <= self.levels[0] < self.levels[1] <= 255:
            raise ModelError("The header of the model gives no sensible levels of intensity.")
        if not (sizes_are_right and isinstance(self.unit, str) and isinstance(self.provenance, dict)):
            raise ModelError("The header of the model gives no sensible voxel size, unit and provenance.")


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

    def generate(
        self,
        shape: tuple[int, int, int],
        seed: int = 0,
        periodic: str = "",
        progress: Callable[[float], None] | None = None,
    ) -> npt.NDArray[Any]:
        """Generate a volume.

        Parameters
        ----------
        shape : (int, int, int)
            Voxels along z, y, x; any numbers from 1.
        seed : int
            The same seed gives the same volume.
        periodic : str
            Axes along which the volume repeats without a seam, for example "zy"; its size along these is a multiple
            of the generator's scale (32 voxels for Table 1).
        progress : callable, optional
            Is called with the finished fraction from time to time; what it raises ends the work.

        Returns
        -------
        array (Z, Y, X) or (Z, Y, X, 3)
            Labels as in the training image in the smallest integer type that holds them, or uint8 intensities.

        Raises
        ------
        ModelError
            The shape cannot be made or does not fit into memory.
        """
        return generate(self.generator, self.info.phases, self.info.levels, shape, seed, periodic, progress)

    def save(self, path: str | Path) -> None:
        """Write a safetensors file; an existing file is replaced at the very end.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        tensors = {name: tensor.cpu().contiguous() for name, tensor in self.generator.state_dict().items()}
        content = to_bytes(tensors, metadata={HEADER: self.info.to_json()})
        write_atomically(Path(path), lambda file: file.write(content))

    @classmethod
    def load(cls, path: str | Path, device: str = "auto") -> SliceGAN:
        """Read a model file, a checkpoint or the model of a run's directory. Nothing in it is ever executed.

        Raises
        ------
        ModelError
            There is no model at this place, it is damaged, or it comes from a newer version.
        """
        path = Path(path)
        if path.is_dir():
            files = [path / name for name in (MODEL, CHECKPOINT) if (path / name).is_file()]
            path = max(files, key=lambda file: file.stat().st_mtime, default=path)  # a crash may leave an older model
        if not path.is_file():
            raise ModelError(f"There is no model at {path}: give a model file or the directory of a run.")
        if path.name.endswith(".pt"):
            state = read_checkpoint(path)
            header, weights = state.get("info"), state.get("model")
        else:
            header, weights = _read_safetensors(path)
        if not isinstance(header, str) or not isinstance(weights, Mapping):
            raise ModelError(f"{path} {_NOT_A_MODEL}.")
        info = ModelInfo.from_json(header)
        return cls(_generator(info, weights, path).to(choose_device(device)), info)


def _read_safetensors(path: Path) -> tuple[str | None, dict[str, Tensor]]:
    """The JSON header and the weights of a model file."""
    try:
        with safe_open(path, framework="pt") as file:
            header = (file.metadata() or {}).get(HEADER)
            if header is None:
                return None, {}
            return header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(f"{path} {_NOT_A_MODEL}, or it is damaged ({error}).") from error


def _generator(info: ModelInfo, weights: Mapping[str, Tensor], path: Path) -> Generator:
    """A generator with these weights, refused unless every weight is there with its shape and finite."""
    with torch.device("meta"):  # costs no memory until the weights prove to be there
        generator = Generator(info.network)
    expected = {name: (tensor.shape, tensor.dtype) for name, tensor in generator.state_dict().items()}
    tensors = all(isinstance(tensor, Tensor) for tensor in weights.values())
    if not tensors or expected != {name: (tensor.shape, tensor.dtype) for name, tensor in weights.items()}:
        raise ModelError(f"{path} is damaged: its weights do not fit the network that its header describes.")
    if not all(np.isfinite(tensor.float().sum().item()) for tensor in weights.values()):
        raise ModelError(f"{path} holds weights that are not finite: its training has failed; train again.")
    generator.load_state_dict(weights, assign=True)
    return generator
