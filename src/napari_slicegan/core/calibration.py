"""Pixel sizes: the names of their units, and where a TIFF file keeps them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from defusedxml import ElementTree

from napari_slicegan.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import tifffile

Spacing = dict[str, tuple[float, str]]
"""Distance between neighbouring values along "z", "y" and "x", each with its unit as written."""

UNITS = ("nm", "um", "mm", "m", "pixel")
"""The unit names that this package uses."""

COARSEST_INCH_OR_CM = 5e-3
"""Pixel size in mm above which a size stated in inches or centimetres is not believed.

Photo and print software writes such sizes (72, 96, 300, 4800 dots per inch) into every file,
and they speak of paper; only a microscope says that a pixel is finer than 5 micrometres.
"""

_SPELLINGS = {  # factor to the unit that this package uses, that unit, spellings in lower case
    (1.0, "nm"): "nm nanometer nanometre nanometers nanometres",
    (1.0, "um"): "um µm μm \\u00b5m \\u03bcm micron microns micrometer micrometre micrometers micrometres",
    (1.0, "mm"): "mm millimeter millimetre millimeters millimetres",
    (1.0, "m"): "m meter metre meters metres",
    (1.0, "pixel"): "pixel pixels px voxel voxels",
    (0.1, "nm"): "å a angstrom angstroms ångström",
    (1e-3, "nm"): "pm picometer picometre",
    (10.0, "mm"): "cm centimeter centimetre centimeters centimetres",
    (25.4, "mm"): "in inch inches",
}
_UNITS = {word: unit for unit, words in _SPELLINGS.items() for word in words.split()}
_METRES = {"nm": 1e-9, "um": 1e-6, "mm": 1e-3, "m": 1.0}
_TOLERANCE = 1e-3


def standard_size(size: float, unit: str) -> tuple[float, str]:
    """Express a size in one of `UNITS`.

    Parameters
    ----------
    size : float
        Size in `unit`.
    unit : str
        Any common spelling: "um", "µm", "micron", "nanometre", "cm", "inch", "pixels", ...

    Returns
    -------
    tuple of float and str
        The size and its unit, one of `UNITS`; 3 "micron" is 3 "um", 2 "cm" is 20 "mm".

    Raises
    ------
    DataError
        The unit is not known, or the size is not a positive number.
    """
    if unit.strip().lower() not in _UNITS:
        raise DataError(f"The unit {unit!r} is not known: use one of {', '.join(UNITS)}.")
    if not (math.isfinite(size) and size > 0):
        raise DataError(f"A pixel size of {size} {unit} is impossible: give a positive number.")
    factor, short = _UNITS[unit.strip().lower()]
    return size * factor, short


def in_one_unit(sizes: Sequence[float], units: Sequence[str]) -> tuple[tuple[float, ...], str]:
    """Express sizes, each with its own unit, in the last one's unit.

    Raises
    ------
    DataError
        A unit is not known, a size is not a positive number, or only some of them are lengths.
    """
    standard = [standard_size(size, unit) for size, unit in zip(sizes, units, strict=True)]
    common = standard[-1][1]
    if len({unit == "pixel" for _, unit in standard}) > 1:
        raise DataError(f"The units {', '.join(units)} cannot be turned into one another.")
    factors = [1.0 if unit == common else _METRES[unit] / _METRES[common] for _, unit in standard]
    return tuple(size * factor for (size, _), factor in zip(standard, factors, strict=True)), common


def pixel_size(spacing: Spacing, name: str) -> tuple[float | None, str | None]:
    """Give the one pixel size that holds along every axis.

    Parameters
    ----------
    spacing : Spacing
        What the file says; axes without an entry are unknown.
    name : str
        The file's name, for the messages.

    Returns
    -------
    tuple of (float or None) and (str or None)
        Size and unit along x (or y), both None when the file says nothing that can be believed.

    Raises
    ------
    DataError
        The sizes along two axes differ by more than 0.1 per cent.
    """
    known = dict(believable(spacing))
    plane = known.get("x", known.get("y"))
    if plane is None:
        return None, None
    if "y" in known and _differ(plane, known["y"]):
        raise DataError(
            f"The pixels of {name} are not square: {_text(plane)} along x but "
            f"{_text(known['y'])} along y. Resample the image to square pixels."
        )
    if "z" in known and _differ(plane, known["z"]):
        raise DataError(
            f"The voxels of {name} are not cubes: {_text(plane)} along y and x but "
            f"{_text(known['z'])} along z, and training cuts the stack along all three axes. "
            "Resample it to cubic voxels, or give single slices."
        )
    return plane


def tiff_spacing(tif: tifffile.TiffFile, page: tifffile.TiffPage) -> Spacing:
    """Read the spacing of an open TIFF file from the most trustworthy place it has.

    Parameters
    ----------
    tif : tifffile.TiffFile
        The open file.
    page : tifffile.TiffPage
        The page whose tags count.

    Returns
    -------
    Spacing
        OME-XML, ImageJ's description, an electron microscope's own tags (FEI, Zeiss), or the
        plain resolution tags, in this order; empty when there is nothing.
    """
    if tif.is_ome:
        return _ome_spacing(tif.ome_metadata or "")
    imagej = tif.imagej_metadata or {}
    if "unit" in imagej:
        return _imagej_spacing(imagej, page)
    scan = (tif.fei_metadata or {}).get("Scan", {})
    if "PixelWidth" in scan:  # metres
        width, height = float(scan["PixelWidth"]), float(scan.get("PixelHeight", 0))
        return {"x": (width * 1e9, "nm"), "y": (height * 1e9, "nm")}
    zeiss = (tif.sem_metadata or {}).get("ap_image_pixel_size", ())
    if len(zeiss) == 3:  # title, number, unit
        return {"x": (float(zeiss[1]), str(zeiss[2]))}
    unit = {2: "inch", 3: "cm"}.get(int(page.tags.valueof("ResolutionUnit", 1)))
    return _resolution_spacing(page, unit, unit) if unit else {}


def _ome_spacing(xml: str) -> Spacing:
    pixels = ElementTree.fromstring(xml.encode()).find(".//{*}Pixels")
    stated = {} if pixels is None else pixels.attrib
    spacing: Spacing = {}
    for axis in "zyx":
        key = f"PhysicalSize{axis.upper()}"
        if key in stated:
            unit = stated.get(f"{key}Unit", "µm")  # the default of the OME schema
            spacing[axis] = float(stated[key]), unit
    return spacing


def _imagej_spacing(imagej: dict[str, object], page: tifffile.TiffPage) -> Spacing:
    unit = str(imagej["unit"])
    spacing = _resolution_spacing(page, unit, str(imagej.get("yunit", unit)))
    depth = imagej.get("spacing")
    if isinstance(depth, int | float):
        spacing["z"] = abs(float(depth)), str(imagej.get("zunit", unit))
    return spacing


def _resolution_spacing(page: tifffile.TiffPage, x_unit: str, y_unit: str) -> Spacing:
    spacing: Spacing = {}
    for axis, tag, unit in (("x", "XResolution", x_unit), ("y", "YResolution", y_unit)):
        pixels, length = page.tags.valueof(tag, (0, 1))
        if pixels:
            spacing[axis] = length / pixels, unit
    return spacing


def believable(spacing: Spacing) -> Iterator[tuple[str, tuple[float, str]]]:
    """The sizes that can be believed, axis by axis, in `UNITS`; see `COARSEST_INCH_OR_CM`."""
    for axis, (size, unit) in spacing.items():
        try:
            standard = standard_size(size, unit)
        except DataError:
            continue
        factor, _ = _UNITS[unit.strip().lower()]
        if factor < 10 or standard[0] <= COARSEST_INCH_OR_CM:
            yield axis, standard


def _differ(one: tuple[float, str], other: tuple[float, str]) -> bool:
    (size, unit), (other_size, other_unit) = one, other
    if unit != other_unit:
        if "pixel" in (unit, other_unit):
            return False  # not comparable
        size, other_size = size * _METRES[unit], other_size * _METRES[other_unit]
    return not math.isclose(size, other_size, rel_tol=_TOLERANCE)


def _text(size: tuple[float, str]) -> str:
    return f"{size[0]:.6g} {size[1]}"
