"""Micrographs as training data: what kind they are, which phases they hold, which axis they belong to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.pixels import (
    MAX_COUNTED,
    MAX_PHASES,
    check_phases,
    detect_kind,
    inside,
    intensities,
    stacks_of,
)
from napari_slicegan.core.regions import Regions, as_regions, pieces
from napari_slicegan.core.values import as_colour, as_grey, distinct_values, label_dtype, phase_indices

__all__ = ["AXES", "MAX_PHASES", "TrainingData", "detect_kind"]

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
    regions : tuple of tuples of (top, left, bottom, right)
        For each source the rectangles, in pixels, that are trained on, () for all of it; empty when all sources are
        used whole. What lies outside of them means nothing.
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
    regions: tuple[Regions, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.sources) <= 3:
            raise DataError(f"Training takes one, two or three images, not {len(self.sources)}.")
        if self.axis not in tuple(AXES):
            raise DataError(f"The special axis is {self.axis!r}: choose z, y or x.")
        if not (np.isfinite(self.pixel_size) and self.pixel_size > 0):
            raise DataError(f"The pixel size is {self.pixel_size}: give a number above 0.")
        shapes = [source.shape[1:3] for source in self.sources]
        object.__setattr__(self, "regions", as_regions(self.regions, shapes))

    def regions_of(self, source: int) -> Regions:
        """The regions of a source; none when all of it is used."""
        return self.regions[source] if self.regions else ()

    def pieces(self, source: int) -> Iterator[Bytes]:
        """The parts of a source that are trained on.

        Parameters
        ----------
        source : int
            Which of the sources.

        Yields
        ------
        uint8 array (N, h, w) or (N, h, w, C)
            For each region; the whole source when it has none.
        """
        yield from pieces(self.sources[source], self.regions_of(source), axis=1)

    @property
    def channels(self) -> int:
        """Channels of a voxel: the number of phases, 1 for grey, 3 for colour."""
        return len(self.phases) or self.sources[0].shape[3]

    @cached_property
    def is_stack(self) -> bool:
        """Whether the three sources are the slices of one stack along each axis."""
        first, *others = self.sources
        turned = [np.moveaxis(first, axis, 0) for axis in (1, 2)]
        return (
            len(others) == 2
            and any(len(source) > 1 for source in self.sources)
            and all(np.array_equal(*pair) for pair in zip(others, turned, strict=True))
        )

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
        parts = [part for source in range(len(self.sources)) for part in self.pieces(source)]
        shapes = dict.fromkeys(f"{part.shape[1]} x {part.shape[2]}" for part in parts)
        count = sum(map(len, self.regions))
        regions = f"{count} region{'s' * (count > 1)} of " if count else ""
        return f"{values}; {size}; {regions}{', '.join(shapes)}"

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all that the training sees: equal for equal images."""
        facts = (self.kind.value, self.phases, self.axis, len(self.sources), *([self.regions] if self.regions else []))
        digest = hashlib.sha256(repr(facts).encode())
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
            An image or a region is smaller than the crop.
        """
        for source in range(len(self.sources)):
            what, hint = "A region", "draw it larger, or use a larger image"
            if not self.regions_of(source):
                what, hint = "An image", "use a larger image"
            for piece in self.pieces(source):
                height, width = piece.shape[1:3]
                if min(height, width) < edge:
                    raise DataError(
                        f"{what} of {height} x {width} pixels is smaller than the {edge} x {edge} pixels of a training "
                        f"crop: {hint} or one of finer resolution."
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
            `pixel_size`, `unit`, `axis`, `names`, `regions`, `phase_names`, `phase_colours`. Of 2D images with
            regions, kind, phases and levels are looked for within the regions only. `slices`, "z", "y" or "x", takes
            only the slices of a stack that are normal to that axis, as one source of an isotropic material.

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
        within = inside(images, details.get("regions", ())) if kind == "auto" else images
        kinds = [detect_kind(image) if kind == "auto" else OutputKind(kind) for image in within]
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
    def from_labels(cls, *images: Array, slices: str = "", **details: Any) -> TrainingData:
        """Make training data of 2 to 8 phases from segmented images of any integer values (see `from_images`)."""
        images = inside(images, details.get("regions", ()))
        found = [distinct_values(image, MAX_COUNTED) for image in images]
        for values, image in zip(found, images, strict=True):
            check_phases(values, image)
        if any(values != found[0] for values in found):
            raise DataError(
                f"The images do not hold the same phases ({'; '.join(map(str, found))}): "
                "relabel them so that each phase has one value in all."
            )
        phases = tuple(found[0] or ())
        if label_dtype(phases).itemsize > 4:
            raise DataError(f"The labels {phases} take more than 32 bits: relabel the image.")
        sources = stacks_of([phase_indices(image, phases) for image in images], channels=False, slices=slices)
        return cls(OutputKind.PHASES, sources, phases, **details)

    @classmethod
    def from_greyscale(cls, *images: Array, slices: str = "", **details: Any) -> TrainingData:
        """Make training data from grey images; uint8 keeps its values, all else is spread over 0 ... 255 together."""
        stacks, levels = intensities([as_grey(image) for image in images], details.get("regions", ()))
        sources = stacks_of([stack[..., None] for stack in stacks], channels=True, slices=slices)
        return cls(OutputKind.GREY, sources, levels=levels, **details)

    @classmethod
    def from_colour(cls, *images: Array, slices: str = "", **details: Any) -> TrainingData:
        """Make training data from colour images, (..., 3) or (..., 4) with an alpha channel that is dropped."""
        stacks, levels = intensities([as_colour(image) for image in images], details.get("regions", ()))
        sources = stacks_of(stacks, channels=True, slices=slices)
        return cls(OutputKind.COLOUR, sources, levels=levels, **details)


def _columns_axis(axis: int) -> int:
    """The axis that is down the columns of a plane normal to `axis`."""
    return 1 if axis == 2 else 2
