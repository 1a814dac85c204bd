"""Peak memory and speed of streaming volumes of several sizes, each in a process of its own.

    python benchmarks/memory.py [--edges 256 1024] [--format .ome.zarr] [--model RUN] [--folder DIR]

The network is that of Table 1 with random weights unless a model is given. The volumes go to a temporary folder, which
needs room for the largest (1.1 GB for 1024^3 uncompressed), and are removed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHILD = "--child"


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


def main(args: argparse.Namespace) -> None:
    """Measure every size in a fresh process."""
    print(f"{args.format}\n| volume | peak memory of the process | time | voxels |\n|---|---|---|---|", flush=True)
    for edge in args.edges:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            path = str(Path(folder) / f"volume{args.format}")
            command = [sys.executable, __file__, CHILD, str(edge), path, args.model]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == [CHILD]:
        stream_one(int(sys.argv[2]), sys.argv[3], sys.argv[4])
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--edges", type=int, nargs="+", default=[256, 1024])
        parser.add_argument("--format", default=".ome.zarr")
        parser.add_argument("--model", default="", help="a trained model or run")
        parser.add_argument("--folder", help="where the volumes go while they are measured")
        main(parser.parse_args())
