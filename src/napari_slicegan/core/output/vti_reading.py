"""VTK ImageData (.vti) as `sinks.vti` writes it: voxels in blocks, compressed by zlib, behind a header in XML.

Read without the vtk package, which believes what a damaged file claims.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from defusedxml import ElementTree

from napari_slicegan.core.raster import LARGEST_EXPANSION, check_claim

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # nosec B405

_LONGEST_HEADER = 2**20  # bytes
_LONGEST_UNIT = 100
_LONGEST_RECORD = 2**24
_DATA = b"<AppendedData"
_WRITTEN = {
    "type": "ImageData",
    "byte_order": "LittleEndian",
    "header_type": "UInt64",
    "compressor": "vtkZLibDataCompressor",
}
_TYPES = {
    f"{name}{bits}": f"<{letter}{bits // 8}" for name, letter in (("UInt", "u"), ("Int", "i")) for bits in (8, 16, 32)
}


@dataclass(frozen=True)
class _Blocks:
    """What stands behind the header; arrays begin at offsets that the header names."""

    content: bytes

    def array(self, element: Element, size: int) -> bytes:
        """The bytes of an array, exactly so many."""
        place = int(element.attrib["offset"])
        count, full, last = self._numbers(place, 3)
        lengths = self._numbers(place + 24, count)
        place += 24 + 8 * count
        sizes = [full] * (count - 1) + [last or full] if count else []
        if sum(sizes) != size:
            raise ValueError("its blocks are no array of its size")
        parts = []
        for length, block in zip(lengths, sizes, strict=True):
            part = zlib.decompressobj().decompress(self.content[place : place + length], block)
            if len(part) != block:
                raise ValueError("a block is cut short")
            parts.append(part)
            place += length
        return b"".join(parts)

    def size_at(self, place: int) -> int:
        """Bytes of the array at an offset, as it claims."""
        count, full, last = self._numbers(place, 3)
        return full * (count - 1) + (last or full) if count else 0

    def _numbers(self, place: int, count: int) -> list[int]:
        """Numbers of 8 bytes, as many as there are said to be."""
        if not 0 <= place <= len(self.content) - 8 * count:
            raise ValueError("it is cut short")
        return [int(number) for number in np.frombuffer(self.content, "<u8", count, place)]


def read_vti(path: Path) -> tuple[npt.NDArray[Any], float, str]:
    """Read what `VtiSink` wrote.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    (array (Z, Y, X) or (Z, Y, X, 3), float, str)
        The volume, the edge of its voxels and their unit.

    Raises
    ------
    DataError
        The file claims more voxels than it can hold.
    ValueError
        It is damaged, or of another kind.
    """
    content = path.read_bytes()
    root, blocks = _parts(content)
    image, cells = _found(root, "ImageData"), _found(root, "ImageData/Piece/CellData/DataArray")
    first_x, x, first_y, y, first_z, z = map(int, image.attrib["WholeExtent"].split())
    shape = (z - first_z, y - first_y, x - first_x)
    channels, dtype = int(cells.get("NumberOfComponents", 1)), np.dtype(_TYPES[cells.attrib["type"]])
    if min(shape) < 1 or channels not in (1, 3):
        raise ValueError(f"it has {channels} values for each of {shape} voxels")
    shape_of_all = shape if channels == 1 else (*shape, channels)
    size = prod(shape_of_all) * dtype.itemsize
    check_claim(path.name, size, len(content), LARGEST_EXPANSION)
    volume: npt.NDArray[Any] = np.frombuffer(blocks.array(cells, size), dtype).reshape(shape_of_all)
    return volume, float(image.attrib["Spacing"].split()[0]), _unit(root, blocks)


def read_vti_record(path: Path) -> dict[str, Any]:
    """What `VtiSink` wrote of a volume beside its voxels; empty for files of others.

    Raises
    ------
    ValueError
        The file is damaged, or of another kind.
    """
    text = _text(*_parts(path.read_bytes()), "provenance", _LONGEST_RECORD)
    record = json.loads(text or "{}")
    if not isinstance(record, dict):
        raise ValueError("what it says of its making is no table")
    return record


def _parts(content: bytes) -> tuple[Element, _Blocks]:
    """The header, and what follows it."""
    end = content.find(_DATA, 0, _LONGEST_HEADER)
    if end < 0 or b"<!" in content[:end]:  # nothing that could grow
        raise ValueError("it has no header of VTK ImageData with appended data")
    root = ElementTree.fromstring(content[:end] + b"</VTKFile>")
    begin = content.index(b"_", end) + 1
    if any(root.get(name) != value for name, value in _WRITTEN.items()) or b'"raw"' not in content[end:begin]:
        raise ValueError("it is not stored as appended raw data, compressed by zlib: save it so in ParaView")
    return root, _Blocks(content[begin:])


def _found(root: Element, path: str) -> Element:
    element = root.find(path)
    if element is None:
        raise ValueError(f"it has no {path}")
    return element


def _unit(root: Element, blocks: _Blocks) -> str:
    return _text(root, blocks, "unit", _LONGEST_UNIT) or "pixel"


def _text(root: Element, blocks: _Blocks, name: str, most: int) -> str:
    """A text that stands beside the voxels, with a zero behind it; empty where there is none, or a longer one."""
    element = root.find(f"ImageData/FieldData/Array[@Name='{name}']")
    if element is None:
        return ""
    place = int(element.attrib["offset"])
    size = blocks.size_at(place)
    return blocks.array(element, size).rstrip(b"\0").decode() if size <= most else ""
