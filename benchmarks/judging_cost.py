"""What it costs to judge a training while it goes on, as a part of its time.

    python benchmarks/judging_cost.py [PRESET ...] [--rounds 5] [--threads N]

Takes turns between a few iterations and one evaluation of the moving average, with all that belongs to it (the
statistics of the average weights, the balance, the errors), and prints medians of the time of the process, from the
least to the largest, in Markdown. The part is that of a training which is judged as often as its recipe says.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from napari_slicegan.core import synthetic
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.heldout import HeldOut
from napari_slicegan.core.presets import preset_named

_ITERATIONS = 5  # in a round


def measure(name: str, rounds: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds of an iteration, seconds of an evaluation, and the part that judging takes: one of each in a round."""
    preset = preset_named(name)
    data, recipe = TrainingData.from_images(synthetic.make_micrographs("cathode")[0]), preset.training
    gan = GAN(data, preset.network, recipe, torch.device("cpu"))
    held_out = HeldOut(data, gan.network, volumes=recipe.balance_volumes)

    def iterate() -> None:
        for _ in range(recipe.discriminator_steps):
            gan.update_discriminators()
        gan.update_generator()

    def judge() -> None:
        held_out.evaluate(gan.snapshot(balanced=False).eval(), 0, recipe.balance_volumes > 0)

    iterate(), judge()
    iterations, evaluations = [], []
    for _ in range(rounds):
        iterations.append(_seconds(lambda: [iterate() for _ in range(_ITERATIONS)]) / _ITERATIONS)
        evaluations.append(_seconds(judge))
    between = [recipe.evaluation_iterations * seconds for seconds in iterations]
    return iterations, evaluations, [one / (one + other) for one, other in zip(evaluations, between, strict=True)]


def _seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", default=["quick", "large"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print("| preset | an iteration, s | an evaluation, s | iterations between | part of the training |")
    print("|---|---|---|---|---|")
    for name in options.presets:
        found = measure(name, options.rounds)
        texts = [f"{statistics.median(each):.3g} ({min(each):.3g} .. {max(each):.3g})" for each in found]
        print(
            f"| {name} | {texts[0]} | {texts[1]} | {preset_named(name).training.evaluation_iterations} | {texts[2]} |"
        )


if __name__ == "__main__":
    main()
