"""Volumes that are there already, written piece by piece: whole or not at all."""

import json
from dataclasses import replace

import numpy as np
import pytest
import tifffile
import zarr

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.errors import DataError, OutputError
from napari_slicegan.core.output import arrays
from napari_slicegan.core.output.arrays import phases_in, range_of, write_array
from napari_slicegan.core.output.reading import provenance_of
from napari_slicegan.core.output.sinks.base import VolumeDescription
from napari_slicegan.core.output.stores import is_store, open_store
from napari_slicegan.core.tiff import read_record

SUFFIXES = [".tif", ".ome.tif", ".ome.zarr"]
SHAPE = (9, 20, 30)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(arrays, "TILE", 8)


def labels(seed=0):
    return np.random.default_rng(seed).integers(0, 3, SHAPE, np.uint8)


def described(**changes):
    facts = {
        "provenance": {"model": "m"},
        "phase_names": ("pore", "µ", "x"),
        "phase_colours": ("#000000", "#ff0000", "#00ff00"),
        "edges": (0.5, 0.4, 0.3),
        "translation": (1.0, 2.0, 3.0),
        "layer": {"name": "n"},
    }
    voxels = (SHAPE, np.dtype(np.uint8), OutputKind.PHASES, (0, 1, 2), 0.3, "um", 8)
    return VolumeDescription(*voxels, **(facts | changes))


def read(path):
    return tifffile.imread(path) if path.suffix == ".tif" else np.asarray(zarr.open_group(path, mode="r")["0"])


class Pieces:
    """An array that only gives small pieces."""

    shape = SHAPE

    def __getitem__(self, place):
        assert all(part.stop - part.start <= 8 for part in place)
        return labels()[place]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_lazy_volume_is_written_in_pieces(tmp_path, suffix):
    done = []
    write_array(tmp_path / f"v{suffix}", Pieces(), described(), done.append)
    np.testing.assert_array_equal(read(tmp_path / f"v{suffix}"), labels())
    assert done == sorted(done)
    assert done[-1] == 1.0
    assert len(done) > 20
    assert [path.name for path in tmp_path.iterdir()] == [f"v{suffix}"]
    record = provenance_of(tmp_path / f"v{suffix}")
    assert record["model"] == "m"
    assert record["phases"] == [0, 1, 2]
    assert record["phase_names"] == ["pore", "µ", "x"]
    assert "layer" not in record


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_old_file_is_there_until_the_new_one_is_complete(tmp_path, suffix):
    path = tmp_path / f"v{suffix}"
    write_array(path, labels(0), described())

    def stop(fraction):
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_array(path, labels(1), described(), stop)
    np.testing.assert_array_equal(read(path), labels(0))
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    write_array(path, labels(1), described())
    np.testing.assert_array_equal(read(path), labels(1))
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_folder_of_other_things_is_not_replaced(tmp_path, suffix):
    path = tmp_path / f"v{suffix}"
    path.mkdir()
    (path / "thesis.txt").write_text("all of it")
    with pytest.raises(OutputError, match="is a folder: choose another name"):
        write_array(path, labels(), described())
    assert (path / "thesis.txt").exists()
    with pytest.raises(OutputError, match="There is no folder"):
        write_array(tmp_path / "nowhere" / f"v{suffix}", labels(), described())


def test_a_store_with_something_else_in_it_is_not_replaced(tmp_path):
    path = tmp_path / "v.ome.zarr"
    write_array(path, labels(0), described())
    (path / "labels").mkdir()
    with pytest.raises(OutputError, match=r"holds more than a volume \(labels\): choose another name"):
        write_array(path, labels(1), described())
    (path / "labels").rmdir()
    (tmp_path / "link.ome.zarr").symlink_to(path)
    write_array(tmp_path / "link.ome.zarr", labels(1), described())
    np.testing.assert_array_equal(read(path), labels(0))
    np.testing.assert_array_equal(read(tmp_path / "link.ome.zarr"), labels(1))
    assert len(list(tmp_path.iterdir())) == 2


def test_a_format_of_two_files_is_refused(tmp_path):
    with pytest.raises(OutputError, match="would be two files: choose another format"):
        write_array(tmp_path / "v.raw", labels(), described())


@pytest.mark.parametrize(("dtype", "phases"), [(np.int64, ()), (np.uint8, (0, 1, 2))])
def test_values_that_do_not_fit_are_refused(tmp_path, dtype, phases):
    facts = replace(described(), kind=OutputKind.GREY, dtype=np.dtype(dtype), phases=phases)
    with pytest.raises(OutputError, match="0 to 1099511627776 do not fit into"):
        write_array(tmp_path / "v.tif", np.where(labels() == 1, 2**40, 0), facts)
    assert not list(tmp_path.iterdir())


