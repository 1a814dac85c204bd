"""The small picture of the training image that a model file carries."""

from __future__ import annotations

import base64
import binascii
import io
import struct

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import ModelError

#: Characters that a thumbnail takes at most, and pixels along its longer edge.
LONGEST, EDGE = 12_000, 96
_REGION = 2 * EDGE  # pixels of the image that are shown: more would lose its features
Array = npt.NDArray[np.uint8]
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def thumbnail_of(data: TrainingData) -> str:
    """Draw the middle of the first training image, phases in their colours.

    Parameters
    ----------
    data : TrainingData
        The images.

    Returns
    -------
    str
        A PNG picture of at most `EDGE` pixels along each edge, in base64, at most `LONGEST` characters.
    """
    pixels = _coloured(_middle(data), data)
    step = -(-max(pixels.shape[:2]) // EDGE)
    for coarser in (step, step + 1, 2 * step, 4 * step):  # noise hardly compresses
        text = base64.b64encode(_png(pixels[::coarser, ::coarser])).decode()
        if len(text) <= LONGEST:
            return text
    return ""


def png_of(thumbnail: str) -> bytes:
    """Decode a thumbnail from a file; nothing is believed of it before it is checked.

    Parameters
    ----------
    thumbnail : str
        What `thumbnail_of` gives; empty when there is none.

    Returns
    -------
    bytes
        A PNG file, or none.

    Raises
    ------
    ModelError
        It is none, or larger than thumbnails are.
    """
    if not thumbnail:
        return b""
    try:
        content = base64.b64decode(thumbnail, validate=True) if len(thumbnail) <= LONGEST else b""
        sizes = struct.unpack(">II", content[16:24])
    except (binascii.Error, ValueError, TypeError, struct.error):
        content, sizes = b"", (0, 0)
    if not content.startswith(_SIGNATURE) or not all(0 < size <= EDGE for size in sizes):
        raise ModelError("The header of the model holds a picture that is no thumbnail.")
    return content


def _middle(data: TrainingData) -> Array:
    """The middle of the middle plane of what is trained on of the first source, (H, W) or (H, W, C)."""
    source = next(data.pieces(0))
    plane = source[len(source) // 2]
    low = [max(0, (size - _REGION) // 2) for size in plane.shape[:2]]
    middle: Array = plane[low[0] : low[0] + _REGION, low[1] : low[1] + _REGION]
    return middle


def _coloured(pixels: Array, data: TrainingData) -> Array:
    """Pixels as they are shown: (H, W) grey or (H, W, 3)."""
    if not data.phases:
        return pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    from napari_slicegan.core.figure import PALETTE  # imports more than the reader of a header needs

    chosen = [tuple(bytes.fromhex(colour[1:])) for colour in data.phase_colours]
    table: Array = np.array(chosen or PALETTE, np.uint8)
    return table[pixels]


def _png(pixels: Array) -> bytes:
    from PIL import Image

    image, buffer = Image.fromarray(np.ascontiguousarray(pixels)), io.BytesIO()
    few = image.quantize(colors=32, dither=Image.Dither.NONE) if image.mode == "RGB" else image
    few.save(buffer, "png", optimize=True)
    return buffer.getvalue()
