"""The list of layers that the published code pickles beside a generator."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.importing.pickles import ListReader, UnsafePickleError

_LARGEST = 2**16  # bytes of the file; published ones have a few hundred
_LISTS, _PADDINGS = 8, (3, 7)
_MOST_LAYERS, _LARGEST_NUMBER = 64, 2**16


@dataclass(frozen=True)
class Layers:
    """Layers of a published generator.

    Attributes
    ----------
    kernel, stride, padding : tuple of int
        Of each layer.
    channels : tuple of int
        Before the first layer, and after each.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    channels: tuple[int, ...]


def read_layers(path: Path) -> Layers:
    """Read a pickled list of eight lists: kernels, strides, channels and paddings of discriminator and generator.

    Where the lists are of different lengths, as in some published settings, the shortest one counts, as it does there.

    Raises
    ------
    ModelError
        The file holds something else, or there is none.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(content) > _LARGEST:
        raise ModelError(f"{path} is larger than any list of layers: give the file NAME_params.data of the generator.")
    try:
        found = ListReader().read(io.BytesIO(content))
    except Exception as error:
        reason = str(error) if isinstance(error, UnsafePickleError) else "it is damaged"
        raise ModelError(
            f"{path} is no list of layers ({reason}): give the file NAME_params.data that was saved with the generator."
        ) from error
    if not _is_list_of_layers(found):
        raise ModelError(
            f"{path} is no list of layers: it should hold {_LISTS} lists of 1 to {_MOST_LAYERS} whole numbers up to "
            f"{_LARGEST_NUMBER:,}, which are kernels, strides, channels and paddings of the discriminator and of the "
            "generator; of these only paddings can be 0."
        )
    kernel, stride, channels, padding = found[4:]
    depth = min(map(len, (kernel, stride, padding)))
    return Layers(tuple(kernel[:depth]), tuple(stride[:depth]), tuple(padding[:depth]), tuple(channels))


def _is_list_of_layers(found: object) -> bool:
    return (
        type(found) is list
        and len(found) == _LISTS
        and all(type(each) is list and 1 <= len(each) <= _MOST_LAYERS for each in found)
        and all(
            type(number) is int and (place not in _PADDINGS) <= number <= _LARGEST_NUMBER
            for place, each in enumerate(found)
            for number in each
        )
    )
