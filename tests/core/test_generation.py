"""Boxes of the endless volume: the same voxels in every box, tiles, periods, refusals."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from napari_slicegan.core import memory
from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.volume import tiles
from napari_slicegan.core.volume.evaluation import Evaluation
from napari_slicegan.core.volume.latent import latent_field
from napari_slicegan.core.volume.request import VolumeRequest
from napari_slicegan.core.volume.tiles import Tiles, tile_edge
from tests.core.conftest import SETS
from tests.core.test_model import a_model


def grey_model(kind):
    return a_model(kind, output=OutputKind.GREY, image_channels=1)


def one_pass(model, field):
    """The grey volume of a latent field (C, z, y, x) in one pass of the network as it was trained."""
    low, high = model.info.levels
    with torch.no_grad():
        volume = model.generator(torch.from_numpy(field)[None])[0, 0]
    return (low + (high - low) * volume).round().int().numpy()


def cut(volume, box, origin=(0, 0, 0)):
    return volume[tuple(slice(low - start, high - start) for (low, high), start in zip(box, origin, strict=True))]


@pytest.mark.parametrize("kind", SETS)
def test_tiles_make_the_volume_of_the_large_pass(kind):
    model = grey_model(kind)
    config, geometry = model.info.network, model.info.network.geometry
    first, counts = (-6, 0, 2), (8, 3, 4)
    field = latent_field(5, first, tuple(n + geometry.overlap for n in counts), config.latent_channels)
    shape = tuple(n * geometry.scale for n in counts)
    volume = model.generate(shape, seed=5, origin=tuple(n * geometry.scale for n in first))
    assert volume.shape == shape
    difference = np.abs(one_pass(model, field) - volume)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3  # rounding at the edge of a grey level
    assert volume.std() > 2


@pytest.mark.parametrize("phases", [(0, 1, 2), (7, 9, 300)])
@pytest.mark.parametrize("kind", SETS)
def test_labels_are_those_of_the_largest_probability(kind, phases):
    model = a_model(kind, phases)
    config, geometry = model.info.network, model.info.network.geometry
    edge = tile_edge(geometry)
    field = latent_field(1, (0, 0, 0), (edge // geometry.scale + geometry.overlap,) * 3, config.latent_channels)
    with torch.no_grad():
        probabilities = model.generator(torch.from_numpy(field)[None])[0].numpy()
    volume = model.generate((edge,) * 3, seed=1)
    first, second = np.sort(probabilities, axis=0)[:-3:-1]
    differs = np.array(phases)[probabilities.argmax(0)] != volume
    assert not (differs & (first - second > 1e-5)).any()
    assert set(np.unique(volume)) == set(np.array(phases)[np.unique(probabilities.argmax(0))])
    assert len(np.unique(volume)) > 1


@pytest.mark.parametrize("kind", SETS)
def test_a_voxel_is_the_same_in_200_boxes(kind, monkeypatch):
    """Bit for bit, whatever box it is asked in: single voxels, planes, boxes across tiles, negative origins."""
    monkeypatch.setattr(tiles, "TILE", 64)  # the same grid, quicker
    model, rng = grey_model(kind), np.random.default_rng(2)
    low, high = np.array([-75, -20, -10]), np.array([85, 75, 65])
    whole = model.generate(tuple(high - low), seed=3, origin=tuple(low))
    assert whole.std() > 2
    for number in range(200 if kind == "table 1" else 20):
        start = rng.integers(low, high - 1)
        shape = np.minimum(rng.integers(1, (2, 30, 160)[number % 3], size=3), high - start)
        if number % 4 == 1:
            shape[rng.integers(3)] = 1
        if number % 3 == 0:
            shape[:] = 1
        box = model.generate(tuple(shape), seed=3, origin=tuple(start))
        np.testing.assert_array_equal(box, cut(whole, [*zip(start, start + shape, strict=True)], low))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("kind", SETS)
def test_a_plane_made_alone_is_the_plane_of_the_volume(kind, axis):
    model = grey_model(kind)
    volume = model.generate((160,) * 3, seed=4, origin=(-20, 0, -64)).astype(int)
    evaluation, request = model.evaluation("exact"), VolumeRequest((1, 1, 1), seed=4)
    for place in (*range(6), 31, 63, 92):
        box = [(-20, 90), (3, 150), (-30, 77)]
        box[axis] = (place, place + 1 + place % 2)
        plane = evaluation.box(request, tuple(box), thin=axis).astype(int)
        difference = np.abs(plane - cut(volume, box, (-20, 0, -64)))
        assert difference.max() <= 1
        assert (difference > 0).mean() < 1e-3


def test_the_seed_decides():
    model = a_model()
    first = model.generate((40, 50, 60), seed=1)
    np.testing.assert_array_equal(first, model.generate((40, 50, 60), seed=1))
    assert (first != model.generate((40, 50, 60), seed=2)).mean() > 0.1


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 100, 3), (65, 64, 63)])
def test_any_shape(shape):
    assert a_model().generate(shape).shape == shape
    assert a_model(output=OutputKind.COLOUR).generate(shape).shape == (*shape, 3)


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("periodic", ["z", "yx", "zyx"])
def test_defect_11_a_periodic_volume_is_one_period_of_the_repeated_field(kind, periodic):
    model = grey_model(kind)
    config, geometry = model.info.network, model.info.network.geometry
    shape = tuple(n * geometry.scale for n in (2, 1, 3))
    volume = model.generate(shape, seed=4, periodic=periodic)
    assert volume.shape == shape
    twice = [2 if axis in periodic else 1 for axis in "zyx"]  # two periods, across the seam
    cells = [n * times + geometry.overlap for n, times in zip((2, 1, 3), twice, strict=True)]
    period = tuple(n if axis in periodic else None for n, axis in zip((2, 1, 3), "zyx", strict=True))
    field = latent_field(4, (0, 0, 0), tuple(cells), config.latent_channels, period)
    assert np.abs(one_pass(model, field) - np.tile(volume, twice).astype(int)).max() <= 1
    assert (model.generate(shape, seed=4) != volume).any()


@pytest.mark.parametrize("kind", SETS)
def test_the_origin_shifts_a_periodic_volume_around(kind):
    model = grey_model(kind)
    edge = 2 * model.info.network.geometry.scale
    volume = model.generate((edge,) * 3, seed=4, periodic="zx").astype(int)
    shifted = model.generate((edge,) * 3, seed=4, periodic="zx", origin=(-13, 0, 5 * edge + 7)).astype(int)
    assert np.abs(np.roll(volume, (13, -7), axis=(0, 2)) - shifted).max() <= 1


def test_tiles_cover_every_voxel_once():
    grid = Tiles(VolumeRequest((300, 5, 129), origin=(-130, 127, -1)), a_model().info.network.geometry)
    count = np.zeros((300, 5, 129), int)
    for tile in grid:
        count[tile.place] += 1
        sizes = [place.stop - place.start for place in tile.place]
        assert sizes == [inside.stop - inside.start for inside in tile.inside]
        assert all(start % 128 == 0 for start in tile.start)
        starts = zip(tile.start, tile.inside, tile.place, (-130, 127, -1), strict=True)
        assert all(start + inside.start == origin + place.start for start, inside, place, origin in starts)
    assert (count == 1).all()
    assert len(grid) == 4 * 2 * 2
    with pytest.raises(IndexError):
        grid[16]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"shape": (0, 5, 5)}, "three whole numbers above 0"),
        ({"shape": (5, 5)}, "three whole numbers above 0"),
        ({"shape": (5.5, 5, 5)}, "three whole numbers above 0"),
        ({"shape": (5, 5, 5), "origin": (1, 2)}, r"origin \(1, 2\) is not three whole numbers"),
        ({"shape": (5, 5, 5), "origin": (2**61, 0, 0)}, "farther out than"),
        ({"shape": (5, 5, 5), "seed": -1}, "seed"),
        ({"shape": (5, 5, 5), "seed": 2**63}, "seed"),
        ({"shape": (5, 5, 5), "seed": 1.5}, "seed"),
        ({"shape": (64, 64, 64), "periodic": "w"}, "letters of z, y and x"),
        ({"shape": (64, 64, 70), "periodic": "x"}, r"x has 70: choose 64 or 96"),
        ({"shape": (64, 64, 20), "periodic": "x"}, r"x has 20: choose 32\."),
    ],
)
def test_what_cannot_be_made(arguments, words):
    with pytest.raises(ModelError, match=words):
        a_model().generate(**arguments)


def test_a_volume_that_does_not_fit_into_memory_is_a_sentence(monkeypatch):
    with pytest.raises(ModelError, match=r"of memory, of which .* are free: choose a smaller one"):
        a_model().generate((10**6, 10**6, 10**6))
    monkeypatch.setattr(memory, "free_memory", lambda: 10**6)
    with pytest.raises(
        ModelError,
        match=r"takes about 2.1 MB of memory, of which 1 MB are free: ",
    ):
        a_model().generate((128, 128, 128))


def test_memory_that_runs_out_on_the_way_is_a_sentence(monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(Evaluation, "box", fail)
    with pytest.raises(ModelError, match="A tile of the volume does not fit into memory: end other programs"):
        a_model().generate((64, 64, 64))


def test_progress_comes_between_layers_ends_at_one_and_can_end_the_work():
    seen = []
    a_model().generate((130, 64, 64), progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) == 2 * (5 + 1)
    assert seen[-1] == 1

    def cancel(fraction):
        if fraction >= 0.2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        a_model().generate((130, 64, 64), progress=cancel)


def test_only_whole_tiles_of_the_grid_are_evaluated(monkeypatch):
    """Rounding depends on the shape of a convolution, so a voxel is only ever made in its one tile."""
    boxes, box = [], Evaluation.box

    def record(self, request, wanted, *rest):
        boxes.append(wanted)
        return box(self, request, wanted, *rest)

    monkeypatch.setattr(Evaluation, "box", record)
    a_model().generate((3, 1, 200), origin=(-2, 130, 7))
    assert boxes == [((z, z + 128), (128, 256), (x, x + 128)) for z in (-128, 0) for x in (0, 128)]


def test_threads_can_share_a_model():
    model = grey_model("table 1")
    expected = [model.generate((128, 20, 20), seed=seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        made = pool.map(lambda seed: model.generate((128, 20, 20), seed=seed), range(8))
        for volume, same in zip(made, expected, strict=True):
            np.testing.assert_array_equal(volume, same)


def test_fast_agrees_with_exact_nearly_everywhere():
    model = grey_model("table 1")
    exact = model.generate((64, 64, 64), seed=2).astype(int)
    fast = model.generate((64, 64, 64), seed=2, precision="fast").astype(int)
    assert 0 < np.abs(exact - fast).mean() < 0.01 * exact.std() + 0.5
    auto = model.generate((64, 64, 64), seed=2, precision="auto")
    assert (auto == fast).all() or (auto == exact).all()


@pytest.mark.parametrize("native", [True, False])
def test_auto_is_fast_only_where_the_processor_computes_in_16_bits(native, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": native}, raising=False)
    model = a_model()
    request = VolumeRequest((5, 5, 5), precision="auto")
    assert model.generation(request).request.precision == ("fast" if native else "exact")


def test_of_equal_probabilities_the_first_phase_is_taken():
    model = a_model(phases=(2, 4, 9))
    model.generator.layers[-1].weight.data.zero_()
    assert (model.generate((40, 9, 9)) == 2).all()
