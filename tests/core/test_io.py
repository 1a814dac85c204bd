"""Reading: each format gives its values, and each bad file one sentence."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_slicegan.core.errors import DataError
from napari_slicegan.core.io import ImageFile, read_image

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (40, 50), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (40, 50, 3), dtype=np.uint8)


def check(image: ImageFile, array: np.ndarray, axes: str) -> None:
    np.testing.assert_array_equal(image.array, array)
    assert (image.array.dtype, image.axes) == (array.dtype, axes)
    assert image.array.dtype.isnative


def message(path: Path | str) -> str:
    """The one sentence or two that a bad file gets."""
    with pytest.raises(DataError) as caught:
        read_image(path)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert 20 < len(text) < 400
    return text


def png(path: Path, width: int, height: int, data: bytes) -> Path:
    """A PNG file with any header over any compressed data."""
    chunks = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", data)
    body = b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in (*chunks, (b"IEND", b""))
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


@pytest.mark.parametrize("format_", ["png", "tif"])
@pytest.mark.parametrize(
    ("stored", "axes"),
    [(GREY, "YX"), (GREY > 99, "YX"), (GREY.astype(np.uint16) * 257, "YX"), (COLOUR, "YXS")],
    ids=["grey", "bits", "16 bits", "colour"],
)
def test_pictures_come_back_as_stored(tmp_path: Path, stored: np.ndarray, axes: str, format_: str):
    path = tmp_path / f"picture.{format_}"
    Image.fromarray(stored).save(path)
    image = read_image(path)
    check(image, stored, axes)
    assert (image.name, image.pixel_size, image.unit) == (path.name, None, None)


def test_a_string_is_a_path_and_the_ending_does_not_matter(tmp_path: Path):
    path = tmp_path / "picture.dat"
    Image.fromarray(GREY).save(path, format="png")
    check(read_image(str(path)), GREY, "YX")


def test_alpha_is_left_out(tmp_path: Path):
    Image.fromarray(np.dstack([COLOUR, GREY])).save(tmp_path / "rgba.png")
    check(read_image(tmp_path / "rgba.png"), COLOUR, "YXS")
    Image.fromarray(np.dstack([GREY, GREY // 2])).save(tmp_path / "la.png")
    check(read_image(tmp_path / "la.png"), GREY, "YX")


def test_a_palette_gives_its_colours_or_its_grey_levels(tmp_path: Path):
    indices = Image.fromarray(GREY % 3)
    indices.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    indices.save(tmp_path / "colours.png")
    check(read_image(tmp_path / "colours.png"), np.eye(3, dtype=np.uint8)[GREY % 3] * 255, "YXS")
    indices.putpalette([7, 7, 7, 130, 130, 130, 255, 255, 255])
    indices.save(tmp_path / "greys.png")
    check(read_image(tmp_path / "greys.png"), np.array([7, 130, 255], np.uint8)[GREY % 3], "YX")


def test_pictures_taller_than_one_band_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("napari_slicegan.core.raster._BAND_BYTES", 7 * 4 * 50)
    Image.fromarray(COLOUR).save(tmp_path / "tall.png")
    check(read_image(tmp_path / "tall.png"), COLOUR, "YXS")


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg(tmp_path: Path, mode: str):
    smooth = np.add.outer(np.arange(40), np.arange(50)).astype(np.uint8)
    Image.fromarray(smooth).convert(mode).save(tmp_path / "photo.jpg", quality=95)
    image = read_image(tmp_path / "photo.jpg")
    assert (image.axes, image.array.dtype) == ("YX" if mode == "L" else "YXS", np.uint8)
    expected = smooth if mode == "L" else smooth[..., None]
    assert np.abs(image.array.astype(int) - expected).max() < 6


@pytest.mark.parametrize(
    ("shape", "axes", "read"),
    [
        ((40, 50), "YX", (40, 50)),
        ((1, 40, 50), "YX", (40, 50)),
        ((40, 50, 1), "YX", (40, 50)),
        ((1, 50), "YX", (1, 50)),
        ((6, 40, 50), "ZYX", (6, 40, 50)),
        ((40, 50, 3), "YXS", (40, 50, 3)),
        ((40, 50, 4), "YXS", (40, 50, 3)),
        ((1, 40, 50, 3), "YXS", (40, 50, 3)),
        ((3, 3, 3), "ZYX", (3, 3, 3)),
        ((6, 40, 50, 3), "ZYXS", (6, 40, 50, 3)),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", ">i4", "float64", "bool"])
def test_npy_shapes(tmp_path: Path, shape, axes: str, read, dtype: str):
    stored = RNG.integers(0, 2, shape).astype(dtype)
    np.save(tmp_path / "array.npy", stored)
    squeezed = stored.squeeze() if shape != (1, 50) else stored
    expected = squeezed[..., :3] if axes[-1] == "S" else squeezed
    check(read_image(tmp_path / "array.npy"), expected.astype(stored.dtype.newbyteorder("=")), axes)
    assert expected.shape == read


def test_missing_folder_empty_unknown(tmp_path: Path):
    assert "no file" in message(tmp_path / "none.tif")
    assert "no file" in message(tmp_path / "none" / "none.tif")
    assert "folder" in message(tmp_path)
    (tmp_path / "empty.tif").touch()
    assert "empty" in message(tmp_path / "empty.tif")
    (tmp_path / "text.tif").write_text("Dear reader, this is no image")
    assert "text.tif is not a TIFF" in message(tmp_path / "text.tif")
    (tmp_path / "picture.bmp").write_bytes(b"BM" + bytes(99))
    assert "picture.bmp is not a TIFF, PNG, JPEG or NPY" in message(tmp_path / "picture.bmp")
    assert "no file" in message("null\0.tif")
    assert "cannot be opened" in message(tmp_path / ("x" * 5000))


def test_a_device_is_refused():
    assert "file" in message(os.devnull)


@pytest.mark.parametrize("name", ["cut.png", "cut.jpg", "cut.npy", "cut.tif", "deflate.tif", "ome.tif"])
def test_a_file_cut_anywhere_is_never_read_in_part(tmp_path: Path, name: str, capfd):
    whole = tmp_path / f"whole-{name}"
    stack = np.stack([GREY, GREY, GREY])
    if name.endswith(".npy"):
        np.save(whole, GREY)
    elif name.endswith(".tif"):
        compression = None if name == "cut.tif" else "zlib"
        with tifffile.TiffWriter(whole, ome=name == "ome.tif") as tif:
            metadata = {"axes": "ZYX"}
            tif.write(stack, compression=compression, photometric="minisblack", metadata=metadata)
    else:
        Image.fromarray(GREY).save(whole)
    data = whole.read_bytes()
    pixels = read_image(whole).array
    refused = 0
    for length in range(1, len(data), max(1, len(data) // 97)):
        (tmp_path / name).write_bytes(data[:length])
        try:
            array = read_image(tmp_path / name).array
        except DataError:
            refused += 1
        else:  # only the end mark, padding or a description is missing
            np.testing.assert_array_equal(array, pixels)
    assert refused > 85
    assert capfd.readouterr().err == ""


def test_a_damaged_file_says_nothing_on_standard_error(tmp_path: Path):
    tifffile.imwrite(tmp_path / "whole.tif", GREY, compression="zlib")
    data = (tmp_path / "whole.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(data[:220])  # tifffile logs what it misses
    code = (
        "import sys\nfrom napari_slicegan.core.io import DataError, read_image\n"
        "try:\n    read_image(sys.argv[1])\nexcept DataError as error:\n    print(error)"
    )
    # In a process of its own, since pytest takes part in logging.
    command = [sys.executable, "-c", code, tmp_path / "cut.tif"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "cut.tif" in result.stdout
    assert result.stderr == ""


def test_unreadable_numbers(tmp_path: Path):
    np.save(tmp_path / "objects.npy", np.array([[{}, []]], dtype=object))
    assert "never loaded" in message(tmp_path / "objects.npy")
    for name, array in {
        "complex": GREY.astype(complex),
        "text": GREY.astype(str),
        "dates": GREY.astype("M8[s]"),
        "records": np.zeros((9, 9), [("a", "u1"), ("b", "f4")]),
    }.items():
        np.save(tmp_path / f"{name}.npy", array)
        assert "Convert it" in message(tmp_path / f"{name}.npy")
    tifffile.imwrite(tmp_path / "complex.tif", GREY.astype(np.complex64))
    assert "complex64" in message(tmp_path / "complex.tif")
    np.save(tmp_path / "nothing.npy", np.zeros((0, 50)))
    assert "no pixels" in message(tmp_path / "nothing.npy")
    np.save(tmp_path / "line.npy", np.zeros(50))
    assert "(Y, X)" in message(tmp_path / "line.npy")


def test_pickled_code_does_not_run(tmp_path: Path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    np.save(tmp_path / "trap.npy", np.array([[Trap()]], dtype=object))
    message(tmp_path / "trap.npy")
    assert not (tmp_path / "sprung").exists()


def claims_too_much(folder: Path) -> list[Path]:
    """Small files whose headers speak of 10 to 100,000 GB."""
    tifffile.imwrite(folder / "plain.tif", GREY, metadata=None)
    tifffile.imwrite(folder / "deflate.tif", GREY, metadata=None, compression="zlib")
    for name, edge in (("plain.tif", 300_000), ("deflate.tif", 100_000)):
        with tifffile.TiffFile(folder / name, mode="r+") as tif:
            for tag in ("ImageWidth", "ImageLength"):
                tif.pages[0].tags[tag].overwrite(edge, dtype="I")
    for name, edge in (("huge.npy", 10**7), ("large.npy", 10**5)):
        with (folder / name).open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": (edge, edge)}
            np.lib.format.write_array_header_1_0(file, header)
    png(folder / "bomb.png", 100_000, 100_000, zlib.compress(bytes(9999)))
    jpeg = folder / "bomb.jpg"
    Image.fromarray(GREY).save(jpeg)
    jpeg.write_bytes(jpeg.read_bytes().replace(struct.pack(">HH", 40, 50), b"\xff\xf0\xff\xf0"))
    return sorted(folder.iterdir())


def test_a_header_that_claims_too_much_costs_no_memory(tmp_path: Path):
    for path in claims_too_much(tmp_path):
        tracemalloc.start()
        text = message(path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert "GB of pixels" in text or "damaged or cut short" in text, path
        assert peak < 20e6, path


def test_there_is_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    np.save(tmp_path / "array.npy", GREY)
    monkeypatch.setattr("napari_slicegan.core.raster.LARGEST_BYTES", GREY.nbytes - 1)
    assert "Crop it" in message(tmp_path / "array.npy")


def test_large_pictures_are_not_taken_for_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # as Pillow would treat 30,000 x 30,000
    Image.fromarray(GREY).save(tmp_path / "large.png")
    check(read_image(tmp_path / "large.png"), GREY, "YX")
    Image.fromarray(GREY).save(tmp_path / "large.tif", compression="tiff_lzw")
    check(read_image(tmp_path / "large.tif"), GREY, "YX")
    Image.fromarray(GREY).save(tmp_path / "large.jpg")
    assert read_image(tmp_path / "large.jpg").array.shape == GREY.shape
    assert Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_reading_a_large_image_costs_its_own_size(tmp_path: Path, compression: str | None):
    large = np.zeros((4000, 4000), np.uint8)
    tifffile.imwrite(tmp_path / "large.tif", large, compression=compression)
    read_image(tmp_path / "large.tif")  # imports what it needs
    tracemalloc.start()
    image = read_image(tmp_path / "large.tif")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.1 * image.array.nbytes


def test_running_out_of_memory_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def exhausted(*_args: object, **_kwargs: object) -> None:
        raise MemoryError

    np.save(tmp_path / "array.npy", GREY)
    monkeypatch.setattr(np, "fromfile", exhausted)
    assert "memory" in message(tmp_path / "array.npy")
