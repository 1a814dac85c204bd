"""``napari-slicegan generate``."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

import numpy as np

from napari_slicegan.cli.progress import Bar
from napari_slicegan.cli.tables import intensity_rows, phase_rows, print_table
from napari_slicegan.core.config import OutputKind
from napari_slicegan.core.io import check_writable, write_volume
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.writing import TIFF_SUFFIXES


def run(args: argparse.Namespace) -> int:
    """Generate a volume and write it."""
    check_writable(args.out, suffixes=TIFF_SUFFIXES)
    model = SliceGAN.load(args.model, args.device)
    volume = generate_and_write(model, tuple(args.shape), Path(args.out), seed=args.seed, periodic=args.periodic)
    phases = model.info.phases
    rows = phase_rows([volume], phases) if phases else intensity_rows([volume])
    print_table(["", "volume"], rows)
    print(f"Look at it: {shlex.join(['napari', args.out])}")
    return 0


def generate_and_write(
    model: SliceGAN,
    shape: tuple[int, int, int],
    path: Path,
    seed: int = 0,
    periodic: str = "",
) -> np.ndarray:
    """Generate a volume with a progress bar, write it with its voxel size, and say so.

    Parameters
    ----------
    model : SliceGAN
        What generates.
    shape : (int, int, int)
        Voxels along z, y, x.
    path : Path
        New TIFF file.
    seed : int
        The same seed gives the same volume.
    periodic : str
        Axes along which it repeats.

    Returns
    -------
    array (Z, Y, X) or (Z, Y, X, 3)
        The volume.
    """
    info = model.info
    with Bar() as bar:
        volume = model.generate(shape, seed, periodic, lambda fraction: bar.show(fraction, "generating"))
    labels = info.kind is OutputKind.PHASES
    write_volume(path, volume, info.voxel_size, info.unit, labels=labels)
    known = info.unit != "pixel"
    size = f"{info.voxel_size:g} {info.unit}" if known else "unknown size"
    print(f"Wrote {path}: {' x '.join(map(str, shape))} voxels of {size}, {info.kind}.")
    return volume
