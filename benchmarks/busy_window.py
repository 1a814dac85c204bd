"""How much a training suffers from a busy window, in a process of its own and in the window's; and what memory is left.

    python benchmarks/busy_window.py [--rounds 5] [--seconds 8] [--threads 1]

A window is busy when its thread is: here the main thread runs Python for 0, 50 and 95 % of every 20 milliseconds.
Meanwhile the preset `quick` trains on the sample micrograph, in another process or in another thread of this one;
the shares of the same training take turns. Each training has so many threads of the processor; with as many as there
are cores a busy window takes one of them, wherever the training is.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from turns import spread

from napari_slicegan.core.apart.handover import handed_over
from napari_slicegan.core.apart.messages import Begin
from napari_slicegan.core.apart.process import Process
from napari_slicegan.core.apart.training import TrainingApart
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.events import Event, Progress
from napari_slicegan.core.presets import PRESETS
from napari_slicegan.core.synthetic import micrographs

SHARES, PERIOD, WARM_UP = (0.0, 0.5, 0.95), 0.02, 3.0
WHERE = "a process of its own", "the window's process"


class Training(Protocol):
    """What trains, wherever it is."""

    def __iter__(self) -> Iterator[Event]: ...

    def stop(self) -> None:
        """Ask it to end."""


class Meter:
    """Iterates a training in a thread, as the window's worker does, and knows how far it is."""

    def __init__(self, training: Training) -> None:
        self.iteration, self.seconds = 0, 0.0
        self._training = training
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def _follow(self) -> None:
        for event in self._training:
            if isinstance(event, Progress):
                self.iteration, self.seconds = event.iteration, event.seconds

    def end(self) -> None:
        """Stop the training, and wait for it."""
        self._training.stop()
        self._thread.join()


def be_busy(share: float, seconds: float) -> None:
    """Run Python for a share of the time."""
    end = time.perf_counter() + seconds
    while (begin := time.perf_counter()) < end:
        while time.perf_counter() - begin < share * PERIOD:
            sum(range(100))
        time.sleep(max(0.0, begin + PERIOD - time.perf_counter()))


def speeds(meter: Meter, seconds: float) -> dict[float, float]:
    """Iterations a second beside each share of work, by the training's own clock."""
    found = {}
    be_busy(0.0, WARM_UP)
    for share in SHARES:
        be_busy(share, 1.0)
        before = meter.iteration, meter.seconds
        be_busy(share, seconds)
        found[share] = (meter.iteration - before[0]) / (meter.seconds - before[1])
    return found


@contextmanager
def apart(order: Begin) -> Iterator[Training]:
    """The training in another process."""
    with closing(TrainingApart(Process(), order)) as training:
        training.begin()
        yield training


@contextmanager
def here(order: Begin, data: TrainingData) -> Iterator[Training]:
    """The training in this one."""
    from napari_slicegan.core.config import NetworkConfig, TrainingConfig
    from napari_slicegan.core.run import Run
    from napari_slicegan.core.threads import use_threads

    use_threads(order.threads)
    settings = NetworkConfig(**order.network), TrainingConfig(**order.training)
    run, trainer = Run.start(order.path, data, *settings, order.preset, order.device)

    class Recorded:
        def __iter__(self) -> Iterator[Event]:
            return run.record(trainer)

        def stop(self) -> None:
            trainer.stop()

    yield Recorded()


def resident() -> float:
    """Megabytes of memory that this process holds now (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def main(args: argparse.Namespace) -> None:
    """Measure in turns, and print a table in Markdown."""
    data = TrainingData.from_images(*(image.array for image in micrographs("cathode")))
    quick = PRESETS["quick"]
    recipe = replace(quick.training, minutes=0.0, iterations=10**6, report_seconds=0.1, preview_seconds=0.0)
    kept: dict[str, list[dict[float, float]]] = {where: [] for where in WHERE}
    memory: dict[str, list[float]] = {where: [] for where in WHERE}
    for number in range(args.rounds):
        for where in WHERE:  # torch comes into this process with the second alone
            with tempfile.TemporaryDirectory() as folder, handed_over(data) as images:
                order = Begin(
                    Path(folder) / "run", images, asdict(quick.network), asdict(recipe), "quick", "cpu", args.threads
                )
                before = resident()
                with apart(order) if where == WHERE[0] else here(order, data) as training:
                    meter = Meter(training)
                    kept[where].append(speeds(meter, args.seconds))
                    meter.end()
                memory[where].append(resident() - before)
            print(f"round {number + 1}: {where}: {kept[where][-1]}", flush=True)
    print("| training in | window busy | iterations a second | of the idle speed |\n|---|---|---|---|")
    for where, rounds in kept.items():
        for share in SHARES:
            rates = [found[share] for found in rounds]
            ratios = [found[share] / found[0.0] for found in rounds]
            print(f"| {where} | {100 * share:.0f} % | {spread(rates)} | {spread(ratios)} |")
    for where, sizes in memory.items():
        print(f"Held after the first training in {where}: {sizes[0]:.0f} MB more than before.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each share of work")
    parser.add_argument("--threads", type=int, default=1)
    np.set_printoptions(precision=3)
    main(parser.parse_args())
