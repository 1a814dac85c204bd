"""What napari offers of the plugin: its menus, docks and samples."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from napari._app_model.constants import MenuId
from npe2 import PluginManifest

import napari_slicegan

MANIFEST = PluginManifest.from_file(Path(napari_slicegan.__file__).parent / "napari.yaml")
CONTRIBUTIONS = MANIFEST.contributions


def test_every_menu_is_one_that_napari_shows():
    menus = set(CONTRIBUTIONS.menus)
    assert menus == {"napari/layers/data", "napari/file/new_layer", "napari/layers/measure"}
    assert menus <= {str(menu) for menu in MenuId.contributables()}


@pytest.mark.parametrize("command", CONTRIBUTIONS.commands, ids=lambda command: command.id)
def test_every_command_is_there(command):
    module, name = command.python_name.split(":")
    assert callable(getattr(import_module(module), name))


def test_the_docks_and_the_samples_have_their_names():
    names = [widget.display_name for widget in CONTRIBUTIONS.widgets]
    assert names == ["Train SliceGAN", "Generate volume", "Compare volumes"]
    assert MANIFEST.display_name == "SliceGAN"
    assert len(CONTRIBUTIONS.sample_data) == 4


def test_the_menus_open_the_docks(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    from napari._app_model import get_app_model

    for command in ("napari-slicegan.train", "napari-slicegan.generate", "napari-slicegan.compare"):
        actions = [item for menu in CONTRIBUTIONS.menus for item in get_app_model().menus.get_menu(menu)]
        (item,) = [item for item in actions if getattr(getattr(item, "command", None), "id", "").startswith(command)]
        get_app_model().commands.execute_command(item.command.id).result()
    assert len(viewer.window.dock_widgets) == 3
