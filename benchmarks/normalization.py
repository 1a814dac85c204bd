"""What the statistics of batch normalisation do to volumes: those of small batches, and those of few volumes.

    python benchmarks/normalization.py [MODEL] [--volumes 320] [--repetitions 8]

The first table is of training cubes that are normalised by themselves, two at a time and so on, as in training, and by
statistics of many volumes, as in evaluation: how much the fraction of the first phase differs from slice to slice, and
how likely two of its voxels are that lie half an edge apart (S2). The second is of a generator whose statistics come
from few volumes: how much the fraction of its volumes changes when these are others.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch
from torch import Tensor

from napari_slicegan.core.averaging import measure_statistics
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.sample import Sample


def cubes(generator: Generator, count: int, seed: int) -> Tensor:
    """Latent fields of training cubes."""
    shape = (count, generator.config.latent_channels, *(generator.config.geometry.latent_edge,) * 3)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def slices(generator: Generator, latents: Sequence[Tensor]) -> Tensor:
    """Where the first phase is in every eighth slice along each axis, (N, edge, edge)."""
    found = []
    for batch in latents:
        first = generator.with_offsets(generator.outputs(batch)).argmax(dim=1) == 0  # (B, Z, Y, X)
        found += [first.movedim(axis, 1)[:, ::8].flatten(0, 1) for axis in (1, 2, 3)]
    return torch.cat(found).float()


def of_small_batches(generator: Generator, count: int) -> None:
    """Print what volumes are like that are normalised by their batch."""
    print("| normalised by | fraction | from slice to slice | S2 at half an edge |\n|---|---|---|---|")
    latents, far = cubes(generator, count, 1), generator.config.edge // 2
    for size in (1, 2, 8, 0):
        generator.train(size > 0)
        if not size:
            measure_statistics(generator, cubes(generator, count, 2).split(1))
        found = slices(generator, latents.split(size or 1))
        fractions, s2 = found.mean((1, 2)), (found[:, :, far:] * found[:, :, :-far]).mean()
        name = f"{size} cube{'s' * (size > 1)}" if size else f"{count} other cubes"
        print(f"| {name} | {fractions.mean():.3f} | {fractions.std():.3f} | {s2:.4f} |")


def of_few_volumes(generator: Generator, repetitions: int) -> None:
    """Print how much the fraction depends on which volumes the statistics come from."""
    print("\n| statistics of | fraction, standard deviation |\n|---|---|")
    edge, shown = generator.config.edge, Sample(generator.config, 24, seed=-1).latents.split(2)
    for name, draw in {
        f"16 cubes of {edge}": lambda seed: cubes(generator, 16, seed),
        "16 volumes of 64, in pairs": lambda seed: Sample(generator.config, 16, seed).latents,
        "48 volumes of 64, in pairs": lambda seed: Sample(generator.config, 48, seed).latents,
    }.items():
        found = []
        for seed in range(repetitions):
            measure_statistics(generator, draw(seed).split(1))
            found.append(slices(generator, shown).mean().item())
        print(f"| {name} | {torch.tensor(found).std():.4f} |")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="sample:cathode")
    parser.add_argument("--volumes", type=int, default=320)
    parser.add_argument("--repetitions", type=int, default=8)
    options = parser.parse_args()
    generator = SliceGAN.load(options.model, "cpu").generator
    of_small_batches(generator, options.volumes)
    of_few_volumes(generator.eval(), options.repetitions)


if __name__ == "__main__":
    main()
