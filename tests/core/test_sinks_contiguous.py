"""NPY, raw and TIFF files that are written at their places, in any order."""

import json
from itertools import pairwise

import numpy as np
import pytest
import tifffile

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.io import read_image
from napari_slicegan.core.output import tiff_options
from napari_slicegan.core.output.formats import FORMATS, SUFFIXES, format_of
from napari_slicegan.core.output.reading import open_volume
from napari_slicegan.core.output.sinks.base import VolumeDescription
from napari_slicegan.core.output.sinks.tiff_header import tiff_layout

RNG = np.random.default_rng(5)
SUFFIX = (".npy", ".raw", ".tif", ".ome.tif")


def a_volume(shape=(9, 10, 11), phases=(0, 1, 2), colour=False):
    """Values and their description, as tiles of 4 voxels."""
    if colour:
        values, kind, phases = RNG.integers(0, 256, (*shape, 3), dtype=np.uint8), OutputKind.COLOUR, ()
    elif phases:
        dtype = np.result_type(*map(np.min_scalar_type, phases))
        values, kind = np.array(phases, dtype)[RNG.integers(0, len(phases), shape)], OutputKind.PHASES
    else:
        values, kind = RNG.integers(0, 256, shape, dtype=np.uint8), OutputKind.GREY
    return values, VolumeDescription(values.shape, values.dtype, kind, phases, 0.4, "um", 4, {"request": {"seed": 3}})


def pieces(shape, edge=4):
    """The places of tiles that do not begin where the volume does, in a random order."""
    cuts = [[0, *range(edge - 1, size, edge), size] for size in shape[:3]]
    z, y, x = ([slice(*pair) for pair in pairwise(cut)] for cut in cuts)
    places = [(a, b, c) for a in z for b in y for c in x]
    return [places[index] for index in RNG.permutation(len(places))]


def write(path, values, description, resume_after=3):
    """Write piece by piece; after some of them the file is closed and opened again."""
    part, make = path.with_name(path.name + ".part"), format_of(path).make
    sink = make(part, description, False)
    for count, place in enumerate(pieces(values.shape)):
        if count == resume_after:
            sink.flush()
            sink.close()
            sink = make(part, description, True)
        sink.write(place, values[place])
    sink.finish(lambda _: None)
    sink.flush()
    sink.close()
    part.rename(path)


VOLUMES = {
    "labels": {},
    "wide labels": {"phases": (0, 300, 5000)},
    "signed labels": {"phases": (-1, 0, 1)},
    "very wide labels": {"phases": (0, 70_000)},
    "64 bits": {"phases": (-1, 3_000_000)},
    "grey": {"phases": ()},
    "colour": {"colour": True},
    "a voxel": {"shape": (1, 1, 1)},
    "a plane": {"shape": (1, 30, 20)},
    "a column": {"shape": (30, 1, 1)},
    "within tiles": {"shape": (2, 3, 2)},
    "of whole rows": {"shape": (9, 9, 3)},
    "of whole planes": {"shape": (20, 3, 3)},
}


@pytest.mark.parametrize("suffix", SUFFIX)
@pytest.mark.parametrize("kind", VOLUMES)
def test_the_voxels_stand_where_they_belong(tmp_path, suffix, kind):
    values, description = a_volume(**VOLUMES[kind])
    path = tmp_path / f"v{suffix}"
    write(path, values, description)
    array = open_volume(path)
    assert array.shape == values.shape or kind in ("a voxel", "a column", "a plane")
    np.testing.assert_array_equal(np.asarray(array).reshape(values.shape), values)
    assert array.dtype == (values.dtype if suffix in (".npy", ".raw") or values.itemsize < 8 else np.int32)


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("kind", VOLUMES)
def test_tiff_files_keep_values_and_voxel_size(tmp_path, suffix, kind):
    values, description = a_volume(**VOLUMES[kind])
    path = tmp_path / f"v{suffix}"
    write(path, values, description)
    file = read_image(path)
    np.testing.assert_array_equal(file.array.reshape(values.shape), values)
    np.testing.assert_array_equal(tifffile.imread(path).reshape(values.shape), values)
    assert (file.pixel_size, file.unit) == (pytest.approx(0.4), "um")
    with tifffile.TiffFile(path) as tif:
        assert tif.is_imagej == (suffix == ".tif" and values.dtype.name in ("uint8", "uint16"))
        assert tif.is_ome != tif.is_imagej
        assert tif.pages[0].compression == 1
        if tif.is_imagej:
            assert tif.imagej_metadata["spacing"] == 0.4
            assert json.loads(tif.imagej_metadata["Info"]) == description.record
            phases = description.phases
            limits = [tif.imagej_metadata.get("min"), tif.imagej_metadata.get("max")]
            assert limits == ([min(phases), max(phases)] if phases else [None, None])
        else:
            assert 'PhysicalSizeZ="0.4"' in tif.ome_metadata


