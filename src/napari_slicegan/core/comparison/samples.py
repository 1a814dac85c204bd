"""Volumes that are compared: from files, layers or a model; as bytes on one scale with the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError

if TYPE_CHECKING:
    from napari_slicegan.core.model import SliceGAN

SMALLEST = 16
"""Voxels along each edge without which a volume tells nothing."""


@dataclass(frozen=True)
class Volume:
    """A volume as it comes.

    Attributes
    ----------
    voxels : array or lazy array (Z, Y, X) or (Z, Y, X, 3)
        Labels or intensities; of a lazy one only the part that is looked at is read.
    voxel_size : float
        Edge of a voxel in `unit`.
    unit : str
        For example "um"; "pixel" when the size is not known.
    name : str
        For people.
    provenance : dict
        Where it comes from; plain JSON.
    """

    voxels: Any
    voxel_size: float = 1.0
    unit: str = "pixel"
    name: str = "volume"
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along z, y, x.

        Raises
        ------
        DataError
            It is no volume.
        """
        shape = self.voxels.shape
        if len(shape) not in (3, 4):
            raise DataError(f"{self.name} has the shape {shape}: give a volume with the axes z, y, x.")
        return shape[0], shape[1], shape[2]


class ModelVolumes:
    """Volumes that a model makes, one after the other.

    Parameters
    ----------
    model : SliceGAN
        Makes them.
    seeds : sequence of int
        One for each volume.
    shape : (int, int, int)
        Voxels along z, y, x.
    name : str
        Of the model, for people.

    Attributes
    ----------
    shape, voxel_size, unit
        Of all volumes, as for `Volume`.
    """

    def __init__(self, model: SliceGAN, seeds: Sequence[int], shape: tuple[int, int, int], name: str = "model") -> None:
        self._model, self._seeds, self.shape, self.name = model, tuple(seeds), shape, name

        self.voxel_size, self.unit = model.info.voxel_size, model.info.unit

    def __len__(self) -> int:
        return len(self._seeds)

    def __iter__(self) -> Iterator[Volume]:
        return (self.make(number) for number in range(len(self)))

    def check_kind(self, data: TrainingData) -> None:
        """Refuse a model of another material than the truth before it makes anything.

        Raises
        ------
        DataError
            Its voxels are of another kind, or it has phases that the truth has not.
        """
        info = self._model.info
        if info.kind is not data.kind:
            raise DataError(
                f"{self.name} makes {info.kind}, and the truth shows {data.kind}: name the kind, or change one."
            )
        if set(info.phases) - set(data.phases):
            mine, theirs = (", ".join(map(str, phases)) for phases in (info.phases, data.phases))
            raise DataError(
                f"{self.name} makes the phases {mine}, but those of the truth are {theirs}: relabel the image."
            )

    def make(self, number: int, progress: Callable[[float], None] | None = None) -> Volume:
        """Make one of the volumes; `progress` takes the finished fraction, and what it raises ends the work."""
        info, seed = self._model.info, self._seeds[number]
        voxels = self._model.generate(self.shape, seed, progress=progress)
        provenance = info.history(model=self._model.fingerprint, seed=seed)
        return Volume(voxels, info.voxel_size, info.unit, f"{self.name}, seed {seed}", provenance)


def read_volume(path: Path) -> Volume:
    """Open a volume from a file, without reading all of it where that is possible.

    Parameters
    ----------
    path : Path
        Anything that this package writes, or a 3D image.

    Returns
    -------
    Volume
        With its voxel size, where the file knows it.

    Raises
    ------
    DataError
        It cannot be read, or is not 3D.
    """
    from napari_slicegan.core.io import read_image
    from napari_slicegan.core.output.formats import OME_ZARR, format_of
    from napari_slicegan.core.output.reading import open_volume, provenance_of, voxel_size

    if path.suffix.lower() in (".raw", ".vti") or path.is_dir():
        try:
            voxels = open_volume(path)
            size, unit = voxel_size(path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path} cannot be read as a volume ({error}): give a volume or a model.") from None
        if format_of(path) is OME_ZARR and len(voxels.shape) == 4:
            voxels = np.moveaxis(np.asarray(voxels), 0, -1)  # colours come first there
        return Volume(voxels, size, unit, path.name, provenance_of(path))
    file = read_image(path)
    if not file.axes.startswith("Z"):
        raise DataError(f"{path.name} is a 2D image: give a volume, or a model.")
    size, unit = file.pixel_size or 1.0, file.unit or "pixel"
    if unit == "pixel" and not size.is_integer():  # whole ones are of images that were shrunk
        return Volume(file.array, name=path.name)
    return Volume(file.array, size, unit, path.name)
