"""What is looked at in a Zarr store before anything of it is believed: its files, its codecs and how much it claims.

Zarr itself follows links, asks for the memory of a chunk of any size, and lets metadata name codecs of which some load
Python objects.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

from napari_slicegan.core.raster import LARGEST_EXPANSION, check_held

#: Of Zarr format 3, and of the older one, where they are those of numcodecs. All of them turn bytes into numbers.
CODECS = {
    *("bytes", "endian", "transpose", "sharding_indexed"),
    *("blosc", "zstd", "gzip", "zlib", "lz4", "bz2", "lzma"),
    *("shuffle", "delta", "bitround", "packbits", "fixedscaleoffset"),
    *("crc32c", "crc32", "adler32", "fletcher32"),
}
_LARGEST_CHUNK = 2**31  # bytes: what Blosc takes
_WIDEST_NUMBER = 8  # bytes


def check_tree(path: Path) -> None:
    """Refuse a folder that holds anything but files and folders: links lead elsewhere, and pipes wait for ever.

    Raises
    ------
    ValueError
        It does.
    """
    for entry in _entries(path):
        if not entry.is_file(follow_symlinks=False):
            raise ValueError(f"{entry.name} in it is a link, or no file")


def check_codecs(array: Any) -> None:
    """Refuse an array of something else than numbers, of unknown codecs, or of chunks that are too large.

    Parameters
    ----------
    array : zarr.Array
        The array.

    Raises
    ------
    ValueError
        It is one.
    """
    dtype = array.dtype
    if dtype.kind not in "buif" or dtype.itemsize > _WIDEST_NUMBER:
        raise ValueError(f"it holds {dtype} values")
    described = array.metadata.to_dict()
    given = [described.get("codecs"), described.get("filters"), described.get("compressor")]
    unknown = set(_names(given)) - CODECS
    if unknown:
        raise ValueError(f"it is stored by {', '.join(sorted(unknown))}")
    if prod(array.shards or array.chunks) * dtype.itemsize > _LARGEST_CHUNK:
        raise ValueError("its chunks are larger than 2 GiB")


def check_claims(path: Path, levels: list[Any]) -> None:
    """Refuse arrays of more than 2 GiB that the files of a store cannot hold.

    Raises
    ------
    DataError
        They claim too much.
    """
    claimed = max(prod(level.shape) * level.dtype.itemsize for level in levels)
    if claimed > _LARGEST_CHUNK:
        stored = sum(entry.stat(follow_symlinks=False).st_size for entry in _entries(path))
        check_held(path.name, claimed, stored, LARGEST_EXPANSION)


def _entries(path: Path) -> Iterator[os.DirEntry[str]]:
    """All that lies in a folder and in the folders therein, which are left out themselves."""
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(Path(entry.path))
            else:
                yield entry


def _names(codecs: Any) -> Iterator[str]:
    """Names of codecs, of those within others as well."""
    if isinstance(codecs, dict):
        yield str(codecs.get("name", codecs.get("id"))).removeprefix("numcodecs.")
        yield from _names(list(dict(codecs.get("configuration") or {}).values()))
    elif isinstance(codecs, list | tuple):
        for codec in codecs:
            if isinstance(codec, dict | list | tuple):
                yield from _names(codec)
    elif hasattr(codecs, "get_config"):
        yield from _names(codecs.get_config())
    elif hasattr(codecs, "to_dict"):
        yield from _names(codecs.to_dict())