def test_above_four_gigabytes_it_is_big_ome_tiff(tmp_path, monkeypatch):
    values, description = a_volume()
    monkeypatch.setattr(tiff_options, "_CLASSIC_BYTES", values.nbytes)
    write(tmp_path / "v.tif", values, description)
    with tifffile.TiffFile(tmp_path / "v.tif") as tif:
        assert tif.is_bigtiff
        assert tif.is_ome
    np.testing.assert_array_equal(read_image(tmp_path / "v.tif").array, values)


def test_files_beyond_four_gigabytes_take_no_room_before_they_are_filled(tmp_path):
    description = VolumeDescription((2048,) * 3, np.dtype(np.uint8), OutputKind.PHASES, (0, 1), 0.4, "um", 128)
    corner = (slice(2040, 2048), slice(2046, 2048), slice(2045, 2048))
    values = RNG.integers(0, 2, (8, 2, 3), dtype=np.uint8)
    for suffix in SUFFIX:
        part = tmp_path / f"v{suffix}.part"
        sink = format_of(f"v{suffix}").make(part, description, False)
        assert part.stat().st_size >= description.nbytes  # a disk that cannot hold it says so now
        sink.write(corner, values)
        sink.finish(lambda _: None)
        sink.close()
        assert part.stat().st_blocks * 512 < 2**22
        array = open_volume(part.rename(tmp_path / f"v{suffix}"))
        assert array.shape == description.shape
        np.testing.assert_array_equal(array[corner], values)
        assert array[2039, 2040:].sum() == array[2040:, 2044].sum() == 0
    with tifffile.TiffFile(tmp_path / "v.tif") as tif:
        assert tif.is_bigtiff
        assert len(tif.pages) == 2048


def test_a_system_that_writes_a_little_at_a_time(tmp_path):
    values, description = a_volume()
    sink = format_of("v.npy").make(tmp_path / "v.npy.part", description, False)
    file = sink._file

    class Slow:
        def write(self, stored):
            return file.write(stored[:7])

        def __getattr__(self, name):
            return getattr(file, name)

    sink._file = Slow()
    sink.write((slice(0, 9), slice(0, 10), slice(0, 11)), values)
    sink.close()
    np.testing.assert_array_equal(np.load((tmp_path / "v.npy.part").rename(tmp_path / "v.npy")), values)


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_layout_of_a_tiff_file_is_that_of_its_maker(tmp_path, order):
    values, _ = a_volume(phases=(0, 300))
    tifffile.imwrite(tmp_path / "v.tif", values, byteorder=order, photometric="minisblack")
    offset, dtype = tiff_layout(tmp_path / "v.tif")
    assert dtype == np.dtype(f"{order}u2")
    np.testing.assert_array_equal(np.memmap(tmp_path / "v.tif", dtype, "r", offset, values.shape), values)


def test_equal_volumes_are_equal_files(tmp_path):
    values, description = a_volume()
    for suffix in SUFFIX:
        for name, after in (("a", 1), ("b", 20)):
            write(tmp_path / f"{name}{suffix}", values, description, after)
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_labels_that_tiff_cannot_hold(tmp_path):
    description = VolumeDescription((2, 2, 2), np.dtype(np.int64), OutputKind.PHASES, (-1, 2**32 - 1), 1, "pixel", 4)
    with pytest.raises(OutputError, match="32 bits"):
        format_of("v.tif").make(tmp_path / "v.tif.part", description, False)


def test_the_json_file_says_all_that_a_reader_must_know(tmp_path):
    values, description = a_volume(phases=(0, 300))
    write(tmp_path / "v.raw", values, description)
    facts = json.loads((tmp_path / "v.raw.json").read_text())
    assert facts["shape"] == [9, 10, 11]
    assert facts["axes"] == "zyx"
    assert (facts["dtype"], facts["byte_order"]) == ("<u2", "little")
    assert (facts["voxel_size"], facts["unit"]) == (0.4, "um")
    assert (facts["kind"], facts["phases"]) == ("phases", [0, 300])
    assert facts["provenance"] == {"request": {"seed": 3}}
    assert {path.name for path in tmp_path.iterdir()} == {"v.raw", "v.raw.json"}


@pytest.mark.parametrize("suffix", SUFFIX)
def test_a_file_that_is_there_is_not_begun_anew(tmp_path, suffix):
    part = tmp_path / f"v{suffix}.part"
    part.write_text("precious")
    with pytest.raises(FileExistsError):
        format_of(f"v{suffix}").make(part, a_volume()[1], False)
    assert part.read_text() == "precious"


def test_the_ending_of_the_name_is_the_format():
    for kind in FORMATS:
        for suffix in kind.suffixes:
            assert format_of(f"a/b.c{suffix.upper()}") is kind
    assert format_of("v.ome.tif").name == "OME-TIFF"
    for name in ("v", "v.png", "v.zarr", ".tif", "a.tif/v", ".ome.zarr", "v.tif.part"):
        with pytest.raises(OutputError, match=r"must end in .tif, .*\.vti") as refused:
            format_of(name)
        assert all(suffix in str(refused.value) for suffix in SUFFIXES)
