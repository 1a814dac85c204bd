"""The weights of a generator of another program, from a file in which nobody has to trust anything."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.importing.pickles import TensorReader, UnsafePickleError

_LARGEST = 2**30  # bytes of a file
_LARGEST_PICKLE = 2**20  # of what tells which numbers are which weights
_PICKLES = 5  # of the format of before torch 1.6: three of its own, the weights, and their order


def read_state(path: Path) -> dict[str, Tensor]:
    """Read a dictionary of tensors as torch saves it, in its present format or that of before 1.6.

    Nothing is executed, and no more memory is taken than the file is long: before torch sees the file, its
    pickle is gone through: it may describe nothing but tensors, of no more bytes than the file holds.

    Returns
    -------
    dict
        Tensors that lie in memory in one piece, by their names.

    Raises
    ------
    ModelError
        The file is none of these, or damaged.
    """
    if not path.is_file():
        raise ModelError(f"There is no file {path}: give the file NAME_Gen.pt of a generator.")
    if path.stat().st_size > _LARGEST:
        raise ModelError(f"{path} is larger than {_LARGEST // 2**30} GiB, and no published generator is.")
    try:
        (_check_zip if _begins_as_zip(path) else _check_old)(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except UnsafePickleError as error:
        raise ModelError(
            f"{path} holds something else than weights ({error}), and is not opened: save generator.state_dict()."
        ) from error
    except Exception as error:
        raise ModelError(f"{path} is no file of weights that torch has saved, or it is damaged.") from error
    if not isinstance(state, Mapping) or not all(_is_plain(*item) for item in state.items()):
        raise ModelError(f"{path} is no dictionary of weights: save generator.state_dict() and nothing else.")
    return dict(state)


def _is_plain(name: object, tensor: object) -> bool:
    """Whether it is a name and a tensor that has as many numbers as it says."""
    return isinstance(name, str) and isinstance(tensor, Tensor) and tensor.is_contiguous()


def _begins_as_zip(path: Path) -> bool:
    """Whether torch takes a file for one in its present format."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _check_zip(path: Path) -> None:
    """Refuse an archive that would become larger than it is, and tensors that are not in it."""
    with zipfile.ZipFile(path) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        is_clear = len(sizes) == len(archive.infolist()) and not archive.comment  # that could hide another archive
        if not is_clear or sum(sizes.values()) > path.stat().st_size:
            raise UnsafePickleError("an archive that is larger than its file, or two in one")
        (place,) = (name for name in sizes if name.endswith("/data.pkl") or name == "data.pkl")
        if sizes[place] > _LARGEST_PICKLE:
            raise UnsafePickleError(f"more than {_LARGEST_PICKLE // 2**20} MiB of names")
        content = archive.read(place)
    reader = TensorReader()
    reader.read(io.BytesIO(content))
    folder = place.removesuffix("data.pkl")
    if any(claim > sizes.get(f"{folder}data/{key}", -1) for key, claim in reader.claims.items()):
        raise UnsafePickleError("tensors that are larger than the file")


def _check_old(path: Path) -> None:
    """Refuse pickles that hold anything but weights, and weights that are not behind them."""
    with path.open("rb") as opened:
        content = opened.read(_LARGEST_PICKLE)
    file, reader = io.BytesIO(content), TensorReader()
    for _ in range(_PICKLES):
        reader.read(file)
    if sum(reader.claims.values()) > path.stat().st_size:
        raise UnsafePickleError("tensors that are larger than the file")
