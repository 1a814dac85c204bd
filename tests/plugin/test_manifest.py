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
    wanted = {"napari/layers/data", "napari/file/new_layer", "napari/file/io_utilities", "napari/layers/measure"}
    assert menus == wanted
    assert menus <= {str(menu) for menu in MenuId.contributables()}


@pytest.mark.parametrize("command", CONTRIBUTIONS.commands, ids=lambda command: command.id)
def test_every_command_is_there(command):
    module, name = command.python_name.split(":")
    assert callable(getattr(import_module(module), name))


def test_the_docks_and_the_samples_have_their_names():
    names = [widget.display_name for widget in CONTRIBUTIONS.widgets]
    assert names == ["Train SliceGAN", "Runs", "Generate volume", "Compare volumes"]
    assert MANIFEST.display_name == "SliceGAN"
    assert len(CONTRIBUTIONS.sample_data) == 7


def test_the_menus_open_the_docks(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    from napari._app_model import get_app_model

    for command in ("train", "runs", "generate", "compare"):
        actions = [item for menu in CONTRIBUTIONS.menus for item in get_app_model().menus.get_menu(menu)]
        (item,) = [
            item for item in actions if getattr(getattr(item, "command", None), "id", "").endswith(f".{command}")
        ]
        get_app_model().commands.execute_command(item.command.id).result()
    assert len(viewer.window.dock_widgets) == 4


def test_the_command_palette_offers_what_people_call():
    offered = [command.title for command in CONTRIBUTIONS.commands if command.enablement is None]
    called = {each.command for each in (*CONTRIBUTIONS.readers, *CONTRIBUTIONS.writers)}
    assert called == {command.id for command in CONTRIBUTIONS.commands if command.enablement == "False"}
    assert "Open a model…" in offered
    assert not any("SliceGAN" in title for title in offered if title != "Train SliceGAN")  # napari adds it


def test_napari_saves_our_endings_with_our_writers():
    from npe2 import PluginManager

    for kind in ("labels", "image"):
        for path, ending in (("v.ome.zarr", "ome_zarr"), ("v.ome.tif", "tiff"), ("v.OME.TIFF", "tiff")):
            writer, _ = PluginManager.instance().get_writer(path, [kind])
            assert writer.command == f"napari-slicegan.write_{kind}_{ending}"
        writer, _ = PluginManager.instance().get_writer("v.tif", [kind], "napari-slicegan")
        assert writer.command == f"napari-slicegan.write_{kind}_tiff"
