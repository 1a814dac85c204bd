"""OME-Zarr stores: read back with plain zarr, field by field and voxel by voxel."""

import json
from itertools import product

import numpy as np
import pytest
import zarr

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.output.sinks import ome_zarr
from napari_slicegan.core.output.sinks.base import VolumeDescription
from napari_slicegan.core.output.sinks.ome_zarr import KEY, OmeZarrSink, chunk_and_shard
from napari_slicegan.core.output.sinks.pyramid import blocks_of
from napari_slicegan.core.output.stores import open_store
from tests.core.test_pyramid import commonest, plain

TILE = 16


@pytest.fixture(autouse=True)
def _small_levels(monkeypatch):
    monkeypatch.setattr("napari_slicegan.core.output.sinks.pyramid.COARSEST", 10)


def a_volume(kind=OutputKind.PHASES, shape=(40, 21, 35)):
    rng = np.random.default_rng(0)
    if kind is OutputKind.PHASES:
        return rng.choice(np.array([0, 2, 300], np.uint16), shape)
    return rng.integers(0, 256, (*shape, 3) if kind is OutputKind.COLOUR else shape, np.uint8)


def described(volume, kind=OutputKind.PHASES, unit="um", **changes):
    phases = (0, 2, 300) if kind is OutputKind.PHASES else ()
    facts = {"request": {"seed": 5}, "versions": {"napari-slicegan": "1"}}
    return VolumeDescription(volume.shape, volume.dtype, kind, phases, 0.4, unit, changes.get("tile", TILE), facts)


def write_all(sink, volume, edge=TILE):
    for place in blocks_of(volume.shape[:3], edge):
        sink.write(place, volume[place])


def unheard(fraction):
    """What listens to the progress."""


def stored(path, volume, kind=OutputKind.PHASES, **changes):
    sink = OmeZarrSink(path, described(volume, kind, **changes), resume=False)
    write_all(sink, volume)
    sink.finish(unheard)
    sink.close()
    return json.loads((path / "zarr.json").read_text(encoding="utf-8"))


