"""Paths that lead out of their place: links, pipes and names with dots in runs, volumes and stores are not followed."""

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_slicegan.core.errors import DataError, ModelError, OutputError, SliceGANError, TrainingError
from napari_slicegan.core.io import read_image
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.model_header import read_info
from napari_slicegan.core.output.stores import is_store, open_store
from napari_slicegan.core.output.streaming import journal_of, part_of
from napari_slicegan.core.output.unfinished import Unfinished
from napari_slicegan.core.run import Run
from napari_slicegan.core.runs import (
    Follower,
    is_run,
    list_runs,
    previews,
    read_history,
    summary_of,
)
from napari_slicegan.core.runs.lock import RunLock, is_locked
from napari_slicegan.core.runs.requests import take_request
from tests.reliability.guard import watched
from tests.reliability.strangers import STRANGERS, _a_run, _description, _images, _network, put

PRECIOUS = b'{"precious": true}\n'
FILES = (
    "config.json",
    "status.json",
    "log.jsonl",
    "checkpoint.pt",
    "model.safetensors",
    "images.safetensors",
    "request",
)


@pytest.fixture
def run(tmp_path):
    put(_a_run(), tmp_path / "runs" / "run")
    return tmp_path / "runs" / "run"


def look_at_all(run: Path) -> None:
    """Everything that reads the directory of a run."""
    summary_of(run)
    list_runs(run.parent)
    is_run(run)
    is_locked(run)
    read_history(run)
    previews(run)
    take_request(run)
    follower = Follower(run)
    follower._place = 0
    follower.poll()
    for read in (
        read_info,
        SliceGAN.load,
        Run.open,
        lambda path: Run.open(path).data(),
        lambda path: Run.open(path).log(),
    ):
        with suppress(SliceGANError):
            read(run)


@pytest.mark.parametrize("name", [*FILES, "run.lock", "previews"])
def test_a_link_in_a_run_is_not_followed(name, run, tmp_path):
    precious = tmp_path / "precious"
    if name == "previews":
        shutil.move(run / name, precious)
    else:
        precious.write_bytes((run / name).read_bytes() if (run / name).exists() else PRECIOUS)
        (run / name).unlink(missing_ok=True)
    before = precious.read_bytes() if precious.is_file() else sorted(precious.iterdir())
    (run / name).symlink_to(precious)
    with watched(run.parent):  # reports whatever is opened outside
        look_at_all(run)
    assert (precious.read_bytes() if precious.is_file() else sorted(precious.iterdir())) == before


@pytest.mark.parametrize("name", [*FILES, "run.lock"])
def test_a_pipe_in_a_run_is_not_waited_for(name, run):
    (run / name).unlink(missing_ok=True)
    os.mkfifo(run / name)
    with watched(run.parent):
        look_at_all(run)


@pytest.mark.parametrize("name", ["run.lock", "log.jsonl", "previews"])
def test_a_training_writes_through_no_link(name, run, tmp_path):
    precious = tmp_path / "precious"
    shutil.rmtree(run / name) if (run / name).is_dir() else (run / name).unlink(missing_ok=True)
    precious.write_bytes(PRECIOUS)
    (run / name).symlink_to(precious)
    found = Run.open(run)
    trainer = found.trainer(training=found.recipe(iterations=3))
    with pytest.raises(OutputError, match="is a link to elsewhere: remove it"):
        list(found.record(trainer))
    with pytest.raises(OutputError, match="is a link") if name == "run.lock" else RunLock(run):
        if name == "run.lock":
            RunLock(run).__enter__()
    assert precious.read_bytes() == PRECIOUS


def test_the_model_that_a_run_began_with_is_kept_in_it_and_not_looked_for_elsewhere(run, tmp_path):
    second, trainer = Run.start(
        tmp_path / "second", _images(), _network(), Run.open(run).training, "quick", start_from=run
    )
    weights = trainer.gan.generator.state_dict()["layers.0.weight"].clone()
    shutil.rmtree(run)
    again = Run.open(second.path).trainer()
    assert again.iteration == 0
    assert again.gan.generator.state_dict()["layers.0.weight"].equal(weights)
    (second.path / "checkpoint.pt").unlink()
    with watched(second.path) as errors:
        Run.open(second.path).trainer()
    assert isinstance(errors[0], TrainingError)
    assert "start a new run from there" in str(errors[0])


def test_a_set_of_tiff_files_is_read_from_the_named_one_alone(tmp_path):
    outside = tmp_path / "outside.ome.tif"
    tifffile.imwrite(outside, np.full((2, 8, 8), 7, np.uint8), metadata={"axes": "ZYX"}, ome=True)
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:1">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="8" SizeY="8" SizeZ="2" '
        'SizeC="1" SizeT="1"><TiffData IFD="0" FirstZ="0" PlaneCount="1">'
        '<UUID FileName="a.ome.tif">urn:uuid:1</UUID></TiffData>'
        '<TiffData IFD="0" FirstZ="1" PlaneCount="1">'
        '<UUID FileName="../outside.ome.tif">urn:uuid:2</UUID></TiffData>'
        "</Pixels></Image></OME>"
    )
    (tmp_path / "place").mkdir()
    tifffile.imwrite(tmp_path / "place" / "a.ome.tif", np.ones((8, 8), np.uint8), description=xml, metadata=None)
    with watched(tmp_path / "place"):
        assert 7 not in read_image(tmp_path / "place" / "a.ome.tif").array


@pytest.fixture
def store(tmp_path):
    put(STRANGERS["OME-Zarr of others"].files(), tmp_path / "place")
    return tmp_path / "place" / "v.zarr"


@pytest.mark.parametrize("name", ["0/0/0/0", "0", ".zattrs", "0/.zarray"])
@pytest.mark.parametrize("way", ["link", "pipe"])
def test_links_and_pipes_in_a_store_are_refused(name, way, store, tmp_path):
    assert open_store(store).levels[0][...].any()
    shutil.move(store / name, tmp_path / "elsewhere")
    if way == "link":
        (store / name).symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(store / name)
    with watched(store) as errors:
        is_store(store)
        open_store(store)
    assert isinstance(errors[0], DataError)


@pytest.mark.parametrize("path", ["../v.zarr/0", "../../elsewhere", "/etc", "0/../../..", "C:\\", "..\\x"])
def test_names_of_arrays_that_lead_out_of_a_store_are_refused(path, store, tmp_path):
    shutil.copytree(store / "0", tmp_path / "elsewhere")
    fields = json.loads((store / ".zattrs").read_text())
    fields["multiscales"][0]["datasets"][0]["path"] = path
    (store / ".zattrs").write_text(json.dumps(fields))
    with watched(store) as errors:
        open_store(store)
    assert isinstance(errors[0], DataError)


@pytest.mark.parametrize("of", [part_of, journal_of])
def test_an_unfinished_volume_is_not_gone_on_with_through_a_link(of, tmp_path):
    put(STRANGERS["unfinished NPY"].files(), tmp_path)
    path, precious = tmp_path / "v.npy", tmp_path / "precious"
    of(path).unlink()
    precious.write_bytes(PRECIOUS)
    of(path).symlink_to(precious)
    with pytest.raises(OutputError, match="remove it"), Unfinished(path, _description(), resume=True):
        pass
    assert precious.read_bytes() == PRECIOUS


def test_a_run_that_is_a_link_itself_is_read(run, tmp_path):
    (tmp_path / "link").symlink_to(run)
    assert summary_of(tmp_path / "link").has_model
    assert SliceGAN.load(tmp_path / "link").info.unit == "um"
    with pytest.raises(ModelError):
        SliceGAN.load(tmp_path)
