"""Stores of this package, read by the reader of the people who wrote the specification: `tox -e ome-zarr`."""

from pathlib import Path

import numpy as np
import pytest
from ome_zarr.io import parse_url
from ome_zarr.reader import Multiscales, Reader
from ome_zarr_models.v05.image import Image
from zarr import open_group

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.output.streaming import stream
from napari_slicegan.core.volume.request import VolumeRequest

REQUEST = VolumeRequest((140, 150, 260), seed=3, origin=(-10, 0, 128))


def a_model(kind: OutputKind) -> SliceGAN:
    """A network that was never trained and has a few channels."""
    phases = (0, 1, 2) if kind is OutputKind.PHASES else ()
    channels = {OutputKind.PHASES: 3, OutputKind.GREY: 1, OutputKind.COLOUR: 3}[kind]
    network = NetworkConfig(channels=(4, 4, 4, 4), latent_channels=4, output=kind, image_channels=channels)
    return SliceGAN(Generator(network), ModelInfo(network, phases, 0.4, "um"))


@pytest.fixture(params=OutputKind)
def store(request, tmp_path) -> tuple[Path, np.ndarray]:
    """A store that the package has written, and its volume with colours first."""
    model = a_model(request.param)
    path = tmp_path / "volume.ome.zarr"
    stream(model, REQUEST, path)
    volume = model.generation(REQUEST).whole()
    return path, np.moveaxis(volume, -1, 0) if volume.ndim == 4 else volume


def test_the_reader_finds_axes_scales_levels_and_voxels(store):
    path, volume = store
    (node,) = Reader(parse_url(path, mode="r"))()
    assert node.load(Multiscales) is not None
    channel = [{"name": "c", "type": "channel"}] * (volume.ndim == 4)
    space = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"]
    assert node.metadata["axes"] == channel + space
    one = [1.0] * len(channel)
    fine, medium, coarse = node.metadata["coordinateTransformations"]
    assert fine[0] == {"type": "scale", "scale": [*one, 0.4, 0.4, 0.4]}
    assert fine[1]["translation"] == pytest.approx([*[0.0] * len(one), -4.0, 0.0, 51.2])
    assert medium[0] == {"type": "scale", "scale": [*one, 0.8, 0.8, 0.8]}
    assert coarse[0] == {"type": "scale", "scale": [*one, 1.6, 1.6, 1.6]}
    assert [level.shape[-3:] for level in node.data] == [(140, 150, 260), (70, 75, 130), (35, 38, 65)]
    np.testing.assert_array_equal(node.data[0].compute(), volume)
    assert set(np.unique(node.data[2].compute())) <= set(range(256))


def test_the_metadata_is_valid(store):
    path, _ = store
    image = Image.from_zarr(open_group(path, mode="r"))
    assert image.ome_attributes.version == "0.5"
    assert [dataset.path for dataset in image.ome_attributes.multiscales[0].datasets] == ["0", "1", "2"]


def test_labels_stay_labels(tmp_path):
    path = tmp_path / "volume.ome.zarr"
    stream(a_model(OutputKind.PHASES), REQUEST, path)
    (node,) = Reader(parse_url(path, mode="r"))()
    assert set(np.unique(node.data[-1].compute())) <= {0, 1, 2}
