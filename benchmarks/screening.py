"""Which changes of the quick recipe are worth a long run: short trainings, one thread each.

    python benchmarks/screening.py run [IDEA ...] [--seeds 0 1 2] [--seconds 90 240] [--jobs 2] [--materials field ...]
                                       [--data FOLDER] [--results FILE]
    python benchmarks/screening.py table [--results FILE] [--base IDEA] [--model MODEL] [--errors]

Trains on the package's own cathode (three phases) and on a random field (two phases) for some seconds of one
processor's time, so that a busy machine changes nothing, and compares volumes of 64 times 64^3 voxels with the image.
Each run is a line in benchmarks/results/screening.jsonl; what is there already is not run again. Of grey levels the
materials are the package's own polycrystal and, with --data FOLDER, a superalloy of which 4 x 4 pixels become one
(superalloy_a_gray.tif).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ideas import ALONE, BASE, IDEAS
from scipy import fft, stats
from screening_table import read, table

from napari_slicegan.core import synthetic
from napari_slicegan.core.averaging import moving_average
from napari_slicegan.core.choosing import score
from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.heldout import HeldOut
from napari_slicegan.core.io import read_image
from napari_slicegan.core.presets import preset_named
from napari_slicegan.core.shrinking import shrunk

RESULTS = Path(__file__).parent / "results" / "screening.jsonl"
_JUDGED = {"seed": 40_000, "volumes": 64}
_MODELS = {
    "last weights": ("", 0),
    "average of 50 updates": ("short", 0),
    "average of 50 updates, balanced": ("short", 32),
    "average that grows longer, balanced": ("growing", 32),
}
_AVERAGES = {"short": (0.98, 0.0), "growing": (0.98, 0.1)}
_BEST = "average that grows longer, balanced"


def field(edge: int = 256, width: float = 3.0, fraction: float = 0.4, seed: int = 0) -> np.ndarray:
    """A plane of a Gaussian random field with a Gaussian correlation, cut at a level, on a torus."""
    noise = np.random.default_rng(seed).normal(size=(edge, edge))
    waves = 2 * np.pi * np.hypot(*np.meshgrid(fft.fftfreq(edge), fft.fftfreq(edge)))
    smooth = fft.ifft2(fft.fft2(noise) * np.exp(-((waves * width) ** 2) / 2)).real
    return (smooth / smooth.std() > stats.norm.isf(fraction)).astype(np.uint8)


def superalloy(folder: Path | None) -> TrainingData:
    """A micrograph of precipitates, whose sizes ask for a quarter of the resolution."""
    if folder is None:
        raise SystemExit("The superalloy is needed: name its folder by --data.")
    return shrunk(TrainingData.from_images(read_image(folder / "superalloy_a_gray.tif").array, kind="grey"), 4)


MATERIALS: dict[str, Callable[[Path | None], TrainingData]] = {
    "cathode": lambda _: TrainingData.from_images(synthetic.make_micrographs("cathode")[0]),
    "field": lambda _: TrainingData.from_images(field()),
    "polycrystal": lambda _: TrainingData.from_images(synthetic.make_micrographs("polycrystal")[0], kind="grey"),
    "superalloy": superalloy,
}
_PHASES = ["cathode", "field"]


def settings_of(name: str, seed: int) -> tuple[NetworkConfig, TrainingConfig]:
    """Networks and recipe of an idea."""
    idea, preset = IDEAS[name], preset_named("quick")
    return replace(preset.network, **idea.network), replace(preset.training, **{"seed": seed, **ALONE, **idea.training})


def train(name: str, data: TrainingData, seed: int, times: Sequence[float]) -> Iterator[dict[str, Any]]:
    """Train for so many seconds of processor time; at each of some times, a result for each way to make a model."""
    torch.set_num_threads(1)
    network, recipe = settings_of(name, seed)
    gan = IDEAS[name].players(data, network, replace(recipe, average=0.0), torch.device("cpu"))
    averages = {name: moving_average(gan.generator, *lengths) for name, lengths in _AVERAGES.items()}
    held_out = HeldOut(data, gan.network, **_JUDGED)
    spent, iterations = 0.0, 0
    for wanted in sorted(times):
        while spent < wanted:
            begin = time.process_time()
            for _ in range(recipe.discriminator_steps):
                gan.update_discriminators()
            gan.update_generator()
            for average in averages.values():
                average.update_parameters(gan.generator)
            spent, iterations = spent + time.process_time() - begin, iterations + 1
        for model, (kind, balanced) in _MODELS.items():
            if name != BASE and not balanced:
                continue  # of one recipe they tell enough
            gan.average = averages.get(kind)
            gan.training = replace(recipe, balance_volumes=balanced)
            generator = gan.snapshot().eval()
            found = held_out.evaluate(generator, iterations)
            yield {"seconds": wanted, "model": model, "score": score(found), **asdict(found)}
        gan.average = None


def run(arguments: argparse.Namespace) -> None:
    """Run what is not in the results yet, some at a time, each in a process of its own."""
    known = {_key(result) for result in read(arguments.results)}
    wanted = [
        (name, material, seed)
        for seed in arguments.seeds  # every idea once before any idea again
        for name in arguments.ideas or IDEAS
        for material in arguments.materials
        if not (material in _PHASES and IDEAS[name].only_grey)
        if any((name, material, seed, each) not in known for each in arguments.seconds)
    ]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        list(pool.map(lambda job: _run_one(*job, arguments), wanted))


def _run_one(name: str, material: str, seed: int, asked: argparse.Namespace) -> None:
    places = ["--results", str(asked.results), *(["--data", str(asked.data)] if asked.data else [])]
    command = [sys.executable, __file__, "one", name, material, str(seed), *map(str, asked.seconds), *places]
    subprocess.run(command, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"})


def one(arguments: argparse.Namespace) -> None:
    """Make one run and append its results."""
    about = {"idea": arguments.idea, "material": arguments.material, "seed": arguments.seed}
    known = {_key(result) for result in read(arguments.results)}
    data = MATERIALS[arguments.material](arguments.data)
    found = train(arguments.idea, data, arguments.seed, arguments.seconds)
    new = [result for result in found if _key(about | result) not in known]
    arguments.results.parent.mkdir(exist_ok=True)
    with arguments.results.open("a") as file:  # one write for each line: two processes do not mix them
        for result in new:
            file.write(json.dumps({**about, **result}) + "\n")
            file.flush()


def _key(result: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(result[name] for name in ("idea", "material", "seed", "seconds"))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    many = commands.add_parser("run")
    many.add_argument("ideas", nargs="*", metavar="IDEA")
    many.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    many.add_argument("--seconds", type=float, nargs="+", default=[90.0])
    many.add_argument("--jobs", type=int, default=2)
    many.add_argument("--materials", nargs="+", choices=MATERIALS, default=_PHASES)
    many.set_defaults(do=run)
    single = commands.add_parser("one")
    single.add_argument("idea", choices=IDEAS)
    single.add_argument("material", choices=MATERIALS)
    single.add_argument("seed", type=int)
    single.add_argument("seconds", type=float, nargs="+")
    single.set_defaults(do=one)
    tables = commands.add_parser("table")
    for command in (many, single, tables):
        command.add_argument("--results", type=Path, default=RESULTS)
    for command in (many, single):
        command.add_argument("--data", type=Path, help="folder with the micrographs that do not come with the package")
    tables.add_argument("--base", default=BASE, help="the idea that others are compared with")
    tables.add_argument("--model", default=_BEST, help="by which ideas are compared")
    tables.add_argument("--errors", action="store_true", help="tell all errors, not the score alone")
    tables.set_defaults(do=lambda asked: table(asked.results, asked.base, asked.model, asked.errors))
    arguments = parser.parse_args()
    arguments.do(arguments)


if __name__ == "__main__":
    main()
