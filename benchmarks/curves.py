"""How much of the time of a training goes into the live curves and slices of the dock: the goal is at most 1 %.

xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/curves.py [SECONDS]
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

os.environ["NAPARI_CONFIG"] = ""

import napari
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest

from napari_slicegan.core.events import Evaluation, Progress
from napari_slicegan.plugin.parts.curves_panel import CurvesPanel
from napari_slicegan.plugin.work.run_view import MOST, RunView


def share(name: str, curves: CurvesPanel, seconds: float) -> None:
    """Print the share of so many seconds."""
    before = curves.seconds
    QTest.qWait(round(1000 * seconds))
    spent = curves.seconds - before
    points = len(curves.view.progress) if curves.view else 0
    print(f"{name:<36} {spent:.2f} s of {seconds:g} s: {spent / seconds:.2%}  ({points} reports)", flush=True)


def long_run() -> RunView:
    """A run of days, as far as it is kept."""
    view = RunView(Path())
    for number in range(1, MOST + 1):
        view.feed(Progress(number, 0.0, 0.5, 1.0, 1.0, 50 / number + number % 7, 0.5, 0.0, 0.0))
        view.feed(Evaluation(number, 1 / number, 2 / number))
    return view


def main(seconds: float) -> None:
    """Measure a training from its start, and one that has as many reports as are kept."""
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.window.resize(1360, 860)
    viewer.open_sample("napari-slicegan", "cathode")
    _, dock = viewer.window.add_plugin_dock_widget("napari-slicegan", "Train SliceGAN")
    with tempfile.TemporaryDirectory() as folder:
        dock.settings.folder.value = Path(folder)
        dock.settings.preset.value = "quick"
        dock.settings.length.value = 60
        QTest.mouseClick(dock.start.native, Qt.MouseButton.LeftButton)
        QTest.qWait(15_000)
        curves = dock.live.curves
        share("preset quick", curves, seconds)
        view = long_run()
        news = QTimer()
        news.timeout.connect(view.changed.emit)
        news.start(100)
        curves.show_run(view)
        share("beside it, a run of days", curves, seconds)
        QTest.mouseClick(dock.stop.native, Qt.MouseButton.LeftButton)
        while dock.jobs.training.status.state.is_busy:
            QTest.qWait(50)
    viewer.close()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60)
