"""How long it takes to start: the command line, napari with and without the plugin, and a training in its dock.

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/startup.py [--rounds 5] [--only WORD]

Everything takes turns, each time in a new process; a first round is not counted. Of commands the whole process is
timed. Of napari it is the time from its import to the first turn of the event loop after its window was shown; where
the plugin is hidden, its entry point is, so that napari finds none. Of a training it is the time from pressing *Train*
to the first progress in the dock, on images of 2000 x 2000 pixels with the preset `quick`: once the dock has made its
estimate and so has loaded torch, two seconds after the dock was opened, and at once, before it is even drawn.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from turns import in_turns, spread

CHILD = "--child"
EDGE, PATIENCE, GLANCE = 2000, 120_000, 2000  # pixels; milliseconds
HELP, INFO, TORCH = "`napari-slicegan --help`", "`napari-slicegan info sample:cathode`", "`import torch`"
WITHOUT, WITH = "napari without the plugin", "napari with the plugin"
WHEN = {"ready": "torch is loaded", "glance": "two seconds after the dock was opened", "once": "at once"}
DIFFERENCES = {"info above torch": (INFO, TORCH), "the plugin in napari's start": (WITH, WITHOUT)}


def commands(folder: Path) -> dict[str, list[str]]:
    """What is measured; children tell the time by themselves."""
    program = ["-m", "napari_slicegan"]
    found = {
        "`python -c pass`": ["-c", "pass"],
        HELP: [*program, "--help"],
        TORCH: ["-c", "import torch"],
        INFO: [*program, "info", "sample:cathode"],
        WITHOUT: [__file__, CHILD, "hidden"],
        WITH: [__file__, CHILD, "found"],
    }
    for when, words in WHEN.items():
        for kind in ("labels", "grey levels"):
            found[f"*Train* on {kind}, {words}"] = [__file__, CHILD, when, str(folder / f"{kind}.npy")]
    return found


def make_images(folder: Path) -> None:
    """Write a micrograph of two phases, and its blurred image."""
    from scipy.ndimage import gaussian_filter
    from screening import field

    phases = field(EDGE)
    np.save(folder / "labels.npy", phases)
    np.save(folder / "grey levels.npy", gaussian_filter(255.0 * phases, 1).astype(np.uint8))


def measure(arguments: list[str]) -> float:
    """Run Python; the seconds that it took, or that it tells."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begin = time.perf_counter()
    result = subprocess.run([sys.executable, *arguments], env=clean, check=True, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - begin
    return round(float(result.stdout.split()[-1]) if CHILD in arguments else seconds, 3)


def hide(package: str) -> None:
    """Let nobody find the entry points of a package, as where it is not installed."""
    for library in ("importlib.metadata", "importlib_metadata"):  # where both are there, both are asked
        with suppress(ImportError):
            hide_from(import_module(library), package)


def hide_from(metadata: ModuleType, package: str) -> None:
    """Leave out a package's entry points in a library that finds them."""
    find = metadata.Distribution.entry_points.fget

    def others(distribution: Any) -> Any:
        return metadata.EntryPoints(point for point in find(distribution) if not point.value.startswith(package))

    metadata.Distribution.entry_points = property(others)


def show_window(is_hidden: bool) -> None:
    """Time the start of napari."""
    hide("napari_slicegan:" if is_hidden else "no package")  # it takes as long
    begin = time.perf_counter()
    import napari
    from npe2 import PluginManager
    from qtpy.QtCore import QTimer

    viewer = napari.Viewer()
    times: list[float] = []

    def note() -> None:
        times.append(time.perf_counter() - begin)
        viewer.close()

    QTimer.singleShot(0, note)
    napari.run()
    if is_hidden == any(name == "napari-slicegan" for name in PluginManager.instance()._manifests):
        raise SystemExit("The plugin was not there, or not hidden.")
    print(times[0])


def train(path: Path, when: str) -> None:
    """Time a training from the button to its first progress."""
    from qtpy.QtCore import QEventLoop, QTimer
    from qtpy.QtTest import QTest
    from responsiveness import click, napari, open_dock

    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.window.resize(1500, 900)
    (viewer.add_labels if path.stem == "labels" else viewer.add_image)(np.load(path))
    QTest.qWait(1000)
    with tempfile.TemporaryDirectory() as folder:
        dock = open_dock(viewer, "Train SliceGAN")
        dock.settings.folder.value, dock.settings.preset.value = Path(folder), "quick"
        until(lambda: dock.start.enabled)
        if when == "ready":
            until(lambda: str(dock.costs.takes.value).startswith("about"))
            until(lambda: not any(job.status.state.is_busy for job in dock.jobs.all))
        elif when == "glance":
            QTest.qWait(GLANCE)
        job, loop = dock.jobs.training, QEventLoop()

        def note(status: Any) -> None:
            if status.progress is not None or not status.state.is_busy:
                loop.quit()

        job.changed.connect(note)
        QTimer.singleShot(PATIENCE, loop.quit)
        begin = time.perf_counter()
        click(dock.start)
        loop.exec()
        seconds = time.perf_counter() - begin
        if job.status.progress is None:
            raise SystemExit(f"It does not train: {job.status.message}")
        click(dock.stop)
        until(lambda: not job.status.state.is_busy)
        viewer.close()
    print(seconds)


def until(condition: Any) -> None:
    """Wait while the window lives."""
    from qtpy.QtTest import QTest

    end = time.perf_counter() + PATIENCE / 1000
    while not condition():
        if time.perf_counter() > end:
            raise SystemExit("It takes too long.")
        QTest.qWait(20)


def main(args: argparse.Namespace) -> None:
    """Measure everything in turns, and print a table in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        make_images(Path(folder))
        chosen = {name: command for name, command in commands(Path(folder)).items() if args.only in name}
        found = in_turns(chosen, args.rounds + 1, lambda name: measure(chosen[name]))
    times = {name: np.array(seconds[1:]) for name, seconds in found.items()}
    print("| what | seconds |\n|---|---|")
    for name, seconds in times.items():
        print(f"| {name} | {spread(seconds)} |")
    for name, (one, other) in DIFFERENCES.items():
        if one in times and other in times:
            print(f"| {name} | {spread(times[one] - times[other])} |")


if __name__ == "__main__":
    os.environ["NAPARI_CONFIG"] = ""
    match sys.argv[1:]:
        case [child, ("hidden" | "found") as how] if child == CHILD:
            show_window(how == "hidden")
        case [child, when, image] if child == CHILD:
            train(Path(image), when)
        case _:
            parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
            parser.add_argument("--rounds", type=int, default=5)
            parser.add_argument("--only", default="", metavar="WORD", help="only what has it in its name")
            main(parser.parse_args())
