"""Volumes that come back as they were written, and files that are whole or not there."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_slicegan.core.errors import DataError, OutputError
from napari_slicegan.core.io import check_writable, read_image, write_image, write_volume
from napari_slicegan.core.output import tiff_options

RNG = np.random.default_rng(2)
VOLUME = RNG.integers(0, 3, (6, 7, 8), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (6, 7, 8, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("volume", "imagej"),
    [
        (VOLUME, True),
        (VOLUME.astype(np.uint16) * 5000, True),
        (VOLUME.astype(np.float32) / 7, True),
        (VOLUME.astype(np.int32) * -70_000, False),
        (VOLUME.astype(np.uint32) * 2_000_000_000, False),
        (VOLUME.astype(np.float64) / 7, False),
        (COLOUR, True),
        (COLOUR.astype(np.uint16), False),
        (VOLUME[:1], True),
    ],
    ids=lambda value: f"{value.dtype} {value.ndim}D" if isinstance(value, np.ndarray) else "",
)
@pytest.mark.parametrize(
    ("size", "unit"),
    [(0.398, "um"), (12.3456789012, "nm"), (2 / 3e5, "m"), (1.0, "pixel"), (None, None)],
)
def test_what_was_written_comes_back(tmp_path: Path, volume, imagej: bool, size, unit):
    write_volume(tmp_path / "v.tif", volume, size, unit)
    image = read_image(tmp_path / "v.tif")
    np.testing.assert_array_equal(image.array, volume if len(volume) > 1 else volume[0])
    assert image.array.dtype == volume.dtype
    assert image.unit == unit
    assert image.pixel_size == (size if size is None else pytest.approx(size, rel=1e-9))
    with tifffile.TiffFile(tmp_path / "v.tif") as tif:
        assert (tif.is_imagej, tif.is_ome) == (imagej, not imagej)
        assert tif.pages[0].compression == 8
    assert [path.name for path in tmp_path.iterdir()] == ["v.tif"]


def test_the_size_along_z_is_written_as_well(tmp_path: Path):
    write_volume(tmp_path / "imagej.tif", VOLUME, 0.398, "um")
    write_volume(tmp_path / "ome.tif", VOLUME.astype(np.int32), 0.398, "µm")
    with tifffile.TiffFile(tmp_path / "imagej.tif") as tif:
        assert tif.imagej_metadata["spacing"] == 0.398
        assert tif.imagej_metadata["unit"] == "um"
        assert tif.pages[0].tags["XResolution"].value == (500, 199)  # exact
    with tifffile.TiffFile(tmp_path / "ome.tif") as tif:
        assert 'PhysicalSizeZ="0.398" PhysicalSizeZUnit="µm"' in tif.ome_metadata


def test_labels_are_shown_over_their_range(tmp_path: Path):
    write_volume(tmp_path / "v.tif", VOLUME, labels=True)
    with tifffile.TiffFile(tmp_path / "v.tif") as tif:
        assert (tif.imagej_metadata["min"], tif.imagej_metadata["max"]) == (0, 2)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.array([0, -70_000]), "int32"),
        (np.array([0, 3_000_000_000]), "uint32"),
        (np.array([False, True]), "uint8"),
        (np.array([0, 0.5], np.float16), "float32"),
    ],
)
def test_types_that_tiff_lacks_become_others_with_the_same_values(tmp_path: Path, values, dtype):
    volume = np.tile(values, (3, 4, 1))
    write_volume(tmp_path / "v.tif", volume)
    array = read_image(tmp_path / "v.tif").array
    assert array.dtype == dtype
    np.testing.assert_array_equal(array, volume)


def test_values_beyond_32_bits_are_refused(tmp_path: Path):
    with pytest.raises(OutputError, match="32 bits"):
        write_volume(tmp_path / "v.tif", np.full((3, 4, 5), 2**40))
    assert list(tmp_path.iterdir()) == []


def test_above_four_gigabytes_it_is_big_ome_tiff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tiff_options, "_CLASSIC_BYTES", VOLUME.nbytes)
    write_volume(tmp_path / "v.tif", VOLUME, 0.398, "um")
    with tifffile.TiffFile(tmp_path / "v.tif") as tif:
        assert tif.is_bigtiff
        assert tif.is_ome
    image = read_image(tmp_path / "v.tif")
    np.testing.assert_array_equal(image.array, VOLUME)
    assert (image.pixel_size, image.unit) == (0.398, "um")


@pytest.mark.parametrize("image", [VOLUME[0], COLOUR[0], VOLUME[0].astype(np.int32)])
def test_images(tmp_path: Path, image: np.ndarray):
    write_image(tmp_path / "i.tif", image, 0.4, "um")
    read = read_image(tmp_path / "i.tif")
    np.testing.assert_array_equal(read.array, image)
    assert (read.axes, read.pixel_size, read.unit) == ("YXS"[: image.ndim], 0.4, "um")


def test_a_file_that_exists_is_kept_unless_told_otherwise(tmp_path: Path):
    write_volume(tmp_path / "v.tif", VOLUME)
    before = (tmp_path / "v.tif").read_bytes()
    with pytest.raises(OutputError, match="exists: choose another name"):
        write_volume(tmp_path / "v.tif", COLOUR)
    assert (tmp_path / "v.tif").read_bytes() == before
    write_volume(tmp_path / "v.tif", COLOUR, overwrite=True)
    np.testing.assert_array_equal(read_image(tmp_path / "v.tif").array, COLOUR)


def test_places_that_cannot_be_written_to(tmp_path: Path):
    (tmp_path / "file").touch()
    (tmp_path / "folder.tif").mkdir()
    for path, words in {
        tmp_path / "none" / "v.tif": "no folder .*none: make it first",
        tmp_path / "file" / "v.tif": "no folder",
        tmp_path / "folder.tif": "is a folder",
        tmp_path / "v.npy": r"must end in .tif or .tiff",
        tmp_path / ("v" * 300 + ".tif"): "cannot be written",
        tmp_path / "null\0.tif": "cannot be written",
    }.items():
        with pytest.raises(OutputError, match=words):
            write_volume(path, VOLUME)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder.tif"}


def test_checking_first_leaves_nothing_behind(tmp_path: Path):
    check_writable(tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "taken").write_text("before")
    check_writable(tmp_path / "taken", overwrite=True)
    with pytest.raises(OutputError, match="exists"):
        check_writable(tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "before"


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int):
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise OSError(code, "Permission denied")  # root, as in containers, is never refused

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(OutputError, match="cannot be written: Permission denied"):
        check_writable(tmp_path / "v.tif")


@pytest.mark.parametrize("existing", [False, True])
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existing: bool):
    path = tmp_path / "v.tif"
    if existing:
        write_volume(path, VOLUME)
    before = {item.name: item.read_bytes() for item in tmp_path.iterdir()}

    def fill(self: tifffile.TiffWriter, *_args: object, **_kwargs: object) -> None:
        self.filehandle.write(b"half a volume")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tifffile.TiffWriter, "write", fill)
    with pytest.raises(OutputError, match=r"No space left on device.*Free some space"):
        write_volume(path, COLOUR, overwrite=True)
    assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == before


def test_a_file_that_cannot_be_replaced_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_args: object) -> None:
        raise PermissionError(errno.EACCES, "The file is in use")  # as Windows says

    write_volume(tmp_path / "v.tif", VOLUME)
    before = (tmp_path / "v.tif").read_bytes()
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OutputError, match=r"in use\. Choose another place"):
        write_volume(tmp_path / "v.tif", COLOUR, overwrite=True)
    assert (tmp_path / "v.tif").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupt(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tifffile.TiffWriter, "write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_volume(tmp_path / "v.tif", VOLUME)
    assert list(tmp_path.iterdir()) == []


def test_impossible_sizes_are_refused_before_anything_is_written(tmp_path: Path):
    for size, unit in ((0.4, "furlong"), (-0.4, "um")):
        with pytest.raises(DataError):
            write_volume(tmp_path / "v.tif", VOLUME, size, unit)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", [(5,), (5, 6), (5, 6, 7, 4), (2, 5, 6, 7, 3)])
def test_only_volumes_are_written_as_volumes(tmp_path: Path, shape: tuple[int, ...]):
    with pytest.raises(ValueError, match="a volume is"):
        write_volume(tmp_path / "v.tif", np.zeros(shape, np.uint8))


@pytest.mark.parametrize("shape", [(5,), (5, 6, 7)])
def test_only_images_are_written_as_images(tmp_path: Path, shape: tuple[int, ...]):
    with pytest.raises(ValueError, match="an image is"):
        write_image(tmp_path / "i.tif", np.zeros(shape, np.uint8))