def test_a_volume_that_is_to_be_resumed_is_left_alone(tmp_path):
    (tmp_path / "v.tif.part").write_text("half a volume")
    write_array(tmp_path / "v.tif", labels(), described())
    assert (tmp_path / "v.tif.part").read_text() == "half a volume"


def test_voxels_that_are_no_cubes_keep_their_edges_in_both_kinds_of_tiff(tmp_path):
    write_array(tmp_path / "v.tif", labels(), described())
    with tifffile.TiffFile(tmp_path / "v.tif") as tif:
        assert tif.imagej_metadata["spacing"] == 0.5
        resolutions = [tif.pages[0].tags[f"{axis}Resolution"].value for axis in "XY"]
        assert [length / pixels for pixels, length in resolutions] == pytest.approx([0.3, 0.4])
    write_array(tmp_path / "v.ome.tif", labels(), described())
    with tifffile.TiffFile(tmp_path / "v.ome.tif") as tif:
        for axis, size in zip("ZYX", (0.5, 0.4, 0.3), strict=True):
            assert f'PhysicalSize{axis}="{size}"' in tif.ome_metadata


def test_a_store_says_where_it_lies(tmp_path):
    write_array(tmp_path / "v.ome.zarr", labels(), described())
    assert is_store(tmp_path / "v.ome.zarr")
    store = open_store(tmp_path / "v.ome.zarr")
    assert (store.axes, store.units) == (("z", "y", "x"), ("micrometer",) * 3)
    assert (store.scale, store.translation) == ((0.5, 0.4, 0.3), (1.0, 2.0, 3.0))


def old_store(path, **changes):
    """A store of version 0.4 of another maker, of two channels, with a scale for all levels."""
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.create_array("s0", shape=(2, 4, 5), dtype="uint16", chunks=(1, 4, 5))
    space = {"type": "space", "unit": "nanometer"}
    image = {
        "version": "0.4",
        "axes": [{"name": "c", "type": "channel"}, {"name": "y", **space}, {"name": "x", **space}],
        "datasets": [
            {
                "path": "s0",
                "coordinateTransformations": [
                    {"type": "scale", "scale": [1, 2.0, 3.0]},
                    {"type": "translation", "translation": [0, 1.0, 1.0]},
                ],
            }
        ],
        "coordinateTransformations": [{"type": "scale", "scale": [1, 10.0, 10.0]}],
    }
    group.attrs["multiscales"] = [image | changes]


def test_stores_of_others_are_understood(tmp_path):
    old_store(tmp_path / "v.zarr")
    store = open_store(tmp_path / "v.zarr")
    assert (store.scale, store.translation, store.record) == ((1, 20.0, 30.0), (0, 10.0, 10.0), {})


@pytest.mark.parametrize(
    "changes",
    [
        {"axes": ["y", "x"]},
        {"axes": None},
        {"datasets": [{"path": "../outside"}]},
        {"datasets": []},
        {"datasets": [{"path": "missing"}]},
        {"coordinateTransformations": [{"type": "scale", "scale": ["wide", 1, 1]}]},
    ],
)
def test_damaged_stores_are_refused_with_a_sentence(tmp_path, changes):
    old_store(tmp_path / "v.zarr", **changes)
    with pytest.raises(DataError, match="cannot be read as OME-Zarr: it is damaged or incomplete"):
        open_store(tmp_path / "v.zarr")


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 10**5, '{"attributes": []}', '{"attributes": {"ome": 3}}', "{"])
def test_other_folders_are_no_stores(tmp_path, text):
    (tmp_path / "zarr.json").write_text(text)
    assert not is_store(tmp_path)


def test_phases_are_counted_up_to_a_point():
    assert phases_in(labels()) == (0, 1, 2)
    many = np.arange(8 * 8 * 8).reshape(8, 8, 8)
    assert phases_in(many) == ()
    assert range_of(many) == (0, 511)


@pytest.mark.parametrize("text", ["", "no JSON", "[1]", '{"half": ', json.dumps({"long": "x" * 2**24})])
def test_tiff_files_of_others_have_no_record(tmp_path, text):
    tifffile.imwrite(tmp_path / "v.tif", labels(), imagej=True, metadata={"Info": text})
    assert read_record(tmp_path / "v.tif") == {}
    (tmp_path / "w.tif").write_bytes(b"II*\0 and nothing")
    assert read_record(tmp_path / "w.tif") == {}
