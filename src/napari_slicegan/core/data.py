"""Micrographs as training data: what kind they are, which phases they hold, which axis they belong to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.config import OutputKind
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.values import (
    as_bytes,
    as_colour,
    as_grey,
    distinct_values,
    is_colour,
    label_dtype,
    phase_indices,
)

MAX_PHASES = 8
_MAX_COUNTED = 2**16
AXES = "zyx"

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class TrainingData:
    """One, two or three sources of real 2D images, ready to be cropped.

    Use `from_images`, `from_labels`, `from_greyscale` or `from_colour`.

    Attributes
    ----------
    kind : OutputKind
        Phases, grey or colour.
    sources : tuple of uint8 array (N, H, W) or (N, H, W, C)
        Stacks of images: indices into `phases`, or intensities from 0 to 255 with C 1 or 3.
        One stack serves all axes (isotropic). Of two, the first is normal to the special `axis`, the second is a side
        view with the special axis down its rows. Three belong to the normals z, y, x.
    phases : tuple of int
        The value that each phase has in the training image, ascending; empty for grey and colour.
    pixel_size : float
        Edge of a pixel in `unit`.
    unit : str
        For example "um"; "pixel" when the size is not known.
    axis : str
        The special axis, "z", "y" or "x", when there are two sources.
    names : tuple of str
        Where the images come from, for the record.
    levels : (float, float)
        The intensities that the generator's 0 and 1 stand for; what lies beyond (0.1 % at either end) is clipped.
    phase_names : tuple of str
        What each phase is called; empty when they have no names.
    phase_colours : tuple of str
        The colour of each phase as "#rrggbb"; empty when none were chosen.
    """

    kind: OutputKind
    sources: tuple[Bytes, ...]
    phases: tuple[int, ...] = ()
    pixel_size: float = 1.0
    unit: str = "pixel"
    axis: str = "z"
    names: tuple[str, ...] = ()
    levels: tuple[float, float] = (0.0, 255.0)
    phase_names: tuple[str, ...] = ()
    phase_colours: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.sources) <= 3:
            raise DataError(f"Training takes one, two or three images, not {len(self.sources)}.")
        if self.axis not in tuple(AXES):
            raise DataError(f"The special axis is {self.axis!r}: choose z, y or x.")
        if not (np.isfinite(self.pixel_size) and self.pixel_size > 0):
            raise DataError(f"The pixel size is {self.pixel_size}: give a number above 0.")

    @property
    def channels(self) -> int:
        """Channels of a voxel: the number of phases, 1 for grey, 3 for colour."""
        return len(self.phases) or self.sources[0].shape[3]

    @property
    def views(self) -> tuple[tuple[int, bool], ...]:
        """For each axis z, y, x: the source that planes normal to it are compared with, and whether to transpose them.

        Planes have their axes in array order, so a side view whose special axis is its columns is transposed.
        """
        if len(self.sources) == 1:
            return ((0, False),) * 3
        if len(self.sources) == 3:
            return ((0, False), (1, False), (2, False))
        special = AXES.index(self.axis)
        return tuple((0, False) if axis == special else (1, _columns_axis(axis) == special) for axis in range(3))

    @property
    def summary(self) -> str:
        """What the images are, in a line: "3 phases 0, 1, 2; 0.4 um per pixel; 384 x 384"."""
        values = f"{len(self.phases)} phases {', '.join(map(str, self.phases))}" if self.phases else str(self.kind)
        size = "pixel size unknown" if self.unit == "pixel" else f"{self.pixel_size:g} {self.unit} per pixel"
        shapes = dict.fromkeys(f"{source.shape[1]} x {source.shape[2]}" for source in self.sources)
        return f"{values}; {size}; {', '.join(shapes)}"

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all that the training sees: equal for equal images."""
        digest = hashlib.sha256(repr((self.kind.value, self.phases, self.axis, len(self.sources))).encode())
        for source in self.sources:
            digest.update(repr(source.shape).encode())
            for image in source:
                digest.update(np.ascontiguousarray(image).data)
        return digest.hexdigest()

    def check_edge(self, edge: int) -> None:
        """Refuse images that a crop of this edge (in pixels) does not fit into.

        Raises
        ------
        DataError
            An image is smaller than the crop.
        """
        for source in self.sources:
            height, width = source.shape[1:3]
            if min(height, width) < edge:
                raise DataError(
                    f"An image of {height} x {width} pixels is smaller than the {edge} x {edge} pixels of a training "
                    "crop: use a larger image, or one of a finer resolution."
                )

    @classmethod
    def from_images(cls, *images: Array, kind: OutputKind | str = "auto", **details: Any) -> TrainingData:
        """Make training data of any kind.

        Parameters
        ----------
        *images : array
            One, two or three 2D images, or one 3D stack whose slices along each axis are used:
            (H, W), (H, W, 3 or 4), (Z, Y, X) or (Z, Y, X, 3 or 4).
        kind : OutputKind or "auto"
            What a voxel is; "auto" looks at the first image (`detect_kind`).
        **details
            `pixel_size`, `unit`, `axis`, `names`.

        Returns
        -------
        TrainingData
            The images, checked.

        Raises
        ------
        DataError
            The images cannot be trained on; the message says why and what to do.
        """
        if not images:
            raise DataError("There is no image to train on.")
        if kind != "auto" and kind not in tuple(OutputKind):
            raise DataError(f"There is no kind of image called {kind!r}: choose auto, {', '.join(OutputKind)}.")
        images = tuple(np.asarray(image) for image in images)
        kinds = [detect_kind(image) if kind == "auto" else OutputKind(kind) for image in images]
        if len(set(kinds)) > 1:
            raise DataError(
                f"The images are of different kinds ({', '.join(kinds)}): give images of one kind, or name the kind."
            )
        make = {
            OutputKind.PHASES: cls.from_labels,
            OutputKind.GREY: cls.from_greyscale,
            OutputKind.COLOUR: cls.from_colour,
        }[kinds[0]]
        return make(*images, **details)

    @classmethod
    def from_labels(cls, *images: Array, **details: Any) -> TrainingData:
        """Make training data of 2 to 8 phases from segmented images of any integer values (see `from_images`)."""
        found = [distinct_values(image, _MAX_COUNTED) for image in images]
        for values, image in zip(found, images, strict=True):
            _check_phases(values, image)
        if any(values != found[0] for values in found):
            raise DataError(
                f"The images do not hold the same phases ({'; '.join(map(str, found))}): "
                "relabel them so that each phase has one value in all."
            )
        phases = tuple(found[0] or ())
        if label_dtype(phases).itemsize > 4:
            raise DataError(f"The labels {phases} take more than 32 bits: relabel the image.")
        sources = _sources([phase_indices(image, phases) for image in images], channels=False)
        return cls(OutputKind.PHASES, sources, phases, **details)

    @classmethod
    def from_greyscale(cls, *images: Array, **details: Any) -> TrainingData:
        """Make training data from grey images; uint8 keeps its values, all else is spread over 0 ... 255 together."""
        stacks, levels = as_bytes([as_grey(image) for image in images])
        sources = _sources([stack[..., None] for stack in stacks], channels=True)
        return cls(OutputKind.GREY, sources, levels=levels, **details)

    @classmethod
    def from_colour(cls, *images: Array, **details: Any) -> TrainingData:
        """Make training data from colour images, (..., 3) or (..., 4) with an alpha channel that is dropped."""
        stacks, levels = as_bytes([as_colour(image) for image in images])
        return cls(OutputKind.COLOUR, _sources(stacks, channels=True), levels=levels, **details)


