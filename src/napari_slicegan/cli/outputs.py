"""What `generate` is to write: a volume for each seed, and perhaps the surface of a phase of it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.output.formats import OME_ZARR, format_of
from napari_slicegan.core.output.places import check_output, part_of
from napari_slicegan.core.output.reading import check_same
from napari_slicegan.core.volume.request import VolumeRequest
from napari_slicegan.core.volume.surface import check_surface

if TYPE_CHECKING:
    from napari_slicegan.core.model import SliceGAN

_SEED = "{seed}"


@dataclass(frozen=True)
class Surface:
    """The surface of a phase, and its file."""

    phase: int
    path: Path

    def is_finished(self, resume: bool) -> bool:
        """Whether it is to be gone on with and is there already."""
        return resume and self.path.exists()


@dataclass(frozen=True)
class Output:
    """A volume, its file, and what else is made of it."""

    request: VolumeRequest
    path: Path
    surface: Surface | None

    def is_finished(self, resume: bool) -> bool:
        """Whether it is to be gone on with and is complete already."""
        return resume and self.path.exists() and not part_of(self.path).exists()


def outputs_of(args: argparse.Namespace) -> list[Output]:
    """What the options ask for.

    Raises
    ------
    ModelError
        There is no such volume.
    OutputError
        The names do not go with the seeds, or with other options.
    """
    if args.dask and format_of(args.out) is not OME_ZARR:
        raise OutputError(f"A Dask cluster writes OME-Zarr: let {args.out} end in .ome.zarr, or leave out --dask.")
    repeated = {seed for seed in args.seed if args.seed.count(seed) > 1}
    if repeated:
        raise OutputError(f"The seed {repeated.pop()} is given twice.")
    phase, name = args.surface or (None, _SEED)
    for each in (args.out, name):
        if len(args.seed) > 1 and _SEED not in each:
            raise OutputError(f"Several seeds need several names: put {{seed}} into {each}, as in volume-{{seed}}.tif.")
    outputs = []
    for seed in args.seed:
        request = VolumeRequest(args.shape, seed, args.origin, args.periodic, args.precision)
        surface = None if phase is None else Surface(_phase(phase), _named(name, seed))
        outputs.append(Output(request, _named(args.out, seed), surface))
    return outputs


def check_outputs(outputs: list[Output], resume: bool, model: SliceGAN | None = None) -> None:
    """Find out before any work whether all can be made and written.

    Parameters
    ----------
    outputs : list of Output
        What is to be written.
    resume : bool
        Whether to go on with what is there.
    model : SliceGAN, optional
        What generates; without it only the names are looked at.

    Raises
    ------
    OutputError
        A name is taken or impossible, a folder is missing, the disk is too small, or there is no such phase.
    ModelError
        The model cannot make such a volume.
    """
    needed = 0
    for output in outputs:
        description = model.describe(output.request) if model else None
        if output.is_finished(resume):
            if description:
                check_same(output.path, description)
        else:
            needed += check_output(output.path, description, resume=resume, besides=needed)
        surface = output.surface
        if surface and not surface.is_finished(resume):
            check_surface(surface.path, surface.phase, model.info.phases if model else None)


def _named(name: str, seed: int) -> Path:
    return Path(name.replace(_SEED, str(seed)))


def _phase(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise OutputError(f"--surface takes the label of a phase and a file, but {text!r} is no label.") from None
