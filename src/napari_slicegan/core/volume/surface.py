"""The surface of one phase as a closed triangle mesh, for printing and for finite elements. Needs no torch."""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.writing import check_writable

if TYPE_CHECKING:
    import trimesh

#: Endings of the names of surface files.
SURFACE_SUFFIXES = (".stl", ".ply")

_SLAB_VOXELS = 2**21
_BYTES_PER_VERTEX = 240  # peak for one and its two triangles, from the slabs to the bytes of a file; 195 measured
_TRIANGLES = 2**18  # of an STL file that are written at once
_MAKING = 0.7  # the part of the time before the file is written
_MOST_LABELS = 16

Array = npt.NDArray[Any]
Integers = npt.NDArray[np.int64]


def check_surface(path: str | Path, phase: int, phases: Collection[int] | None = None, overwrite: bool = False) -> None:
    """Find out before long work whether a surface can be made and written.

    Parameters
    ----------
    path : str or path
        The file to be: .stl or .ply.
    phase : int
        Label of the phase.
    phases : collection of int, optional
        Labels of all phases, none for grey and colour; any will do when left out.
    overwrite : bool
        Whether a file of this name may be replaced.

    Raises
    ------
    OutputError
        It cannot.
    """
    if phases is not None and not phases:
        raise OutputError("Only phases have surfaces, and this volume is grey or in colour: segment it first.")
    if phases is not None and phase not in phases:
        raise _missing(phase, phases)
    check_writable(path, overwrite, SURFACE_SUFFIXES)


def surface(
    volume: Array, phase: int, voxel_size: float, progress: Callable[[float], None] | None = None
) -> trimesh.Trimesh:
    """Make the closed surface of all voxels of a phase, by marching cubes.

    Faces of the volume close the surface where the phase reaches them. The centre of voxel (z, y, x) is at
    ``voxel_size * (x, y, z)``, so the faces of the volume lie half a voxel before the first and behind the last
    centre. Voxels of the phase that share no more than an edge or a corner stay apart. Steps between voxels are cut
    off at 45 degrees: the volume is right, the area of curved surfaces 9 % too large.

    Beside the mesh, about 240 bytes for each of its vertices, it takes about 150 MB: a slab of the volume at a time,
    of at least two planes.

    Parameters
    ----------
    volume : array (Z, Y, X)
        Labels; anything that gives arrays when it is sliced.
    phase : int
        Label of the phase.
    voxel_size : float
        Edge of a voxel.
    progress : callable, optional
        Is called with the finished fraction; what it raises ends the work.

    Returns
    -------
    trimesh.Trimesh
        Vertices (x, y, z) in units of `voxel_size`; triangles turn counter-clockwise seen from outside.

    Raises
    ------
    OutputError
        The volume has no such phase, or the surface does not fit into memory.
    """
    import trimesh

    from napari_slicegan.core.memory import free_memory

    if len(volume.shape) != 3:
        raise OutputError("Only phases have surfaces, and this volume is in colour: segment it first.")
    free = free_memory()
    keys, triangles, count = [], [], 0
    try:
        for done, corners, faces in _pieces(volume, phase):
            triangles.append(faces + count)
            keys.append(corners)
            count += len(corners)
            if count * _BYTES_PER_VERTEX > free:
                raise MemoryError
            if progress:
                progress(done)
        if progress:
            progress(1.0)
        places, number = np.unique(np.concatenate(keys), return_inverse=True)  # welds the slabs
        if not len(places):
            raise _missing(phase, _labels(volume))
        vertices = voxel_size * (np.stack(np.unravel_index(places, _grid(volume)), axis=-1) / 2 - 1)
        return trimesh.Trimesh(vertices[:, ::-1], number[np.concatenate(triangles)], process=False)
    except MemoryError as error:
        raise _too_large(phase, 2 * count) from error


