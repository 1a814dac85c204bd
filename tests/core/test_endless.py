"""Endless volumes: only what is looked at is made, and it is what `generate` makes."""

import threading
import time
from itertools import product

import numpy as np
import pytest

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.volume import endless
from napari_slicegan.core.volume.endless import EndlessVolume
from napari_slicegan.core.volume.evaluation import Evaluation
from napari_slicegan.core.volume.lazy import LazyArray
from napari_slicegan.core.volume.planes import TILE, PlaneCache, PlaneView, patch_of
from tests.core.conftest import SETS
from tests.core.test_model import a_model

EDGE = 1024
HALF = EDGE // 2


@pytest.fixture
def open_volume():
    """Opens small endless volumes, and closes them in the end."""
    volumes = []

    def open_it(model=None, seed=3, **settings) -> EndlessVolume:
        volumes.append(EndlessVolume(model or a_model(), seed, edge=EDGE, **settings))
        return volumes[-1]

    yield open_it
    for volume in volumes:
        volume.close()
        assert volume.wait(60)


@pytest.fixture
def boxes(monkeypatch) -> list:
    """The boxes that are made, as ranges in the endless volume."""
    made, box = [], Evaluation.box

    def recorded(self, request, wanted, check=None, thin=None):
        made.append(wanted)
        return box(self, request, wanted, check, thin)

    monkeypatch.setattr(Evaluation, "box", recorded)
    return made


