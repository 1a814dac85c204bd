"""``napari-slicegan demo``."""

from __future__ import annotations

import argparse
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_slicegan.cli.following import announce, follow
from napari_slicegan.cli.generate import write_volume
from napari_slicegan.cli.images import read_training_data
from napari_slicegan.cli.settings import Request
from napari_slicegan.cli.tables import Row, intensity_rows, phase_rows, print_table
from napari_slicegan.cli.train import check_free, start
from napari_slicegan.core import synthetic
from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.comparison.sections import micrograph_correlations
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.figure import comparison
from napari_slicegan.core.files import MODEL, write_atomically
from napari_slicegan.core.io import read_image
from napari_slicegan.core.statistics.correlation import correlations
from napari_slicegan.core.volume.request import VolumeRequest

MATERIAL = "cathode"
EDGE = 128
"""Voxels along each edge of the demo's volume."""
MORE = range(1, 8)
"""Seeds of volumes that are measured with it: one alone may be off as any piece of a material is."""

_REACH = 32  # pixels: the longest distance of the two-point correlations
_PIECES = (1000, 1001)  # seeds of the truth that is compared with, and of another piece of it
_MICROGRAPH, _VOLUME, _FIGURE = "micrograph.tif", "volume.tif", "comparison.png"


def run(args: argparse.Namespace) -> int:
    """Train, generate, compare and show."""
    out = Path(args.out)
    check_free(out)
    own = synthetic.MATERIALS[MATERIAL]
    data = read_training_data(args.image or [str(path) for path in own.paths])
    end = {"minutes": args.minutes}
    current, trainer = start(out, data, Request(preset="quick", end=end), "auto")
    images = args.image or [_keep_micrograph(out, own.paths[0])]
    announce(current, trainer)
    print(f"Training for {args.minutes:g} minutes on {', '.join(images)} into {out}", flush=True)
    code = follow(current, trainer)
    if code:
        print(f"Go on with: {_train_again(images, out)}")
        return code
    write_volume(trainer.model, VolumeRequest((EDGE,) * 3), out / _VOLUME)
    volume = read_image(out / _VOLUME).array
    figure = comparison(data, volume, () if args.image else own.phases)
    write_atomically(out / _FIGURE, lambda file: figure.save(file, "PNG"))
    volumes = np.stack([volume, *(trainer.model.generate((EDGE,) * 3, seed=seed) for seed in MORE)])
    if args.image:
        _compare(data, volumes)
    else:
        _compare_with_truth(data, volumes, own)
    _show_what_next(out, images)
    return 0


def _keep_micrograph(out: Path, path: Path) -> str:
    """Put the package's micrograph where it can be opened and trained on again."""
    return str(shutil.copyfile(path, out / _MICROGRAPH))


def _compare(data: TrainingData, volumes: np.ndarray) -> None:
    """Print what the micrograph, the volume, and several have in common."""
    header, images = ("", "micrograph", "volume", _several(volumes)), [_whole(data), volumes[0], volumes]
    if data.kind is not OutputKind.PHASES:
        print_table(header, intensity_rows(images))
        return
    image = _asked(data)
    texts = _texts("S2 error to the micrograph", image, [None, *_curves(volumes, data)])
    print_table(header, [*phase_rows(images, data.phases), texts])
    _explain_s2(image)


def _compare_with_truth(data: TrainingData, volumes: np.ndarray, material: synthetic.Material) -> None:
    """Print the same for the package's own material, with two independent pieces of its truth."""
    truth, other = (synthetic.truth(material.name, EDGE, seed) for seed in _PIECES)
    rows = phase_rows([_whole(data), volumes[0], volumes, truth, other], data.phases)
    named = [(name, *row[1:]) for name, row in zip(material.phases, rows, strict=True)]
    image, made = _asked(data), _curves(volumes, data)
    true, yardstick = (correlations(array, data.phases, _REACH) for array in (truth, other))
    to_image = _texts("S2 error to the micrograph", image, [None, *made, true, yardstick])
    to_truth = _texts("S2 error to the truth", true, [image, *made, None, yardstick])
    header = ("", "micrograph", "volume", _several(volumes), "3D truth", "another piece")
    print_table(header, [*named, to_image, to_truth])
    _explain_s2(image)
    print("The last two columns are independent pieces of the same material, made by code.")


def _several(volumes: np.ndarray) -> str:
    return f"mean of {len(volumes)}"


def _curves(volumes: np.ndarray, data: TrainingData) -> tuple[np.ndarray, np.ndarray]:
    """Two-point correlations of the first volume, and their mean over all."""
    curves = np.stack([correlations(volume, data.phases, _REACH) for volume in volumes])
    return curves[0], curves.mean(axis=0)


def _texts(name: str, reference: np.ndarray, curves: Sequence[np.ndarray | None]) -> Row:
    return name, *("" if c is None else f"{_error(c, reference):.4f}" for c in curves)


def _explain_s2(image: np.ndarray) -> None:
    noise = image[..., :1] ** 2 + np.zeros_like(image)  # two points know nothing of each other
    noise[..., 0] = image[..., 0]
    print(
        f"S2 error: mean difference of the two-point correlations up to {_REACH} "
        f"pixels;\nnoise of the micrograph's phase fractions would have {_error(noise, image):.4f}."
    )


def _asked(data: TrainingData) -> np.ndarray:
    return micrograph_correlations(data, _REACH)


def _error(curves: np.ndarray, reference: np.ndarray) -> float:
    return float(np.abs(curves - reference).mean())


def _whole(data: TrainingData) -> np.ndarray:
    """All pixels of the training images: labels or grey levels (N,), or colours (N, 1, 3)."""
    if data.kind is OutputKind.COLOUR:
        return np.concatenate([source.reshape(-1, 1, 3) for source in data.sources])
    pixels = np.concatenate([source.ravel() for source in data.sources])
    return np.array(data.phases)[pixels] if data.phases else pixels


def _train_again(images: Sequence[str], out: Path) -> str:
    return shlex.join(["napari-slicegan", "train", *images, "--out", str(out), "--resume"])


def _show_what_next(out: Path, images: Sequence[str]) -> None:
    print(f"\nLook at {out / _FIGURE}, then at the volume: {shlex.join(['napari', str(out / _VOLUME)])}")
    print("  In napari, Plugins > SliceGAN > Generate volume makes others, of any shape:")
    print(f"  press Load… and choose {out / MODEL}; Train SliceGAN beside it trains on a layer.")
    print("  Without a window:")
    print(f"    napari-slicegan generate {shlex.quote(str(out))} --shape 256 256 256 --out larger.tif")
    print(f"    {_train_again(images, out)} --minutes 30")
