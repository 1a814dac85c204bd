"""How live the window stays while it trains, shows previews and generates: the gaps between the ticks of a 10 ms timer.

xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/responsiveness.py [SECONDS]

The canvas is drawn in the same thread; where that is done in software, as under Xvfb, it takes a good part of the gaps.
So beside the gaps stands what remains of them without its frames: less the time from the moment that the window begins
to paint one until it is on the screen. What napari takes by itself to add a layer like a preview and to turn it to 3D
is measured as well.
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
from napari.layers import Labels
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtTest import QTest

PLUGIN = "napari-slicegan"
TICK = 10
EDGE, VOLUME = 64, 512  # voxels: of a layer that napari adds by itself, and of the generated volume


class Watch(QObject):
    """Ticks of a timer, and the times in which the window paints a frame of the canvas."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__()
        self.ticks: list[float] = []
        self.frames: list[tuple[float, float]] = []
        self._begun, self._is_drawn = 0.0, False
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(lambda: self.ticks.append(time.perf_counter()))
        canvas = viewer.window._qt_viewer.canvas  # no public way to its frames
        canvas._scene_canvas.events.draw.connect(self._draw)
        canvas.native.frameSwapped.connect(self._end)
        viewer.window._qt_window.installEventFilter(self)

    def eventFilter(self, _window: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  (Qt's name)
        """Note when the window begins to paint."""
        if event is not None and event.type() == QEvent.Type.UpdateRequest:
            self._begun, self._is_drawn = time.perf_counter(), False
        return False

    def _draw(self, _event: object = None) -> None:
        self._is_drawn = True

    def _end(self) -> None:
        if self._is_drawn:
            self.frames.append((self._begun, time.perf_counter()))
            self._is_drawn = False

    def until(self, condition: Callable[[], bool], seconds: float) -> None:
        """Take the times until something has happened, or so many seconds have passed."""
        end = time.perf_counter() + seconds
        while not condition() and time.perf_counter() < end:
            QTest.qWait(50)

    def tell(
        self, name: str, act: Callable[[], object], seconds: float, done: Callable[[], bool] = lambda: False
    ) -> None:
        """Print the gaps from an act, done by the event loop, until something has happened or the time is over."""
        self.ticks, self.frames = [], []
        self._timer.start(TICK)
        QTest.qWait(5 * TICK)
        QTimer.singleShot(0, act)
        QTest.qWait(5 * TICK)
        self.until(done, seconds)
        QTest.qWait(5 * TICK)
        self._timer.stop()
        gaps, without = self._gaps()
        middle, high = np.percentile(gaps, [50, 99])
        rest = f"{np.percentile(without, 99):6.1f}  {without.max():6.1f}"
        print(f"{name:<38} {middle:6.1f}  {high:6.1f}  {gaps.max():6.1f}  | {rest}  ({len(gaps)} ticks)", flush=True)

    def _gaps(self) -> tuple[np.ndarray, np.ndarray]:
        """Gaps in milliseconds, with and without drawing."""
        starts, ends = np.array(self.ticks[:-1]), np.array(self.ticks[1:])
        drawing = np.zeros(len(starts))
        for begun, shown in self.frames:
            drawing += np.clip(np.minimum(ends, shown) - np.maximum(starts, begun), 0, None)
        gaps = (ends - starts) * 1000
        return gaps, gaps - 1000 * drawing


def click(button: Any) -> None:
    """Press a button with the mouse."""
    QTest.mouseClick(button.native, Qt.MouseButton.LeftButton)


def nothing() -> None:
    """No act."""


def open_dock(viewer: napari.Viewer, name: str) -> Any:
    """Open a dock of the plugin."""
    return viewer.window.add_plugin_dock_widget(PLUGIN, name)[1]


def napari_alone(viewer: napari.Viewer, watch: Watch) -> None:
    """Measure what napari takes to add a layer like a preview, and to turn it to 3D, without the plugin."""
    volume = np.random.default_rng(0).integers(0, 3, (EDGE,) * 3, dtype=np.uint8)
    details = {"scale": (1.0,) * 3, "units": ("um",) * 3, "axis_labels": ("z", "y", "x")}
    for turn in ("first", "second"):
        layer = Labels(volume, rendering="iso_categorical", iso_gradient_mode="smooth", **details)
        watch.tell(f"napari alone adds labels, {turn} time", lambda layer=layer: viewer.add_layer(layer), 2)
        watch.tell("napari alone turns to 3D", lambda: setattr(viewer.dims, "ndisplay", 3), 2)
        viewer.dims.ndisplay = 2
        QTest.qWait(500)
        viewer.layers.remove(layer)
        QTest.qWait(500)


def train(viewer: napari.Viewer, watch: Watch, seconds: float) -> None:
    """Measure the opening of the dock, the first step, and the training with its previews."""
    watch.tell("opening the dock, estimate", lambda: open_dock(viewer, "Train SliceGAN"), 10)
    dock = open_dock(viewer, "Train SliceGAN")
    job = dock.jobs.training
    dock.settings.preset.value = "quick"
    dock.settings.length.value = 60
    QTest.qWait(5000)  # of the estimate of these settings

    def previews() -> list[Any]:
        return [layer for layer in viewer.layers if layer.name.endswith("preview")]

    watch.tell("start, first optimiser step", lambda: click(dock.start), 60, lambda: job.status.progress is not None)
    watch.tell("training up to the first preview, 2D", nothing, 120, lambda: bool(previews()))
    watch.tell(f"training, {seconds:g} s, 2D", nothing, seconds)
    watch.tell(f"training, {seconds:g} s, preview in 3D", dock.jobs.training.preview.bring_into_view, seconds)
    dock.jobs.training.preview.go_back()
    print(f"   {job.status.progress.iteration} iterations, {len(previews())} preview layer")
    ends = {dock.pause: lambda: "saved" in job.status.message, dock.stop: lambda: not job.status.state.is_busy}
    for button, is_done in ends.items():
        start = time.perf_counter()
        click(button)
        said = f"{job.status.state} after {time.perf_counter() - start:.2f} s"
        watch.until(is_done, 60)
        print(f"   {said}, done after {time.perf_counter() - start:.2f} s: {job.status.message}")


def generate(viewer: napari.Viewer, watch: Watch) -> None:
    """Measure while a volume is made, and while it comes into the viewer."""
    dock = open_dock(viewer, "Generate volume")
    job = dock.jobs.generation
    dock.form.output.in_3d.value = False
    for box in dock.form.size.voxels:
        box.value = VOLUME
    name = f"generating {VOLUME}^3 as a layer"
    watch.tell(name, lambda: click(dock.generate), 600, lambda: not job.status.state.is_busy)
    print(f"   {job.status.state}: {job.status.message}")


def main(seconds: float) -> None:
    """Measure an idle window, a training and a generation."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = str(Path(folder))
        viewer = napari.Viewer(show_welcome_screen=False)
        viewer.window.resize(1500, 900)
        viewer.open_sample(PLUGIN, "cathode")
        watch = Watch(viewer)
        QTest.qWait(2000)
        print(f"{'milliseconds':<38} {'p50':>6}  {'p99':>6}  {'max':>6}  | without the canvas: p99, max")
        watch.tell("idle", nothing, 5)
        napari_alone(viewer, watch)
        train(viewer, watch, seconds)
        generate(viewer, watch)
        viewer.close()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60)
