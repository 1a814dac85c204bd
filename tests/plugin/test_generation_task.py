"""What the workers of the *Generate* dock do, without a window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_slicegan.core.choices import Precision
from napari_slicegan.core.errors import DefectError, OutputError
from napari_slicegan.core.output.reading import open_volume
from napari_slicegan.core.volume.request import VolumeRequest
from napari_slicegan.plugin.generate.task import (
    SurfaceOrder,
    VolumeOrder,
    Wish,
    export_surface,
    generate,
    is_unfinished,
    load_model,
    measure,
    paths_for,
    select,
)
from napari_slicegan.plugin.work import worker
from napari_slicegan.plugin.work.worker import CancelledError, Control
from tests.core.test_model import a_model

TWO = tuple(VolumeRequest((33, 20, 24), seed, (-5, 7, 0)) for seed in (3, 4))


def run(generator: Any) -> Any:
    """What a generator returns."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def stopped() -> Control:
    control = Control()
    control.stop()
    return control


def test_volumes_in_memory():
    control, seen = Control(), []
    control.report = seen.append
    for number, request in enumerate(TWO):
        volume = run(generate(a_model(), VolumeOrder(TWO), number, control))
        np.testing.assert_array_equal(volume, a_model().generate(request.shape, request.seed, origin=request.origin))
    assert min(seen) == 0.0
    assert 0.5 <= seen[-1] <= 1.0
    with pytest.raises(CancelledError):
        run(generate(a_model(), VolumeOrder(TWO), 0, stopped()))


def test_volumes_in_files(tmp_path):
    order = VolumeOrder(TWO, tmp_path / "v.npy")
    for number, request in enumerate(TWO):
        path = run(generate(a_model(), order, number, Control()))
        assert path == tmp_path / f"v_{request.seed}.npy"
        expected = a_model().generate(request.shape, request.seed, origin=request.origin)
        np.testing.assert_array_equal(open_volume(path), expected)


def test_a_stop_keeps_what_is_written_and_it_is_gone_on_with(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_slicegan.core.output.unfinished.SECONDS_BETWEEN_RECORDS", 0.0)
    monkeypatch.setattr(worker, "PAUSES", dict.fromkeys(worker.PAUSES, 0.0))
    request, control = VolumeRequest((200, 10, 200), 2), Control()
    order = VolumeOrder((request,), tmp_path / "v.npy")
    control.report = lambda fraction: control.stop() if fraction > 0.3 else None
    with pytest.raises(CancelledError):
        run(generate(a_model(), order, 0, control))
    assert is_unfinished(order.paths)
    run(generate(a_model(), VolumeOrder((request,), tmp_path / "v.npy", resume=True), 0, Control()))
    np.testing.assert_array_equal(np.load(tmp_path / "v.npy"), a_model().generate((200, 10, 200), 2))
    assert not is_unfinished(order.paths)


def test_resuming_leaves_finished_files_alone(tmp_path):
    finished = np.full(TWO[0].shape, 7, np.uint8)
    np.save(tmp_path / "v_3.npy", finished)
    order = VolumeOrder(TWO, tmp_path / "v.npy", resume=True)
    assert run(generate(a_model(), order, 0, Control())) == tmp_path / "v_3.npy"
    assert (np.load(tmp_path / "v_3.npy") == finished).all()
    with pytest.raises(OutputError, match="exists"):
        run(generate(a_model(), VolumeOrder(TWO, tmp_path / "v.npy"), 0, Control()))


@pytest.mark.parametrize(
    ("name", "seeds", "names"),
    [
        ("v.ome.zarr", [7], ["v.ome.zarr"]),
        ("v.ome.zarr", [7, 8], ["v_7.ome.zarr", "v_8.ome.zarr"]),
        ("v.OME.TIF", [7, 8], ["v_7.OME.TIF", "v_8.OME.TIF"]),
        ("a{seed}b.tif", [7], ["a7b.tif"]),
        ("a{seed}b.tif", [7, 8], ["a7b.tif", "a8b.tif"]),
        ("x.what", [1, 2], ["x_1.what", "x_2.what"]),
    ],
)
def test_names_of_files(name, seeds, names):
    assert paths_for(Path("d") / name, seeds) == tuple(Path("d") / each for each in names)


def test_the_best_seed(tmp_path):
    wish = Wish((0, 1, 2), 1, 0.4)
    ranking = run(select(a_model(), VolumeRequest((64, 64, 64)), wish, Control()))
    assert sorted(candidate.seed for candidate in ranking) == [0, 1, 2]
    share = {seed: (a_model().generate((64, 64, 64), seed) == 1).mean() for seed in wish.seeds}
    assert ranking[0].seed == min(share, key=lambda seed: abs(share[seed] - 0.4))
    with pytest.raises(CancelledError):
        run(select(a_model(), VolumeRequest((64, 64, 64)), wish, stopped()))


def test_the_speed():
    seconds = run(measure(a_model(), Precision.EXACT, Control()))
    assert seconds > 0
    with pytest.raises(CancelledError):
        run(measure(a_model(), Precision.EXACT, stopped()))


def test_a_surface(tmp_path):
    volume = np.zeros((6, 6, 6), np.uint8)
    volume[2:4, 2:4, 2:4] = 1
    order = SurfaceOrder(volume, 1, 0.5, "um", tmp_path / "s.stl")
    assert run(export_surface(order, Control())) == tmp_path / "s.stl"
    assert b"um" in (tmp_path / "s.stl").read_bytes()[:80]
    with pytest.raises(CancelledError):
        run(export_surface(order, stopped()))


def test_a_path_that_is_none_is_a_defect():
    with pytest.raises(DefectError, match="TypeError"):
        run(load_model(None, "auto", Control()))  # type: ignore[arg-type]
