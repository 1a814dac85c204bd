"""Take the pictures of the docks, of the package's own cathode:

xvfb-run -a -s "-screen 0 1600x1000x24" python docs/screenshots.py [MINUTES | MODEL]

With a model that was trained on it, none is trained, and the picture of the training stays as it is.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["NAPARI_CONFIG"] = ""  # the settings of whoever runs this stay out of the pictures

import napari
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_slicegan.plugin.compare.form import Judged
from napari_slicegan.plugin.work.jobs import jobs_of

IMAGES = Path(__file__).parent / "images"
PLUGIN = "napari-slicegan"
SIZE = (1360, 860)


def wait(condition: Callable[[], bool], seconds: float) -> None:
    """Keep the window alive until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("What the picture should show did not happen.")
        QTest.qWait(50)


def click(button: Any) -> None:
    """Press a button with the mouse."""
    QTest.mouseClick(button.native, Qt.MouseButton.LeftButton)


def photograph(viewer: napari.Viewer, name: str) -> None:
    """Save the whole window."""
    QTest.qWait(800)
    viewer.screenshot(str(IMAGES / f"{name}.png"), canvas_only=False, flash=False)


def check(viewer: napari.Viewer) -> None:
    """Show what the image check says of the cathode."""
    dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "Train SliceGAN")
    wait(lambda: widget.jobs.check.found is not None, 60)
    photograph(viewer, "check")
    viewer.window.remove_dock_widget(dock)


def compare(viewer: napari.Viewer) -> None:
    """Compare volumes of the model with the cathode, and show a curve."""
    viewer.layers[1:] = []
    dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "Compare volumes")
    widget.form.judged.value = Judged.MODEL
    for box in widget.form.sizes:
        box.value = 96
    widget.form.slow.value = False
    viewer.window._qt_window.resizeDocks([dock], [620], Qt.Orientation.Horizontal)
    QTest.qWait(300)
    click(widget.compare)
    wait(lambda: not widget.jobs.comparison.status.state.is_busy, 600)
    widget.view.table.selectRow(next(n for n, row in enumerate(widget.view.comparison.rows) if row.is_curve))
    photograph(viewer, "compare")
    viewer.window.remove_dock_widget(dock)


def train(viewer: napari.Viewer, minutes: float) -> None:
    """Train on the cathode, with a picture shortly before the end."""
    dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "Train SliceGAN")
    widget.settings.preset.value = "quick"
    widget.settings.length.value = minutes
    widget.settings.folder.line_edit.value = "~/napari-slicegan"
    job = widget.jobs.training
    QTest.qWait(300)
    click(widget.start)
    wait(lambda: job.status.fraction is not None and job.status.fraction > 0.9, 180 * minutes + 120)
    photograph(viewer, "train")
    wait(lambda: not job.status.state.is_busy, 60 * minutes + 120)
    if not widget.jobs.models.entries:
        raise SystemExit(job.status.message)
    viewer.window.remove_dock_widget(dock)


def generate(viewer: napari.Viewer) -> None:
    """Generate a volume and show it in 3D."""
    dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "Generate volume")
    wait(lambda: "about" in widget.form.costs.value, 60)  # the time that it takes is measured first
    click(widget.generate)
    wait(lambda: not jobs_of(viewer).generation.status.state.is_busy, 300)
    photograph(viewer, "generate")
    browse(viewer, widget)
    viewer.window.remove_dock_widget(dock)


def browse(viewer: napari.Viewer, widget: Any) -> None:
    """Show a plane of the endless volume."""
    widget.endless.group.open()
    QTest.qWait(300)
    click(widget.endless.browse)
    QTest.qWait(1000)
    wait(lambda: not widget.endless.status.value, 120)
    photograph(viewer, "endless")


def load(viewer: napari.Viewer, path: Path) -> None:
    """Load a model instead of training one."""
    loading = jobs_of(viewer).loading
    loading.start(path)
    wait(lambda: not loading.status.state.is_busy, 60)


def main(choice: str) -> None:
    """Take all pictures, or those of a model."""
    IMAGES.mkdir(exist_ok=True)
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.window.resize(*SIZE)
    viewer.open_sample(PLUGIN, "cathode")
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = home  # where the run goes
        if Path(choice).exists():
            load(viewer, Path(choice).absolute())
        check(viewer)
        if not Path(choice).exists():
            train(viewer, float(choice))
        generate(viewer)
        compare(viewer)
    viewer.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "4")
