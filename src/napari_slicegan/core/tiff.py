"""TIFF files: pixels, axes and spacing."""

from __future__ import annotations

import json
import logging
import struct
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from defusedxml import ElementTree

from napari_slicegan.core.calibration import Spacing, tiff_spacing
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.raster import LARGEST_EXPANSION, check_claim, guess_axes, picture_array

if TYPE_CHECKING:
    from pathlib import Path

    import tifffile

#: Characters of what is written of a volume beside its voxels.
LONGEST_RECORD = 2**24
_NOT_DECODED = ("imagecodecs", "not supported")  # how tifffile says that a compression is beyond it
_LZMA = 34925
_GROWING = {8: 1032, 32946: 1032, _LZMA: 2**30}  # bytes that one of deflate, or LZMA, which takes a dictionary, becomes
_MOST_UNSEEN = 2**28  # bytes
_BITS_PER_BYTE = 8  # 1-bit pixels become bytes
_STORED_AS_MEANT = {0, 1, 2, 3}  # photometric: white is zero, black is zero, RGB, palette
_COLOUR_BY_DECODER = {6}  # YCbCr, which JPEG compression uses


def read_tiff(path: Path, file_bytes: int, map_from: int | None = None) -> tuple[np.ndarray, str, Spacing]:
    """Read the first image, stack or series of a TIFF file.

    Parameters
    ----------
    path : Path
        The file: plain, multi-page, OME or ImageJ TIFF, classic or BigTIFF.
    file_bytes : int
        Its length.
    map_from : int, optional
        Bytes of pixels from which on they are mapped into memory instead of read, where they stand in one piece.

    Returns
    -------
    tuple of ndarray, str and Spacing
        The values as stored (a palette's indices, which is how ImageJ keeps labels and grey
        images that are shown in false colours), one letter for each axis, and the spacing.

    Raises
    ------
    DataError
        The file is cut short, claims more than it can hold, or stores colours in a way that
        cannot be used.
    """
    with opened(path) as tif:
        series = tif.series[0]
        page = series.keyframe
        packed = int(page.compression) != 1
        claimed = int(np.prod(series.shape, dtype=object)) * np.dtype(series.dtype).itemsize
        check_claim(path.name, claimed, file_bytes, LARGEST_EXPANSION if packed else _BITS_PER_BYTE)
        _check_complete(tif, series, path.name, file_bytes)
        if packed:
            _check_segments(path, series)
        _check_colours(page, path.name)
        spacing = tiff_spacing(tif, page)
        axes = series.axes
        if "Y" not in axes or "X" not in axes:
            axes = guess_axes(series.shape)
        if map_from is not None and claimed >= map_from and series.dataoffset is not None and not packed:
            return _mapped(tif, series, path), axes, spacing
        try:
            array = series.asarray()
        except (ValueError, NotImplementedError) as error:
            if not any(words in str(error) for words in _NOT_DECODED):
                raise
        else:
            return array, axes, spacing
        array = _decoded_by_pillow(path, series)
    return array, ("Z" if len(series.pages) > 1 else "") + "YXS"[: array.ndim], spacing


def map_tiff(path: Path) -> np.ndarray:
    """Map the voxels of a TIFF file that stand in one piece, which is how this package writes volumes.

    Raises
    ------
    ValueError
        They stand otherwise.
    """
    with opened(path) as tif:
        series = tif.series[0]
        if series.dataoffset is None or int(series.keyframe.compression) != 1:
            raise ValueError("its voxels do not stand in one piece")
        return _mapped(tif, series, path)


def read_record(path: Path) -> dict[str, Any]:
    """What napari-slicegan wrote of a volume into its TIFF file; empty for files of others."""
    try:
        with opened(path) as tif:
            text = _ome_description(tif.ome_metadata or "") if tif.is_ome else (tif.imagej_metadata or {}).get("Info")
        record = json.loads(text) if isinstance(text, str) and text[:1] == "{" and len(text) < LONGEST_RECORD else {}
    except Exception:  # noqa: BLE001  (decoders raise anything at all on damaged files; reading the pixels will tell)
        return {}
    return record if isinstance(record, dict) else {}


def _ome_description(xml: str) -> str | None:
    text: str | None = ElementTree.fromstring(xml.encode()).findtext(".//{*}Image/{*}Description")
    return text


def opened(path: Path) -> tifffile.TiffFile:
    """Open a TIFF file, and none of those that it names as parts of itself, wherever they are.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    tifffile.TiffFile
        To be used in a ``with`` block.
    """
    import tifffile

    _silence()
    tif = tifffile.TiffFile(path, _multifile=False, is_mmstack=False, is_ndtiff=False)
    try:
        _check_pages(tif, path.name)
    except BaseException:
        tif.close()
        raise
    return tif