def detect_kind(image: Array) -> OutputKind:
    """Tell phases (at most 8 integer values), colour (3 or 4 channels last) and grey apart.

    Parameters
    ----------
    image : array
        2D or 3D, with or without channels last.

    Returns
    -------
    OutputKind
        A guess that the user may overrule.
    """
    if is_colour(image):
        return OutputKind.COLOUR
    if image.dtype.kind in "bui":
        values = distinct_values(image, MAX_PHASES)
        if values is not None and len(values) <= MAX_PHASES:
            return OutputKind.PHASES
    return OutputKind.GREY


def _columns_axis(axis: int) -> int:
    """The axis that is down the columns of a plane normal to `axis`."""
    return 1 if axis == 2 else 2


def _check_phases(values: list[int] | None, image: Array) -> None:
    if is_colour(image):
        raise DataError("The image is in colour, and phases are single numbers: segment it, or train on it as colour.")
    if image.dtype.kind not in "bui":
        raise DataError(
            f"Phases are whole numbers, but the image holds {image.dtype} values: segment it, or train on it as grey."
        )
    if values is None or len(values) > MAX_PHASES:
        count = len(values) if values else f"more than {_MAX_COUNTED}"
        raise DataError(
            f"The image holds {count} values, more than the {MAX_PHASES} phases that are possible, so it is not "
            "segmented: train on it as grey, or segment it first."
        )
    if len(values) < 2:
        raise DataError("The image holds a single value: there is nothing to learn. Choose another image or region.")


def _sources(images: list[Bytes], *, channels: bool) -> tuple[Bytes, ...]:
    """Stacks (N, H, W[, C]) for each view: of 2D images one each, of a 3D stack its slices along z, y and x."""
    dimensions = {image.ndim - channels for image in images}
    if dimensions == {2}:
        return tuple(image[None] for image in images)
    if dimensions == {3} and len(images) == 1:
        return tuple(np.moveaxis(images[0], axis, 0) for axis in range(3))
    raise DataError("Give one, two or three 2D images, or one 3D stack.")
