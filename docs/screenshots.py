"""Drive the real window through the whole story, and take the pictures of the documentation:

xvfb-run -a -s "-screen 0 1600x1000x24" python docs/screenshots.py [MINUTES | MODEL]

MINUTES (4) is how long it trains on the package's cathode. With a MODEL that was trained on it, none is trained, and
the pictures of the training and of the runs stay as they are.
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

from napari_slicegan.plugin import preferences
from napari_slicegan.plugin.compare.form import Judged
from napari_slicegan.plugin.images.chooser import Material
from napari_slicegan.plugin.parts.docks import COMPARE, GENERATE, PLUGIN, RUNS, TRAIN, open_dock
from napari_slicegan.plugin.work.jobs import jobs_of

IMAGES = Path(__file__).parent / "images"
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
    QTest.mouseClick(getattr(button, "native", button), Qt.MouseButton.LeftButton)


def photograph(viewer: napari.Viewer, name: str) -> None:
    """Save the whole window."""
    QTest.qWait(800)
    viewer.screenshot(str(IMAGES / f"{name}.png"), canvas_only=False, flash=False)


def opened(viewer: napari.Viewer, name: str) -> Any:
    """Open a dock, or bring it to the front."""
    widget: Any = open_dock(viewer, name)
    QTest.qWait(300)
    return widget


def close(viewer: napari.Viewer, widget: Any) -> None:
    """Close a dock."""
    viewer.window.remove_dock_widget(widget)
    QTest.qWait(200)


def choose(viewer: napari.Viewer) -> None:
    """Show three images on the faces of the cube, and a grey image that is segmented."""
    viewer.open_sample(PLUGIN, "fibres")
    widget = opened(viewer, TRAIN)
    widget.chooser.material.value = Material.ANISOTROPIC
    wait(lambda: widget.jobs.check.found is not None, 60)
    photograph(viewer, "faces")
    viewer.layers.clear()
    viewer.open_sample(PLUGIN, "polycrystal")
    widget.chooser.material.value = Material.ISOTROPIC
    segment = widget.chooser.below.segment
    segment.group.open()
    QTest.qWait(300)
    click(segment.preview)
    wait(lambda: len(viewer.layers) > 1, 60)
    widget.area.ensureWidgetVisible(segment.group)
    wait(lambda: "…" not in widget.check.group.text(), 60)
    photograph(viewer, "segment")
    close(viewer, widget)
    viewer.layers.clear()


def ready(viewer: napari.Viewer) -> Any:
    """Show the dock before a training, with its estimate, and what the image check says."""
    viewer.open_sample(PLUGIN, "cathode")
    viewer.reset_view()
    widget = opened(viewer, TRAIN)
    widget.settings.preset.value = "quick"
    wait(lambda: widget.jobs.check.found is not None, 60)
    wait(lambda: "about" in widget.costs.takes.value, 120)
    photograph(viewer, "ready")
    return widget


def train(viewer: napari.Viewer, widget: Any, minutes: float) -> None:
    """Train, with a picture shortly before the end, and one of the runs."""
    widget.settings.length.value = minutes
    job = widget.jobs.training
    click(widget.start)
    wait(lambda: job.status.fraction is not None and job.status.fraction > 0.9, 180 * minutes + 120)
    click(widget.hint.button)  # shows the preview
    photograph(viewer, "train")
    wait(lambda: not job.status.state.is_busy, 60 * minutes + 120)
    if not widget.jobs.models.entries:
        raise SystemExit(job.status.message)
    runs = opened(viewer, RUNS)
    wait(lambda: runs.table.run is not None, 20)
    QTest.qWait(1500)
    photograph(viewer, "runs")
    close(viewer, runs)


def generate(viewer: napari.Viewer) -> None:
    """Generate a volume and show it in 3D; then a plane of the endless volume."""
    widget = opened(viewer, GENERATE)
    wait(lambda: "about" in widget.form.costs.value, 60)  # the time that it takes is measured first
    click(widget.generate)
    wait(lambda: not jobs_of(viewer).generation.status.state.is_busy, 300)
    photograph(viewer, "generate")
    widget.endless.group.open()
    QTest.qWait(300)
    click(widget.endless.browse)
    QTest.qWait(1000)
    wait(lambda: not widget.endless.status.value, 120)
    widget.area.ensureWidgetVisible(widget.endless.group)
    photograph(viewer, "endless")
    close(viewer, widget)


def compare(viewer: napari.Viewer) -> None:
    """Compare volumes of the model with the cathode, and show a curve."""
    for layer in list(viewer.layers):
        if layer.name != "cathode":
            viewer.layers.remove(layer)
    viewer.layers[0].visible = True
    viewer.dims.ndisplay = 2
    viewer.reset_view()
    widget = opened(viewer, COMPARE)
    widget.form.judged.value = Judged.MODEL
    for box in widget.form.sizes:
        box.value = 96
    widget.form.slow.value = False
    viewer.window._qt_window.resizeDocks([widget.parentWidget()], [620], Qt.Orientation.Horizontal)
    QTest.qWait(300)
    click(widget.compare)
    wait(lambda: not widget.jobs.comparison.status.state.is_busy, 600)
    widget.view.table.selectRow(next(n for n, row in enumerate(widget.view.comparison.rows) if row.is_curve))
    photograph(viewer, "compare")


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
    with tempfile.TemporaryDirectory() as folder:
        preferences.set_preference("runs_folder", folder)
        choose(viewer)
        widget = ready(viewer)
        if Path(choice).exists():
            load(viewer, Path(choice).absolute())
        else:
            train(viewer, widget, float(choice))
        close(viewer, widget)
        generate(viewer)
        compare(viewer)
        viewer.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "4")
