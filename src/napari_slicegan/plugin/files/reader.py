"""What napari opens with this plugin: models and runs, which need a dock, and volumes and images, with all they know.

napari asks before it reads whether a file is one for us: that is answered from names and headers, quickly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.core.output.stores import is_store
from napari_slicegan.plugin.files.dropped_models import is_model, open_model
from napari_slicegan.plugin.files.volume_files import read_images, read_store
from napari_slicegan.plugin.volume_layers import LayerTuple

_TIFF = (".tif", ".tiff")

#: What napari takes for "read, and there is no layer to add".
NO_LAYER: list[Any] = [(None,)]

Reader = Callable[[Any], list[LayerTuple]]


def get_reader(path: str | Sequence[str]) -> Reader | None:
    """Give what reads a path, or None where others may try.

    Parameters
    ----------
    path : str or sequence of str
        A model file, the directory of a run, an OME-Zarr store or a TIFF file; several TIFF files for one stack.

    Returns
    -------
    callable or None
        Takes the path and gives layers.
    """
    paths = [Path(path)] if isinstance(path, str) else [Path(each) for each in path]
    if all(each.suffix.lower() in _TIFF and each.is_file() for each in paths):
        return _read_images
    if len(paths) > 1:
        return None
    if is_model(paths[0]):
        return _open_model
    return _read_store if paths[0].is_dir() and is_store(paths[0]) else None


def _read_images(path: str | Sequence[str]) -> list[LayerTuple]:
    with _told():
        return read_images([Path(path)] if isinstance(path, str) else [Path(each) for each in path])


def _read_store(path: str) -> list[LayerTuple]:
    with _told():
        return read_store(Path(path))


@contextmanager
def _told() -> Iterator[None]:
    """Say what is wrong with a file; napari itself only says that there is something, and offers other readers."""
    from napari.utils.notifications import show_error

    try:
        yield
    except SliceGANError as error:
        show_error(str(error))
        raise


def _open_model(path: str) -> list[LayerTuple]:
    open_model(Path(path))
    return NO_LAYER
