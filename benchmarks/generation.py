"""Voxels per second of generating, against the plain way: transpose convolutions in one pass over a 192^3 volume.

    python benchmarks/generation.py [--model RUN] [--repeats 5] [--threads N] [--device cpu]

The ways take turns in one process. The plain way is the Table 1 network as torch.nn.ConvTranspose3d layers in float32,
contiguous, in torch.inference_mode, with the argmax to labels; the others are what `generate` does, tile by tile, with
the latent field. With --model (any trained model of phases; its network is timed instead of Table 1's) the labels are
compared, too: without, the weights are random and ties are common.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from plain_loop import PlainGenerator

from napari_slicegan.core.choices import Precision
from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.volume.latent import latent_field
from napari_slicegan.core.volume.request import VolumeRequest
from napari_slicegan.core.volume.tiles import tile_edge

PLAIN_EDGE = 192


@dataclass(frozen=True)
class Way:
    """A way to make voxels: so many in one call, in passes of this edge, with these numbers in each layer."""

    work: Callable[[], object]
    voxels: int
    edge: int
    numbers: tuple[torch.dtype, ...]


def untrained() -> SliceGAN:
    """Table 1 with random weights: as fast as a trained one."""
    generator = Generator(NetworkConfig(), torch.Generator().manual_seed(0))
    return SliceGAN(generator, ModelInfo(generator.config, (0, 1, 2)))


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def matrix_rate(dtype: torch.dtype, device: torch.device) -> float:
    """FLOP per second of the best of ten products of 2048 x 2048 matrices."""
    a = torch.randn(2048, 2048, device=device).to(dtype)
    return 2 * 2048**3 / min(seconds(lambda: a @ a, device) for _ in range(10))


def flop(config: NetworkConfig, edge: int) -> list[float]:
    """Arithmetic of each layer in one pass that gives edge^3 voxels: a multiplication and an addition for each tap."""
    channels = (config.latent_channels, *config.channels, config.image_channels)
    cells = edge // config.geometry.scale + config.geometry.overlap
    counts = []
    for (kernel, stride, padding), before, after in zip(config.layers, channels, channels[1:], strict=False):
        places = cells - kernel // stride + 1
        counts.append(2.0 * (places * kernel) ** 3 * before * after)
        cells = stride * cells - (stride + 2 * padding - kernel)
    return counts


def main(args: argparse.Namespace) -> None:
    """Measure, and print one table."""
    if args.threads:
        torch.set_num_threads(args.threads)
    model = SliceGAN.load(args.model, args.device) if args.model else untrained()
    device, config = model.device, model.info.network
    edge = tile_edge(config.geometry)
    cells = PLAIN_EDGE // config.geometry.scale + config.geometry.overlap
    latent = torch.from_numpy(latent_field(0, (0, 0, 0), (cells,) * 3, config.latent_channels))[None].to(device)

    published = PlainGenerator(config).to(device).eval()
    published.load_state_dict({k: v for k, v in model.generator.state_dict().items() if k != "offsets"})

    def plain() -> torch.Tensor:
        with torch.inference_mode():
            return published(latent)[0].argmax(0).to(torch.uint8).cpu()

    request = VolumeRequest((2 * edge, edge, edge))
    ways = {"plain": Way(plain, PLAIN_EDGE**3, PLAIN_EDGE, (torch.float32,) * len(config.layers))}
    for precision in (Precision.EXACT, Precision.FAST):
        evaluation = model.evaluation(precision)
        boxes = [((z, z + edge), (0, edge), (0, edge)) for z in (0, edge)]
        work = partial(lambda evaluation, boxes: [evaluation.box(request, box) for box in boxes], evaluation, boxes)
        ways[precision] = Way(work, 2 * edge**3, edge, evaluation.numbers)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(args.repeats + 1):
        for name, way in ways.items():
            times[name].append(seconds(way.work, device))
    tell(ways, {name: values[1:] for name, values in times.items()}, config, device)
    compare(model, latent)


def tell(ways: dict[str, Way], times: dict[str, list[float]], config: NetworkConfig, device: torch.device) -> None:
    """Print the machine and the table."""
    print(f"{processor(device)}; {torch.get_num_threads()} threads; torch {torch.__version__}; {platform.system()}")
    rates = {dtype: matrix_rate(dtype, device) for way in ways.values() for dtype in way.numbers}
    print("; ".join(f"matrix rate {str(dtype)[6:]} {rate / 1e9:.0f} GFLOP/s" for dtype, rate in rates.items()))
    print("| way | million voxels/s: median (lowest - highest) | ratio to plain | kFLOP/voxel | of the matrix rate |")
    print("|---|---|---|---|---|")
    plain = PLAIN_EDGE**3 / np.array(times["plain"])
    for name, way in ways.items():
        speed = way.voxels / np.array(times[name])
        ratios = speed / plain
        work = [count / way.edge**3 for count in flop(config, way.edge)]
        least = sum(count / rates[dtype] for count, dtype in zip(work, way.numbers, strict=True))
        print(
            f"| {name} | {np.median(speed) / 1e6:.2f} ({speed.min() / 1e6:.2f} - {speed.max() / 1e6:.2f}) | "
            f"{np.median(ratios):.2f} ({ratios.min():.2f} - {ratios.max():.2f}) | {sum(work) / 1e3:.1f} | "
            f"{np.median(speed) * least:.0%} |"
        )


def compare(model: SliceGAN, latent: torch.Tensor) -> None:
    """Print how many labels differ from those of the plain way, and how nearly tied these are."""
    if not model.info.phases:
        return
    with torch.inference_mode():
        probabilities = model.generator(latent)[0].cpu()
    first, second = probabilities.topk(2, dim=0).values
    margin = (first - second).numpy()
    reference = np.array(model.info.phases)[probabilities.argmax(0).numpy()]
    for precision in (Precision.EXACT, Precision.FAST):
        differs = model.generate((PLAIN_EDGE,) * 3, precision=precision) != reference
        print(
            f"{precision}: {differs.sum():,} of {differs.size:,} labels ({differs.mean():.4%}) differ from the plain "
            f"way's; there the two largest probabilities differ by at most {margin[differs].max(initial=0):.1e}"
        )


def processor(device: torch.device) -> str:
    """The name of what computes."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name())
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores" if info.exists() and names else platform.processor()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a trained model or run; Table 1 with random weights by default")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    main(parser.parse_args())
