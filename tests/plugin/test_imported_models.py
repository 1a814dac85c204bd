"""A generator of the published code in napari: opened like any other model, and generated with."""

from napari_slicegan.core.importing.generator import import_generator
from tests.plugin.conftest import finish
from tests.plugin.test_reader import finish_loading
from tests.published import a_generator, lists, save


def test_an_imported_generator_is_in_the_list_of_models(viewer, qtbot, tmp_path):
    params = lists(2)
    path = tmp_path / "nmc.safetensors"
    import_generator(*save(tmp_path, a_generator(params, resized=True), params), None, (0, 255), 0.4, "um").save(path)
    viewer.window._qt_viewer._qt_open([str(path)], stack=False)
    finish_loading(viewer, qtbot)
    (dock,) = [widget for name, widget in viewer.window.dock_widgets.items() if "Generate" in name]
    entry = dock.form.entry
    assert (entry.name, entry.material) == ("nmc", "nmc")
    assert entry.summary == "2 phases: 0, 255 · 0.4 µm/voxel"
    assert entry.scale == 528  # of a period
    assert entry.model.generate((3, 4, 5)).shape == (3, 4, 5)
    finish(viewer, qtbot)
