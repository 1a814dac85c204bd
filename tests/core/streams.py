"""What the tests of streamed volumes share: a narrow model, small tiles, and a way to break off."""

import numpy as np

from napari_slicegan.core.output.reading import open_volume
from napari_slicegan.core.volume.request import VolumeRequest
from tests.core.test_model import a_model

CONTIGUOUS = (".npy", ".raw", ".tif", ".ome.tif")
RESUMABLE = (*CONTIGUOUS, ".ome.zarr")
REQUEST = VolumeRequest((33, 60, 48), seed=3, origin=(-1, 122, -20))
"""Of 2 x 3 x 2 tiles of 32 voxels, few of them whole."""
TILES = 12


def narrow_model():
    """A model of three phases that is made in a blink."""
    return a_model(phases=(0, 128, 255), channels=(3, 2, 2, 2))


class StopError(Exception):
    """Raised by a progress callback."""


def stop_at(fraction):
    def progress(done):
        if done >= fraction:
            raise StopError

    return progress


def content(path):
    """The bytes of a file, or of all files of a folder."""
    if path.is_file():
        return path.read_bytes()
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def read(path):
    return np.asarray(open_volume(path)[:])


def names(folder):
    return {path.name for path in folder.iterdir()}
