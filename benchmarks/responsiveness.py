"""How live the window stays while the preset 'quick' trains: the gaps between the ticks of a 10 ms timer.

xvfb-run -a python benchmarks/responsiveness.py [SECONDS]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["NAPARI_CONFIG"] = ""

import napari
import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest

TICK = 10


def measure(seconds: float) -> np.ndarray:
    """Gaps in milliseconds between the ticks during so many seconds."""
    ticks: list[float] = []
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start(TICK)
    QTest.qWait(round(1000 * seconds))
    timer.stop()
    return np.diff(ticks) * 1000


def tell(name: str, gaps: np.ndarray) -> None:
    """Print the figures of one measurement."""
    middle, high = np.percentile(gaps, [50, 99])
    print(
        f"{name:<28} p50 {middle:6.1f}   p99 {high:6.1f}   max {gaps.max():6.1f} ms   ({len(gaps)} ticks)", flush=True
    )


def main(seconds: float) -> None:
    """Measure an idle window, the start of a training with the import of torch, and the training."""
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.open_sample("napari-slicegan", "cathode")
    _, dock = viewer.window.add_plugin_dock_widget("napari-slicegan", "Train SliceGAN")
    QTest.qWait(1000)
    tell("idle", measure(5))
    with tempfile.TemporaryDirectory() as folder:
        dock.settings.folder.value = Path(folder)
        dock.settings.preset.value = "quick"
        dock.settings.length.value = 60
        QTest.mouseClick(dock.start.native, Qt.MouseButton.LeftButton)
        tell("first 15 s, torch imported", measure(15))
        tell(f"training, {seconds:g} s, previews", measure(seconds))
        print("last report:", dock.jobs.training.status.progress)
        QTest.mouseClick(dock.stop.native, Qt.MouseButton.LeftButton)
        start = time.perf_counter()
        while dock.jobs.training.status.state.is_busy:
            QTest.qWait(10)
        print(f"stopped after {time.perf_counter() - start:.2f} s")
    viewer.close()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 45)
