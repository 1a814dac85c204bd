"""Materials whose 3D truth is known: pieces to train on, and other pieces of the same to judge by.

Volumes from files are halved, to train on one half and to judge by the other; code makes two pieces of a material.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from patterns import pattern_difference
from scipy.ndimage import gaussian_filter
from scipy.stats import norm

from napari_slicegan.core import synthetic
from napari_slicegan.core.comparison.sections import Sections, micrograph_correlations
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.io import read_image
from napari_slicegan.core.statistics.correlation import correlations
from napari_slicegan.core.statistics.fractions import phase_fractions
from napari_slicegan.core.statistics.interfaces import crossings_per_length, interface_sums

Labels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

EDGE = 256
"""Of the volumes that are made by code."""

_TRAINING, _JUDGING = 0, 1  # seeds of their pieces


class Pieces(NamedTuple):
    """Two pieces of a material.

    Attributes
    ----------
    images : tuple of uint8 array (H, W)
        What is trained on: slices of one piece.
    truth : uint8 array (Z, Y, X)
        Another piece.
    """

    images: tuple[Labels, ...]
    truth: Labels


@dataclass(frozen=True)
class Material:
    """A material and how it is judged.

    Attributes
    ----------
    name : str
        By which it is asked for.
    phases : tuple of str
        What the values 0, 1, ... are.
    load : callable
        Gets the pieces; takes the folder of the files, which materials made by code do not look at.
    is_isotropic : bool
        Whether all axes are alike, so that one image speaks for all.
    axis : str
        The special axis where there are two images.
    block : int
        Edge of the cubes into which truth and generated volumes are cut.
    edge : int
        Of the generated volumes.
    """

    name: str
    phases: tuple[str, ...]
    load: Callable[[Path | None], Pieces]
    is_isotropic: bool = True
    axis: str = "z"
    block: int = 64
    edge: int = 128

    @property
    def reach(self) -> int:
        """How far the training image's S2 is compared, in voxels: less where the images are small."""
        return 32 if self.block == 64 else 24


class _Sums(NamedTuple):
    """What is compared with the training images: fractions (P,), S2 (axes, P, reach + 1), faces (pairs, axes)."""

    fractions: Floats
    curves: Floats
    faces: Floats

    @classmethod
    def of(cls, sections: Sections, curves: Floats) -> _Sums:
        """Those of images or of a volume, whose S2 is known."""
        phases = range(curves.shape[1])
        fractions = [phase_fractions(sections.planes[number], phases) for number in sections.layout.normals]
        all_of = [(slice(0, n), slice(0, h), slice(0, w)) for n, h, w in (planes.shape for planes in sections.planes)]
        counts = map(interface_sums, sections.planes, repeat(len(phases)), all_of)
        each = [crossings_per_length(sums) for sums in counts]
        faces = [np.mean([each[line.planes][:, line.direction] for line in some], 0) for some in sections.layout.lines]
        return cls(np.mean(fractions, axis=0), curves, np.stack(faces, axis=1))


