"""``napari-slicegan generate``."""

from __future__ import annotations

import argparse
import shlex
import sys
from math import prod
from pathlib import Path

from napari_slicegan.cli.outputs import Surface, check_outputs, outputs_of
from napari_slicegan.cli.progress import Bar, Meter
from napari_slicegan.cli.tables import print_table, tally_rows
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.output.reading import open_volume
from napari_slicegan.core.output.streaming import format_of, journal_of, part_of, stream
from napari_slicegan.core.output.tally import Tally
from napari_slicegan.core.volume.request import VolumeRequest
from napari_slicegan.core.volume.surface import write_surface


def run(args: argparse.Namespace) -> int:
    """Generate volumes and write them."""
    outputs = outputs_of(args)
    check_outputs(outputs, args.resume)
    model = SliceGAN.load(args.model, args.device)
    check_outputs(outputs, args.resume, model)
    for output in outputs:
        if output.is_finished(args.resume):
            print(f"{output.path} exists and is left as it is.")
            journal_of(output.path).unlink(missing_ok=True)  # of a process that was killed in its very last step
        else:
            tally = write_volume(model, output.request, output.path, args.resume, args.dask)
            print_table(["", "volume"], tally_rows(tally, model.info.phases))
        if output.surface and not output.surface.is_finished(args.resume):
            _write_surface(model, output.request, output.path, output.surface)
    _show_what_next([output.path for output in outputs])
    return 0


def write_volume(
    model: SliceGAN, request: VolumeRequest, path: Path, resume: bool = False, scheduler: str | None = None
) -> Tally:
    """Write a volume as it is made, with a progress bar, and say so.

    Parameters
    ----------
    model : SliceGAN
        What generates.
    request : VolumeRequest
        The volume.
    path : Path
        New file; its ending says the format.
    resume : bool
        Whether to go on with what is there.
    scheduler : str, optional
        Address of a Dask cluster that makes it, instead of this process.

    Returns
    -------
    Tally
        What the volume is made of.
    """
    try:
        with Bar() as bar:
            meter = Meter(bar, prod(request.shape))
            if scheduler is None:
                tally = stream(model, request, path, resume=resume, progress=meter)
            else:
                from napari_slicegan.core.cluster.engine import stream_on_cluster

                tally = stream_on_cluster(model, request, path, scheduler, resume=resume, progress=meter)
    except (KeyboardInterrupt, SystemExit):
        if part_of(path).exists():
            print(f"{part_of(path)} is kept: go on with the same command and --resume.", file=sys.stderr)
        raise
    info = model.info
    size = "unknown size" if info.unit == "pixel" else f"{info.voxel_size:g} {info.unit}"
    print(f"Wrote {path}: {' x '.join(map(str, request.shape))} voxels of {size}, {info.kind}.", flush=True)
    return tally


def _write_surface(model: SliceGAN, request: VolumeRequest, path: Path, surface: Surface) -> None:
    info = model.info
    with Bar() as bar:
        volume = open_volume(path, request.shape)
        write_surface(
            surface.path,
            volume,
            surface.phase,
            info.voxel_size,
            info.unit,
            progress=lambda fraction: bar.show(fraction, "surface"),
        )
    print(f"Wrote {surface.path}: the surface of phase {surface.phase}.", flush=True)


def _show_what_next(paths: list[Path]) -> None:
    kind = format_of(paths[0])
    companion = kind.companion_of(paths[0])
    if companion:
        print(f"What its voxels are is in {companion}.")
    if kind.viewer:
        print(f"Look at {'it' if len(paths) == 1 else 'them'}: {shlex.join([kind.viewer, *map(str, paths)])}")
