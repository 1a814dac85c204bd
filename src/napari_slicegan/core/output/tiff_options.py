"""What tifffile must be told so that ImageJ, napari and others open a file with its voxel size."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from napari_slicegan.core.errors import OutputError

_CLASSIC_BYTES = 2**32 - 2**25  # ImageJ and classic TIFF address 4 GiB; some is for the pages
_IMAGEJ_TYPES = ("uint8", "uint16", "float32")
_LARGEST_RATIONAL = 2**32 - 1


def storable_type(dtype: np.dtype[Any], lowest: int, highest: int, name: str) -> np.dtype[Any]:
    """The type in which TIFF readers know the values of a type.

    Raises
    ------
    OutputError
        There is none for whole numbers from `lowest` to `highest`.
    """
    if dtype.kind in "iu" and dtype.itemsize == 8:
        for narrower in (np.int32, np.uint32):
            if lowest >= np.iinfo(narrower).min and highest <= np.iinfo(narrower).max:
                return np.dtype(narrower)
        raise OutputError(f"{name} cannot hold {lowest} to {highest}: TIFF values have 32 bits.")
    return np.dtype({"bool": np.uint8, "float16": np.float32}.get(dtype.name, dtype))


def tiff_options(
    axes: str,
    dtype: np.dtype[Any],
    nbytes: int,
    spacing: tuple[Sequence[float], str] | None,
    shown: tuple[float, float] | None = None,
    ome: bool = False,
) -> dict[str, Any]:
    """What tifffile must know to write ImageJ's kind of TIFF where that is possible, else OME-TIFF.

    Parameters
    ----------
    axes : str
        "ZYX", "YXS" and the like.
    dtype : numpy.dtype
        Of the values.
    nbytes : int
        Of all values together.
    spacing : (sequence of float, str), optional
        Edges of a voxel along z, y, x, or along y, x alone, and their unit, one of `UNITS`.
    shown : (float, float), optional
        The values that ImageJ shows as black and as white.
    ome : bool
        OME-TIFF in any case.

    Returns
    -------
    dict
        Keyword arguments of `tifffile.imwrite`.
    """
    imagej = dtype.name in _IMAGEJ_TYPES[: 1 if axes[-1] == "S" else None]
    imagej = imagej and nbytes < _CLASSIC_BYTES and not ome
    options = _imagej_options(axes, spacing) if imagej else _ome_options(axes, spacing)
    if imagej and shown:
        options["metadata"] |= {"min": shown[0], "max": shown[1]}
    options["photometric"] = "rgb" if axes[-1] == "S" else "minisblack"
    options["bigtiff"] = nbytes >= _CLASSIC_BYTES
    return options


def _imagej_options(axes: str, spacing: tuple[Sequence[float], str] | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"axes": axes}
    if spacing is None:
        return {"imagej": True, "metadata": metadata}
    sizes, unit = spacing
    metadata |= {"unit": unit} | ({"spacing": sizes[0]} if axes[0] == "Z" else {})
    return {"imagej": True, "metadata": metadata, "resolution": (_per_unit(sizes[-1]), _per_unit(sizes[-2]))}


def _per_unit(size: float) -> tuple[int, int] | float:
    """Pixels for each unit, as the fraction of two whole numbers that TIFF stores, exactly where that is possible."""
    length = Fraction(repr(float(size))).limit_denominator(_LARGEST_RATIONAL)
    exact = 0 < length.numerator <= _LARGEST_RATIONAL
    return (length.denominator, length.numerator) if exact else 1 / size


def _ome_options(axes: str, spacing: tuple[Sequence[float], str] | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"axes": axes}
    if spacing is not None:
        sizes, unit = spacing
        space = axes.replace("S", "")
        for axis, size in zip(space, sizes[-len(space) :], strict=True):
            metadata[f"PhysicalSize{axis}"] = size
            metadata[f"PhysicalSize{axis}Unit"] = unit.replace("u", "µ")
    return {"ome": True, "metadata": metadata}
