"""Updates per second on a quiet machine and with a core taken, by how threads of OpenMP wait for each other.

    python benchmarks/threads.py [--rounds 5] [--seconds 2.5] [--taken 1] [--preload LIBRARY]

The settings take turns, each in a process of its own, since OpenMP reads them when it is loaded. A process measures
iterations of the preset `quick`, and updates of the discriminators of the published networks with fewer images (one
volume, 3 x 8 crops), each without and then with other processes that do nothing but count. With --preload, LIBRARY
(libiomp5.so of the package intel-openmp, or LLVM's libomp.so) stands in for GNU's library, as on macOS and Windows.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module

import numpy as np
from turns import in_turns, spread

CHILD = "--child"
POLICY = "OMP_WAIT_POLICY"


@dataclass(frozen=True)
class Setting:
    """What is said about waiting; so many threads, 0 for torch's own choice; whether the package comes after torch."""

    environment: dict[str, str] = field(default_factory=dict)
    threads: int = 0
    is_late: bool = False


OWN, PASSIVE, ALONE = "torch by itself", f"`{POLICY}=PASSIVE`", "one thread"
GNU = {
    OWN: Setting(),
    **{f"`GOMP_SPINCOUNT={10**n}`": Setting({"GOMP_SPINCOUNT": str(10**n)}) for n in (5, 4, 3, 2)},
    "`GOMP_SPINCOUNT=0`": Setting({"GOMP_SPINCOUNT": "0"}),
    PASSIVE: Setting({POLICY: "PASSIVE"}),
    ALONE: Setting(threads=1),
    "torch is loaded before this package": Setting(is_late=True),
}
OTHERS = {
    OWN: Setting(),
    **{f"`KMP_BLOCKTIME={time}`": Setting({"KMP_BLOCKTIME": str(time)}) for time in (10, 1, 0)},
    PASSIVE: Setting({POLICY: "PASSIVE"}),
    ALONE: Setting(threads=1),
}
TASKS = ("quick", "paper")


def prepare(setting: Setting) -> None:
    """Load torch in this process, with a setting."""
    if setting.is_late:
        import_module("torch")
    from napari_slicegan.core.openmp import SHORT  # the package says by itself what is not said

    if not setting.is_late:
        for name in SHORT.keys() - setting.environment.keys():
            os.environ.pop(name, None)
    import torch

    if setting.threads:
        torch.set_num_threads(setting.threads)


def work(task: str) -> Callable[[], None]:
    """What is repeated."""
    import torch

    from napari_slicegan.core.data import TrainingData
    from napari_slicegan.core.gan import GAN
    from napari_slicegan.core.presets import preset_named
    from napari_slicegan.core.synthetic import micrographs

    preset = preset_named(task)
    fewer = {"discriminator_volumes": 1, "real_crops": 8} if task == "paper" else {}
    data = TrainingData.from_images(micrographs("cathode")[0].array)
    gan = GAN(data, preset.network, replace(preset.training, **fewer), torch.device("cpu"))

    def iterate() -> None:
        for _ in range(gan.training.discriminator_steps):
            gan.update_discriminators()
        gan.update_generator()

    return gan.update_discriminators if task == "paper" else iterate


def rate(update: Callable[[], None], seconds: float) -> float:
    """Updates per second, of as many as begin in so many seconds."""
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        update()
        count += 1
    return count / (time.perf_counter() - begin)


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Other processes take so many cores."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    time.sleep(0.2)
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def measure_here(name: str, args: argparse.Namespace) -> None:
    """Measure a setting in this process, and print the speeds of each task on a quiet and on a busy machine."""
    prepare(settings_of(args)[name])
    found = []
    for task in TASKS:
        update = work(task)
        update()  # prepares what later ones use again
        quiet = rate(update, args.seconds)
        with busy(args.taken):
            found.append((round(quiet, 3), round(rate(update, args.seconds), 3)))
    print(json.dumps(found))


def settings_of(args: argparse.Namespace) -> dict[str, Setting]:
    """The settings that the OpenMP library understands."""
    return OTHERS if args.preload else GNU


def measure(name: str, args: argparse.Namespace) -> list[tuple[float, float]]:
    """Measure a setting in a new process: for each task its speed on a quiet and on a busy machine."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("GOMP_", "KMP_", "OMP_"))}
    said = settings_of(args)[name].environment | ({"LD_PRELOAD": args.preload} if args.preload else {})
    command = [sys.executable, __file__, CHILD, name, *sys.argv[1:]]
    result = subprocess.run(command, check=True, env=clean | said, stdout=subprocess.PIPE, text=True)
    return json.loads(result.stdout)


def main(args: argparse.Namespace) -> None:
    """Measure all settings in turns, and print a table in Markdown."""
    found = in_turns(settings_of(args), args.rounds, lambda name: measure(name, args))
    cores = "one core" if args.taken == 1 else f"{args.taken} cores"
    print(f"| setting | {' | '.join(f'{task}, updates/s | {cores} taken | ratio' for task in TASKS)} |")
    print("|---" * (1 + 3 * len(TASKS)) + "|")
    for name, speeds in found.items():
        tasks = np.moveaxis(speeds, 0, -1)  # (tasks, 2, rounds)
        cells = [spread(values) for quiet, taken in tasks for values in (quiet, taken, taken / quiet)]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.5, help="of each measurement; there are four in a process")
    parser.add_argument("--taken", type=int, default=1, help="cores that other processes take")
    parser.add_argument("--preload", default="", help="another OpenMP library")
    parser.add_argument(CHILD, default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        measure_here(options.child, options)
    else:
        main(options)
