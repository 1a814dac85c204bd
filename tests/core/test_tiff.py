"""TIFF in its many kinds: axes, colours, compressions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_slicegan.core.errors import DataError
from napari_slicegan.core.io import read_image

RNG = np.random.default_rng(1)
GREY = RNG.integers(0, 256, (40, 50), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (40, 50, 3), dtype=np.uint8)
STACK = RNG.integers(0, 256, (6, 40, 50), dtype=np.uint8)
COLOUR_STACK = RNG.integers(0, 256, (6, 40, 50, 3), dtype=np.uint8)


def read(path: Path, axes: str, dtype: str = "uint8") -> np.ndarray:
    image = read_image(path)
    assert (image.axes, image.array.dtype) == (axes, np.dtype(dtype))
    return image.array


@pytest.mark.parametrize("kind", [{}, {"ome": True}, {"imagej": True}, {"bigtiff": True}])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(("array", "axes"), [(GREY, "YX"), (COLOUR, "YXS"), (STACK, "ZYX"), (COLOUR_STACK, "ZYXS")])
def test_images_and_stacks(tmp_path: Path, array, axes: str, kind: dict, compression: str | None):
    tifffile.imwrite(
        tmp_path / "a.tif",
        array,
        photometric="rgb" if axes[-1] == "S" else "minisblack",
        compression=compression,
        metadata={"axes": axes},
        **kind,
    )
    np.testing.assert_array_equal(read(tmp_path / "a.tif", axes), array)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int16", "uint32", "int32", "uint64", "float64"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_number_types_and_byte_orders(tmp_path: Path, dtype: str, order: str):
    tifffile.imwrite(tmp_path / "a.tif", GREY.astype(dtype), byteorder=order)
    array = read(tmp_path / "a.tif", "YX", dtype)
    np.testing.assert_array_equal(array, GREY.astype(dtype))
    assert array.dtype.isnative


def test_colour_in_separate_planes_comes_back_with_channels_last(tmp_path: Path):
    planes = np.moveaxis(COLOUR, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read(tmp_path / "a.tif", "YXS"), COLOUR)


def test_alpha_is_left_out(tmp_path: Path):
    rgba = np.concatenate([COLOUR, GREY[..., None]], axis=-1)
    tifffile.imwrite(tmp_path / "a.tif", rgba, photometric="rgb", extrasamples=["unassalpha"])
    np.testing.assert_array_equal(read(tmp_path / "a.tif", "YXS"), COLOUR)


def test_a_palette_keeps_its_values_as_imagej_stores_labels(tmp_path: Path):
    lut = RNG.integers(0, 65536, (3, 256), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", GREY, photometric="palette", colormap=lut)
    np.testing.assert_array_equal(read(tmp_path / "a.tif", "YX"), GREY)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_white_is_zero_keeps_the_stored_values(tmp_path: Path, compression: str | None):
    inks = Image.fromarray(GREY)
    inks.save(tmp_path / "a.tif", compression=compression, tiffinfo={262: 0})
    # Pillow inverts on the way in and on the way out: what is stored is the inverse.
    np.testing.assert_array_equal(read(tmp_path / "a.tif", "YX"), 255 - GREY)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_deflate"])
@pytest.mark.parametrize("array", [GREY, COLOUR, GREY > 99, GREY.astype(np.float32)])
def test_common_compressions(tmp_path: Path, array: np.ndarray, compression: str):
    Image.fromarray(array).save(tmp_path / "a.tif", compression=compression)
    stored = read(tmp_path / "a.tif", "YXS"[: array.ndim], array.dtype.name)
    np.testing.assert_array_equal(stored, array)


def test_fax_compression(tmp_path: Path):
    Image.fromarray(GREY > 99).save(tmp_path / "a.tif", compression="group4")
    np.testing.assert_array_equal(read(tmp_path / "a.tif", "YX", "bool"), GREY > 99)


def test_jpeg_compression(tmp_path: Path):
    smooth = np.add.outer(np.arange(40), np.arange(50)).astype(np.uint8)
    colour = np.dstack([smooth, smooth, smooth])
    Image.fromarray(colour).save(tmp_path / "a.tif", compression="jpeg", quality=95)
    assert np.abs(read(tmp_path / "a.tif", "YXS").astype(int) - colour).max() < 6


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_pages_are_a_stack(tmp_path: Path, compression: str | None):
    first, *others = (Image.fromarray(page) for page in STACK)
    first.save(tmp_path / "a.tif", save_all=True, append_images=others, compression=compression)
    np.testing.assert_array_equal(read(tmp_path / "a.tif", "ZYX"), STACK)


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_of_pages_with_different_shapes_the_first_is_used(tmp_path: Path, compression: str | None):
    first, thumbnail = Image.fromarray(GREY), Image.fromarray(GREY[::4, ::4])
    first.save(tmp_path / "a.tif", save_all=True, append_images=[thumbnail], compression=compression)
    np.testing.assert_array_equal(read(tmp_path / "a.tif", "YX"), GREY)


def test_axes_of_length_one_are_dropped(tmp_path: Path):
    single = STACK[None, :, None]  # T, Z, C, Y, X
    tifffile.imwrite(tmp_path / "a.tif", single, imagej=True, metadata={"axes": "TZCYX"})
    np.testing.assert_array_equal(read(tmp_path / "a.tif", "ZYX"), STACK)
    tifffile.imwrite(tmp_path / "b.tif", GREY[None, None], ome=True, metadata={"axes": "ZCYX"})
    np.testing.assert_array_equal(read(tmp_path / "b.tif", "YX"), GREY)


@pytest.mark.parametrize(("axes", "named"), [("CYX", "channels (6)"), ("TYX", "times (6)"), ("CZYX", "channels (2)")])
@pytest.mark.parametrize("kind", ["ome", "imagej"])
def test_channels_and_times_are_named_and_refused(tmp_path: Path, axes: str, named: str, kind: str):
    array = STACK if len(axes) == 3 else np.stack([STACK, STACK])
    if kind == "imagej" and len(axes) == 4:
        axes, array = "ZCYX", np.moveaxis(array, 0, 1)
    options = {kind: True, "photometric": "minisblack"}
    tifffile.imwrite(tmp_path / "a.tif", array, metadata={"axes": axes}, **options)
    with pytest.raises(DataError) as caught:
        read_image(tmp_path / "a.tif")
    assert named in str(caught.value)
    assert "Export one channel at one time." in str(caught.value)


def test_inks_are_refused(tmp_path: Path):
    inks = RNG.integers(0, 256, (40, 50, 4), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", inks, photometric="separated")
    with pytest.raises(DataError, match="SEPARATED colours: save it as an RGB"):
        read_image(tmp_path / "a.tif")


def test_many_samples_are_refused(tmp_path: Path):
    array = RNG.integers(0, 256, (40, 50, 7), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="minisblack", planarconfig="contig")
    with pytest.raises(DataError, match="7 samples"):
        read_image(tmp_path / "a.tif")


def test_a_stack_that_lost_its_last_pages_is_refused(tmp_path: Path):
    # Each page's pixels come before its directory, so a shorter stack would look complete.
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for page in STACK:
            tif.write(page, metadata=None, contiguous=False)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        cut = tif.pages[4].offset
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(data[:cut])
    with pytest.raises(DataError, match="cut short"):
        read_image(tmp_path / "a.tif")


def test_pixels_that_the_file_does_not_have_are_not_taken_for_zeros(tmp_path: Path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, compression="zlib", tile=(16, 16))
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tif:
        tag = tif.pages[0].tags["TileByteCounts"]
        tag.overwrite((0, *tag.value[1:]))
    with pytest.raises(DataError, match="cut short"):
        read_image(tmp_path / "a.tif")


def test_entities_in_the_description_of_a_file_are_not_expanded(tmp_path):
    """A billion laughs: each entity is ten of the one before."""
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "ha"}">' for n in range(9))
    bomb = f'<?xml version="1.0"?><!DOCTYPE OME [{entities}]><OME><Image><Description>&a8;</Description></Image></OME>'
    path = tmp_path / "bomb.ome.tif"
    tifffile.imwrite(path, np.zeros((32, 32), np.uint8), description=bomb, metadata=None)
    try:
        image = read_image(path)
    except DataError:
        return
    assert image.array.shape == (32, 32)
    assert image.pixel_size is None
