"""What a process does that is to be killed: a command, on a disk so slow that many moments are moments of writing.

All are forked from one process that has loaded torch, so that they cost no time to start (where that is possible).
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

from napari_slicegan.cli import main
from napari_slicegan.core import checkpoint, model
from napari_slicegan.core.files import write_atomically
from napari_slicegan.core.output import unfinished
from napari_slicegan.core.volume import tiles

PIECES = 40
"""In which a file of a run is written."""
SECONDS = 0.001
"""Between two of them."""
SAID = "said.txt"
_LOADED = (
    __name__,
    "napari_slicegan.core.run",
    "napari_slicegan.core.output.sinks.ome_zarr",
    "vtkmodules.vtkIOXML",
)
_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def start(folder: Path, *arguments: object) -> BaseProcess:
    """Start a command in a folder."""
    return _started(_command, folder, [str(argument) for argument in arguments])


def warm_up() -> None:
    """Load what is loaded once, so that what follows takes the time of its own work."""
    _started(int).join()


def _started(target, *arguments: object) -> BaseProcess:
    context = multiprocessing.get_context(_METHOD)
    context.set_forkserver_preload(list(_LOADED))
    process = context.Process(target=target, args=arguments)
    process.start()
    return process


def _command(folder: Path, arguments: list[str]) -> None:
    os.chdir(folder)
    torch.set_num_threads(1)
    checkpoint.write_atomically = model.write_atomically = _slowly
    tiles.TILE, unfinished.SECONDS_BETWEEN_RECORDS = 32, -1
    with Path(SAID).open("w") as said, redirect_stdout(said), redirect_stderr(said):
        sys.exit(main(arguments))


def _slowly(path: Path, write, durable: bool = True) -> None:
    write_atomically(path, lambda file: write(_SlowFile(file)), durable)


class _SlowFile:
    def __init__(self, file) -> None:
        self._file = file

    def write(self, content) -> None:
        content = memoryview(content)
        for start in range(0, len(content), step := len(content) // PIECES + 1):
            self._file.write(content[start : start + step])
            self._file.flush()
            time.sleep(SECONDS)
