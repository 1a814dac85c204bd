"""OME-Zarr stores of any maker: what is in them, where it lies, and what this package says of it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from napari_slicegan.core.errors import DataError, brief
from napari_slicegan.core.files import read_small
from napari_slicegan.core.output.zarr_checks import check_claims, check_codecs, check_tree

KEY = "napari-slicegan"
_LONGEST = 2**24
_MOST_LEVELS = 64


class Level:
    """An array of a store, read when it is sliced; damage that shows only then is said in a sentence.

    Parameters
    ----------
    array : zarr.Array
        The array.
    name : str
        Of the store.
    """

    def __init__(self, array: Any, name: str) -> None:
        self._array, self._name = array, name
        self.shape, self.dtype, self.ndim, self.size = array.shape, array.dtype, array.ndim, array.size
        self.chunks = array.chunks

    def __getitem__(self, key: Any) -> Any:
        """Read a part."""
        try:
            return self._array[key]
        except IndexError:
            raise
        except Exception as error:  # codecs raise anything at all on damaged chunks
            raise DataError(f"{self._name} is damaged: a part of it cannot be read ({brief(error)}).") from error

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """Read all of it."""
        return np.asarray(self[...], dtype)


@dataclass(frozen=True)
class Store:
    """An image in OME-Zarr. Nothing of it is read until it is used.

    Attributes
    ----------
    levels : list of Level
        The resolutions, the finest first.
    axes : tuple of str
        Their names, for example ("c", "z", "y", "x").
    units : tuple of str
        For each axis, as written; empty where there is none.
    scale, translation : tuple of float
        For each axis, of the finest level.
    record : dict
        What napari-slicegan wrote of the volume; empty in stores of others.
    """

    levels: list[Level]
    axes: tuple[str, ...]
    units: tuple[str, ...]
    scale: tuple[float, ...]
    translation: tuple[float, ...]
    record: dict[str, Any] = field(default_factory=dict)


def is_store(path: Path) -> bool:
    """Whether a folder is an OME-Zarr image, from its metadata alone."""
    return bool(_multiscales(attributes_of(path)))


def foreign_in(path: Path) -> list[str]:
    """Names of what lies in the folder of an OME-Zarr image and is not part of it, as the labels of a segmentation."""
    own = {"zarr.json", ".zattrs", ".zgroup", ".zmetadata", ".DS_Store"}
    for image in _multiscales(attributes_of(path)):
        with suppress(AttributeError, KeyError, TypeError):  # damaged: then nothing of it is believed to be its own
            own |= {str(dataset["path"]).strip("/").partition("/")[0] for dataset in image["datasets"]}
    return sorted(entry.name for entry in path.iterdir() if entry.name not in own)


def open_store(path: Path) -> Store:
    """Open an OME-Zarr image, of version 0.4 or 0.5.

    Raises
    ------
    DataError
        The folder is no such image, or damaged.
    """
    import zarr

    attributes = attributes_of(path)
    try:
        check_tree(path)
        image = _multiscales(attributes)[0]
        datasets = image["datasets"][:_MOST_LEVELS]
        axes = [axis if isinstance(axis, dict) else {"name": axis} for axis in image["axes"]]
        group = zarr.open_group(path, mode="r")
        levels = [group[str(dataset["path"])] for dataset in datasets]
        if not all(isinstance(level, zarr.Array) and level.ndim == len(axes) for level in levels) or not levels:
            raise ValueError("its arrays and its axes do not fit together")
        for level in levels:
            check_codecs(level)
        check_claims(path, levels)
        steps = [*datasets[0].get("coordinateTransformations", ()), *image.get("coordinateTransformations", ())]
        scale, translation = _place(steps, len(axes))
        names = tuple(str(axis["name"]) for axis in axes)
        units = tuple(str(axis.get("unit") or "") for axis in axes)
    except DataError:
        raise
    except Exception as error:  # zarr raises anything at all on damaged stores
        raise DataError(
            f"{path.name} cannot be read as OME-Zarr: it is damaged or incomplete ({brief(error)})."
        ) from error
    record = attributes.get(KEY)
    return Store(
        [Level(level, path.name) for level in levels],
        names,
        units,
        scale,
        translation,
        record if isinstance(record, dict) else {},
    )


def _place(steps: list[Mapping[str, Any]], count: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """What scales and translations, one after the other, come to."""
    scale, translation = [1.0] * count, [0.0] * count
    for step in steps:
        numbers = [float(number) for number in step.get(step["type"], [])]
        if len(numbers) != count or not all(map(math.isfinite, numbers)):
            continue
        if step["type"] == "scale" and 0.0 not in numbers:
            scale = [one * other for one, other in zip(scale, numbers, strict=True)]
            translation = [one * other for one, other in zip(translation, numbers, strict=True)]
        elif step["type"] == "translation":
            translation = [one + other for one, other in zip(translation, numbers, strict=True)]
    return tuple(scale), tuple(translation)


def attributes_of(path: Path) -> dict[str, Any]:
    """The metadata of a Zarr group of format 3 or 2."""
    for name in ("zarr.json", ".zattrs"):
        file = path / name
        try:
            if not file.exists():
                continue
            fields = json.loads(read_small(file, _LONGEST))
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(fields, dict):
            return {}
        found = fields.get("attributes", {}) if name == "zarr.json" else fields
        return found if isinstance(found, dict) else {}
    return {}


def _multiscales(attributes: Mapping[str, Any]) -> list[Any]:
    image = attributes.get("ome", attributes)
    found = image.get("multiscales") if isinstance(image, Mapping) else None
    return found if isinstance(found, list) else []
