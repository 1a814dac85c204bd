"""Volumes read back, and told from others."""

import shutil

import numpy as np
import pytest

from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.output.reading import check_same, open_volume
from napari_slicegan.core.output.streaming import part_of, stream
from napari_slicegan.core.volume.request import VolumeRequest
from tests.core.streams import REQUEST, StopError, stop_at
from tests.core.test_model import a_model

pytestmark = pytest.mark.usefixtures("small_tiles")


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif", ".npy", ".raw"])
@pytest.mark.parametrize("shape", [(1, 20, 30), (20, 1, 30), (1, 1, 9)])
def test_axes_of_one_voxel_are_kept(tmp_path, model, suffix, shape):
    path = tmp_path / f"v{suffix}"
    stream(model, VolumeRequest(shape), path)
    np.testing.assert_array_equal(open_volume(path, shape), model.generate(shape))


@pytest.mark.parametrize("suffix", [".ome.zarr", ".raw", ".tif", ".ome.tif"])
def test_a_file_of_another_seed_or_model_is_told_apart(tmp_path, model, suffix):
    path = tmp_path / f"v{suffix}"
    stream(model, VolumeRequest((9, 20, 30)), path)
    check_same(path, model.describe(VolumeRequest((9, 20, 30))))
    for other, request in ((model, VolumeRequest((9, 20, 30), 5)), (a_model("6 3 3"), VolumeRequest((9, 20, 30)))):
        with pytest.raises(OutputError, match="is another volume than the one that is wanted"):
            check_same(path, other.describe(request))


@pytest.mark.parametrize("suffix", [".ome.zarr", ".raw", ".npy", ".tif"])
def test_a_file_of_another_shape_is_told_apart(tmp_path, model, suffix):
    path = tmp_path / f"v{suffix}"
    stream(model, VolumeRequest((9, 20, 30)), path)
    with pytest.raises(OutputError, match="is another volume"):
        check_same(path, model.describe(VolumeRequest((9, 20, 31))))


def test_colours_are_the_same_volume(tmp_path):
    model = a_model(output="colour", image_channels=3)
    for name in ("v.ome.zarr", "v.npy"):
        stream(model, VolumeRequest((4, 5, 6)), tmp_path / name)
        check_same(tmp_path / name, model.describe(VolumeRequest((4, 5, 6))))


@pytest.mark.parametrize("suffix", [".npy", ".raw", ".tif"])
def test_a_part_that_has_lost_its_end_is_not_gone_on_with(tmp_path, model, suffix):
    path = tmp_path / f"v{suffix}"
    with pytest.raises(StopError):
        stream(model, REQUEST, path, progress=stop_at(0.6))
    with part_of(path).open("r+b") as file:
        file.truncate(part_of(path).stat().st_size // 2)
    with pytest.raises(OutputError, match="is shorter than it was"):
        stream(model, REQUEST, path, resume=True)
    assert not path.exists()


def test_a_damaged_store_is_not_begun_anew(tmp_path, model):
    path = tmp_path / "v.ome.zarr"
    with pytest.raises(StopError):
        stream(model, REQUEST, path, progress=stop_at(0.6))
    (part_of(path) / "0" / "zarr.json").rename(tmp_path / "aside")
    with pytest.raises(OutputError, match="is damaged or out of sight"):
        stream(model, REQUEST, path, resume=True)
    shutil.move(tmp_path / "aside", part_of(path) / "0" / "zarr.json")
    stream(model, REQUEST, path, resume=True)
    np.testing.assert_array_equal(
        open_volume(path)[:], model.generate(REQUEST.shape, REQUEST.seed, origin=REQUEST.origin)
    )


def test_a_json_file_of_someone_else_is_left_alone(tmp_path, model):
    (tmp_path / "v.raw.json").write_text("mine")
    with pytest.raises(OutputError, match=r"v.raw.json exists"):
        stream(model, REQUEST, tmp_path / "v.raw", resume=True)
    assert (tmp_path / "v.raw.json").read_text() == "mine"
