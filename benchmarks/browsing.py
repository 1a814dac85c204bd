"""Browsing an endless volume of the Table 1 network: how soon a plane is there, and how live the window stays.

xvfb-run -a python benchmarks/browsing.py [THREADS ...]
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

os.environ["NAPARI_CONFIG"] = ""

import napari
import numpy as np
import torch
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest

from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.core.networks import Generator
from napari_slicegan.plugin.generate.endless import browse, browser_of
from napari_slicegan.plugin.models import ModelEntry

TICK, PLANES = 10, 5


def table_1() -> ModelEntry:
    """A network of the paper's size with random weights."""
    config, rng = NetworkConfig(), torch.Generator().manual_seed(0)
    generator, edge = Generator(config, rng), config.geometry.latent_edge
    for _ in range(2):  # running statistics
        generator(torch.randn(1, config.latent_channels, edge, edge, edge, generator=rng))
    return ModelEntry("table 1", SliceGAN(generator, ModelInfo(config, (0, 1, 2), 0.4, "um")), Path("table1"))


def until_there(browser: object) -> float:
    """Seconds until all that is in view is there; the window handles its events meanwhile."""
    start = time.perf_counter()
    QTest.qWait(60)
    while browser.volume.message or browser.message:
        QTest.qWait(5)
    return time.perf_counter() - start


def tell(name: str, times: list[float], gaps: np.ndarray) -> None:
    """Print a line of the table."""
    middle, high = np.percentile(gaps, [50, 99])
    print(f"{name:<34} {np.median(times):7.2f} s {middle:7.1f} {high:7.1f} {gaps.max():7.1f} ms", flush=True)


def measure(viewer: napari.Viewer, entry: ModelEntry, threads: int) -> None:
    """Measure with so many threads of torch."""
    torch.set_num_threads(threads)  # of the threads that start from now on
    start = time.perf_counter()
    layer = browse(viewer, entry, threads)
    opened = time.perf_counter() - start
    browser = browser_of(layer)
    zoom, ticks = min(viewer.canvas.size) / (512 * layer.scale[-1]), []
    first = until_there(browser)
    print(f"{threads} threads: opened in {opened:.2f} s, the first plane after {first:.2f} s")
    viewer.window.resize(*np.add(viewer.window.geometry()[2:], np.subtract(512, viewer.canvas.size)[::-1]))
    QTest.qWait(500)
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start(TICK)
    for _ in range(3):
        axis = viewer.dims.order[0]
        viewer.scene.camera.zoom = zoom
        until_there(browser)
        ticks.clear()
        times = []
        for plane in range(PLANES):
            viewer.dims.set_point(axis, (11 * plane + 7) * layer.scale[axis])
            times.append(until_there(browser))
        tell(f"{threads} threads, planes normal to {'zyx'[axis]}", times, np.diff(ticks) * 1000)
        viewer.dims.roll()
        until_there(browser)
    ticks.clear()
    QTest.qWait(2000)
    tell("nothing to do", [0.0], np.diff(ticks) * 1000)
    viewer.layers.remove(layer)
    timer.stop()


def main(counts: list[int]) -> None:
    """Print the table."""
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.add_labels(np.ones((64, 64, 64), np.uint8), units="um")  # what every window needs once is done
    QTest.qWait(2000)
    entry = table_1()
    print(f"{'':<34} {'512 x 512':>9} {'p50':>7} {'p99':>7} {'max':>7} of a {TICK} ms timer", flush=True)
    for threads in counts:
        measure(viewer, entry, threads)
    viewer.close()


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [1, 2])