def write_surface(
    path: str | Path,
    volume: Array,
    phase: int,
    voxel_size: float,
    unit: str,
    overwrite: bool = False,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Write the closed surface of a phase as binary STL or PLY, whole or not at all.

    Parameters
    ----------
    path : str or path
        File ending in .stl or .ply. It appears when it is complete.
    volume : array (Z, Y, X)
        Labels; anything that gives arrays when it is sliced.
    phase : int
        Label of the phase.
    voxel_size : float
        Edge of a voxel in `unit`.
    unit : str
        Unit of the coordinates. Neither format has a place for it; it stands in the header as a remark.
    overwrite : bool
        Whether a file of this name may be replaced.
    progress : callable, optional
        Is called with the finished fraction; what it raises ends the work.

    Raises
    ------
    OutputError
        The file exists or cannot be written, the volume has no such phase, or memory is too small.
    """
    from napari_slicegan.core.files import write_atomically

    path = Path(path)
    check_surface(path, phase, overwrite=overwrite)
    mesh = surface(volume, phase, voxel_size, progress and (lambda fraction: progress(_MAKING * fraction)))
    remark = f"Surface of phase {phase} by napari-slicegan, coordinates in {unit}".encode("ascii", "replace")
    parts = _stl(mesh, remark) if path.suffix.lower() == ".stl" else _ply(mesh, remark)

    def write(file: BinaryIO) -> None:
        for done, part in parts:
            file.write(part)
            if progress:
                progress(_MAKING + (1 - _MAKING) * done)

    try:
        write_atomically(path, write)
    except MemoryError as error:
        raise _too_large(phase, len(mesh.faces)) from error


def _stl(mesh: trimesh.Trimesh, remark: bytes) -> Iterator[tuple[float, bytes]]:
    """The bytes of an STL file, a block of triangles at a time, with the finished fraction."""
    import trimesh
    from trimesh.exchange.stl import export_stl

    count = len(mesh.faces)
    yield 0, struct.pack("<80sI", remark, count)
    for first in range(0, count, _TRIANGLES):
        block = trimesh.Trimesh(mesh.vertices, mesh.faces[first : first + _TRIANGLES], process=False)
        yield min(1, (first + _TRIANGLES) / count), export_stl(block)[84:]  # without the header


def _ply(mesh: trimesh.Trimesh, remark: bytes) -> Iterator[tuple[float, memoryview | bytes]]:
    """The bytes of a PLY file, with the finished fraction."""
    from trimesh.exchange.ply import export_ply

    content = memoryview(export_ply(mesh))
    start = bytes(content[:200]).index(b"element")  # behind the lines that say what it is
    yield 0, content[:start]
    yield 0, b"comment " + remark + b"\n"
    yield 1, content[start:]


def _pieces(volume: Array, phase: int) -> Iterator[tuple[float, Integers, Integers]]:
    """Finished fraction, vertices as numbers of points of `_grid`, and triangles of one slab after the other."""
    depth, rows, columns = (size + 2 for size in volume.shape)  # with the border
    step = max(1, _SLAB_VOXELS // (rows * columns) - 1)
    for first in range(0, depth - 1, step):
        last = min(first + step, depth - 1)  # belongs to the next slab as well
        (z, y, x), faces = _mesh(_planes(volume, phase, first, last + 1))
        yield last / (depth - 1), np.ravel_multi_index((z + 2 * first, y, x), _grid(volume)), faces


def _mesh(inside: npt.NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """Vertices (z, y, x) in half voxels, axes first, and triangles."""
    from skimage.measure import marching_cubes

    if not inside.any():  # it cannot be everywhere: there is the border
        return np.empty((3, 0), np.int64), np.empty((0, 3), np.int64)
    # The vertices lie halfway between voxels, exactly; Lewiner's variant leaves holes in such data.
    corners, faces, _, _ = marching_cubes(inside, 0.5, method="lorensen")
    return (2 * corners).astype(np.int64).T, faces.astype(np.int64)


def _grid(volume: Array) -> tuple[int, int, int]:
    """Points of the volume with its border, two for each voxel along an axis."""
    z, y, x = (2 * (size + 2) for size in volume.shape)
    return z, y, x


def _planes(volume: Array, phase: int, first: int, last: int) -> npt.NDArray[np.bool_]:
    """Where the phase is, in some planes of the volume with a border of one voxel."""
    _, rows, columns = volume.shape
    inside = np.zeros((last - first, rows + 2, columns + 2), np.bool_)
    low, high = max(first, 1), min(last, volume.shape[0] + 1)
    inside[low - first : high - first, 1:-1, 1:-1] = np.asarray(volume[low - 1 : high - 1]) == phase
    return inside


def _labels(volume: Array) -> list[int]:
    planes = (np.asarray(volume[z]) for z in range(volume.shape[0]))
    return sorted({label for plane in planes for label in np.unique(plane).tolist()})


def _too_large(phase: int, triangles: int) -> OutputError:
    return OutputError(
        f"The surface of phase {phase} has {triangles:,} triangles or more and does not fit into memory: choose a "
        "smaller volume."
    )


def _missing(phase: int, phases: Collection[int]) -> OutputError:
    if len(phases) > _MOST_LABELS:
        return OutputError(
            f"No voxel is {phase}, and there are {len(phases)} other values: only phases have surfaces, so segment a "
            "grey volume first."
        )
    return OutputError(f"There is no phase {phase}: choose one of {', '.join(map(str, phases))}.")
