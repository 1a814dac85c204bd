"""How live the window stays while it trains, shows previews and generates: the gaps between the ticks of a 10 ms timer.

xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/responsiveness.py [SECONDS]

The canvas is drawn in the same thread; where that is done in software, as under Xvfb, it takes a good part of the gaps.
So each line is followed by what remains without it: the gaps less the time between the start of a frame and its being
shown.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["NAPARI_CONFIG"] = ""

import napari
import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest

PLUGIN = "napari-slicegan"
TICK = 10
VOLUME = 256


class Watch:
    """Ticks of a timer, and the times in which the canvas draws."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self.ticks: list[float] = []
        self.frames: list[tuple[float, float]] = []
        self._begun: float | None = None
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(lambda: self.ticks.append(time.perf_counter()))
        canvas = viewer.window._qt_viewer.canvas  # no public way to its frames
        canvas._scene_canvas.events.draw.connect(self._begin, position="first")
        canvas.native.frameSwapped.connect(self._end)

    def _begin(self, _event: object) -> None:
        self._begun = time.perf_counter()

    def _end(self) -> None:
        if self._begun is not None:
            self.frames.append((self._begun, time.perf_counter()))
            self._begun = None

    def until(self, condition: Callable[[], bool], seconds: float) -> tuple[np.ndarray, np.ndarray]:
        """Gaps in ms until something has happened or so many seconds have passed; with and without drawing."""
        self.ticks, self.frames = [], []
        end = time.perf_counter() + seconds
        self._timer.start(TICK)
        while not condition() and time.perf_counter() < end:
            QTest.qWait(50)
        self._timer.stop()
        starts, ends = np.array(self.ticks[:-1]), np.array(self.ticks[1:])
        drawing = np.zeros(len(starts))
        for begun, shown in self.frames:
            drawing += np.clip(np.minimum(ends, shown) - np.maximum(starts, begun), 0, None)
        gaps = (ends - starts) * 1000
        return gaps, gaps - 1000 * drawing


def tell(name: str, measured: tuple[np.ndarray, np.ndarray]) -> None:
    """Print the figures of one measurement."""
    for words, gaps in zip((name, "   without the canvas"), measured, strict=True):
        middle, high = np.percentile(gaps, [50, 99])
        print(f"{words:<36} p50 {middle:6.1f}   p99 {high:6.1f}   max {gaps.max():6.1f} ms   ({len(gaps)} ticks)")
    sys.stdout.flush()


def click(button: Any) -> None:
    """Press a button with the mouse."""
    QTest.mouseClick(button.native, Qt.MouseButton.LeftButton)


def never() -> bool:
    """For measurements that only the time ends."""
    return False


def train(viewer: napari.Viewer, watch: Watch, seconds: float) -> None:
    """Measure the start of a training, with the import of torch and the first step, and then the training."""
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Train SliceGAN")
    job = dock.jobs.training
    dock.settings.preset.value = "quick"
    dock.settings.length.value = 60
    tell("dock open, estimate", watch.until(never, 10))
    click(dock.start)
    tell("start, first step", watch.until(never, 15))
    previews = [layer for layer in viewer.layers if layer.name.startswith("preview")]
    tell(f"training, {seconds:g} s, previews in 2D", watch.until(never, seconds))
    for layer in viewer.layers:
        layer.visible = layer in previews
    viewer.dims.ndisplay = 3
    tell(f"training, {seconds:g} s, preview in 3D", watch.until(never, seconds))
    viewer.dims.ndisplay = 2
    print("last report:", job.status.progress)
    for button, words in ((dock.pause, "paused"), (dock.stop, "stopped")):
        start = time.perf_counter()
        click(button)
        watch.until(lambda: str(job.status.state) in ("paused", "stopped", "finished", "failed"), 60)
        if words == "stopped":
            watch.until(lambda: not job.status.state.is_busy, 60)
        print(f"{words} after {time.perf_counter() - start:.2f} s")


def generate(viewer: napari.Viewer, watch: Watch) -> None:
    """Measure while a volume is made, and while it comes into the viewer."""
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Generate volume")
    job = dock.jobs.generation
    dock.form.output.in_3d.value = False
    for box in dock.form.size.voxels:
        box.value = VOLUME
    click(dock.generate)
    tell(f"generating {VOLUME}^3 as a layer", watch.until(lambda: not job.status.state.is_busy, 600))


def main(seconds: float) -> None:
    """Measure an idle window, a training and a generation."""
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.open_sample(PLUGIN, "cathode")
    watch = Watch(viewer)
    QTest.qWait(1000)
    tell("idle", watch.until(never, 5))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = str(Path(folder))
        train(viewer, watch, seconds)
        generate(viewer, watch)
        viewer.close()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 45)
