"""Surfaces: closed, at the right place, of the right size, and in files that others read."""

import numpy as np
import pytest
import trimesh

from napari_slicegan.core import memory
from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.volume import surface
from napari_slicegan.core.volume.surface import check_surface, write_surface

SIZE = 0.4


def ball(radius, shape=(50, 52, 54)) -> np.ndarray:
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    return ((z - 24.3) ** 2 + (y - 25.1) ** 2 + (x - 26.2) ** 2 < radius**2).astype(np.uint8)


def noise(shape=(21, 18, 15)) -> np.ndarray:
    """Every configuration of eight neighbours occurs, also across the faces of the volume."""
    return (np.random.default_rng(0).random(shape) < 0.5).astype(np.uint8)


def make(volume, phase=1, size=SIZE, **options) -> trimesh.Trimesh:
    return surface.surface(volume, phase, size, **options)


def test_a_ball_has_the_volume_of_its_voxels_and_an_area_9_per_cent_too_large():
    mesh = make(ball(20))
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(np.count_nonzero(ball(20)) * SIZE**3, rel=2e-3)
    assert mesh.area == pytest.approx(1.089 * 4 * np.pi * (20 * SIZE) ** 2, rel=3e-3)
    np.testing.assert_allclose(mesh.center_mass, SIZE * np.array([26.2, 25.1, 24.3]), atol=0.01 * SIZE)


def test_one_voxel_is_closed_around_its_centre():
    volume = np.zeros((4, 5, 6), np.uint8)
    volume[1, 2, 3] = 9
    mesh = make(volume, 9)
    np.testing.assert_allclose(mesh.bounds, SIZE * np.array([[2.5, 1.5, 0.5], [3.5, 2.5, 1.5]]))
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(SIZE**3 / 6)


@pytest.mark.parametrize("shape", [(7, 8, 9), (1, 8, 9), (1, 1, 1)])
def test_a_phase_that_fills_the_volume_ends_half_a_voxel_behind_the_last_centres(shape):
    mesh = make(np.ones(shape, np.uint8))
    z, y, x = shape
    np.testing.assert_allclose(mesh.bounds, SIZE * (np.array([[0, 0, 0], [x, y, z]]) - 0.5))
    assert mesh.is_watertight
    assert mesh.volume > 0


def test_any_material_gives_closed_surfaces_that_look_outwards():
    mesh = make(noise())
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume > 0
    assert len(np.unique(mesh.vertices, axis=0)) == len(mesh.vertices)


@pytest.mark.parametrize("planes", [1, 2, 5])
def test_slabs_give_the_very_same_mesh(planes, monkeypatch):
    volume = noise()
    whole = make(volume)
    monkeypatch.setattr(surface, "_SLAB_VOXELS", (planes + 1) * 20 * 17)
    fractions = []
    slabs = make(volume, progress=fractions.append)
    np.testing.assert_array_equal(slabs.vertices, whole.vertices)
    np.testing.assert_array_equal(slabs.faces, whole.faces)
    assert len(fractions) == -(-22 // planes) + 1  # and before the slabs are welded
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_slabs_that_the_surface_does_not_reach(monkeypatch):
    monkeypatch.setattr(surface, "_SLAB_VOXELS", 1)
    volume = np.zeros((12, 4, 4), np.uint8)
    volume[4:7, 1:3, 1:3] = 1
    assert make(volume).is_watertight
    assert make(np.ones((5, 4, 4), np.uint8)).is_watertight


@pytest.mark.parametrize("suffix", [".stl", ".ply", ".STL"])
def test_files_that_others_read(suffix, tmp_path, monkeypatch):
    monkeypatch.setattr(surface, "_TRIANGLES", 1000)  # several blocks
    path = tmp_path / f"ball{suffix}"
    fractions = []
    write_surface(path, ball(12), 1, SIZE, "um", progress=fractions.append)
    mesh, made = trimesh.load(path), make(ball(12))
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(made.volume, rel=1e-5)
    np.testing.assert_allclose(mesh.bounds, made.bounds, rtol=1e-6)
    np.testing.assert_allclose(mesh.triangles, made.triangles, atol=1e-5)
    assert b"Surface of phase 1 by napari-slicegan, coordinates in um" in path.read_bytes()[:200]
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_the_normals_of_an_stl_file_look_outwards(tmp_path):
    write_surface(tmp_path / "a.stl", ball(12), 1, SIZE, "um")
    data = (tmp_path / "a.stl").read_bytes()
    records = np.frombuffer(data, [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("rest", "<u2")], offset=84)
    assert len(records) == int.from_bytes(data[80:84], "little")
    outwards = records["corners"].mean(axis=1) - SIZE * np.array([26.2, 25.1, 24.3])
    assert (np.einsum("nc,nc->n", records["normal"], outwards) > 0).all()


@pytest.mark.parametrize(
    ("path", "phase", "phases", "words"),
    [
        ("a.obj", 1, (0, 1), "must end in .stl or .ply"),
        ("a.stl", 3, (0, 1), "no phase 3: choose one of 0, 1"),
        ("a.stl", 1, (), "Only phases have surfaces"),
        ("taken.ply", 1, (0, 1), "exists"),
        ("nowhere/a.stl", 1, (0, 1), "no folder"),
    ],
)
def test_what_is_refused_beforehand(path, phase, phases, words, tmp_path):
    (tmp_path / "taken.ply").write_bytes(b"mine")
    with pytest.raises(OutputError, match=words):
        check_surface(tmp_path / path, phase, phases)
    assert (tmp_path / "taken.ply").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("volume", "words"),
    [
        (np.full((3, 3, 3), 7), "no phase 1: choose one of 7"),
        (np.arange(2, 66).reshape(4, 4, 4), "64 other values: only phases"),
        (np.zeros((3, 3, 3, 3)), "in colour"),
    ],
)
def test_volumes_that_have_no_such_surface(volume, words, tmp_path):
    with pytest.raises(OutputError, match=words):
        write_surface(tmp_path / "a.stl", volume, 1, SIZE, "um")
    assert not list(tmp_path.iterdir())


def test_a_taken_name_is_replaced_only_when_that_is_wanted(tmp_path):
    path = tmp_path / "a.stl"
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        write_surface(path, ball(3), 1, SIZE, "um")
    assert path.read_bytes() == b"mine"
    write_surface(path, ball(3), 1, SIZE, "um", overwrite=True)
    assert trimesh.load(path).is_watertight


def test_too_little_memory_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 10**6)
    with pytest.raises(OutputError, match=r"[\d,]+ triangles or more and does not fit into memory"):
        write_surface(tmp_path / "a.stl", noise(), 1, SIZE, "um")
    assert not list(tmp_path.iterdir())


class StopError(Exception):
    pass


@pytest.mark.parametrize("suffix", [".stl", ".ply"])
@pytest.mark.parametrize("when", [0.0, 0.75])
def test_a_stop_leaves_nothing_behind(suffix, when, tmp_path, monkeypatch):
    def stop(fraction):
        if fraction >= when:
            raise StopError

    with pytest.raises(StopError):
        write_surface(tmp_path / f"a{suffix}", ball(12), 1, SIZE, "um", progress=stop)
    assert not list(tmp_path.iterdir())
