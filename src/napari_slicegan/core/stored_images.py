"""The training images in a run's directory, so that it can be continued from there alone."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError, ModelError, brief
from napari_slicegan.core.files import IMAGES, is_own_file, write_atomically

_MOST_BYTES = 2**29  # of the images that a run keeps
_ROOM = 2**20  # bytes of a header at most
_NAMES = ("0", "1", "2")
_WRONG = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError)


def facts_of(data: TrainingData) -> dict[str, Any]:
    """What the stored images are, as plain JSON: all of the training data but its pixels."""
    facts = {name: value for name, value in vars(data).items() if name in TrainingData.__dataclass_fields__}
    del facts["sources"]
    return facts | {
        "kind": data.kind.value,
        "shapes": [list(source.shape) for source in data.sources],
        "is_stack": data.is_stack,
    }


def store_images(path: Path, data: TrainingData, limited: bool = True) -> None:
    """Write training images into a directory.

    Parameters
    ----------
    path : Path
        The directory.
    data : TrainingData
        The images.
    limited : bool
        Leave out images that take more than 512 MiB.

    Raises
    ------
    OutputError
        They cannot be written.
    """
    sources = data.sources[:1] if data.is_stack else data.sources
    if limited and sum(source.nbytes for source in sources) > _MOST_BYTES:
        return
    content = save({name: np.ascontiguousarray(source) for name, source in zip(_NAMES, sources, strict=False)})
    write_atomically(path / IMAGES, lambda file: file.write(content))


def read_images(path: Path, facts: dict[str, Any], fingerprint: str, limited: bool = True) -> TrainingData:
    """Read the training images of a run.

    Parameters
    ----------
    path : Path
        The run's directory.
    facts : dict
        What `facts_of` gave.
    fingerprint : str
        Of the images, as the run was started.
    limited : bool
        Refuse more than 512 MiB.

    Returns
    -------
    TrainingData
        The same as before.

    Raises
    ------
    ModelError
        They are not there, damaged, or not those of the run.
    """
    file = path / IMAGES
    if not is_own_file(file) or not facts:
        raise ModelError(
            f"The run {path} does not hold its training images (older runs do not, nor does one of more than 512 MiB "
            "of images): give the same images again to go on with it."
        )
    try:
        data = _assembled(file, dict(facts), limited)
        if data.fingerprint != fingerprint:
            raise ValueError("other images than the run was started with")
    except (SafetensorError, DataError, OSError, *_WRONG) as error:
        raise ModelError(
            f"{file} is damaged ({brief(error)}): give the same images again to go on with the run."
        ) from error
    return data


def _assembled(file: Path, facts: dict[str, Any], limited: bool) -> TrainingData:
    """Training data of a file, whose sizes are checked before anything is read."""
    shapes, is_stack = [tuple(map(int, shape)) for shape in facts.pop("shapes")], facts.pop("is_stack")
    expected = dict(zip(_NAMES, shapes[:1] if is_stack else shapes, strict=False))
    size = sum(prod(shape) for shape in expected.values())
    if (limited and size > _MOST_BYTES) or not size <= file.stat().st_size <= size + _ROOM:
        raise ValueError("its length is wrong")
    sources = _read(file, expected)
    if is_stack:
        sources = [np.moveaxis(sources[0], axis, 0) for axis in range(3)]
    kind = OutputKind(facts.pop("kind"))
    if kind is OutputKind.PHASES and any(int(source.max()) >= len(facts["phases"]) for source in sources):
        raise ValueError("it holds more phases than the run has")
    if not all(isinstance(name, str) for name in facts["names"]):
        raise ValueError("its images have no names")
    tuples = {name: _tuples(value) for name, value in facts.items()}
    return TrainingData(kind, tuple(sources), **tuples)


def _read(file: Path, expected: dict[str, tuple[int, ...]]) -> list[npt.NDArray[np.uint8]]:
    with safe_open(file, framework="numpy") as content:
        for name, shape in expected.items():
            part = content.get_slice(name)
            if tuple(part.get_shape()) != shape or part.get_dtype() != "U8" or len(shape) not in (3, 4):
                raise ValueError("its images are of other sizes")
        return [content.get_tensor(name) for name in expected]


def _tuples(value: Any) -> Any:
    """Lists of JSON as the tuples that they were."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
