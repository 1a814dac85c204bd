"""The library: numpy and torch, no napari and no Qt."""
