"""What a training costs, against the loop that is written as published.

    python benchmarks/training.py [PRESET] [--rounds 5] [--threads N] [--device cpu] [--volumes M_D M_G]

The plain loop (`plain_loop.py`) and the product's updates, in 32 and in 16 bits, take turns in one process on the same
image with the same recipe: the published one, with m_D = 1 and m_G = 2 unless told otherwise. Other presets have no
plain loop; their ratios are to the updates in 32 bits. Printed as Markdown are the medians of the times of an iteration
(five updates of the discriminator and one of the generator) from the least to the largest, and ratios of times that
were measured one after the other; the memory that an iteration takes at its peak, in a process of its own; then what
the parts of an iteration cost, and how much of the machine's rate of matrix products their arithmetic reaches.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from generation import matrix_rate, processor, seconds
from memory import peak
from plain_loop import PlainLoop
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry
from turns import in_turns, spread

from napari_slicegan.core import synthetic
from napari_slicegan.core.choices import Precision
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.heldout import HeldOut
from napari_slicegan.core.losses import between
from napari_slicegan.core.presets import preset_named

PLAIN, MEMORY_OF = "plain", "--memory-of"
Work = Callable[[], Any]
Players = GAN | PlainLoop
NUMBERS = {Precision.EXACT: torch.float32, Precision.FAST: torch.bfloat16}


class Arithmetic(TorchDispatchMode):
    """While its ``with`` block lasts, counts additions and multiplications of convolutions: `flop`."""

    flop = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if count := flop_registry.get(func._overloadpacket):
            self.flop += count(*args, **(kwargs or {}), out_val=made)
        return made


def a_gan(name: str, volumes: tuple[int, int], precision: Precision, device: torch.device) -> tuple[GAN, TrainingData]:
    """The players of a preset, and the image that they are trained on."""
    preset = preset_named(name)
    recipe = replace(
        preset.training, discriminator_volumes=volumes[0], generator_volumes=volumes[1], precision=precision
    )
    data = TrainingData.from_images(synthetic.make_micrographs("cathode")[0])
    return GAN(data, preset.network, recipe, device), data


def the_players(way: str, options: argparse.Namespace) -> Players:
    """Those that go one of the ways."""
    precision = Precision.EXACT if way == PLAIN else Precision(way)
    gan, data = a_gan(options.preset, tuple(options.volumes), precision, torch.device(options.device))
    return PlainLoop(gan, data) if way == PLAIN else gan


def iterate(players: Players) -> None:
    """One iteration of the recipe."""
    for _ in range(players.training.discriminator_steps):
        players.update_discriminators()
    players.update_generator()


def parts_of(gan: GAN, data: TrainingData) -> dict[str, tuple[Work, float]]:
    """What an iteration is made of, and how often each is done in one."""
    recipe, critic, rng, passes = gan.training, gan.discriminators[0], gan.rng, gan.passes
    steps, count = recipe.discriminator_steps, 3 * recipe.real_crops
    real = gan.shown.real(0, count, rng)
    with torch.no_grad():
        volumes = gan.volumes(recipe.discriminator_volumes)
    fake = gan.shown.slices(volumes, 0, rng)
    mixed = between(real, fake[torch.arange(count, device=fake.device) % len(fake)], rng)
    shown = gan.shown.slices(gan.volumes(recipe.generator_volumes).detach(), 0, rng)
    held_out = HeldOut(data, gan.network, volumes=recipe.balance_volumes)

    def forward() -> None:
        with torch.no_grad():
            gan.volumes(recipe.discriminator_volumes)

    def cut() -> None:
        gan.shown.real(0, count, rng)
        gan.shown.slices(volumes, 0, rng)

    def evaluate() -> None:
        held_out.evaluate(gan.snapshot(balanced=False).eval(), 0, recipe.balance_volumes > 0)

    parts: dict[str, tuple[Work, float]] = {
        "generator, forward for the discriminator": (forward, steps),
        "crops and slices": (cut, steps),
        "discriminator, real and fake images": (lambda: passes.learn_distance(critic, real, fake), steps),
        "discriminator, penalty": (lambda: passes.learn_penalty(critic, mixed, recipe.penalty_weight), steps),
        "discriminator, judging for the generator": (lambda: passes.judge(critic, shown, 1.0), 1),
        "generator, forward and backward": (lambda: gan.volumes(recipe.generator_volumes).mean().backward(), 1),
        "steps of the optimizers": (lambda: [optimizer.step() for optimizer in gan.optimizers], steps),
    }
    if recipe.evaluation_iterations:
        parts["evaluation"] = (evaluate, 1 / recipe.evaluation_iterations)
    return parts


def bytes_taken(way: str, options: argparse.Namespace) -> int:
    """How much more memory this process has had at its peak than before, after an iteration of a way."""
    device, before = torch.device(options.device), peak()
    iterate(the_players(way, options))
    return torch.cuda.max_memory_allocated() if device.type == "cuda" else peak() - before


def tell_ways(players: dict[str, Players], options: argparse.Namespace) -> None:
    """Let all ways take turns, and print the table."""
    device = torch.device(options.device)
    times = in_turns(players, options.rounds + 1, lambda name: seconds(lambda: iterate(players[name]), device))
    first, *_ = times
    print(f"| way | an iteration, s | times as fast as {first} | memory |\n|---|---|---|---|")
    for name, found in times.items():  # the first round is for warming up
        ratios = [one / other for one, other in zip(times[first][1:], found[1:], strict=True)]
        child = [sys.executable, *sys.argv, MEMORY_OF, name]
        taken = int(subprocess.run(child, check=True, stdout=subprocess.PIPE, text=True).stdout)
        print(f"| {name} | {spread(found[1:])} | {spread(ratios)} | {taken / 1e6:.0f} MB |")


def tell_parts(gan: GAN, data: TrainingData, rounds: int, title: str) -> None:
    """Print what the parts of an iteration cost, and the rate of their arithmetic."""
    parts = parts_of(gan, data)

    def measure(name: str) -> tuple[float, float]:
        """Seconds of a part, and the rate of matrix products at that time."""
        return seconds(parts[name][0], gan.device), matrix_rate(NUMBERS[gan.training.precision], gan.device)

    found = {name: pairs[1:] for name, pairs in in_turns(parts, rounds + 1, measure).items()}
    whole = sum(statistics.median(time for time, _ in found[name]) * often for name, (_, often) in parts.items())
    print(f"\n| {title} | of an iteration | s each | GFLOP each | of the matrix rate |\n|---|---|---|---|---|")
    for name, (work, often) in parts.items():
        with Arithmetic() as counter:
            work()
        times = [time for time, _ in found[name]]
        reached = [counter.flop / time / rate for time, rate in found[name]]
        share = f"{statistics.median(times) * often / whole:.1%}"
        print(f"| {name} | {share} | {spread(times)} | {counter.flop / 1e9:.1f} | {spread(reached)} |")
    rates = [rate / 1e9 for pairs in found.values() for _, rate in pairs]
    print(f"\nMatrix products reach {spread(rates)} GFLOP/s in {gan.training.precision} numbers.")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("preset", nargs="?", default="paper")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--volumes", type=int, nargs=2, default=(1, 2), metavar=("M_D", "M_G"))
    parser.add_argument(MEMORY_OF, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.memory_of:
        print(bytes_taken(options.memory_of, options))
        return
    device = torch.device(options.device)
    print(f"{processor(device)}; {torch.get_num_threads()} threads; torch {torch.__version__}; {platform.system()}\n")
    ways = [PLAIN] * (options.preset == "paper") + [*NUMBERS]
    tell_ways({way: the_players(way, options) for way in ways}, options)
    for precision in NUMBERS:
        tell_parts(*a_gan(options.preset, tuple(options.volumes), precision, device), options.rounds, precision)


if __name__ == "__main__":
    main()
