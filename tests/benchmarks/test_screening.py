"""Every idea of the screening can be trained, changes what it says it changes, and is compared with the base."""

import json
from argparse import Namespace
from dataclasses import replace

import ideas
import pytest
import screening
import screening_table
import torch

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.presets import preset_named


@pytest.fixture(scope="module")
def phases() -> TrainingData:
    return TrainingData.from_images(screening.field())


@pytest.fixture(scope="module")
def grey() -> TrainingData:
    return screening.MATERIALS["polycrystal"](None)


@pytest.mark.parametrize("name", ideas.IDEAS)
def test_an_idea_moves_the_weights_of_all_players(name, phases, grey):
    data = grey if ideas.IDEAS[name].only_grey else phases
    gan = ideas.IDEAS[name].players(data, *screening.settings_of(name, 0), torch.device("cpu"))
    players = [gan.generator, *gan.discriminators]
    before = [next(player.parameters()).clone() for player in players]
    gan.update_discriminators()
    gan.update_generator()
    assert gan.is_finite
    assert not any(torch.equal(old, next(player.parameters())) for old, player in zip(before, players, strict=True))


def test_every_idea_is_one_of_its_own():
    recipes = [(*screening.settings_of(name, 0), idea.players) for name, idea in ideas.IDEAS.items()]
    assert all(recipes.count(recipe) == 1 for recipe in recipes)
    quick = preset_named("quick")
    assert screening.settings_of(ideas.BASE, 7) == (quick.network, replace(quick.training, seed=7, **ideas.ALONE))


def test_ideas_are_compared_with_the_base_of_the_same_seed_and_material(tmp_path, capsys):
    scores = {
        "base": {("cathode", 0): 1.0, ("field", 0): 2.0, ("cathode", 1): 4.0, ("field", 1): 1.0},
        "oblique": {("cathode", 0): 2.0, ("field", 0): 1.0, ("cathode", 1): 1.0, ("field", 1): 1.0},
        "shifts": {("cathode", 0): 3.0, ("field", 0): 6.0},
    }
    records = [
        {"idea": idea, "material": material, "seed": seed, "seconds": 90.0, "model": model, "score": score * times}
        for model, times in (("chosen", 1), ("other", 2))
        for idea, found in scores.items()
        for (material, seed), score in found.items()
    ]
    oblique = [one for one in records if (one["idea"], one["model"]) == ("oblique", "chosen")]
    assert screening_table.gains(oblique, records[:4]) == pytest.approx([1.0, 0.5])
    path = tmp_path / "results.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    screening_table.table(path, "base", "chosen", False)
    told = capsys.readouterr().out
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in told.splitlines()]
    ideas_told = [line for line in lines if line and line[0] in scores]
    assert [line[0] for line in ideas_told] == ["oblique", "base", "shifts"]  # the best first
    assert [line[2] for line in ideas_told] == ["2", "2", "1"]
    assert [line[-1] for line in ideas_told] == ["0.75 (0.5 .. 1)", "1 (1 .. 1)", "3"]
    assert ["other", "10 of 10", "2.00", "2 (2 .. 2)"] in lines


def test_runs_that_are_known_or_change_nothing_are_not_made_again(tmp_path, monkeypatch):
    path, jobs = tmp_path / "results.jsonl", []
    known = {"idea": ideas.BASE, "material": "field", "seed": 0, "seconds": 90.0, "model": "chosen"}
    path.write_text(json.dumps(known) + "\n")
    monkeypatch.setattr(screening, "_run_one", lambda name, material, seed, _: jobs.append((name, material, seed)))
    screening.run(
        Namespace(
            results=path,
            seeds=[0],
            ideas=[ideas.BASE, "plain contrast"],
            materials=["field", "polycrystal"],
            seconds=[90.0],
            jobs=1,
        )
    )
    assert jobs == [(ideas.BASE, "polycrystal", 0), ("plain contrast", "polycrystal", 0)]
