"""The package's own materials: micrographs that come with it, and the 3D truth behind them.

Everything here is made by code. `python -m napari_slicegan.core.synthetic` makes the micrographs
anew and writes them into the package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_slicegan.core import microstructures
from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.io import ImageFile, read_image, write_image
from napari_slicegan.core.randomness import Box

MICROGRAPHS = Path(__file__).parent.parent / "data"
"""Folder of the micrographs that come with the package."""

_SLAB_VOXELS = 2**21  # made at a time: about 300 MB of memory


@dataclass(frozen=True)
class Material:
    """A material that the package can make.

    Attributes
    ----------
    name : str
        By which it is asked for.
    title : str
        What it is, in a few words.
    kind : OutputKind
        Phases or grey levels.
    phases : tuple of str
        What the values 0, 1, ... are; empty for grey levels.
    colours : tuple of str
        How the phases are drawn, as "#rrggbb".
    pixel_size : float
        Edge of a pixel and of a voxel, in `unit`.
    unit : str
        Unit of `pixel_size`.
    normals : str
        Axis across each micrograph, in the order in which they are given: "z" alone where all
        directions are alike.
    edge : int
        Pixels along each edge of a micrograph.
    seed : int
        Of the piece that the micrographs show.
    cut : callable
        Makes a box of the piece with a seed: (Box, seed) to (Z, Y, X) uint8.
    """

    name: str
    title: str
    kind: OutputKind
    phases: tuple[str, ...]
    colours: tuple[str, ...]
    pixel_size: float
    unit: str
    normals: str
    edge: int
    seed: int
    cut: Callable[[Box, int], np.ndarray]

    @property
    def paths(self) -> tuple[Path, ...]:
        """Files of the micrographs, in the order of `normals`."""
        if len(self.normals) == 1:
            return (MICROGRAPHS / f"{self.name}.tif",)
        return tuple(MICROGRAPHS / f"{self.name}_{normal}.tif" for normal in self.normals)


MATERIALS = {
    material.name: material
    for material in (
        Material(
            name="cathode",
            title="Battery cathode: overlapping particles with binder at their contacts",
            kind=OutputKind.PHASES,
            phases=("pore", "active material", "binder"),
            colours=("#202020", "#f4a259", "#5b8e7d"),
            pixel_size=0.4,
            unit="um",
            normals="z",
            edge=384,
            seed=12,
            cut=microstructures.cathode,
        ),
        Material(
            name="fibres",
            title="Composite with fibres along z, in three perpendicular planes",
            kind=OutputKind.PHASES,
            phases=("matrix", "fibre"),
            colours=("#202020", "#f4a259"),
            pixel_size=0.7,
            unit="um",
            normals="zyx",
            edge=320,
            seed=10,
            cut=microstructures.fibres,
        ),
        Material(
            name="polycrystal",
            title="Polycrystal with etched grain boundaries, in grey levels",
            kind=OutputKind.GREY,
            phases=(),
            colours=(),
            pixel_size=0.5,
            unit="um",
            normals="z",
            edge=384,
            seed=2,
            cut=microstructures.polycrystal,
        ),
    )
}
"""The materials by name."""


def volume(name: str, shape: tuple[int, ...], seed: int, origin: tuple[int, ...] = (0, 0, 0)) -> np.ndarray:
    """Make a volume of a material.

    Parameters
    ----------
    name : str
        One of `MATERIALS`.
    shape : tuple of int
        Voxels along z, y and x; any.
    seed : int
        Which piece of the endless material; not negative.
    origin : tuple of int
        Where in the piece the volume begins. Volumes of one piece agree where they overlap.

    Returns
    -------
    ndarray
        (Z, Y, X) uint8: phases as in `Material.phases`, or grey levels.
    """
    made = np.empty(shape, np.uint8)
    layers = max(1, _SLAB_VOXELS // (shape[1] * shape[2]))
    for top in range(0, shape[0], layers):
        slab = made[top : top + layers]
        slab[:] = MATERIALS[name].cut(Box((origin[0] + top, *origin[1:]), slab.shape), seed)
    return made


def truth(name: str, edge: int = 192, seed: int = 1000) -> np.ndarray:
    """Make a cube with which a generated volume of a material can be compared.

    Parameters
    ----------
    name : str
        One of `MATERIALS`.
    edge : int
        Voxels along each edge.
    seed : int
        Which piece: another than the micrographs show, unless `Material.seed` is given.

    Returns
    -------
    ndarray
        (edge, edge, edge) uint8.
    """
    return volume(name, (edge, edge, edge), seed)


def make_micrographs(name: str) -> tuple[np.ndarray, ...]:
    """Make the micrographs of a material by code.

    Parameters
    ----------
    name : str
        One of `MATERIALS`.

    Returns
    -------
    tuple of ndarray
        For each of `Material.normals` the plane across it in the middle of one cube: (Y, X)
        across z, (Z, X) across y, (Z, Y) across x; uint8.
    """
    material = MATERIALS[name]
    planes = []
    for normal in material.normals:
        axis = "zyx".index(normal)
        shape, origin = [material.edge] * 3, [0] * 3
        shape[axis], origin[axis] = 1, material.edge // 2
        plane = volume(name, tuple(shape), material.seed, tuple(origin))
        planes.append(plane.squeeze(axis))
    return tuple(planes)


def micrographs(name: str) -> tuple[ImageFile, ...]:
    """Read the micrographs of a material that come with the package.

    Parameters
    ----------
    name : str
        One of `MATERIALS`.

    Returns
    -------
    tuple of ImageFile
        One for each of `Material.normals`, as `make_micrographs` makes them.
    """
    return tuple(read_image(path) for path in MATERIALS[name].paths)


def write_micrographs() -> None:
    """Make all micrographs and write them into the package."""
    MICROGRAPHS.mkdir(exist_ok=True)
    for name, material in MATERIALS.items():
        for path, image in zip(material.paths, make_micrographs(name), strict=True):
            labels = material.kind is OutputKind.PHASES
            write_image(path, image, material.pixel_size, material.unit, overwrite=True, labels=labels)


if __name__ == "__main__":
    write_micrographs()
