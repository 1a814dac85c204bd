"""The rows that say where volumes go: layers in memory, or files."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from magicgui.widgets import CheckBox, ComboBox, LineEdit
from psygnal import Signal
from qtpy.QtWidgets import QFileDialog

from napari_slicegan.core.errors import OutputError, SliceGANError
from napari_slicegan.core.output.formats import FORMATS, OME_ZARR, format_of
from napari_slicegan.core.output.places import check_output, part_of
from napari_slicegan.plugin.generate.task import is_unfinished, paths_for
from napari_slicegan.plugin.parts.dock import Rows, button, row


class Output(StrEnum):
    """Where volumes go."""

    LAYER = "layer in memory"
    FILE = "file, opened as a layer"


class OutputRows:
    """Rows for the output.

    Parameters
    ----------
    rows : Rows
        Where the rows are added.
    """

    changed = Signal()

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.output = ComboBox(
            label="Output",
            choices=[(str(output), output) for output in Output],
            tooltip="A layer takes memory for the whole volume. A file is written as the volume is made, of any size.",
        )
        endings = ", ".join(suffix for each in FORMATS for suffix in each.suffixes)
        self.path = LineEdit(
            tooltip=f"The file; its ending says the format: {endings}. Large volumes in .ome.zarr open at once. Of "
            "several seeds each gets a file with the seed in its name.",
        )
        self.choose = button("Choose…", "Choose the file.", self._choose)
        self.resume = CheckBox(
            text="Resume the unfinished file",
            tooltip="Go on where the file of this name was left; files that are complete stay as they are.",
        )
        self.in_3d = CheckBox(
            text="Show in 3D",
            value=True,
            tooltip="Turn to the 3D view, hide the other layers, and fit the camera to the volume.",
        )
        self._path_row = row(self.path, self.choose, label="File", tooltip="The file; its ending says the format.")
        self._resume_row = row(self.resume, tooltip="Go on where the file of this name was left.")
        in_3d_row = row(self.in_3d, tooltip="How the volume is shown.")
        rows.add(self.output, self._path_row, self._resume_row, in_3d_row)
        for widget in (self.output, self.path, self.resume):
            widget.changed.connect(lambda *_: self.changed.emit())
        self.show_seeds(())

    @property
    def is_file(self) -> bool:
        """Whether volumes are streamed to files."""
        return self.output.value is Output.FILE

    @property
    def template(self) -> Path | None:
        """The file as it was typed; None when volumes stay in memory."""
        return Path(str(self.path.value).strip()).expanduser() if self.is_file else None

    def paths(self, seeds: Sequence[int]) -> tuple[Path, ...]:
        """A file for each seed; none when volumes stay in memory."""
        return paths_for(self.template, seeds) if self.template else ()

    def show_seeds(self, seeds: Sequence[int]) -> None:
        """Show the rows that matter, and offer to resume where there is something unfinished."""
        self._rows.show_row(self._path_row, self.is_file)
        self._rows.show_row(self._resume_row, self.is_file and is_unfinished(self.paths(seeds)))

    def error(self, seeds: Sequence[int]) -> str:
        """Why the files cannot be written; empty if they can."""
        if not self.is_file:
            return ""
        if not self.path.value.strip():
            return f"Choose a file, for example volume{OME_ZARR.suffixes[0]}."
        paths = self.paths(seeds)
        try:
            format_of(paths[0])
            if is_unfinished(paths) and not self.resume.value:
                raise OutputError(
                    f"{paths[0]} is unfinished: choose Resume to go on with it, choose another name, or remove "
                    f"{part_of(paths[0]).name} and its journal."
                )
            resumed = self.is_resumed(seeds)
            for path in paths:
                taken = path.exists() or part_of(path).exists()
                if (taken and not (resumed and path.exists())) or path is paths[0]:  # the folder is tried once
                    check_output(path, resume=bool(self.resume.value))
        except SliceGANError as error:
            return str(error)
        return ""

    def is_resumed(self, seeds: Sequence[int]) -> bool:
        """Whether unfinished files are gone on with."""
        return self.is_file and bool(self.resume.value) and is_unfinished(self.paths(seeds))

    def _choose(self) -> None:
        kinds = [OME_ZARR, *(each for each in FORMATS if each is not OME_ZARR)]
        filters = {f"{each.name} (*{' *'.join(each.suffixes)})": each for each in kinds}
        start = str(self.path.value or Path.home() / f"volume{OME_ZARR.suffixes[0]}")
        chosen, kind = QFileDialog.getSaveFileName(
            self.choose.native,
            "The file of the volume",
            start,
            ";;".join(filters),
            options=QFileDialog.Option.DontConfirmOverwrite,  # nothing is ever overwritten
        )
        if not chosen:
            return
        try:
            format_of(chosen)
        except SliceGANError:
            chosen += filters.get(kind, OME_ZARR).suffixes[0]
        self.path.value = chosen
