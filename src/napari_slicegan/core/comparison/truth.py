"""What volumes are compared with: micrographs, or a true volume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.comparison.known import Known, corrected, from_boxes, level
from napari_slicegan.core.comparison.matching import Shape, check_size, cut, pieces, resampled
from napari_slicegan.core.comparison.material import Material
from napari_slicegan.core.comparison.samples import Volume
from napari_slicegan.core.comparison.sections import Sections
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.statistics.representativity import Representativity, representativity

Bytes = npt.NDArray[np.uint8]
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Truth:
    """What volumes are compared with.

    Attributes
    ----------
    data : TrainingData
        The micrographs, or the volume as three stacks.
    voxels : uint8 array (Z, Y, X) or (Z, Y, X, C), optional
        The volume, as indices of phases or intensities; None for micrographs.
    notes : tuple of str
        What was done to it.
    """

    data: TrainingData
    voxels: Bytes | None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, truth: TrainingData | Volume, largest: int) -> Truth:
        """Accept micrographs, or a volume of which at most a cube in the middle is looked at."""
        if isinstance(truth, TrainingData):
            data, is_volume = truth, truth.is_stack
            volume = Volume(data.sources[0], name=", ".join(data.names) or "the truth")
        else:
            check_size(truth)
            part, volume, is_volume = cut(truth, (largest,) * 3), truth, True
            data = TrainingData.from_images(
                np.asarray(part.voxels), pixel_size=part.voxel_size, unit=part.unit, names=(part.name,)
            )
        if not is_volume:
            return cls(data, None)
        middle = cut(Volume(data.sources[0]), (largest,) * 3)
        return cls(data, np.asarray(middle.voxels), cut_note(volume, middle))

    @property
    def smallest(self) -> int:
        """Pixels along the shortest edge."""
        return min(size for shape in self.shapes for size in shape)

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Pixels along each axis of the volume, or of each micrograph."""
        if self.voxels is not None:
            return [self.voxels.shape[:3]]
        return [source.shape[1:3] for source in self.data.sources]

    @property
    def about(self) -> dict[str, Any]:
        """What it is, as plain JSON."""
        data = self.data
        shapes = [list(shape) for shape in self.shapes]
        return {"names": list(data.names), "shapes": shapes, "axis": data.axis, "fingerprint": data.fingerprint}

    @property
    def summary(self) -> str:
        """What it is, in a line."""
        names = ", ".join(self.data.names) or ("a volume" if self.voxels is not None else "micrograph")
        return f"{names} ({', '.join(' x '.join(map(str, shape)) for shape in self.shapes)})"

    def at(self, step: float) -> Truth:
        """The same with pixels that are so many times as large."""
        if step <= 1:
            return self
        voxels = None if self.voxels is None else resampled(self.voxels, step, (0, 1, 2))
        if voxels is None:
            sources = tuple(resampled(source, step, (1, 2)) for source in self.data.sources)
        else:
            sources = tuple(np.moveaxis(voxels, axis, 0) for axis in range(3))
        data = replace(self.data, sources=sources, pixel_size=self.data.pixel_size * step)
        note = f"The truth was brought to the volumes' voxels of {data.pixel_size:.4g} {data.unit} (nearest pixels)."
        return Truth(data, voxels, (*self.notes, note))

    def piece(self, shape: Shape) -> Shape:
        """The shape of the pieces into which a true volume and the others are cut: at least eight of the truth."""
        if self.voxels is None:
            return shape
        z, y, x = (min(size, have // 2) for size, have in zip(shape, self.voxels.shape[:3], strict=True))
        return z, y, x

    def pieces(self, shape: Shape) -> list[Bytes]:
        """The pieces of a true volume."""
        return [] if self.voxels is None else pieces(self.voxels, shape)

    def fractions(self) -> list[list[Representativity]]:
        """What each micrograph knows of each phase or channel: of a true volume, each of its middle planes."""
        sources = self.data.sources
        if self.voxels is not None:
            sources = tuple(source[len(source) // 2 :][:1] for source in sources)
        if self.data.kind is OutputKind.PHASES:
            return [[representativity(source == phase) for phase in range(self.data.channels)] for source in sources]
        return [[representativity(source[..., channel]) for channel in range(self.data.channels)] for source in sources]


def know_images(
    truth: Truth, material: Material, fractions: Sequence[Sequence[Representativity]], tell: Progress
) -> dict[str, Known]:
    """Tell what micrographs know.

    Parameters
    ----------
    truth : Truth
        Micrographs.
    material : Material
        What is told.
    fractions : sequence of sequence of Representativity
        Of `Truth.fractions`.
    tell : callable
        Takes the finished fraction.

    Returns
    -------
    dict of str to Known
        By the keys of the quantities.
    """
    sections = Sections.of_images(truth.data)
    boxes = material.count_boxes(sections, lambda fraction: tell(0.5 * fraction))
    known = from_boxes(material, sections.layout, boxes, lambda fraction: tell(0.5 + 0.5 * fraction))
    sizes = sections.layout.pixels
    joined = [level([each[number] for each in fractions], sizes) for number in range(len(fractions[0]))]
    return corrected(known, dict(zip(material.levels, joined, strict=True)), material.quantities)


def cut_note(volume: Volume, part: Volume) -> tuple[str, ...]:
    """Say that only a part of a volume is looked at, if that is so."""
    if part.shape == volume.shape:
        return ()
    whole, middle = (" x ".join(map(str, each.shape)) for each in (volume, part))
    return (f"Of {volume.name} ({whole}) the middle {middle} voxels were looked at.",)
