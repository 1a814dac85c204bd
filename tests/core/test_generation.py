"""Volumes of any shape from one latent field: tiles, seeds, periods, refusals."""

import numpy as np
import pytest
import torch

from napari_slicegan.core import generation
from napari_slicegan.core.config import OutputKind
from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.generation import as_values, latent_field
from tests.core.conftest import SETS
from tests.core.test_model import a_model


def one_pass(model, field):
    """The volume of a latent field, made without tiles."""
    with torch.no_grad():
        return as_values(model.generator(field[None])[0], model.info.phases, model.info.levels)


@pytest.mark.parametrize("kind", SETS)
def test_tiles_make_the_volume_of_the_large_pass(kind, monkeypatch):
    model = a_model(kind, output=OutputKind.GREY, image_channels=1)
    monkeypatch.setattr(generation, "TILE", 64)
    shape = (150, 64, 70)
    config = model.info.network
    whole = one_pass(model, latent_field(shape, 5, "", config.latent_channels, config.geometry))
    volume = model.generate(shape, seed=5)
    assert volume.shape == shape
    difference = whole[:150, :64, :70].astype(int) - volume
    assert np.abs(difference).max() <= 1  # rounding at the edge of a grey level
    assert volume.std() > 2


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
    model = a_model(kind, output=OutputKind.GREY, image_channels=1)
    config = model.info.network
    scale = config.geometry.scale
    shape = (2 * scale, scale, 3 * scale)
    volume = model.generate(shape, seed=4, periodic=periodic)
    assert volume.shape == shape
    field = latent_field(shape, 4, periodic, config.latent_channels, config.geometry)
    period = [size // scale if axis in periodic else None for axis, size in zip("zyx", shape, strict=True)]
    for axis, cells in enumerate(period, start=1):
        if cells:  # two periods and the overlap, of the endlessly repeated latent
            field = field.index_select(axis, torch.arange(2 * cells + config.geometry.overlap) % cells)
    twice = np.tile(volume, [2 if axis in periodic else 1 for axis in "zyx"]).astype(int)
    assert np.abs(one_pass(model, field) - twice).max() <= 1
    plain = model.generate(shape, seed=4)
    assert (plain != volume).any()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"shape": (0, 5, 5)}, "three whole numbers"),
        ({"shape": (5, 5)}, "three whole numbers"),
        ({"shape": (5.5, 5, 5)}, "three whole numbers"),
        ({"shape": (5, 5, 5), "seed": -1}, "seed"),
        ({"shape": (64, 64, 64), "periodic": "w"}, "letters of z, y and x"),
        ({"shape": (64, 64, 70), "periodic": "x"}, r"x has 70: choose 64 or 96"),
        ({"shape": (64, 64, 20), "periodic": "x"}, r"x has 20: choose 32\."),
    ],
)
def test_what_cannot_be_made(arguments, words):
    with pytest.raises(ModelError, match=words):
        a_model().generate(**arguments)


def test_a_volume_that_does_not_fit_into_memory_is_a_sentence(monkeypatch):
    with pytest.raises(ModelError, match="does not fit into memory"):
        a_model().generate((10**6, 10**6, 10**6))
    monkeypatch.setattr(generation, "free_memory", lambda: 10**6)
    with pytest.raises(ModelError, match=r"does not fit into memory, of which 0.001 GB are free"):
        a_model().generate((128, 128, 128))


def test_memory_that_runs_out_on_the_way_is_a_sentence(monkeypatch):
    model = a_model()

    def fail(_latent):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(model.generator, "forward", fail)
    with pytest.raises(ModelError, match="does not fit into memory"):
        model.generate((64, 64, 64))


def test_progress_ends_at_one_and_can_end_the_work():
    seen = []
    a_model().generate((130, 64, 64), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1

    def cancel(_fraction):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        a_model().generate((130, 64, 64), progress=cancel)
