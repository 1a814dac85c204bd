"""The page in napari's Preferences, and files of it that were broken by hand."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from napari_slicegan.core.presets import PRESETS
from napari_slicegan.plugin.preferences import PAGE, PLUGIN, Preferences, default_folder, preferences, set_preference
from tests.plugin.test_manifest import MANIFEST


@pytest.fixture(autouse=True)
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where napari keeps the preferences in this test."""
    monkeypatch.setattr("napari.settings._CFG_PATH", tmp_path / "settings.yaml")
    monkeypatch.setattr("napari.settings._PLUGIN_SETTINGS", {})
    return tmp_path / f"{PLUGIN}.yaml"


def written(file: Path, **values: object) -> Preferences:
    """Preferences as they are read from a file."""
    file.write_text(yaml.safe_dump({PAGE: values}))
    return preferences()


def test_the_page_starts_with_the_defaults():
    assert preferences() == Preferences()
    page = MANIFEST.contributions.configurations[PAGE].properties
    assert {name: prop.default for name, prop in page.items()} == {
        field.name: field.default for field in fields(Preferences)
    }
    assert all(prop.title and len(prop.description) > 20 for prop in page.values())
    assert set(page["preset"].enum) == {"auto", *PRESETS}
    assert page["device"].enum == ["auto", "cpu", "cuda", "mps"]


def test_what_was_chosen_is_kept(file, monkeypatch):
    set_preference("threads", 3)
    set_preference("hints", False)
    assert yaml.safe_load(file.read_text()) == {PAGE: {"threads": 3, "hints": False}}
    monkeypatch.setattr("napari.settings._PLUGIN_SETTINGS", {})  # as in the next session
    assert preferences() == Preferences(threads=3, hints=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [("threads", -1), ("threads", "many"), ("device", "abacus"), ("preview_seconds", -2.0), ("nothing", 1)],
)
def test_what_the_page_does_not_allow_is_ignored(name, value, file):
    set_preference(name, value)
    assert preferences() == Preferences()
    assert not file.exists()


def test_wrong_values_in_the_file_are_left_out_and_right_ones_used(file):
    found = written(file, device="abacus", threads=2, preview_seconds=[], preset=None, hints="perhaps", extra=1)
    assert found == Preferences(threads=2)


@pytest.mark.parametrize("text", ["", "[1, 2]", "preferences: 3", ": :\n\t- {", "\0", "preferences: [a]"])
def test_a_broken_file_means_defaults(file, text):
    file.write_text(text)
    assert preferences() == Preferences()
    set_preference("threads", 2)


def test_a_napari_that_knows_no_preferences_means_defaults(monkeypatch):
    monkeypatch.delattr("napari.settings.get_plugin_settings")
    assert preferences() == Preferences()
    set_preference("threads", 2)


def test_the_folder_for_runs(file, monkeypatch, tmp_path):
    assert default_folder().parts[-2:] == (PLUGIN, "runs")
    set_preference("runs_folder", str(tmp_path / "mine"))
    assert default_folder() == tmp_path / "mine"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for text in ("~/runs", "runs", " runs "):
        set_preference("runs_folder", text)
        assert default_folder() == tmp_path / "runs"


def test_tooltips_of_the_page_are_not_wider_than_a_window():
    """napari shows descriptions as tooltips, and Qt does not wrap those."""
    page = MANIFEST.contributions.configurations[PAGE].properties
    assert max(len(line) for prop in page.values() for line in prop.description.splitlines()) <= 90
