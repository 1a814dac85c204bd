"""Files for ParaView, read back by VTK."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import reference
from vtkmodules.vtkIOXML import vtkXMLImageDataReader

from napari_slicegan.core import memory
from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.output.sinks import vti
from napari_slicegan.core.output.sinks.base import VolumeDescription
from napari_slicegan.core.output.sinks.vti import VtiSink, check_vti
from napari_slicegan.core.output.vti_reading import read_vti

SHAPE = (3, 4, 5)


def described(kind=OutputKind.PHASES, dtype="u1", shape=SHAPE) -> VolumeDescription:
    phases = (0, 1, 2) if kind is OutputKind.PHASES else ()
    return VolumeDescription(shape, np.dtype(dtype), kind, phases, 0.4, "um", 2, {"request": {"seed": 7}})


def an_array(dtype="u1", shape=SHAPE) -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def write(path, volume, description, progress=lambda _: None) -> None:
    sink = VtiSink(path, description, False)
    for low in range(0, volume.shape[0], 2):
        for front in range(0, volume.shape[1], 2):
            place = (slice(low, low + 2), slice(front, front + 2), slice(0, volume.shape[2]))
            sink.write(place, volume[place])
    sink.flush()
    sink.finish(progress)
    sink.close()


def opened(path):
    reader = vtkXMLImageDataReader()
    reader.SetFileName(str(path))
    reader.Update()
    return reader.GetOutput()


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4"])
def test_every_voxel_is_a_cell_at_its_place(dtype, tmp_path):
    volume = an_array(dtype)
    write(tmp_path / "v.vti.part", volume, described(dtype=dtype))
    image = opened(tmp_path / "v.vti.part")
    assert image.GetDimensions() == (6, 5, 4)
    assert image.GetSpacing() == (0.4, 0.4, 0.4)
    np.testing.assert_allclose(image.GetBounds(), (-0.2, 1.8, -0.2, 1.4, -0.2, 1.0))
    cells = image.GetCellData().GetScalars()
    assert cells.GetName() == "phase"
    for place in ((0, 0, 0), (2, 0, 0), (0, 3, 0), (0, 0, 4), (1, 2, 3)):
        centre = [0.4 * number for number in place[::-1]]
        cell = image.FindCell(centre, None, 0, 1e-9, reference(0), [0.0] * 3, [0.0] * 8)
        assert cells.GetTuple1(cell) == volume[place]
    back, size, unit = read_vti(tmp_path / "v.vti.part")
    assert (size, unit) == (0.4, "um")
    assert back.dtype == volume.dtype
    np.testing.assert_array_equal(back, volume)


@pytest.mark.parametrize(
    ("kind", "shape", "name"), [(OutputKind.GREY, SHAPE, "intensity"), (OutputKind.COLOUR, (*SHAPE, 3), "colour")]
)
def test_intensities_and_colours(kind, shape, name, tmp_path):
    volume = an_array(shape=shape)
    write(tmp_path / "v.vti", volume, described(kind, shape=shape))
    cells = opened(tmp_path / "v.vti").GetCellData().GetArray(name)
    np.testing.assert_array_equal(vtk_to_numpy(cells).reshape(shape), volume)
    np.testing.assert_array_equal(read_vti(tmp_path / "v.vti")[0], volume)


def test_the_file_says_where_it_comes_from(tmp_path):
    write(tmp_path / "v.vti", an_array(), described())
    fields = opened(tmp_path / "v.vti").GetFieldData()
    assert fields.GetAbstractArray("unit").GetValue(0) == "um"
    assert json.loads(fields.GetAbstractArray("provenance").GetValue(0)) == {
        "request": {"seed": 7},
        "phases": [0, 1, 2],
    }


def test_it_is_compressed_and_binary(tmp_path):
    write(tmp_path / "v.vti", np.zeros((100, 100, 100), np.uint8), described(shape=(100, 100, 100)))
    content = (tmp_path / "v.vti").read_bytes()
    assert len(content) < 20_000
    assert b"vtkZLibDataCompressor" in content
    assert b'encoding="raw"' in content


def test_progress_arrives_and_can_stop_the_work(tmp_path, capfd):
    fractions = []
    description = described(shape=(80, 80, 80))
    write(tmp_path / "v.vti", an_array(shape=(80, 80, 80)), description, fractions.append)
    assert fractions == sorted(fractions)
    assert len(fractions) > 5
    calls = []

    def stop(fraction):
        calls.append(fraction)
        if fraction > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "w.vti", an_array(shape=(80, 80, 80)), description, stop)
    assert len(calls) < len(fractions)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "numbers"), [("nowhere/v.vti", {errno.ENOENT}), ("folder", {errno.EISDIR, errno.EACCES})]
)
def test_what_the_system_refuses_is_its_error(name, numbers, tmp_path, capfd):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"\[Errno") as error:
        write(tmp_path / name, an_array(), described())
    assert error.value.errno in numbers
    assert error.value.strerror == os.strerror(error.value.errno)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("code", "number"), [(errno.ENOSPC, errno.ENOSPC), (0, errno.EIO), (20002, errno.EIO)])
def test_codes_of_vtk(code, number):
    assert vti._system_error(code).errno == number


def test_what_does_not_fit_into_memory_is_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 59)
    with pytest.raises(OutputError, match="made in memory"):
        VtiSink(tmp_path / "v.vti", described(), False)
    monkeypatch.setattr(memory, "free_memory", lambda: 2**63)
    with pytest.raises(OutputError, match="made in memory"):
        VtiSink(tmp_path / "v.vti", described(shape=(2**20,) * 3), False)
    assert not list(tmp_path.iterdir())


def test_it_cannot_be_resumed(tmp_path):
    with pytest.raises(OutputError, match="cannot be resumed"):
        VtiSink(tmp_path / "v.vti", described(), True)


@pytest.mark.parametrize("call", [check_vti, lambda: VtiSink(Path("v.vti"), described(), False)])
def test_without_vtk_the_way_to_get_it_is_said(call, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("vtkmodules")] + ["vtkmodules"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(OutputError, match=r'pip install "napari-slicegan\[vti\]"'):
        call()


def test_vtk_is_loaded_only_when_it_is_used():
    code = (
        "import sys, napari_slicegan.core.output.sinks.vti; print(any(name.startswith('vtk') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
