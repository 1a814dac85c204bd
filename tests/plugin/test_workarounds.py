"""What napari gets wrong is put right as soon as a dock is open."""

import numpy as np
from qtpy.QtGui import QOpenGLContext

from tests.plugin.conftest import two_phases


def test_a_volume_below_an_image_can_be_removed(viewer, open_dock, qtbot):
    open_dock(viewer)
    volume = viewer.add_image(np.zeros((16, 16, 16), np.float32))
    qtbot.wait(100)
    viewer.add_labels(two_phases())
    qtbot.wait(200)
    canvas = viewer.window._qt_viewer.canvas._scene_canvas.native
    canvas.doneCurrent()
    current = []
    viewer.layers.events.removed.connect(lambda _: current.append(QOpenGLContext.currentContext()), position="first")
    viewer.layers.remove(volume)  # without the remedy the process may die here
    assert current == [canvas.context()]
    qtbot.wait(200)
    assert len(viewer.layers) == 1
