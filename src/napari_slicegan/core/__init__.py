"""The library: numpy and torch, no napari and no Qt."""

from napari_slicegan.core.openmp import wait_briefly

wait_briefly()  # before torch is first imported
