"""How faithful a model is that was trained on slices of a volume: every row, against the volume itself.

    python benchmarks/fidelity.py VOLUME.tif --planes z [--minutes 4] [--names pore particle binder] [--out DIR]
    python benchmarks/fidelity.py VOLUME.tif --planes z y

Trains as the demo does (preset quick) on the middle slice normal to z, or on it and on a side view normal to y or x
whose rows are along z, generates volumes of seeds that the training never saw, and compares them with the volume.
Prints a table in Markdown; `--out` also gets the whole report. `--model` judges a model that is there already.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_slicegan.cli import main as cli
from napari_slicegan.core.comparison.compare import compare
from napari_slicegan.core.comparison.config import ComparisonConfig
from napari_slicegan.core.comparison.report import write_report
from napari_slicegan.core.comparison.result import Comparison, Estimate, Row
from napari_slicegan.core.comparison.samples import ModelVolumes, read_volume
from napari_slicegan.core.model import SliceGAN

_AXES = "zyx"


def train(volume: np.ndarray, planes: list[str], minutes: float, folder: Path) -> Path:
    """Train on middle slices; gives the directory of the run."""
    paths = []
    for axis in planes:
        paths.append(str(folder / f"{axis}.npy"))
        np.save(paths[-1], volume.take(volume.shape[_AXES.index(axis)] // 2, axis=_AXES.index(axis)))
    run = folder / "run"
    code = cli(["train", *paths, "--out", str(run), "--preset", "quick", "--minutes", str(minutes)])
    if code:
        sys.exit(code)
    return run


def table(comparison: Comparison) -> list[str]:
    """The rows in Markdown."""
    heading = (
        "Quantity",
        "Truth",
        "its spread",
        "Generated",
        "their spread",
        "Difference",
        "apart",
        "in spreads",
        "Noise",
    )
    lines = [heading, ("---",) * len(heading), *map(_cells, comparison.rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def _cells(row: Row) -> Sequence[str]:
    name = f"{row.name} ({row.unit})" if row.unit else row.name
    found, noise = row.judgement, row.of_random
    numbers = [_short(found.difference), _short(found.multiple), _short(found.natural), _short(noise.natural)]
    if row.truth is None or row.volumes is None:
        numbers = [row.note, "", "", ""]
    return [name.replace("|", "and"), *_pair(row.truth), *_pair(row.volumes), *numbers]


def _pair(known: Estimate | None) -> tuple[str, str]:
    return ("", "") if known is None else (_short(known.value), _short(known.spread))


def _short(number: float) -> str:
    return f"{number:.3g}" if math.isfinite(number) else ""


def main() -> None:
    """Train, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("volume", type=Path)
    parser.add_argument("--planes", nargs="+", choices=tuple(_AXES), default=["z"])
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--slow-edge", type=int, default=64)
    parser.add_argument("--names", nargs="+", default=())
    parser.add_argument("--model", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    truth = read_volume(arguments.volume)
    with tempfile.TemporaryDirectory() as folder:
        run = arguments.model or train(truth.voxels, arguments.planes, arguments.minutes, Path(folder))
        model = SliceGAN.load(run)
    volumes = ModelVolumes(model, range(1000, 1000 + arguments.seeds), (128, 128, 128), "quick")
    comparison = compare(truth, volumes, ComparisonConfig(slow_edge=arguments.slow_edge), _say, arguments.names)
    print("\n".join(table(comparison)))
    if arguments.out:
        write_report(comparison, arguments.out)


def _say(fraction: float, doing: str) -> None:
    print(f"\r{fraction:4.0%} {doing:70}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
