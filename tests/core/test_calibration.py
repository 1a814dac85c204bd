"""Pixel sizes: from every place in a file, in every spelling, and only where they are credible."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_slicegan.core.calibration import UNITS, standard_size
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.io import read_image

GREY = np.arange(2000, dtype=np.uint8).reshape(40, 50)
STACK = np.stack([GREY] * 4)


def size_of(path: Path) -> tuple[float | None, str | None]:
    image = read_image(path)
    return image.pixel_size, image.unit


def imagej(path: Path, array: np.ndarray, x: float, y: float | None = None, **metadata: object):
    """An ImageJ TIFF with sizes along x and y."""
    resolution = (1 / x, 1 / (y or x))
    metadata["axes"] = "ZYX"[-array.ndim :]
    tifffile.imwrite(path, array, imagej=True, resolution=resolution, metadata=metadata)


@pytest.mark.parametrize(
    ("unit", "size", "short"),
    [
        ("um", 0.4, "um"),
        ("µm", 0.4, "um"),
        ("\u03bcm", 0.4, "um"),
        (r"\u00B5m", 0.4, "um"),
        ("micron", 0.4, "um"),
        (" Microns ", 0.4, "um"),
        ("micrometre", 0.4, "um"),
        ("nm", 0.4, "nm"),
        ("mm", 0.4, "mm"),
        ("m", 0.4, "m"),
        ("pixels", 0.4, "pixel"),
        ("cm", 4, "mm"),
        ("inch", 10.16, "mm"),
        ("\u212b", 0.04, "nm"),
    ],
)
def test_spellings_of_units(unit: str, size: float, short: str):
    assert standard_size(0.4, unit) == (pytest.approx(size, rel=1e-12), short)
    assert short in UNITS


@pytest.mark.parametrize(("size", "unit"), [(1, "furlong"), (0, "um"), (-1, "um"), (np.nan, "um")])
def test_impossible_sizes(size: float, unit: str):
    with pytest.raises(DataError, match=r"not known: use one of nm, um|positive number"):
        standard_size(size, unit)


@pytest.mark.parametrize("unit", ["um", "micron", r"\u00B5m", "nm", "pixel"])
def test_imagej(tmp_path: Path, unit: str):
    imagej(tmp_path / "a.tif", GREY, 0.25, unit=unit)
    assert size_of(tmp_path / "a.tif") == (0.25, {"nm": "nm", "pixel": "pixel"}.get(unit, "um"))


def test_imagej_stack_of_cubes(tmp_path: Path):
    imagej(tmp_path / "a.tif", STACK, 0.25, unit="um", spacing=0.25)
    assert size_of(tmp_path / "a.tif") == (0.25, "um")
    imagej(tmp_path / "b.tif", STACK, 0.25, unit="um", spacing=250, zunit="nm")
    assert size_of(tmp_path / "b.tif") == (0.25, "um")


def test_imagej_without_a_size(tmp_path: Path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, imagej=True)
    assert size_of(tmp_path / "a.tif") == (None, None)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"PhysicalSizeX": 0.3, "PhysicalSizeY": 0.3}, (0.3, "um")),  # OME's default unit
        ({"PhysicalSizeX": 30.0, "PhysicalSizeXUnit": "nm"}, (30.0, "nm")),
        ({"PhysicalSizeX": 3.0, "PhysicalSizeXUnit": "Å"}, (pytest.approx(0.3), "nm")),
        ({"PhysicalSizeX": 3.0, "PhysicalSizeXUnit": "reference frame"}, (None, None)),
        ({"PhysicalSizeX": 0.0}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_ome(tmp_path: Path, stated: dict, expected: tuple):
    tifffile.imwrite(tmp_path / "a.ome.tif", GREY, ome=True, metadata={"axes": "YX", **stated})
    assert size_of(tmp_path / "a.ome.tif") == expected


@pytest.mark.parametrize(
    ("resolution", "unit", "expected"),
    [
        (72, "INCH", (None, None)),
        (96, "INCH", (None, None)),
        (300, "INCH", (None, None)),
        (4800, "INCH", (None, None)),
        (28.35, "CENTIMETER", (None, None)),  # 72 per inch
        (25.4e6 / 0.5e3, "INCH", (pytest.approx(5e-4), "mm")),
        (25_000, "CENTIMETER", (pytest.approx(4e-4), "mm")),
        (25_000, "NONE", (None, None)),
    ],
)
def test_resolution_tags(tmp_path: Path, resolution: float, unit: str, expected: tuple):
    options = {"resolution": (resolution, resolution), "resolutionunit": unit}
    tifffile.imwrite(tmp_path / "a.tif", GREY, metadata=None, **options)
    assert size_of(tmp_path / "a.tif") == expected


def test_inches_that_imagej_took_from_a_photograph_are_not_believed(tmp_path: Path):
    imagej(tmp_path / "a.tif", GREY, 1 / 300, unit="inch")
    assert size_of(tmp_path / "a.tif") == (None, None)


def test_dots_per_inch_of_a_png_are_not_believed(tmp_path: Path):
    Image.fromarray(GREY).save(tmp_path / "a.png", dpi=(300, 300))
    assert size_of(tmp_path / "a.png") == (None, None)


def test_electron_microscopes(tmp_path: Path):
    fei = "[Scan]\r\nPixelWidth=3.5e-009\r\nPixelHeight=3.5e-009\r\n"
    tags = [(34682, "s", 0, fei, True)]
    options = {"resolution": (300, 300), "resolutionunit": "INCH", "metadata": None}
    tifffile.imwrite(tmp_path / "fei.tif", GREY, extratags=tags, **options)
    assert size_of(tmp_path / "fei.tif") == (pytest.approx(3.5), "nm")
    zeiss = "0\r\n" * 3 + "AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 12.5 nm\r\n"
    tags = [(34118, "s", 0, zeiss, True)]
    tifffile.imwrite(tmp_path / "zeiss.tif", GREY, extratags=tags, **options)
    assert size_of(tmp_path / "zeiss.tif") == (12.5, "nm")


def test_pixels_must_be_square(tmp_path: Path):
    imagej(tmp_path / "a.tif", GREY, 0.25, 0.2501, unit="um")  # less than 0.1 per cent
    assert size_of(tmp_path / "a.tif") == (0.25, "um")
    imagej(tmp_path / "b.tif", GREY, 0.25, 0.26, unit="um")
    with pytest.raises(DataError, match=r"not square: 0.25 um along x but 0.26 um along y"):
        read_image(tmp_path / "b.tif")


def test_voxels_must_be_cubes(tmp_path: Path):
    imagej(tmp_path / "a.tif", STACK, 0.25, unit="um", spacing=1.5)
    with pytest.raises(DataError, match=r"not cubes: .* 1.5 um along z.*Resample it to cubic"):
        read_image(tmp_path / "a.tif")
    size = {"PhysicalSizeX": 300, "PhysicalSizeXUnit": "nm", "PhysicalSizeZ": 0.5}
    tifffile.imwrite(tmp_path / "b.tif", STACK, ome=True, metadata={"axes": "ZYX", **size})
    with pytest.raises(DataError, match=r"not cubes: 300 nm .* 0.5 um along z"):
        read_image(tmp_path / "b.tif")
