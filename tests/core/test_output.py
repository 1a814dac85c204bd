"""What is looked at before a volume is begun: the place, and the room on the disk."""

import shutil
from collections import namedtuple

import pytest

from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.output.streaming import check_output, part_of, remove_unfinished, stream
from napari_slicegan.core.volume.request import VolumeRequest
from napari_slicegan.core.words import size_in_words
from tests.core.streams import (
    REQUEST,
    RESUMABLE,
    StopError,
    content,
    names,
    stop_at,
)

pytestmark = pytest.mark.usefixtures("small_tiles")


@pytest.mark.parametrize("suffix", RESUMABLE)
def test_a_volume_larger_than_the_disk_is_refused_at_once(tmp_path, model, suffix):
    with pytest.raises(OutputError, match=r"needs (at least )?\S+ TB on the disk, where \S+ [GT]B are left for it"):
        stream(model, VolumeRequest((200_000,) * 3), tmp_path / f"v{suffix}")
    assert names(tmp_path) == set()


def test_room_that_the_part_takes_already_is_not_asked_for_again(tmp_path, model, monkeypatch):
    path, description = tmp_path / "v.npy", model.describe(REQUEST)
    with pytest.raises(StopError):
        stream(model, REQUEST, path, progress=stop_at(0.7))
    needed = description.nbytes - part_of(path).stat().st_blocks * 512
    assert needed > 0
    usage = namedtuple("Usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(needed + 10))
    assert check_output(path, description, resume=True, besides=10) == needed
    with pytest.raises(OutputError, match="are left"):
        check_output(path, description, resume=True, besides=11)
    with pytest.raises(OutputError, match="are left"):
        check_output(tmp_path / "other.npy", description)


def test_of_a_compressed_part_nobody_knows_what_it_will_take(tmp_path, model, monkeypatch):
    path, description = tmp_path / "v.ome.zarr", model.describe(REQUEST)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: namedtuple("Usage", "free")(description.nbytes // 50))
    assert check_output(path, description) == description.nbytes // 50
    with pytest.raises(StopError):
        stream(model, REQUEST, path, progress=stop_at(0.7))
    assert check_output(path, description, resume=True) == 0


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 kB"), (989, "0.989 kB"), (2_500_000, "2.5 MB"), (1024**3, "1.07 GB"), (540 * 10**12, "540 TB")],
)
def test_sizes_in_words(number, text):
    assert size_in_words(number) == text


def test_places_that_cannot_be_written_to(tmp_path, model):
    for name in ("v.npy", "w.raw.json"):
        (tmp_path / name).write_text("precious")
    (tmp_path / "x.ome.zarr").mkdir()
    (tmp_path / "y.npy.part").write_text("of another program")
    (tmp_path / "z.vti.part").write_text("killed")
    (tmp_path / "z.vti.part.journal").touch()
    before = content(tmp_path)
    for name, words in {
        "v.npy": "v.npy exists: choose another name",
        "w.raw": "w.raw.json exists: choose",
        "x.ome.zarr": "x.ome.zarr exists: choose",
        "y.npy": "y.npy.part is an unfinished volume",
        "z.vti": "z.vti.part is left of a volume that was broken off and cannot be resumed: remove it",
        "none/v.npy": "no folder .*none: make it first",
        "v.png": "must end in",
        "v" * 300 + ".npy": "cannot be written",
        "null\0.npy": "cannot be written",
    }.items():
        with pytest.raises(OutputError, match=words):
            stream(model, REQUEST, tmp_path / name)
    for name, words in {"y.npy": "has no journal", "z.vti": "cannot be resumed", "v.npy": "v.npy exists"}.items():
        with pytest.raises(OutputError, match=words):
            stream(model, REQUEST, tmp_path / name, resume=True)
    assert content(tmp_path) == before


def test_an_unfinished_volume_is_neither_overwritten_nor_taken_for_a_new_one(tmp_path, model):
    path = tmp_path / "v.npy"
    with pytest.raises(StopError):
        stream(model, REQUEST, path, progress=stop_at(0.5))
    before = content(tmp_path)
    with pytest.raises(OutputError, match=r"v.npy.part is an unfinished volume: resume it \(--resume\), or remove it"):
        stream(model, REQUEST, path)
    assert content(tmp_path) == before
    remove_unfinished(path)
    assert names(tmp_path) == set()