def until(true) -> None:
    """Wait for something to come true."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def seen(volume, view) -> np.ndarray:
    """The voxels of a view, when they are there."""
    volume.look(view)
    until(lambda: not volume.message)
    return np.asarray(volume.levels[0][where(view)])


def where(view) -> tuple:
    """A view as an index."""
    axis, index = view.plane
    key = [slice(along.start, along.stop) for along in (view.rows, view.columns)]
    key.insert(axis, index)
    return tuple(key)


def generated(model, view, seed=3) -> np.ndarray:
    """The same voxels from `generate`."""
    axis, index = view.plane
    spans = [view.rows, view.columns]
    spans.insert(axis, range(index, index + 1))
    origin = tuple(span.start - HALF for span in spans)
    return np.moveaxis(model.generate(tuple(map(len, spans)), seed, origin=origin), axis, 0)[0]


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("kind", SETS)
def test_a_plane_is_what_generate_makes(kind, axis, open_volume):
    model = a_model(kind, phases=(2, 5, 300))
    view = PlaneView((axis, HALF - 7), range(HALF - 80, HALF + 41), range(HALF + 3, HALF + 200))
    np.testing.assert_array_equal(seen(open_volume(model), view), generated(model, view))


@pytest.mark.parametrize(("output", "channels"), [(OutputKind.GREY, 1), (OutputKind.COLOUR, 3)])
def test_intensities_are_what_generate_makes(output, channels, open_volume):
    model = a_model(output=output, image_channels=channels)
    view = PlaneView((1, HALF + 5), range(HALF - 30, HALF + 90), range(HALF - 20, HALF + 50))
    volume = open_volume(model)
    plane, expected = seen(volume, view), generated(model, view)
    assert volume.levels[0].shape[3:] == plane.shape[2:] == expected.shape[2:]
    assert np.ptp(expected) > 20
    assert np.abs(plane.astype(int) - expected).max() <= 1
    if channels == 3:
        np.testing.assert_array_equal(np.asarray(volume.levels[0][(*where(view), 1)]), plane[..., 1])


def test_coarser_levels_are_every_second_voxel(open_volume):
    volume = open_volume()
    assert [level.shape for level in volume.levels] == [(edge,) * 3 for edge in (1024, 512, 256, 128, 64)]
    view = PlaneView((0, HALF), range(EDGE), range(HALF - 64, HALF + 64))
    seen(volume, view)
    whole = np.asarray(volume.levels[0][HALF])
    assert np.unique(whole[:, HALF - 64 : HALF + 64]).size == 3
    for number, level in enumerate(volume.levels):
        step = 2**number
        np.testing.assert_array_equal(np.asarray(level[HALF // step]), whole[::step, ::step])
        np.testing.assert_array_equal(np.asarray(level[HALF // step, 3:50, 20:]), whole[::step, ::step][3:50, 20:])


def test_a_voxel_and_a_line_are_read_from_planes(open_volume):
    volume = open_volume()
    view = PlaneView((2, 400), range(450, 520), range(500, 600))
    plane = seen(volume, view)
    assert volume.levels[0][460, 510, 400] == plane[10, 10]
    np.testing.assert_array_equal(np.asarray(volume.levels[0][460, 500:600, 400]), plane[10])
    np.testing.assert_array_equal(np.asarray(volume.levels[0][450:520, 510:511, 400:401])[:, 0, 0], plane[:, 10])
    assert not np.asarray(volume.levels[0][460:462, 510:512, 400:402]).any()


def test_reading_makes_nothing(open_volume, boxes):
    volume = open_volume()
    for level in volume.levels:
        assert not np.asarray(level[level.shape[0] // 2]).any()
    assert not np.asarray(volume.levels[-1]).any()
    assert not boxes
    assert not volume.message


def test_only_what_is_seen_is_made_and_only_once(open_volume, boxes):
    volume = open_volume()
    for left in (0, 10, 100):
        boxes.clear()
        seen(volume, PlaneView((0, 300), range(200, 700), range(left, left + 200)))
        made = np.zeros((EDGE, EDGE), int)
        for _, rows, columns in boxes:
            made[rows[0] + HALF : rows[1] + HALF, columns[0] + HALF : columns[1] + HALF] += 1
        new = {0: slice(0, 256), 10: slice(0, 0), 100: slice(256, 320)}[left]
        expected = np.zeros_like(made)
        expected[192:704, new] = 1
        np.testing.assert_array_equal(made, expected)
        assert {depth for depth, _, _ in boxes} <= {(300 - HALF, 301 - HALF)}


def test_the_middle_is_made_first(open_volume, boxes):
    seen(open_volume(), PlaneView((0, 0), range(EDGE), range(EDGE)))
    _, rows, columns = boxes[0]
    assert -2 * TILE <= rows[0] <= 0 < rows[1]
    assert -2 * TILE <= columns[0] <= 0 < columns[1]
    assert len(boxes) < 12


def test_what_was_not_looked_at_for_longest_makes_room(open_volume, boxes):
    volume = open_volume(memory_bytes=3 * TILE**2)
    views = [PlaneView((0, index), range(10, 20), range(10, 20)) for index in range(4)]
    for view in (*views[:3], views[0], views[3]):
        seen(volume, view)
    assert len(boxes) == 4
    kept = [np.asarray(volume.levels[0][where(view)]).any() for view in views]
    assert kept == [True, False, True, True]


def test_more_than_the_memory_holds_is_not_made_for_ever(open_volume, boxes):
    volume = open_volume(memory_bytes=3 * TILE**2)
    seen(volume, PlaneView((0, 0), range(EDGE), range(100)))
    volume.look(PlaneView((0, 0), range(EDGE), range(100)))
    assert not volume.message
    assert len(boxes) == 2
    assert sum(np.asarray(volume.levels[0][0, row * TILE]).any() for row in range(16)) <= 3


def test_a_view_that_is_too_wide_is_only_shown(open_volume, boxes, monkeypatch):
    monkeypatch.setattr(endless, "WIDEST", 500 * 500)
    volume = open_volume()
    volume.look(PlaneView((0, 0), range(600), range(500)))
    assert "Zoom in" in volume.message
    seen(volume, PlaneView((0, 0), range(500), range(500)))
    assert boxes


class Gate:
    """Holds the network between two layers until it is opened."""

    def __init__(self, monkeypatch):
        self.opened, self.reached, self.finished, box = threading.Event(), threading.Event(), [], Evaluation.box

        def held(evaluation, request, wanted, check=None, thin=None):
            def slow(fraction):
                if fraction > 0.3:
                    self.reached.set()
                    assert self.opened.wait(60)
                check(fraction)

            voxels = box(evaluation, request, wanted, slow, thin)
            self.finished.append(wanted)
            return voxels

        monkeypatch.setattr(Evaluation, "box", held)


def test_the_latest_view_wins(open_volume, monkeypatch):
    gate, volume = Gate(monkeypatch), open_volume()
    views = [PlaneView((0, index), range(10, 20), range(10, 20)) for index in range(4)]
    volume.look(views[0])
    assert gate.reached.wait(60)
    for view in views:
        volume.look(view)
    gate.opened.set()
    until(lambda: not volume.message)
    assert [z for z, _, _ in gate.finished] == [(3 - HALF, 4 - HALF)]


def test_what_is_still_seen_is_not_given_up(open_volume, monkeypatch):
    gate, volume = Gate(monkeypatch), open_volume()
    volume.look(PlaneView((0, 0), range(10, 20), range(10, 20)))
    assert gate.reached.wait(60)
    volume.look(PlaneView((0, 0), range(10, 20), range(30, 80)))
    gate.opened.set()
    until(lambda: not volume.message)
    assert len(gate.finished) == 2


def test_looking_away_ends_the_work(open_volume, monkeypatch):
    gate, volume = Gate(monkeypatch), open_volume()
    volume.look(PlaneView((0, 0), range(10, 20), range(10, 20)))
    assert gate.reached.wait(60)
    volume.look(None)
    gate.opened.set()
    seen(volume, PlaneView((1, 0), range(10, 20), range(10, 20)))
    assert len(gate.finished) == 1


def test_closing_ends_the_thread_and_forgets_all(open_volume, monkeypatch):
    volume, calls = open_volume(), []
    first, second = (PlaneView((0, index), range(10, 20), range(10, 20)) for index in range(2))
    assert seen(volume, first).any()
    gate = Gate(monkeypatch)
    volume.on_change = lambda: calls.append(1)
    volume.look(second)
    assert gate.reached.wait(60)
    volume.close()
    gate.opened.set()
    assert volume.wait(60)
    assert not gate.finished
    assert not calls
    assert not np.asarray(volume.levels[0][where(first)]).any()
    volume.look(first)
    assert not volume.message


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "not enough memory"),
        (RuntimeError("CUDA out of memory"), "not enough memory"),
        (RuntimeError("the disk is round"), "the disk is round"),
    ],
)
def test_an_error_is_told_and_the_next_view_is_tried(error, words, open_volume, monkeypatch):
    volume, box, told = open_volume(), Evaluation.box, threading.Event()

    def broken(*_, **__):
        raise error

    monkeypatch.setattr(Evaluation, "box", broken)
    volume.on_change = told.set
    volume.look(PlaneView((0, 0), range(10, 20), range(10, 20)))
    assert told.wait(60)
    assert words in volume.message
    monkeypatch.setattr(Evaluation, "box", box)
    assert seen(volume, PlaneView((0, 0), range(10, 20), range(10, 30))).any()


def test_it_is_told_when_voxels_are_there(open_volume):
    volume, told = open_volume(), []
    volume.on_change = lambda: told.append((volume.made, volume.message))
    seen(volume, PlaneView((0, 0), range(EDGE), range(10)))
    assert told == [(1, "Computing 6 tiles …"), (2, "")]


def test_a_reader_that_rounds_the_other_way_gets_its_plane(open_volume):
    volume = open_volume()
    np.asarray(volume.levels[1][100, 3:40])
    assert volume.last_read((0, 202), 2) == (0, 200)
    assert volume.last_read((0, 204), 2) == (0, 204)
    assert volume.last_read((1, 202), 2) == (1, 202)
    assert volume.last_read((0, 201), 1) == (0, 201)


def test_a_lazy_array_is_sliced_like_any_other():
    whole = np.arange(9 * 7 * 8 * 3, dtype=np.int16).reshape(9, 7, 8, 3)
    lazy = LazyArray(lambda places: whole[_keys(places)], tuple(map(range, whole.shape)), whole.dtype)
    assert (lazy.shape, lazy.ndim, lazy.size, lazy.nbytes, len(lazy)) == (whole.shape, 4, whole.size, whole.nbytes, 9)
    keys = [1, -1, slice(2, -1), slice(None, None, 3), slice(50, 60), Ellipsis, np.int64(2)]
    for one, two in product(keys, keys):
        if one is Ellipsis and two is Ellipsis:
            continue
        part = lazy[one, two]
        assert part.shape == whole[one, two].shape
        np.testing.assert_array_equal(np.asarray(part), whole[one, two])
        if part.size:
            np.testing.assert_array_equal(np.asarray(part[..., 1:, 0]), whole[one, two][..., 1:, 0])
    assert lazy[1, 2, 3, 1] == whole[1, 2, 3, 1]
    np.testing.assert_array_equal(lazy[::-1], whole[::-1])
    np.testing.assert_array_equal(lazy[[1, 4], :2], whole[[1, 4], :2])
    assert np.asarray(lazy[2], dtype=float).dtype == float
    for key in (9, (0, 7), (0, 0, 0, 0, 0)):
        with pytest.raises(IndexError):
            lazy[key]


def _keys(places) -> tuple:
    return tuple(place if isinstance(place, int) else slice(place.start, place.stop, place.step) for place in places)


def test_what_no_memory_holds_is_not_read(open_volume):
    volume = EndlessVolume(a_model())
    with pytest.raises(ModelError, match=r"16384 x 16384 x 16384 voxels .* smaller box"):
        np.asarray(volume.levels[0])
    with pytest.raises(ModelError, match="512 MiB"):
        volume.levels[0][::-1]
    assert np.asarray(volume.levels[-1]).shape == (64, 64, 64)


def test_patches_are_rectangles_of_missing_tiles():
    rng = np.random.default_rng(0)
    for _ in range(50):
        rows, columns = np.nonzero(rng.random((14, 17)) < 0.9)
        missing = list(zip(rows.tolist(), columns.tolist(), strict=True))
        rng.shuffle(missing)
        missing = [tuple(place) for place in missing]
        while missing:
            patch = patch_of(missing)
            inside = set(product(*patch))
            assert missing[0] in inside
            assert inside <= set(missing)
            assert max(map(len, patch)) <= 10
            missing = [place for place in missing if place not in inside]
    assert patch_of(list(product(range(9), range(8)))) == (range(9), range(8))


def test_a_cache_pastes_any_rows_and_columns():
    whole = np.random.default_rng(0).integers(1, 99, (4 * TILE, 5 * TILE), np.uint8)
    cache = PlaneCache(10**6)
    cache.add((1, 7), (range(4), range(5)), whole)
    assert cache.nbytes == whole.nbytes
    for rows, columns in product((range(256), range(3, 200, 7), range(70, 71), range(0, 256, 128)), repeat=2):
        image = np.zeros((len(rows), len(columns)), np.uint8)
        cache.paste(image, (1, 8), rows, columns)
        assert not image.any()
        cache.paste(image, (1, 7), rows, columns)
        np.testing.assert_array_equal(image, whole[_keys((rows, columns))])