def _check_pages(tif: tifffile.TiffFile, name: str) -> None:
    """Refuse pages that lead back to earlier ones, through which tifffile would go round and round."""
    file, sizes, seen = tif.filehandle, tif.tiff, set[int]()
    with suppress(struct.error, IndexError):  # of a file without pages, or cut short: reading it will tell
        place = int(tif.pages.first.offset)
        while place and place not in seen:
            seen.add(place)
            file.seek(place)
            (tags,) = struct.unpack(sizes.tagnoformat, file.read(sizes.tagnosize))
            file.seek(place + sizes.tagnosize + tags * sizes.tagsize)
            (place,) = struct.unpack(sizes.offsetformat, file.read(sizes.offsetsize))
        if place:
            raise DataError(f"{name} is damaged: its pages lead back to earlier ones. Save it again.")


def _mapped(tif: tifffile.TiffFile, series: tifffile.TiffPageSeries, path: Path) -> np.ndarray:
    dtype, begin = np.dtype(series.dtype).newbyteorder(tif.byteorder), series.dataoffset or 0
    mapped: np.ndarray = np.memmap(path, dtype, "r", begin, series.shape)
    return mapped


def _silence() -> None:
    """Keep tifffile's log off standard error unless the program set up logging."""
    logger = logging.getLogger("tifffile")
    if not logger.hasHandlers():
        logger.addHandler(logging.NullHandler())


def _check_complete(tif: tifffile.TiffFile, series: tifffile.TiffPageSeries, name: str, file_bytes: int) -> None:
    """Refuse a file that lacks pages or pixels: they would read as zeros, or not at all."""
    pages = list(series.pages)
    counts = [count for page in pages if page for count in page.databytecounts]
    offsets = [offset for page in pages if page for offset in page.dataoffsets]
    ends = [offset + count for offset, count in zip(offsets, counts, strict=True)]
    if series.dataoffset is not None:
        ends.append(series.dataoffset + series.nbytes)
    if None in pages or 0 in counts or max(ends) > file_bytes or not _chain_ends(tif):
        raise DataError(f"{name} is cut short: parts that it lists are missing. Copy or save it again.")


def _check_segments(path: Path, series: tifffile.TiffPageSeries) -> None:
    """Refuse strips and tiles that grow beyond their page, since a decoder makes all of one before it is cut."""
    code, most = int(series.keyframe.compression), series.keyframe.nbytes
    if code not in _GROWING:
        return
    with path.open("rb") as file:
        for page in series.pages:
            if page is None:  # which the check before has refused
                continue
            for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
                if count * _GROWING[code] > _MOST_UNSEEN:
                    file.seek(offset)
                    _check_growth(code, file.read(count), most, path.name)


def _check_growth(code: int, segment: bytes, most: int, name: str) -> None:
    if code == _LZMA:
        import lzma

        decoder: Any = lzma.LZMADecompressor(memlimit=_MOST_UNSEEN)
    else:
        import zlib

        decoder = zlib.decompressobj()
    if len(decoder.decompress(segment, most + 1)) > most:
        raise DataError(f"{name} holds parts that grow beyond its pixels: it is damaged. Save it again.")


def _chain_ends(tif: tifffile.TiffFile) -> bool:
    """Whether the list of pages ends as it should, rather than where the file does."""
    position = tif.pages.next_page_offset
    if position is None:
        return True
    tif.filehandle.seek(position)
    stored = tif.filehandle.read(tif.tiff.offsetsize)
    return len(stored) == tif.tiff.offsetsize and not any(stored)


def _check_colours(page: tifffile.TiffPage, name: str) -> None:
    allowed = _STORED_AS_MEANT | (_COLOUR_BY_DECODER if int(page.compression) in (6, 7) else set())
    if int(page.photometric) not in allowed:
        kind = getattr(page.photometric, "name", page.photometric)
        raise DataError(f"{name} stores {kind} colours: save it as an RGB or greyscale image.")


def _decoded_by_pillow(path: Path, series: tifffile.TiffPageSeries) -> np.ndarray:
    """Read with Pillow the compressions (LZW, JPEG, fax) for which tifffile wants a package."""
    from PIL import TiffImagePlugin

    frames = []
    with (
        warnings.catch_warnings(action="ignore"),  # of tags that are damaged
        path.open("rb") as file,
        TiffImagePlugin.TiffImageFile(file) as image,
    ):
        for index in (int(page.index) for page in series.pages if page):
            image.seek(index)
            frames.append(picture_array(image))
    array = np.stack(frames) if len(frames) > 1 else frames[0]
    if array.ndim - (len(frames) > 1) == 2 and array.dtype != series.dtype:
        raise DataError(
            f"{path.name} holds compressed {series.dtype} values that cannot be decoded: save it without compression."
        )
    inverted = int(series.keyframe.photometric) == 0 and array.dtype.kind in "bu"
    return ~array if inverted else array  # Pillow shows white as the maximum; keep what is stored
