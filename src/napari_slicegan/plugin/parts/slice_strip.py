"""A micrograph and the middle slices of a volume beside each other, in one scale and the same colours."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from qtpy.QtCore import QRect, QSize, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_slicegan.plugin.layers import Look
from napari_slicegan.plugin.painting import painted
from napari_slicegan.plugin.volume_layers import AXIS_LABELS

_CAPTIONS = ("micrograph", *(f"⊥ {axis}" for axis in AXIS_LABELS))
_GAP, _LINE, _HIGHEST = 6, 6, 128

Array = npt.NDArray[Any]


class SliceStrip(QWidget):
    """Four pictures in a row: a part of the micrograph, and the slices normal to z, y and x."""

    def __init__(self) -> None:
        super().__init__()
        self._micrograph: Array | None = None
        self._volume: Array | None = None
        self._looks: list[Look | None] = [None, None]
        self._pictures: list[QImage | None] = [None] * len(_CAPTIONS)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)  # fixed: as the hint, in any width
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setToolTip(
            "A part of the micrograph, and the middle slices of the newest preview normal to z, y and x, with as many "
            "pixels each: they should come to look alike."
        )
        self.setAccessibleName("Micrograph and slices of the preview")

    def show_micrograph(self, array: Array | None, look: Look | None = None) -> None:
        """Show a micrograph, of which the middle is taken, as large as a slice of the volume.

        Parameters
        ----------
        array : array (H, W) or (H, W, 3), optional
            Its values; None for no picture.
        look : Look, optional
            Its colours.
        """
        if array is self._micrograph and look is self._looks[0]:
            return
        self._micrograph, self._looks[0] = array, look
        self._draw_micrograph()

    def show_volume(self, array: Array | None, look: Look | None = None) -> None:
        """Show the middle slices of a volume.

        Parameters
        ----------
        array : array (Z, Y, X) or (Z, Y, X, 3), optional
            Its values; None for no pictures.
        look : Look, optional
            Its colours.
        """
        if array is self._volume and look is self._looks[1]:
            return
        is_other_size = (array is None) is not (self._volume is None) or (
            array is not None and self._volume is not None and array.shape != self._volume.shape
        )
        self._volume, self._looks[1] = array, look
        for axis in range(3):
            plane = None if array is None else array.take(array.shape[axis] // 2, axis)
            self._pictures[1 + axis] = None if plane is None else picture_of(plane, look)
        if is_other_size:
            self._draw_micrograph()
        self.update()

    def hasHeightForWidth(self) -> bool:  # noqa: N802  (Qt's name)
        """The pictures are square."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """As high as the pictures and their captions."""
        return self._side(width) + self.fontMetrics().height() + _LINE

    def sizeHint(self) -> QSize:  # noqa: N802
        """As in a dock of the usual width."""
        return QSize(340, self.heightForWidth(340))

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802
        """Draw the pictures, each pixel a square, with their captions."""
        painter, side = QPainter(self), self._side(self.width())
        ink = self.palette().color(self.foregroundRole())
        canvas = QColor("black" if ink.lightness() > 127 else "white")  # as napari's, behind what is transparent
        painter.setPen(ink)
        line = self.fontMetrics().height()
        for place, (caption, picture) in enumerate(zip(_CAPTIONS, self._pictures, strict=True)):
            box = QRect(place * (side + _GAP), 0, side, side)
            if picture is not None:
                target = _fitted(picture, box)
                painter.fillRect(target, canvas)
                painter.drawImage(target, picture)
            else:
                painter.drawRect(box.adjusted(0, 0, -1, -1))
            text = self.fontMetrics().elidedText(caption, Qt.TextElideMode.ElideRight, side)
            painter.drawText(QRect(box.left(), side + _LINE // 2, side, line), Qt.AlignmentFlag.AlignHCenter, text)
        painter.end()

    def _side(self, width: int) -> int:
        count = len(_CAPTIONS)
        return max(16, min(_HIGHEST, (width - (count - 1) * _GAP) // count))

    def _draw_micrograph(self) -> None:
        image = self._micrograph
        if image is not None and self._volume is not None:
            image = _middle(image, self._volume.shape[1:3])
        self._pictures[0] = None if image is None else picture_of(image, self._looks[0])
        self.update()


def picture_of(plane: Array, look: Look | None) -> QImage:
    """A plane as a picture.

    Parameters
    ----------
    plane : array (H, W), (H, W, 3) or (H, W, 4)
        Labels or intensities.
    look : Look, optional
        The colours; by default napari's own for at most eight values, else grey.

    Returns
    -------
    QImage
        One pixel for each; transparent where the layer is.
    """
    colours = painted(plane, look)
    height, width = colours.shape[:2]
    kind = QImage.Format.Format_RGBA8888
    picture: QImage = QImage(colours.tobytes(), width, height, 4 * width, kind).copy()  # owns its pixels
    return picture


def _middle(image: Array, shape: tuple[int, ...]) -> Array:
    """The middle of an image, at most of a shape."""
    starts = [max(0, (have - want) // 2) for have, want in zip(image.shape, shape, strict=False)]
    top, left = starts
    return image[top : top + shape[0], left : left + shape[1]]


def _fitted(picture: QImage, box: QRect) -> QRect:
    """The largest place in a box with the shape of a picture."""
    size = picture.size().scaled(box.size(), Qt.AspectRatioMode.KeepAspectRatio)
    place = QRect(0, 0, size.width(), size.height())
    place.moveCenter(box.center())
    return place
