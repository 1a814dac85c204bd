"""The formats that a volume is written in as it is made, told apart by the ending of the name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.output.sinks.base import Sink, VolumeDescription

_BEST_COMPRESSION = {True: 50, False: 3}  # more is not to be hoped for of labels of real materials, and of intensities

MakeSink = Callable[[Path, VolumeDescription, bool], Sink]


@dataclass(frozen=True)
class Format:
    """One kind of file.

    Attributes
    ----------
    name : str
        For people.
    suffixes : tuple of str
        Endings of its names.
    make : callable
        Gives the sink for (part, description, resume).
    resumable : bool
        Whether a volume that was broken off can be gone on with.
    compressed : bool
        Whether it takes less room than the voxels.
    finishing : float
        About the part of the whole work that follows after the last piece.
    companion : str
        Ending of a second file, behind the whole name of the first; none when empty.
    in_memory : bool
        Whether the whole volume is held in memory until it is written.
    viewer : str
        A program that shows it; none when empty.
    """

    name: str
    suffixes: tuple[str, ...]
    make: MakeSink
    resumable: bool = True
    compressed: bool = False
    finishing: float = 0.0
    companion: str = ""
    in_memory: bool = False
    viewer: str = "napari"

    def smallest(self, nbytes: int, labels: bool) -> int:
        """Bytes on the disk without which a volume of so many bytes, of labels or intensities, cannot be written."""
        return nbytes // _BEST_COMPRESSION[labels] if self.compressed else nbytes

    def companion_of(self, path: Path) -> Path | None:
        """The second file that belongs to a volume of this format."""
        return path.with_name(path.name + self.companion) if self.companion else None


def _tiff(part: Path, description: VolumeDescription, resume: bool) -> Sink:
    from napari_slicegan.core.output.sinks.contiguous import tiff_sink

    return tiff_sink(part, description, resume)


def _ome_tiff(part: Path, description: VolumeDescription, resume: bool) -> Sink:
    from napari_slicegan.core.output.sinks.contiguous import ome_tiff_sink

    return ome_tiff_sink(part, description, resume)


def _npy(part: Path, description: VolumeDescription, resume: bool) -> Sink:
    from napari_slicegan.core.output.sinks.contiguous import npy_sink

    return npy_sink(part, description, resume)


def _raw(part: Path, description: VolumeDescription, resume: bool) -> Sink:
    from napari_slicegan.core.output.sinks.contiguous import raw_sink

    return raw_sink(part, description, resume)


def _ome_zarr(part: Path, description: VolumeDescription, resume: bool) -> Sink:
    from napari_slicegan.core.output.sinks.ome_zarr import OmeZarrSink

    return OmeZarrSink(part, description, resume)


def _vti(part: Path, description: VolumeDescription, resume: bool) -> Sink:
    from napari_slicegan.core.output.sinks.vti import VtiSink

    return VtiSink(part, description, resume)


OME_ZARR = Format("OME-Zarr", (".ome.zarr",), _ome_zarr, compressed=True, finishing=0.05)
FORMATS = (
    Format("TIFF", (".tif", ".tiff"), _tiff),
    Format("OME-TIFF", (".ome.tif", ".ome.tiff"), _ome_tiff),
    OME_ZARR,
    Format("NPY", (".npy",), _npy, companion=".json"),
    Format("raw", (".raw",), _raw, companion=".json", viewer=""),
    Format("VTI", (".vti",), _vti, resumable=False, compressed=True, finishing=0.05, in_memory=True, viewer="paraview"),
)
SUFFIXES = tuple(suffix for each in FORMATS for suffix in each.suffixes)


def format_of(path: str | os.PathLike[str]) -> Format:
    """The format that the ending of a name asks for.

    Raises
    ------
    OutputError
        There is no such format.
    """
    name = Path(path).name.lower()
    endings = {suffix: each for each in FORMATS for suffix in each.suffixes if name.endswith(suffix) and name != suffix}
    if endings:
        return endings[max(endings, key=len)]
    raise OutputError(f"{path!s:.200} must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}.")
