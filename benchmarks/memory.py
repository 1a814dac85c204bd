"""Peak memory and speed of streaming volumes of several sizes, or of trainings, each in a process of its own.

    python benchmarks/memory.py [--edges 256 1024] [--format .ome.zarr] [--model RUN] [--folder DIR]
    python benchmarks/memory.py --train quick large paper

The network is that of Table 1 with random weights unless a model is given. The volumes go to a temporary folder, which
needs room for the largest (1.1 GB for 1024^3 uncompressed), and are removed. Trainings are a few iterations long, the
published one a single one with one update of the discriminator, with an evaluation and a checkpoint.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHILD, TRAIN = "--child", "--train"


def peak() -> int:
    """The most memory that this process has had, in bytes, as Linux tells it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def stream_one(edge: int, path: str, model_path: str) -> None:
    """Stream one volume and print what it took."""
    from generation import untrained

    from napari_slicegan.core.model import SliceGAN
    from napari_slicegan.core.output.streaming import stream
    from napari_slicegan.core.volume.request import VolumeRequest

    model = SliceGAN.load(model_path, "cpu") if model_path else untrained()
    start = time.perf_counter()
    stream(model, VolumeRequest((edge, edge, edge)), path)
    seconds = time.perf_counter() - start
    print(
        f"| {edge}^3 | {peak() / 1e6:.0f} MB | {seconds:.0f} s | {edge**3 / seconds / 1e6:.2f} million/s |", flush=True
    )


def train_one(name: str, path: str) -> None:
    """Train a little with a preset and print what it took."""
    from dataclasses import replace

    from napari_slicegan.core import synthetic
    from napari_slicegan.core.data import TrainingData
    from napari_slicegan.core.presets import preset_named
    from napari_slicegan.core.training import Trainer
    from napari_slicegan.core.training_estimate import training_bytes

    preset, data = preset_named(name), TrainingData.from_images(synthetic.make_micrographs("cathode")[0])
    before, count = peak(), 1 if name == "paper" else 10
    recipe = replace(preset.training, iterations=count, minutes=0, discriminator_steps=1, evaluation_iterations=count)
    for _ in Trainer(data, preset.network, recipe, "cpu", path):
        pass
    expected = training_bytes(data, preset.network, preset.training, "cpu")
    print(
        f"| {name} | {peak() / 1e6:.0f} MB | {(peak() - before) / 1e6:.0f} MB | {expected / 1e6:.0f} MB |", flush=True
    )


def train_all(args: argparse.Namespace) -> None:
    """Measure every preset in a fresh process."""
    print("| preset | peak memory of the process | of which training | estimate |\n|---|---|---|---|", flush=True)
    for name in args.train:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            path = str(Path(folder) / "checkpoint.pt")
            subprocess.run([sys.executable, __file__, CHILD, TRAIN, name, path], check=True)


def main(args: argparse.Namespace) -> None:
    """Measure every size in a fresh process."""
    print(f"{args.format}\n| volume | peak memory of the process | time | voxels |\n|---|---|---|---|", flush=True)
    for edge in args.edges:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            path = str(Path(folder) / f"volume{args.format}")
            command = [sys.executable, __file__, CHILD, str(edge), path, args.model]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    if sys.argv[1:3] == [CHILD, TRAIN]:
        train_one(*sys.argv[3:])
    elif sys.argv[1:2] == [CHILD]:
        stream_one(int(sys.argv[2]), sys.argv[3], sys.argv[4])
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--edges", type=int, nargs="+", default=[256, 1024])
        parser.add_argument("--format", default=".ome.zarr")
        parser.add_argument("--model", default="", help="a trained model or run")
        parser.add_argument("--folder", help="where the volumes go while they are measured")
        parser.add_argument(TRAIN, nargs="+", metavar="PRESET", help="measure trainings instead")
        options = parser.parse_args()
        (train_all if options.train else main)(options)
