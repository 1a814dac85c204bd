"""Checkpoints: tensors, numbers and strings in torch's format, without pickled objects."""

from __future__ import annotations

import io
import pickle  # nosec B403
import pickletools  # nosec B403
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.files import write_atomically

_PROTOCOL = 2
_LONGEST = 2**26  # bytes of what stands beside the tensors
# All that a checkpoint names. torch lets files call a few more, some of which ask for any amount of memory.
_NAMES = re.compile(r"torch\._utils _rebuild_tensor_v2|collections OrderedDict|torch \w+Storage")
_CALLING = ("STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4")
_WRONG = (
    OSError,
    RuntimeError,
    ValueError,
    TypeError,
    EOFError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    NotImplementedError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
)
"""What torch raises on damaged files."""


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write tensors, numbers and strings as a checkpoint."""
    memory = io.BytesIO()  # torch hides the reason of a failed write; memory does not fail
    torch.save(state, memory, pickle_protocol=_PROTOCOL)
    write_atomically(path, lambda file: file.write(memory.getbuffer()))


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint to the CPU: tensors, numbers and strings only; pickled objects are refused.

    The file is mapped, so that no tensor can be larger than what the file holds, and then copied.

    Raises
    ------
    ModelError
        The file is missing, damaged, or not a checkpoint.
    """
    try:
        _check(path)
        with warnings.catch_warnings(action="ignore"):  # torch warns of itself when it names what it refuses
            mapped = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        state = _Copies(path.stat().st_size).of(mapped)
    except _WRONG as error:
        raise ModelError(f"{path} is not a checkpoint of napari-slicegan, or it is damaged.") from error
    if not isinstance(state, dict):
        raise ModelError(f"{path} is not a checkpoint of napari-slicegan.")
    return state


def _check(path: Path) -> None:
    """Refuse a file that is compressed, holds more than its length, or names what no checkpoint of ours does."""
    if not zipfile.is_zipfile(path):  # older formats are bare pickles
        raise ValueError("not in torch's zip format")
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("compressed")
        if sum(entry.file_size for entry in entries) > path.stat().st_size:
            raise ValueError("entries that overlap")
        (listing,) = (entry for entry in entries if entry.filename.rpartition("/")[2] == "data.pkl")
        if listing.file_size > _LONGEST:
            raise ValueError("too much beside the tensors")
        for code, argument, _ in pickletools.genops(archive.read(listing)):
            is_named = code.name != "GLOBAL" or _NAMES.fullmatch(str(argument))
            if code.name in _CALLING or not is_named or (code.name == "PROTO" and argument != _PROTOCOL):
                raise ValueError(f"{code.name} {argument} in a checkpoint")


class _Copies:
    """Copies of tensors wherever they stand in a checkpoint; what stands there twice is copied once.

    Parameters
    ----------
    most : int
        Bytes that all of them may have.
    """

    def __init__(self, most: int) -> None:
        self._left = most
        self._tensors: dict[tuple[Any, ...], Tensor] = {}
        self._done: dict[int, tuple[Any, Any]] = {}  # with the originals, lest their numbers are given to others

    def of(self, value: Any) -> Any:
        """The same value, of tensors that are its own."""
        if isinstance(value, Tensor):
            return self._tensor(value)
        if not isinstance(value, dict | list | tuple):
            return value
        if id(value) not in self._done:
            if isinstance(value, tuple):
                made: Any = tuple(map(self.of, value))
                self._done[id(value)] = value, made
                return made
            self._done[id(value)] = value, value
            for key in list(value) if isinstance(value, dict) else range(len(value)):
                value[key] = self.of(value[key])
        return self._done[id(value)][1]

    def _tensor(self, tensor: Tensor) -> Tensor:
        key = tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride()
        if key not in self._tensors:
            self._left -= tensor.nbytes
            if self._left < 0:
                raise ValueError("tensors larger than the file")
            self._tensors[key] = tensor.clone(memory_format=torch.contiguous_format)
        return self._tensors[key]