def against_images(material: Material, data: TrainingData, volumes: Sequence[Labels]) -> dict[str, float]:
    """Tell how far volumes are from the images that were trained on, and how unlike their axes are.

    Parameters
    ----------
    material : Material
        Of both.
    data : TrainingData
        The images.
    volumes : sequence of uint8 array (Z, Y, X)
        Of one shape.

    Returns
    -------
    dict of str to float
        "fraction_error", the largest difference of a phase's fraction; "correlation_error", the mean absolute error of
        S2; "faces_error", the largest relative difference of the faces between two phases, of an anisotropic material
        along any axis; "anisotropy", the largest ratio of the faces between two phases along two axes, less 1;
        "diagonals", the same of changes of phase along the six diagonals of faces; "patterns", how different patterns
        of pixels are (`pattern_difference`), in bits.
    """
    phases = range(len(material.phases))
    image = _Sums.of(Sections.of_images(data), micrograph_correlations(data, material.reach))
    each = [_Sums.of(Sections.of_volume(volume), correlations(volume, phases, material.reach)) for volume in volumes]
    made = _Sums(*(np.mean(parts, axis=0) for parts in zip(*each, strict=True)))
    faces, wanted = made.faces, image.faces
    if material.is_isotropic:
        faces, wanted = faces.mean(axis=1), wanted.mean(axis=1)
    most, least = made.faces.max(axis=1), made.faces.min(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # phases may have no faces along an axis, or none at all
        relative = np.where(faces == wanted, 0, faces / wanted - 1)
        unlike = np.where(most == least, 0, most / least - 1)
    return {
        "fraction_error": float(np.abs(made.fractions - image.fractions).max()),
        "correlation_error": float(np.abs(made.curves - image.curves).mean()),
        "faces_error": float(np.abs(relative).max()),
        "anisotropy": float(unlike.max()),
        "diagonals": _unlike_diagonals(volumes),
        "patterns": _unlike_patterns(data, volumes, len(phases)),
    }


def _unlike_patterns(data: TrainingData, volumes: Sequence[Labels], phases: int) -> float:
    """How different the patterns in every eighth plane are from those in the images that it is compared with."""
    found = []
    for number, images in enumerate(data.sources):
        normals = [axis for axis, (source, _) in enumerate(data.views) if source == number]
        planes = [plane for axis in normals for volume in volumes for plane in np.moveaxis(volume, axis, 0)[4::8]]
        found += [pattern_difference(planes, images, phases)] * len(normals)
    return float(np.mean(found))


def _unlike_diagonals(volumes: Sequence[Labels]) -> float:
    """Largest ratio of the changes of phase along two of the six diagonals of the faces of a cube, less 1."""
    changes = []
    for axis in range(3):
        planes = [np.moveaxis(volume, axis, 0) for volume in volumes]
        changes.append(np.mean([(plane[:, 1:, 1:] != plane[:, :-1, :-1]).mean() for plane in planes]))
        changes.append(np.mean([(plane[:, 1:, :-1] != plane[:, :-1, 1:]).mean() for plane in planes]))
    most, least = max(changes), min(changes)
    return 0.0 if most == least else float(most / least - 1) if least else math.inf


def halved(file: str, across: int, *normals: int) -> Callable[[Path | None], Pieces]:
    """Give a way to get the pieces of a volume in a file.

    Parameters
    ----------
    file : str
        Name in the folder.
    across : int
        Axis across which the volume is halved.
    *normals : int
        Of the slices through the middle of the first half.

    Returns
    -------
    callable
        Folder to `Pieces`; the truth is the second half.
    """

    def load(folder: Path | None) -> Pieces:
        if folder is None:
            raise SystemExit(f"{file} is needed: name its folder by --data.")
        volume = read_image(folder / file).array.astype(np.uint8)
        first, second = np.array_split(volume, 2, axis=across)
        return Pieces(tuple(first.take(first.shape[normal] // 2, axis=normal) for normal in normals), second)

    return load


def made(make: Callable[[int], Labels]) -> Callable[[Path | None], Pieces]:
    """Give a way to get the pieces of a material that code makes of a seed; the image is the middle slice of one."""
    return lambda _: Pieces((make(_TRAINING)[EDGE // 2],), make(_JUDGING))


def boolean(seed: int, radius: float = 9.0, fraction: float = 0.4) -> Labels:
    """Overlapping spheres (Boolean model) on a torus."""
    rng = np.random.default_rng(seed)
    number = rng.poisson(-math.log(1 - fraction) / (4 / 3 * math.pi * radius**3) * EDGE**3)
    volume, around = np.zeros((EDGE,) * 3, np.uint8), np.arange(-int(radius) - 1, int(radius) + 2)
    for centre in rng.uniform(0, EDGE, (number, 3)):
        places = [int(middle) + around for middle in centre]
        squares = [np.square(place - middle) for place, middle in zip(places, centre, strict=True)]
        volume[np.ix_(*(place % EDGE for place in places))] |= sum(np.ix_(*squares)) <= radius**2
    return volume


def field(seed: int, width: float = 4.0, fraction: float = 0.4) -> Labels:
    """A Gaussian random field with a Gaussian correlation, cut at a level, on a torus."""
    noise = np.random.default_rng(seed).standard_normal((EDGE,) * 3, np.float32)
    deviation = (2 * math.sqrt(math.pi) * width) ** -1.5  # of endless noise, so the fraction is as chance has it
    return np.asarray(gaussian_filter(noise, width, mode="wrap") > deviation * norm.isf(fraction), np.uint8)


def noise(material: Material, truth: Labels, count: int, seed: int) -> list[Labels]:
    """Volumes of independent voxels, as many of each phase as in the truth."""
    phases = np.arange(len(material.phases), dtype=np.uint8)
    rng, fractions = np.random.default_rng(seed), phase_fractions(truth, range(len(phases)))
    return [rng.choice(phases, (material.edge,) * 3, p=fractions) for _ in range(count)]


def _cathode(_: Path | None) -> Pieces:
    """The package's own cathode: the micrograph that comes with it, and another piece."""
    return Pieces((synthetic.micrographs("cathode")[0].array,), synthetic.truth("cathode", EDGE))


_THREE = ("pore", "particle", "binder")

MATERIALS: dict[str, Material] = {
    material.name: material
    for material in (
        Material("spheres3", _THREE, halved("syn_spheres3_256.tif", 0, 0)),
        Material("nmc128", ("pore", "particle"), halved("nmc128.tif", 0, 0), block=32),
        Material("boolean", ("matrix", "spheres"), made(boolean)),
        Material("coarse", ("matrix", "spheres"), made(partial(boolean, radius=18.0))),
        Material("field", ("low", "high"), made(field)),
        Material("cathode", _THREE, _cathode),
        # The planes normal to z, and then a side view with z down its rows.
        Material("nmc_cbd", _THREE, halved("nmc_cbd.tif", 2, 0, 2), is_isotropic=False),
        Material("fibres", ("matrix", "fibre"), halved("syn_fibres256.tif", 2, 0, 2), is_isotropic=False),
        Material("separator", ("pore", "polymer"), halved("separator.tif", 0, 0, 1, 2), is_isotropic=False, block=32),
    )
}
"""The materials by name."""
