"""VTK ImageData (.vti) for ParaView, written by the vtk package, an extra.

Voxels are cells. The centre of the first lies at the origin, as in napari and in the surfaces of `core.surface`, so
that these can be shown over each other. VTK compresses an array as a whole: the volume is held in memory until it is
complete.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.output.sinks.base import Array, VolumeDescription
from napari_slicegan.core.volume.tiles import Slices
from napari_slicegan.core.words import size_in_words

_NAMES = {OutputKind.PHASES: "phase", OutputKind.GREY: "intensity", OutputKind.COLOUR: "colour"}
_FIRST_CODE_OF_VTK = 20000  # below, its error codes are the system's


def check_vti() -> None:
    """Find out whether .vti files can be written.

    Raises
    ------
    OutputError
        The vtk package is missing.
    """
    try:
        import vtkmodules.vtkIOXML  # noqa: F401
    except ImportError as error:
        raise OutputError(
            'Writing .vti needs the vtk package: pip install "napari-slicegan[vti]", or choose another format.'
        ) from error


class VtiSink:
    """A file of VTK ImageData.

    Parameters
    ----------
    part : Path
        The file.
    description : VolumeDescription
        What is written.
    resume : bool
        Cannot be: nothing is on the disk before the end.

    Raises
    ------
    OutputError
        The vtk package is missing, the volume does not fit into memory, or it is to be resumed.
    """

    def __init__(self, part: Path, description: VolumeDescription, resume: bool) -> None:
        if resume:
            raise OutputError("A .vti file cannot be resumed: begin anew, or choose .ome.zarr.")
        check_vti()
        self._part, self._description = part, description
        self._volume: Array | None = _room(description)

    def write(self, place: Slices, values: Array) -> None:
        """Write one piece where it belongs."""
        assert self._volume is not None
        self._volume[place] = values

    def flush(self) -> None:
        """Nothing is on the disk yet."""

    def finish(self, progress: Callable[[float], None]) -> None:
        """Write the file."""
        from vtkmodules.vtkCommonCore import vtkCommand
        from vtkmodules.vtkIOXML import vtkXMLImageDataWriter

        writer = vtkXMLImageDataWriter()
        writer.SetFileName(str(self._part))
        writer.SetInputData(self._image())
        writer.SetDataModeToAppended()
        writer.EncodeAppendedDataOff()
        writer.SetCompressorTypeToZLib()
        writer.SetHeaderTypeToUInt64()
        for part in (writer, writer.GetExecutive()):
            part.AddObserver(vtkCommand.ErrorEvent, lambda *_: None)  # else it is printed as well
        stop: list[BaseException] = []

        def on_progress(*_: object) -> None:
            try:
                progress(writer.GetProgress())
            except BaseException as error:  # noqa: BLE001  (VTK would print it and go on)
                stop.append(error)
                writer.SetAbortExecute(1)

        writer.AddObserver(vtkCommand.ProgressEvent, on_progress)
        written = writer.Write()
        if stop:
            raise stop[0]
        code = writer.GetErrorCode()
        if code or not written:  # older versions of VTK say that they have written what they were refused
            raise _system_error(code)

    def close(self) -> None:
        """Let go of the volume."""
        self._volume = None

    def _image(self) -> Any:
        """The volume as VTK's ImageData, sharing its memory."""
        from vtkmodules.util.numpy_support import numpy_to_vtk
        from vtkmodules.vtkCommonCore import vtkStringArray
        from vtkmodules.vtkCommonDataModel import vtkImageData

        volume, about = self._volume, self._description
        assert volume is not None
        size = about.voxel_size
        image = vtkImageData()
        image.SetDimensions(*(count + 1 for count in volume.shape[2::-1]))
        image.SetSpacing(size, size, size)
        image.SetOrigin(-size / 2, -size / 2, -size / 2)
        cells = numpy_to_vtk(volume.reshape(-1, *volume.shape[3:]))
        cells.SetName(_NAMES[about.kind])
        image.GetCellData().SetScalars(cells)
        for name, text in (("unit", about.unit), ("provenance", json.dumps(about.record))):
            strings = vtkStringArray()
            strings.SetName(name)
            strings.InsertNextValue(text)
            image.GetFieldData().AddArray(strings)
        return image


def _room(description: VolumeDescription) -> Array:
    """Memory for the volume, refused before the work where there is too little."""
    from napari_slicegan.core.memory import free_memory

    try:
        if description.nbytes > free_memory():
            raise MemoryError
        return np.empty(description.shape, description.dtype)
    except MemoryError as error:
        raise OutputError(
            f"A .vti file is made in memory, and {size_in_words(description.nbytes)} do not fit into it: choose a "
            "smaller volume, or .ome.zarr."
        ) from error


def _system_error(code: int) -> OSError:
    """What VTK's error code means."""
    number = code if 0 < code < _FIRST_CODE_OF_VTK else errno.EIO
    return OSError(number, os.strerror(number))