def test_the_metadata_is_what_the_specification_asks_for(tmp_path):
    group = stored(tmp_path / "v.ome.zarr", a_volume())
    assert (group["zarr_format"], group["node_type"]) == (3, "group")
    ome = group["attributes"]["ome"]
    assert ome["version"] == "0.5"
    (multiscale,) = ome["multiscales"]
    assert multiscale["axes"] == [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"]
    assert multiscale["type"] == "mode"
    assert isinstance(multiscale["name"], str)
    assert [dataset["path"] for dataset in multiscale["datasets"]] == ["0", "1", "2"]
    placed = [dataset["coordinateTransformations"] for dataset in multiscale["datasets"]]
    assert placed == [
        [{"type": "scale", "scale": [0.4] * 3}],
        [{"type": "scale", "scale": [0.8] * 3}, {"type": "translation", "translation": [0.2] * 3}],
        [{"type": "scale", "scale": [1.6] * 3}, {"type": "translation", "translation": pytest.approx([0.6] * 3)}],
    ]
    (channel,) = ome["omero"]["channels"]
    assert (channel["window"]["start"], channel["window"]["end"]) == (0, 300)


def test_the_store_says_where_it_comes_from(tmp_path):
    own = stored(tmp_path / "v.ome.zarr", a_volume())["attributes"][KEY]
    assert own == {"complete": True, "phases": [0, 2, 300], **described(a_volume()).provenance}


@pytest.mark.parametrize(
    ("unit", "name", "size"),
    [
        ("nm", "nanometer", 0.4),
        ("mm", "millimeter", 0.4),
        ("m", "meter", 0.4),
        ("inch", "millimeter", 0.4 * 25.4),
        ("pixel", None, 0.4),
        ("furlong", None, 0.4),
    ],
)
def test_units_have_the_names_of_the_specification(tmp_path, unit, name, size):
    (multiscale,) = stored(tmp_path / "v.ome.zarr", a_volume(), unit=unit)["attributes"]["ome"]["multiscales"]
    assert [axis.get("unit") for axis in multiscale["axes"]] == [name] * 3
    assert multiscale["datasets"][0]["coordinateTransformations"][0]["scale"] == pytest.approx([size] * 3)


@pytest.mark.parametrize("kind", OutputKind)
def test_every_level_has_the_right_voxels(tmp_path, kind):
    volume = a_volume(kind)
    stored(tmp_path / "v.ome.zarr", volume, kind)
    levels = open_store(tmp_path / "v.ome.zarr").levels
    assert [level.shape[-3:] for level in levels] == [(40, 21, 35), (20, 11, 18), (10, 6, 9)]
    rule = commonest if kind is OutputKind.PHASES else (lambda voxels: int(np.floor(voxels.mean() + 0.5)))
    expected = np.moveaxis(volume, -1, 0) if kind is OutputKind.COLOUR else volume[None]
    for level in levels:
        assert level.dtype == volume.dtype
        np.testing.assert_array_equal(level[...], expected if kind is OutputKind.COLOUR else expected[0])
        expected = np.stack([plain(channel, rule) for channel in expected])


def test_colours_come_before_space(tmp_path):
    ome = stored(tmp_path / "v.ome.zarr", a_volume(OutputKind.COLOUR), OutputKind.COLOUR)["attributes"]["ome"]
    (multiscale,) = ome["multiscales"]
    assert [(axis["name"], axis["type"]) for axis in multiscale["axes"]] == [("c", "channel")] + [
        (axis, "space") for axis in "zyx"
    ]
    assert multiscale["type"] == "mean"
    assert multiscale["datasets"][1]["coordinateTransformations"] == [
        {"type": "scale", "scale": [1, 0.8, 0.8, 0.8]},
        {"type": "translation", "translation": [0, 0.2, 0.2, 0.2]},
    ]
    assert [channel["color"] for channel in ome["omero"]["channels"]] == ["FF0000", "00FF00", "0000FF"]
    array = zarr.open_group(tmp_path / "v.ome.zarr", mode="r")["0"]
    assert array.metadata.dimension_names == ("c", "z", "y", "x")
    assert (array.chunks, array.shards) == ((1, 16, 16, 16), (3, 16, 16, 16))


def test_a_tile_is_a_file(tmp_path):
    volume = np.ones((256, 128, 130), np.uint8)
    description = described(volume, OutputKind.GREY, tile=128)
    sink = OmeZarrSink(tmp_path / "v", description, resume=False)
    sink.write((slice(128, 256), slice(0, 128), slice(0, 128)), volume[128:256, :, :128])
    files = [path for path in (tmp_path / "v" / "0").rglob("*") if path.is_file() and path.name != "zarr.json"]
    assert files == [tmp_path / "v" / "0" / "c" / "1" / "0" / "0"]
    assert open_store(tmp_path / "v").levels[0].chunks == (64, 64, 64)


@pytest.mark.parametrize(
    ("size", "tile", "expected"),
    [
        (1024, 128, (64, 128)),
        (1024, 135, (45, 135)),
        (1024, 126, (63, 126)),
        (1024, 127, (127, 127)),
        (100, 128, (64, 128)),
        (40, 128, (40, 40)),
        (1, 128, (1, 1)),
    ],
)
def test_chunks_fit_files_and_small_volumes(size, tile, expected):
    assert chunk_and_shard(size, tile) == expected


@pytest.mark.parametrize("kind", [OutputKind.PHASES, OutputKind.COLOUR])
def test_pieces_may_lie_across_files_and_come_in_any_order(tmp_path, kind):
    volume = a_volume(kind)
    sink = OmeZarrSink(tmp_path / "v", described(volume, kind), resume=False)
    cuts = ((slice(0, 7), slice(7, 40)), (slice(0, 13), slice(13, 21)), (slice(0, 30), slice(30, 35)))
    places = list(product(*cuts))
    for place in reversed(places):
        sink.write(place, volume[place])
    level = open_store(tmp_path / "v").levels[0][...]
    np.testing.assert_array_equal(np.moveaxis(level, 0, -1) if kind is OutputKind.COLOUR else level, volume)


def files_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_another_process_goes_on_with_it(tmp_path):
    volume = a_volume()
    stored(tmp_path / "whole", volume)
    first = OmeZarrSink(tmp_path / "v", described(volume), resume=False)
    places = list(blocks_of(volume.shape, TILE))
    for place in places[:5]:
        first.write(place, volume[place])
    second = OmeZarrSink(tmp_path / "v", described(volume), resume=True)
    for place in places[5:]:
        second.write(place, volume[place])
    second.finish(unheard)
    assert files_of(tmp_path / "v") == files_of(tmp_path / "whole")


def test_without_resuming_it_begins_anew(tmp_path):
    volume = a_volume()
    stored(tmp_path / "v", volume)
    (tmp_path / "v" / "stray").touch()
    sink = OmeZarrSink(tmp_path / "v", described(volume), resume=False)
    (level,) = open_store(tmp_path / "v").levels
    assert not np.any(level[...])
    assert sorted(path.name for path in (tmp_path / "v").iterdir()) == ["0", "zarr.json"]
    assert zarr.open_group(tmp_path / "v").attrs[KEY]["complete"] is False
    sink.close()


def test_a_store_is_complete_only_when_all_is_there(tmp_path):
    """Broken off at any of its steps, `finish` leaves a store that says so; the next call makes the same of it."""
    volume = a_volume()
    stored(tmp_path / "whole", volume)
    sink = OmeZarrSink(tmp_path / "v", described(volume), resume=False)
    write_all(sink, volume)
    (tmp_path / "v" / "0" / "c" / "0.abc.partial").write_bytes(b"left by a process that was killed")
    seen = []
    sink.finish(seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert len(seen) == 4 + 1  # (20, 11, 18) in blocks of 16, and (10, 6, 9)
    for steps in range(1, len(seen) + 1):

        def stop(fraction, steps=steps, passed=[]):  # noqa: B006
            passed.append(fraction)
            if len(passed) == steps:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            sink.finish(stop)
        attributes = json.loads((tmp_path / "v" / "zarr.json").read_text(encoding="utf-8"))["attributes"]
        assert attributes[KEY]["complete"] is False
        assert len(attributes["ome"]["multiscales"][0]["datasets"]) == 1
    sink.finish(unheard)
    assert files_of(tmp_path / "v") == files_of(tmp_path / "whole")


def test_flush_brings_files_and_their_folders_to_the_disk(tmp_path, monkeypatch):
    synced, handles = set(), []
    to_disk = ome_zarr.to_disk
    monkeypatch.setattr("os.fsync", handles.append)
    monkeypatch.setattr(ome_zarr, "to_disk", lambda path: (synced.add(path), to_disk(path)))
    volume = a_volume()
    sink = OmeZarrSink(tmp_path / "v", described(volume), resume=False)
    place = (slice(16, 32), slice(0, 16), slice(0, 32))
    sink.write(place, volume[place])
    sink.flush()
    root = tmp_path / "v"
    files = {path for path in root.rglob("*") if path.is_file()}
    folders = {root, *(path for path in root.rglob("*") if path.is_dir())}
    assert len(files) == 4
    assert synced == files | folders
    assert len(handles) >= len(files)
    synced.clear()
    sink.flush()
    assert not synced


def test_all_levels_are_on_the_disk_before_the_store_is_complete(tmp_path, monkeypatch):
    unsaved, say = [], OmeZarrSink._say

    def listening(self, levels, complete):
        unsaved.append(len(self._unsaved))
        say(self, levels, complete)

    monkeypatch.setattr(OmeZarrSink, "_say", listening)
    stored(tmp_path / "v", a_volume())
    assert unsaved[-1] == 0 < unsaved[-2]


def test_a_file_of_zeros_only_may_be_missing(tmp_path):
    volume = np.zeros((20, 20, 20), np.uint8)
    stored(tmp_path / "v", volume, OutputKind.GREY)
    assert not open_store(tmp_path / "v").levels[0][...].any()
