"""Models in the *Generate* dock: their cards, their names, and files that they are saved to."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QMimeData, Qt
from qtpy.QtGui import QColor, QGuiApplication, QPalette
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QLabel

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.model_header import read_info
from napari_slicegan.plugin.generate import model_files
from napari_slicegan.plugin.generate import widget as generate_widget
from napari_slicegan.plugin.generate.model_card import ModelCard
from napari_slicegan.plugin.generate.model_facts import facts_of
from napari_slicegan.plugin.layers import Look
from napari_slicegan.plugin.models import ModelEntry, Models, file_name, run_name
from napari_slicegan.plugin.parts.docks import COMPARE, TRAIN
from napari_slicegan.plugin.work.job import State
from tests.plugin.conftest import click, text_of
from tests.plugin.generating import a_dock, a_model, set_shape, until_done


def a_thumbnail() -> str:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((30, 40), np.uint8)).save(buffer, "png")
    return base64.b64encode(buffer.getvalue()).decode()


def described(**changes: Any) -> SliceGAN:
    """A model with names, colours, a card and a history."""
    model = a_model()
    provenance = {
        "images": ["a.tif", "b.tif"],
        "iterations": 1234,
        "seconds": 65.0,
        "created": "2026-11-22T12:00:00+00:00",
        "preset": "quick",
        "training": {"seed": 7},
        "heldout": {"iteration": 1200, "correlation_error": 0.0123, "fraction_error": 0.004},
        "versions": {"torch": "2.13.0"},
    }
    details = {
        "phase_names": ("Pore", "Grain"),
        "phase_colours": ("#102030", "#ff8800"),
        "card": {"title": "Cathode", "notes": "one\ntwo"},
        "thumbnail": a_thumbnail(),
        "provenance": provenance,
    }
    model.info = replace(model.info, **details | changes)
    return model


@pytest.fixture
def card(qtbot) -> ModelCard:
    card = ModelCard(lambda: None)
    qtbot.addWidget(card.group)
    return card


def test_a_card_tells_what_is_known(card):
    card.show_model(ModelEntry("mine", described(), Path("mine.safetensors")))
    facts = {name: text_of(label) for name, label in card.facts.items() if not label.native.isHidden()}
    assert facts == {
        "Voxel": "0.5 µm",
        "Preset": "quick",
        "Training": "1,234 iterations in 1:05",
        "Held out": "S2 0.0123, fraction 0.0040",
        "Seed": "7",
        "Images": "a.tif, b.tif",
        "Created": "2026-11-22 12:00:00 UTC",
        "Versions": "torch 2.13.0",
        "File": "mine.safetensors",
    }
    assert card.phases.texts == ["Pore (1)", "Grain (2)"]
    assert (card.picture.pixmap().width(), card.picture.pixmap().height()) == (40, 30)
    assert card.card == {"title": "Cathode", "notes": "one\ntwo"}
    card.show_model(ModelEntry("grey", a_model(OutputKind.GREY), Path("run")))
    assert card.phases.texts == ["A grey model."]
    assert card.picture.isHidden()
    assert card.card == {}


def test_what_is_written_goes_into_the_model_and_nothing_else_does(card):
    one, two = (ModelEntry("one", described(), Path("a")), ModelEntry("two", a_model(), Path("b")))
    card.show_model(one)
    card.texts["author"].value = "Ada"
    assert one.model.info.card == {"title": "Cathode", "author": "Ada", "notes": "one\ntwo"}
    card.show_model(two)
    card.texts["title"].value = "Two"
    card.show_model(one)
    card.texts["title"].value = " "
    assert (one.model.info.card.get("title"), two.model.info.card) == (None, {"title": "Two"})
    card.texts["notes"].value = "x" * 20_000
    assert len(one.model.info.card["notes"]) == 10_000


def test_hostile_files_are_shown_as_plain_text(card):
    bad = {
        "images": ["<img src=x>", 3, None],
        "iterations": "many",
        "seconds": float("nan"),
        "training": [],
        "heldout": {"correlation_error": "<b>0</b>", "fraction_error": []},
        "versions": "none",
        "created": "x" * 5000 + "\x00",
    }
    entry = ModelEntry("bad", described(provenance=bad, phase_names=("<b>Pore</b>", "\u202eG")), Path("bad"))
    card.show_model(entry)
    named = [label for label in card.phases.findChildren(QLabel) if label.text()]
    for label in (*named, *(label.native for label in card.facts.values())):
        assert label.textFormat() == Qt.TextFormat.PlainText
    assert card.phases.texts[0] == "<b>Pore</b> (1)"
    facts = facts_of(entry)
    assert facts["Images"] == "<img src=x>, 3, None"
    assert (facts["Training"], facts["Held out"], facts["Seed"], facts["Versions"]) == ("", "", "", "")
    assert len(facts["Created"]) < 400


def test_models_of_one_name_are_told_apart(tmp_path):
    models, model = Models(), a_model()
    run = tmp_path / "run"
    run.mkdir()
    files = [tmp_path / name for name in ("one/a.safetensors", "two/a.safetensors", "two/a.pt")]
    for path in (run, *files):
        models.add(ModelEntry(run_name(path), model, path))
    assert [label for label, _ in models.choices] == ["run", "a (one)", "a (two)", "a (two) [2]"]
    models.add(ModelEntry("a", model, tmp_path / "one" / "a.safetensors"))
    assert len(models.entries) == 4  # it was loaded again
    models.move(run, tmp_path / "renamed")
    assert next(label for label, _ in models.choices) == "renamed"
    assert run_name(run / "checkpoint.pt") == "run"
    assert file_name("a/b: c?.") == "a_b_ c_"


def test_a_loaded_model_has_the_colours_that_it_names():
    models, shown = Models(), Look()
    models.add(ModelEntry("a", described(), Path("a")))
    table = models.entries[0].look.colormap.color_dict
    np.testing.assert_allclose(table[2], np.array([255, 136, 0, 255]) / 255)
    models.add(ModelEntry("b", described(), Path("b"), shown))
    assert models.entries[1].look is shown
    models.add(ModelEntry("c", a_model(), Path("c")))
    assert models.entries[2].look is None


def test_a_model_is_saved_and_loaded_with_its_card(viewer, open_dock, qtbot, monkeypatch, tmp_path):
    dock = a_dock(viewer, open_dock)
    dock.jobs.models.add(ModelEntry("described", described(), tmp_path))
    files, path = dock.files, tmp_path / "shared.safetensors"
    files.card.texts["licence"].value = "CC BY 4.0"

    def save_as(name: str) -> str:
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / name) if name else "", ""))
        click(files.save)
        qtbot.waitUntil(lambda: not dock.jobs.loading.status.state.is_busy, timeout=20_000)
        return text_of(dock.panel.message)

    assert save_as("") == ""
    assert save_as("shared") == f"Wrote {path}."
    assert [file.name for file in tmp_path.iterdir()] == ["shared.safetensors"]
    path.write_bytes(b"mine")
    monkeypatch.setattr(model_files, "may_replace", lambda *_: False)
    save_as("shared")
    assert path.read_bytes() == b"mine"
    assert save_as("shared.safetensors") == f"Wrote {path}."  # Qt has asked
    assert "cannot be written" in save_as("nowhere/shared.safetensors")
    dock.jobs.loading.start(path)
    qtbot.waitUntil(lambda: dock.form.entry.path == path, timeout=20_000)
    assert dock.form.entry.model.info.card == {"title": "Cathode", "licence": "CC BY 4.0", "notes": "one\ntwo"}
    files.card.texts["author"].value = "Ada"
    files.card.save.native.click()
    qtbot.waitUntil(lambda: not dock.jobs.loading.status.state.is_busy, timeout=20_000)
    assert read_info(path).card["author"] == "Ada"
    dock.jobs.models.add(ModelEntry("checkpoint", a_model(), tmp_path / "checkpoint.pt"))
    assert not files.card.save.enabled
    assert "checkpoint keeps no texts" in files.card.save.tooltip


def test_the_hint_says_what_is_next(viewer, open_dock, qtbot, monkeypatch):
    opened: list[str] = []
    monkeypatch.setattr(generate_widget, "open_dock", lambda _viewer, name: opened.append(name))
    dock = open_dock(viewer, "Generate volume")
    assert "no model yet" in dock.hint.label.text()
    dock.hint.button.click()
    a_dock(viewer, lambda *_: dock)
    assert "press Generate" in dock.hint.label.text()
    set_shape(dock, 16, 16, 16)
    click(dock.generate)
    assert dock.hint.isHidden()
    assert until_done(dock, qtbot).state is State.FINISHED
    assert "compare it" in dock.hint.label.text()
    dock.hint.button.click()
    assert opened == [TRAIN, COMPARE]
    set_shape(dock, 16, 16, 20)
    assert "press Generate" in dock.hint.label.text()


def test_notes_are_plain_text_and_left_with_tab(card):
    card.show_model(ModelEntry("mine", described(), Path("mine.safetensors")))
    notes = card.texts["notes"].native
    notes.selectAll()
    rich = QMimeData()
    rich.setHtml("<b>bold</b>")
    rich.setText("bold")
    QGuiApplication.clipboard().setMimeData(rich)
    notes.paste()
    assert not notes.textCursor().charFormat().font().bold()
    QTest.keyClick(notes, Qt.Key.Key_Tab)
    assert card.card["notes"] == "bold"


def test_the_ground_of_notes_is_that_of_a_line_in_every_theme(card):
    line, notes = card.texts["title"].native, card.texts["notes"].native
    for colour in ("#123456", "#fedcba"):
        palette = line.palette()
        palette.setColor(QPalette.ColorRole.Base, QColor(colour))
        line.setPalette(palette)
        assert notes.palette().color(QPalette.ColorRole.Base) == QColor(colour)


def test_a_title_ends_where_it_would_not_be_read(card):
    card.show_model(ModelEntry("mine", described(), Path("mine.safetensors")))
    card.texts["title"].native.setText("")
    QTest.keyClicks(card.texts["title"].native, "x" * 300)
    assert card.card["title"] == "x" * 200
