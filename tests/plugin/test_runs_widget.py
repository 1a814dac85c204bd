"""The dock *Runs*: its buttons are pressed in a real window."""

from __future__ import annotations

import io
import json
import os
import threading
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.core.runs import RunState, list_runs, read_history
from napari_slicegan.core.runs.lock import RunLock
from napari_slicegan.core.runs.status import RunStatus, read_status, this_host
from napari_slicegan.core.words import size_in_words
from napari_slicegan.plugin.generate.model_facts import facts_of
from napari_slicegan.plugin.parts.dock import WIDTH
from napari_slicegan.plugin.parts.docks import RUNS, open_dock
from napari_slicegan.plugin.runs import actions as run_actions
from napari_slicegan.plugin.runs import dialogs
from napari_slicegan.plugin.runs import loading as run_loading
from napari_slicegan.plugin.runs import widget as runs_widget
from napari_slicegan.plugin.runs.dialogs import ContinueDialog, Further, size_of
from napari_slicegan.plugin.runs.widget import RunsWidget
from napari_slicegan.plugin.train import unfinished
from napari_slicegan.plugin.work.job import State, Status
from tests.plugin.a_run import a_run, later, progress_line
from tests.plugin.conftest import two_phases


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder with a stopped run, a newer interrupted one and a damaged one."""
    folder = tmp_path / "runs"
    folder.mkdir()
    a_run(folder / "stopped")
    a_run(folder / "broken off", RunState.TRAINING, started=later(3), pid=2**22 + 1, host=this_host())
    broken = a_run(folder / "damaged", started=later(-3))
    (broken / "config.json").write_text("{")
    return folder


def opened(viewer: Any, qtbot: Any, count: int = 3) -> Any:
    """The dock with so many runs listed."""
    dock = open_dock(viewer, RUNS)
    qtbot.waitUntil(lambda: len(dock.table.runs) == count, timeout=10_000)
    return dock


def pick(dock: Any, qtbot: Any, path: Path) -> None:
    """Select a run and wait until it is shown."""
    dock.table.select(path)
    qtbot.waitUntil(lambda: dock.detail.view is not None and dock.detail.view.path == path, timeout=10_000)
    qtbot.waitUntil(lambda: not dock._background.is_busy, timeout=10_000)


def press(dock: Any, name: str) -> None:
    assert dock.buttons.buttons[name].isEnabled()
    dock.buttons.buttons[name].click()


def said(dock: Any) -> str:
    return str(dock.said.value).replace("\u200b", "")


def test_a_run_is_looked_at_renamed_and_deleted(viewer, qtbot, runs, monkeypatch):
    viewer.add_labels(two_phases(), name="micrograph", scale=(0.5, 0.5), units=("um", "um"))
    dock = opened(viewer, qtbot)
    assert [(run.name, str(run.state)) for run in dock.table.runs] == [
        ("broken off", "interrupted"),
        ("stopped", "stopped"),
        ("damaged", "stopped"),
    ]
    path = runs / "stopped"
    pick(dock, qtbot, path)
    assert [event.iteration for event in dock.detail.view.progress] == [1, 2, 3]
    assert dock.detail.view.micrograph.shape == (16, 16)
    assert dock.detail.strip.isVisible()
    assert dock.width() >= WIDTH
    camera, selected = viewer.scene.camera.model_dump(), set(viewer.layers.selection)
    dock.buttons.newest.trigger()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=10_000)
    dock.buttons.all.trigger()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=10_000)
    newest, series = viewer.layers[1:]
    assert (newest.data.shape, series.data.shape) == ((16, 16, 16), (2, 16, 16, 16))
    assert series.axis_labels == ("preview", "z", "y", "x")
    assert all(layer.translate[-1] > 16 for layer in (newest, series))  # beside the micrograph
    assert viewer.dims.point[:2] == (1.0, 3.75)  # the last preview, the middle of it
    assert (viewer.scene.camera.model_dump(), set(viewer.layers.selection)) == (camera, selected)
    assert said(dock) == "Added the layer previews of stopped."
    opened_folders: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: not opened_folders.append(url.toLocalFile()))
    press(dock, "folder")
    assert opened_folders == [str(path)]
    monkeypatch.setattr(run_actions, "ask_name", lambda *_: "a/b")
    press(dock, "rename")
    qtbot.waitUntil(lambda: "cannot be the name" in said(dock), timeout=10_000)
    monkeypatch.setattr(run_actions, "ask_name", lambda *_: "renamed")
    press(dock, "rename")
    qtbot.waitUntil(lambda: runs / "renamed" in [run.path for run in dock.table.runs], timeout=10_000)
    pick(dock, qtbot, runs / "renamed")
    assert not path.exists()
    (runs / "renamed" / "mine.txt").write_text("mine")
    monkeypatch.setattr(run_actions, "may_delete", lambda *_: False)
    press(dock, "delete")
    monkeypatch.setattr(run_actions, "may_delete", lambda *_: True)
    assert (runs / "renamed" / "model.safetensors").exists()
    press(dock, "delete")
    qtbot.waitUntil(lambda: len(dock.table.runs) == 2, timeout=10_000)
    assert "mine.txt" in said(dock)
    assert [entry.name for entry in (runs / "renamed").iterdir()] == ["mine.txt"]
    dock.table.select(runs / "damaged")
    assert "damaged" in dock.detail.message.text()
    assert not dock.buttons.buttons["continue"].isEnabled()


def test_a_run_is_generated_from_continued_and_started_from(viewer, qtbot, runs, monkeypatch):
    dock = opened(viewer, qtbot)
    path = runs / "stopped"
    pick(dock, qtbot, path)
    press(dock, "generate")
    assert not dock.buttons.buttons["generate"].isEnabled()
    qtbot.waitUntil(lambda: bool(dock.jobs.models.entries), timeout=20_000)
    (entry,) = dock.jobs.models.entries
    assert (entry.name, entry.path) == ("stopped", path)
    assert facts_of(entry)["Preset"] == "quick"
    asked: list[Any] = []
    monkeypatch.setattr(
        run_actions, "ask_further", lambda _parent, run, seconds: asked.append((run.name, seconds)) or Further(5.0)
    )
    monkeypatch.setattr(dock.jobs.training, "proceed_run", lambda path, **end: asked.append((path, end)))
    open_dock(viewer, RUNS)
    press(dock, "continue")
    qtbot.waitUntil(lambda: len(asked) == 2, timeout=10_000)
    assert asked == [("stopped", 60.0), (path, {"minutes": 5.0, "iterations": 0})]
    press(dock, "start_from")
    train = open_dock(viewer, "Train SliceGAN")
    assert train.start_from.path == path
    train.job.status = Status(State.STOPPED, path=runs / "damaged")
    train.runs.native.click()  # at the run that this window has trained last, in its own folder
    qtbot.waitUntil(lambda: dock.table.run is not None and dock.table.run.path == runs / "damaged", timeout=10_000)
    dock.folder.value = runs.parent
    train.runs.native.click()
    assert Path(dock.folder.value) == runs
    qtbot.waitUntil(lambda: dock.table.run is not None and dock.table.run.path == runs / "damaged", timeout=10_000)
    train.job.changed.emit(Status(State.CHECKING, path=path))  # or at the one that has just begun
    qtbot.waitUntil(lambda: dock.table.run.path == path, timeout=10_000)


def test_a_run_of_another_process_is_followed_and_asked(viewer, qtbot, runs, monkeypatch):
    path = a_run(runs / "live", RunState.TRAINING, started=later(9), pid=os.getpid(), host=this_host())
    monkeypatch.setattr(runs_widget, "_PAUSE_MS", 50)
    with RunLock(path):
        dock = opened(viewer, qtbot, 4)
        pick(dock, qtbot, path)
        for button in ("rename", "delete", "continue"):
            assert not dock.buttons.buttons[button].isEnabled()
        press(dock, "pause")
        qtbot.waitUntil(lambda: dock.detail.message.text() == "Asked live to wait …", timeout=10_000)
        assert (path / "request").read_text() == "pause"
        status = read_status(path)
        assert status is not None
        changed = RunStatus(**{**vars(status), "state": RunState.PAUSED, "iteration": 4})
        (path / "status.json").write_text(changed.to_json())
        with (path / "log.jsonl").open("a") as log:
            log.write(progress_line(4) + json.dumps({"event": "paused", "iteration": 4}) + "\n")
        qtbot.waitUntil(lambda: dock.buttons.buttons["pause"].text() == "Res&ume", timeout=10_000)
        qtbot.waitUntil(lambda: dock.detail.last == 4, timeout=10_000)
        assert dock.table.run.path == path
        assert dock.detail.message.text() == ""  # it has answered
        press(dock, "pause")
        qtbot.waitUntil(lambda: dock.detail.message.text() == "Asked live to go on …", timeout=10_000)
        assert (path / "request").read_text() == "proceed"
        press(dock, "stop")
        qtbot.waitUntil(lambda: dock.detail.message.text() == "Asked live to stop …", timeout=10_000)
        assert (path / "request").read_text() == "stop"
    assert dock.jobs.training.status.path is None


def test_an_interrupted_run_is_offered_once(viewer, qtbot, runs, monkeypatch):
    dock = opened(viewer, qtbot)
    qtbot.waitUntil(dock.offer.isVisible, timeout=10_000)
    assert dock.offer.label.text() == "The run broken off was interrupted at iteration 3. Go on with it?"
    other = unfinished.UnfinishedOffer(viewer)
    qtbot.addWidget(other)
    qtbot.waitUntil(lambda: not other.isHidden(), timeout=10_000)
    dock.offer.not_now.click()
    assert dock.offer.isHidden()
    assert other.isHidden()
    again = RunsWidget(viewer)
    qtbot.addWidget(again)
    qtbot.waitUntil(lambda: bool(again.offer._runs), timeout=10_000)
    assert again.offer.isHidden()


def test_the_offer_is_taken_of_what_can_go_on(qtbot, runs, monkeypatch):
    dead = {"pid": 2**22 + 1, "host": this_host()}
    for number, missing in enumerate(("images.safetensors", "checkpoint.pt")):
        (a_run(runs / missing, RunState.TRAINING, started=later(20 + number), **dead) / missing).unlink()
    viewer = ViewerModel()
    offer = unfinished.UnfinishedOffer(viewer)
    qtbot.addWidget(offer)
    qtbot.waitUntil(lambda: not offer.isHidden(), timeout=10_000)
    begun: list[Path] = []
    monkeypatch.setattr(offer._jobs.training, "proceed_run", begun.append)
    offer.go.click()
    assert begun == [runs / "broken off"]
    assert offer.isHidden()


def test_the_length_is_what_is_left_or_usual(qtbot, runs):
    stopped = next(run for run in list_runs(runs) if run.name == "stopped")
    dialog = ContinueDialog(None, stopped, 60.0)
    qtbot.addWidget(dialog)
    assert dialog.further == Further(minutes=3.0)
    dialog.unit.setCurrentText("iterations")
    assert dialog.further == Further(iterations=1000)


def test_the_question_before_deleting_does_not_wait_for_the_size(qtbot, runs, monkeypatch):
    run = next(run for run in list_runs(runs) if run.name == "stopped")
    may_add, added = Event(), []

    def slowly(path: Path, is_over: Event) -> int:
        may_add.wait(10)
        added.append(size_of(path, is_over))
        return added[-1]

    def answer(box: QMessageBox) -> None:
        box.show()
        assert str(run.path) in box.informativeText()
        assert "is being added up" in box.informativeText()
        if verb == "Delete":
            may_add.set()
            qtbot.waitUntil(lambda: "on the disk." in box.informativeText(), timeout=10_000)
            assert size_in_words(added[-1]) in box.informativeText()
        next(button for button in box.buttons() if verb in button.text()).click()

    monkeypatch.setattr(dialogs, "size_of", slowly)
    monkeypatch.setattr(QMessageBox, "exec", answer)
    window = QWidget()
    qtbot.addWidget(window)
    verb = "Cancel"
    assert not dialogs.may_delete(window, run)
    may_add.set()
    qtbot.waitUntil(lambda: bool(added), timeout=10_000)
    assert added == [0]  # nobody wants to know any more
    may_add.clear()
    verb = "Delete"
    assert dialogs.may_delete(window, run)
    assert added[1:] == [sum(file.stat().st_size for file in run.path.rglob("*"))]


def test_no_click_waits_for_the_disk(viewer, qtbot, runs, monkeypatch):
    """The window's thread asks for no file of a run, as on a network that may take seconds for each."""
    dock = opened(viewer, qtbot)
    path = a_run(runs / "live", RunState.TRAINING, started=later(9), pid=os.getpid(), host=this_host())
    monkeypatch.setattr(run_actions, "ask_name", lambda *_: "renamed")
    monkeypatch.setattr(run_actions, "ask_further", lambda *_: None)
    monkeypatch.setattr(run_actions, "may_delete", lambda *_: True)
    touched: list[tuple[str, object]] = []
    with RunLock(path):
        watch_disk(monkeypatch, str(runs), touched)
        qtbot.waitUntil(lambda: len(dock.table.runs) == 4, timeout=10_000)
        pick(dock, qtbot, path)
        press(dock, "pause")
        qtbot.waitUntil(lambda: dock.detail.message.text() == "Asked live to wait …", timeout=10_000)
        pick(dock, qtbot, runs / "stopped")
        press(dock, "continue")
        press(dock, "rename")
        qtbot.waitUntil(lambda: runs / "renamed" in [run.path for run in dock.table.runs], timeout=10_000)
        pick(dock, qtbot, runs / "renamed")
        press(dock, "delete")
        qtbot.waitUntil(lambda: len(dock.table.runs) == 3, timeout=10_000)
        assert not touched


def watch_disk(monkeypatch: pytest.MonkeyPatch, folder: str, touched: list[tuple[str, object]]) -> None:
    """Note every file of a folder that this very thread asks for."""
    here = threading.get_ident()

    def watched(name: str, ask: Any) -> Any:
        def asked(*args: Any, **kwargs: Any) -> Any:
            if args and folder in str(args[0]) and threading.get_ident() == here:
                touched.append((name, args[0]))
            return ask(*args, **kwargs)

        return asked

    for module, name in ((os, "stat"), (os, "scandir"), (os, "listdir"), (os, "rename"), (io, "open")):
        monkeypatch.setattr(module, name, watched(name, getattr(module, name)))


def test_previews_over_time_fit_into_memory(runs, monkeypatch):
    path = runs / "stopped"
    for iteration in (5, 7, 9):
        (path / "previews" / f"{iteration:08d}.tif").write_bytes((path / "previews" / "00000003.tif").read_bytes())
    monkeypatch.setattr(run_loading, "MOST_BYTES", 3 * 16**3)
    loaded = run_loading.load_previews(path, all_of_them=True)
    assert (loaded.iterations, loaded.left_out) == ((1, 5, 9), 2)
    assert run_loading.load_previews(path, all_of_them=False).iterations == (9,)
    np.testing.assert_array_equal(np.unique(loaded.volumes), [1, 2])
    (path / "log.jsonl").write_text(progress_line(1))
    assert (len(read_history(path).progress), read_history(path).evaluations) == (1, ())
    with pytest.raises(SliceGANError, match="no previews"):
        run_loading.load_previews(runs / "nothing", all_of_them=True)
