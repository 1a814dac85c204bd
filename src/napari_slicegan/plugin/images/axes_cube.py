"""A drawing of the volume's axes with the chosen images on the faces that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QBrush, QColor, QImage, QPainter, QPaintEvent, QPen, QPolygonF, QTransform
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import AXES, TrainingData
from napari_slicegan.plugin.layers import LayerImage, is_in_memory
from napari_slicegan.plugin.painting import painted

_EDGE = 128  # pixels of a picture on a face
_HEIGHT = 190
#: From above, left and front: z runs down, y towards the viewer, x to the right. In units of an edge.
_X, _Y, _Z = QPointF(1.0, 0.0), QPointF(-0.38, 0.36), QPointF(0.0, 1.0)
_AXES = {"z": _Z, "y": _Y, "x": _X}
#: For each face its corner at row 0 and column 0; it is the end of the axis that looks at the viewer.
_CORNERS = {"z": QPointF(0.0, 0.0), "y": _Y, "x": _X}
_TOOLTIP = (
    "Which image is compared with which planes of the volume: z runs down, y towards you, x to the right. "
    "Turn an image that lies across."
)


class AxesCube(QWidget):
    """A cube whose faces show the images, turned as the training turns them."""

    def __init__(self) -> None:
        super().__init__()
        self.faces: dict[str, QImage | None] = dict.fromkeys(AXES)
        self.setToolTip(_TOOLTIP)
        self.setAccessibleName("Axes of the volume")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_HEIGHT)
        self.hide()

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """As wide as high."""
        return QSize(_HEIGHT, _HEIGHT)

    def show_images(self, images: Sequence[LayerImage | None], axis: str = "z") -> None:
        """Show images on the faces; hide if there is one alone, which belongs to all.

        Parameters
        ----------
        images : sequence of LayerImage or None
            One, two or three; None where none is chosen yet.
        axis : str
            The special axis of two images.
        """
        alone = images[0] if len(images) == 1 else None
        stack = alone is not None and len(alone.shape) == 3 and not alone.slices
        self.setVisible(len(images) > 1 or stack)
        if len(images) > 1:
            planes = list(faces_of(images, axis).values())
        elif alone is not None and stack:
            planes = [_slice(alone, normal) for normal in range(3)]
        else:
            planes = [None] * 3
        self.faces = dict(zip(AXES, planes, strict=True))
        self.update()

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Draw the faces, their edges, and the axes."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        margin = painter.fontMetrics().height() * 1.6
        edge = (min(self.height(), self.width()) - 2 * margin) / (1 + _Y.y())
        depth = QPointF(-_Y.x() * edge, 0.0)
        origin = QPointF((self.width() - (1 - _Y.x()) * edge) / 2, margin) + depth
        ink = self.palette().color(self.foregroundRole())
        for name, image in self.faces.items():
            self._draw_face(painter, name, image, origin, edge)
        painter.setPen(QPen(ink, 1.5))
        for name in AXES:
            painter.drawPolygon(_outline(name, origin, edge))
        self._draw_axes(painter, origin, edge)
        painter.end()

    def _draw_face(self, painter: QPainter, name: str, image: QImage | None, origin: QPointF, edge: float) -> None:
        outline = _outline(name, origin, edge)
        ink = self.palette().color(self.foregroundRole())
        if image is None:
            painter.setPen(Qt.PenStyle.NoPen)
            faint = self.palette().color(self.foregroundRole())
            faint.setAlpha(70)
            painter.setBrush(QBrush(faint, Qt.BrushStyle.BDiagPattern))
            painter.drawPolygon(outline)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(ink)
            painter.drawText(outline.boundingRect(), int(Qt.AlignmentFlag.AlignCenter), f"normal\nto {name}")
            return
        rows, columns = (_AXES[axis] * edge for axis in AXES if axis != name)
        corner = origin + _CORNERS[name] * edge
        width, height = image.width(), image.height()
        painter.save()
        painter.setTransform(
            QTransform(
                columns.x() / width, columns.y() / width, rows.x() / height, rows.y() / height, corner.x(), corner.y()
            ),
            True,
        )
        ground = QColor("black" if ink.lightness() > 127 else "white")  # as napari's canvas
        painter.fillRect(QRectF(0, 0, width, height), ground)
        painter.drawImage(QRectF(0, 0, width, height), image)
        painter.restore()

    def _draw_axes(self, painter: QPainter, origin: QPointF, edge: float) -> None:
        """Arrows beside the edges, each with its name."""
        gap = painter.fontMetrics().height() * 0.45
        starts = {
            "z": origin + _Y * edge + QPointF(-gap, 0),
            "y": origin + QPointF(-gap * 0.7, -gap * 0.7),
            "x": origin + QPointF(0, -gap),
        }
        sides = {"z": QPointF(-1.6 * gap, 0), "y": QPointF(-1.2 * gap, -1.2 * gap), "x": QPointF(0, -1.4 * gap)}
        for name, start in starts.items():
            line = QLineF(start, start + _AXES[name] * edge)
            painter.drawLine(line)
            for turn in (150, -150):
                barb = QLineF(line.p2(), line.p1())
                barb.setLength(gap)
                barb.setAngle(line.angle() + turn)
                painter.drawLine(barb)
            box = QRectF(0, 0, 3 * gap, 3 * gap)
            box.moveCenter(line.center() + sides[name])
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), name)


def faces_of(images: Sequence[LayerImage | None], axis: str) -> dict[str, QImage | None]:
    """The picture on the face normal to each axis: rows and columns along the other two axes, in the order z, y, x.

    Parameters
    ----------
    images : sequence of LayerImage or None
        Two or three.
    axis : str
        The special axis of two.

    Returns
    -------
    dict of str to QImage or None
        By "z", "y", "x"; None where an image is missing or cannot be shown.
    """
    nothing = np.zeros((1, 1, 1, 1), np.uint8)
    views = TrainingData(OutputKind.GREY, (nothing,) * len(images), axis=axis).views
    faces: dict[str, QImage | None] = {}
    for name, (source, transpose) in zip(AXES, views, strict=True):
        image = images[source]
        plane = None if image is None or len(image.shape) != 2 else picture(image, image.array)
        faces[name] = plane.transformed(QTransform(0, 1, 1, 0, 0, 0)) if plane is not None and transpose else plane
    return faces


def picture(image: LayerImage, plane: Any) -> QImage | None:
    """A small square from the middle of a plane of an image, in the layer's colours; None if it is not in memory."""
    if not is_in_memory(plane):
        return None
    edge = min(plane.shape[:2])
    top, left = (plane.shape[0] - edge) // 2, (plane.shape[1] - edge) // 2
    step = max(1, -(-edge // _EDGE))
    small = plane[top : top + edge : step, left : left + edge : step]
    colours = painted(small, image.look)
    height, width = colours.shape[:2]
    return QImage(colours.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()


def _slice(stack: LayerImage, normal: int) -> QImage | None:
    """The slice of a stack that lies on the face of the cube: the first along z, the last along y and x."""
    array = stack.array
    if not is_in_memory(array):
        return None
    return picture(stack, array.take(0 if normal == 0 else -1, axis=normal))


def _outline(name: str, origin: QPointF, edge: float) -> QPolygonF:
    rows, columns = (_AXES[axis] * edge for axis in AXES if axis != name)
    corner = origin + _CORNERS[name] * edge
    return QPolygonF([corner, corner + columns, corner + columns + rows, corner + rows])
