"""What napari asks of a plugin where no other test would notice: of its workers, its layers and its samples."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from napari.layers import Labels
from napari.utils.task_status import TaskStatusManager

import napari_slicegan
from napari_slicegan.plugin.layers import image_of, training_data
from napari_slicegan.plugin.work.job import State
from tests.plugin.conftest import click, train_for, two_phases, until_idle, until_trains

PACKAGE = Path(napari_slicegan.__file__).parent


def functions(folder: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """All functions of the modules of a folder."""
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield f"{path.relative_to(PACKAGE).as_posix()}:{node.name}", node


def is_work(function: ast.FunctionDef) -> bool:
    """Whether a function is what a worker does: a generator that takes a control."""
    takes = [ast.unparse(each.annotation) for each in function.args.args if each.annotation]
    return "Control" in takes and any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))


WORK = dict(each for each in functions("plugin") if is_work(each[1]))


@pytest.mark.parametrize("name", WORK)
def test_nothing_leaves_a_worker_as_an_error_that_napari_swallows(name):
    body = WORK[name].body
    (only,) = body[1:] if ast.get_docstring(WORK[name]) else body
    assert isinstance(only, ast.With)
    assert ast.unparse(only.items[0].context_expr).startswith("no_defects(")


def test_the_core_does_not_warn():
    """While a worker runs, it owns the warnings of the process: what the core has to say is an event."""
    assert len(WORK) > 10  # the search finds what there is
    warn = [name for name, function in functions("core") if "warnings.warn(" in ast.unparse(function)]
    assert not warn


def busy_with(viewer: Any) -> list[str]:
    """What napari tells when somebody closes the window."""
    manager = viewer.window._task_status_manager
    assert isinstance(manager, TaskStatusManager)
    lines: list[str] = manager.get_status()
    return lines


def test_napari_asks_before_it_closes_a_window_that_trains(train_dock, viewer, qtbot):
    train_for(train_dock, 10**6)
    click(train_dock.start)
    until_trains(train_dock, qtbot)
    assert any("Training SliceGAN" in line for line in busy_with(viewer))
    click(train_dock.stop)
    assert until_idle(train_dock, qtbot).state is State.STOPPED
    qtbot.waitUntil(lambda: not any("Training SliceGAN" in line for line in busy_with(viewer)), timeout=5_000)


@pytest.mark.parametrize("slices", ["", "z", "y", "x"])
def test_an_array_of_zarr_is_read_when_it_is_trained_on(slices):
    stack = np.stack([two_phases(16, seed) for seed in range(16)])
    image = image_of(Labels(zarr.array(stack, chunks=(8, 8, 8))), slices=slices)
    assert not isinstance(image.array, np.ndarray)
    found, expected = (training_data([each]) for each in (image, image_of(Labels(stack), slices=slices)))
    assert len(found.sources) == len(expected.sources)
    for one, other in zip(found.sources, expected.sources, strict=True):
        np.testing.assert_array_equal(one, other)


OFFLINE = """
import socket
def connect(*_): raise AssertionError("something is downloaded")
socket.socket.connect = socket.create_connection = connect
from napari_slicegan.plugin import sample_data
assert all(getattr(sample_data, name)() for name in ("cathode", "fibres", "polycrystal", "gravel"))
"""


def test_no_sample_is_downloaded(tmp_path, monkeypatch):
    monkeypatch.setenv("SKIMAGE_DATADIR", str(tmp_path))  # what was downloaded before is not found
    result = subprocess.run([sys.executable, "-c", OFFLINE], capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr
