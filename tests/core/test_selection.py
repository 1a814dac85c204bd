"""The best of several seeds."""

from dataclasses import replace

import numpy as np
import pytest

from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.statistics.fractions import phase_fractions
from napari_slicegan.core.volume.evaluation import Evaluation
from napari_slicegan.core.volume.generation import Generation
from napari_slicegan.core.volume.request import VolumeRequest
from napari_slicegan.core.volume.selection import best_of
from tests.core.test_model import a_model

REQUEST = VolumeRequest((24, 30, 40), seed=99, origin=(-5, 7, 11))  # parts of two tiles
SEEDS = (4, 2, 7)


@pytest.fixture(scope="module")
def model():
    return a_model(phases=(3, 5, 300), channels=(4, 3, 2, 2))


def shares(model, seed, request=REQUEST) -> dict[int, float]:
    volume = model.generation(replace(request, seed=seed)).whole()
    return dict(zip(model.info.phases, phase_fractions(volume, model.info.phases), strict=True))


def test_candidates_tell_what_their_volumes_are_made_of(model):
    candidates = best_of(model, REQUEST, SEEDS, 5, 0.3)
    assert {candidate.seed for candidate in candidates} == set(SEEDS)
    for candidate in candidates:
        assert candidate.fractions == pytest.approx(shares(model, candidate.seed))
        assert candidate.difference == pytest.approx(abs(candidate.fractions[5] - 0.3))


@pytest.mark.parametrize("phase", [3, 5, 300])
def test_the_best_comes_first(model, phase):
    wanted = {seed: shares(model, seed)[phase] for seed in SEEDS}
    middle = sorted(wanted.values())[1]
    ranked = [candidate.seed for candidate in best_of(model, REQUEST, SEEDS, phase, middle)]
    assert wanted[ranked[0]] == middle
    assert ranked == sorted(SEEDS, key=lambda seed: abs(wanted[seed] - middle))


def test_of_equals_the_smallest_seed_comes_first(model, monkeypatch):
    monkeypatch.setattr(Evaluation, "box", lambda *_: np.full((128,) * 3, 3, np.uint16))
    assert [candidate.seed for candidate in best_of(model, REQUEST, (5, 1, 3, 1), 3, 0.5)] == [1, 3, 5]


def test_no_volume_is_held(model, monkeypatch):
    monkeypatch.setattr(Generation, "whole", None)
    sizes = []
    make = Generation.make

    def recorded(self, tile, check=None):
        part = make(self, tile, check)
        sizes.append(part.size)
        return part

    monkeypatch.setattr(Generation, "make", recorded)
    best_of(model, REQUEST, (1,), 3, 0.5)
    assert sum(sizes) == np.prod(REQUEST.shape)
    assert len(sizes) == 2


def test_memory_is_given_back_after_each_volume(model, monkeypatch):
    released = []
    monkeypatch.setattr(Generation, "release", lambda self: released.append(self.request.seed))
    best_of(model, replace(REQUEST, shape=(4, 4, 4)), (1, 2), 3, 0.5)
    assert released == [1, 2]


def test_progress_runs_once_from_0_to_1_and_can_stop_the_work(model):
    fractions = []
    best_of(model, REQUEST, (1, 2), 3, 0.5, fractions.append)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert len(fractions) > 2 * 2  # also within a tile

    def stop(fraction):
        if fraction >= 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        best_of(model, REQUEST, (1, 2), 3, 0.5, stop)


@pytest.mark.parametrize(
    ("phase", "fraction", "seeds", "words"),
    [
        (1, 0.5, (1,), "no phase 1: choose one of 3, 5, 300"),
        (3, 1.1, (1,), "fraction 1.1 is impossible: give a number from 0 to 1"),
        (3, -0.1, (1,), "impossible"),
        (3, float("nan"), (1,), "impossible"),
        (3, 0.5, (), "no seeds"),
        (3, 0.5, (1, -1), "The seed -1"),
    ],
)
def test_what_is_refused(model, phase, fraction, seeds, words, monkeypatch):
    monkeypatch.setattr(Generation, "make", None)  # refused before anything is made
    with pytest.raises(ModelError, match=words):
        best_of(model, REQUEST, seeds, phase, fraction)


def test_only_phases_have_fractions():
    with pytest.raises(ModelError, match="Only phases have volume fractions"):
        best_of(a_model(output="grey", image_channels=1), REQUEST, (1,), 0, 0.5)
