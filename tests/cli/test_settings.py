"""Where settings come from, and in which order they win."""

import argparse
from dataclasses import fields
from pathlib import Path

import pytest

from napari_slicegan.cli.settings import Request, parse_assignment, settings_help
from napari_slicegan.core.choices import Upsampling
from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.errors import ConfigError
from napari_slicegan.core.presets import PRESETS


def request(**given) -> Request:
    defaults = {"preset": None, "config": None, "set": [], "seed": None, "iterations": None, "minutes": None}
    return Request.of(argparse.Namespace(**{**defaults, **given}))


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("seed=3", "seed", 3),
        ("learning_rate=1e-3", "learning_rate", 0.001),
        ("minutes=2", "minutes", 2.0),
        ("channels=8,4,2,2", "channels", (8, 4, 2, 2)),
        (" channels = (8, 4) ", "channels", (8, 4)),
        ("channels=8", "channels", (8,)),
        ("upsampling=resize", "upsampling", Upsampling.RESIZE),
    ],
)
def test_values_have_the_type_of_their_setting(text, name, value):
    assert parse_assignment(text) == (name, value)
    assert type(parse_assignment(text)[1]) is type(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed", "--set seed has no value: write FIELD=VALUE"),
        ("sed=1", "no setting 'sed': choose one of kernel, .*seed"),
        ("seed=1.5", "seed is '1.5': give a whole number"),
        ("seed=many", "seed is 'many': give a whole number"),
        ("learning_rate=fast", "learning_rate is 'fast': give a number"),
        ("learning_rate=nan", "learning_rate is nan: give a number"),
        ("channels=8,x", "channels is '8,x': give whole numbers with commas"),
        ("symmetry=turn", "symmetry is 'turn': give one of auto, none, mirror, rotate"),
        ("output=grey", "output follows from the image .*--kind"),
    ],
)
def test_bad_assignments_are_refused(text, words):
    with pytest.raises(ConfigError, match=words):
        parse_assignment(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[network]\nkernel = ", "bad.toml is not a TOML file"),
        ("[training]\nsed = 1", r"no setting 'sed' in \[training\] of bad.toml: choose one of iterations"),
        ("[training]\nkernel = [4]", r"no setting 'kernel' in \[training\]"),
        ("[training]\nseed = true", "seed is True: give a whole number"),
        ("[training]\nseed = 1.0", "seed is 1.0: give a whole number"),
        ("[network]\nkernel = 4", "kernel is 4: give whole numbers"),
        ("[networks]\nkernel = [4]", r"holds 'networks': use the tables \[network\] and \[training\]"),
        ("seed = 1", "holds 'seed': use the tables"),
    ],
)
def test_bad_files_are_refused(tmp_path, monkeypatch, text, words):
    monkeypatch.chdir(tmp_path)
    Path("bad.toml").write_text(text)
    with pytest.raises(ConfigError, match=words):
        request(config="bad.toml")


def test_a_missing_or_binary_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        request(config=str(tmp_path / "none.toml"))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not a TOML file"):
        request(config=str(tmp_path / "binary.toml"))


def test_preset_then_file_then_set_then_options(tmp_path):
    path = tmp_path / "file.toml"
    path.write_text("[training]\nseed = 1\nreal_crops = 5\nlearning_rate = 0.5\n[network]\nlatent_channels = 7")
    given = request(config=str(path), set=["seed=2", "real_crops=6"], seed=3)
    network, training = given.applied_to(PRESETS["paper"])
    assert (training.seed, training.real_crops, training.learning_rate) == (3, 6, 0.5)
    assert network == NetworkConfig(latent_channels=7)
    assert training.penalty_weight == TrainingConfig().penalty_weight


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
@pytest.mark.parametrize(("given", "end"), [({"iterations": 9}, (9, 0)), ({"minutes": 0.5}, (0, 0.5))])
def test_iterations_alone_means_no_limit_of_minutes_and_the_other_way_round(preset, given, end):
    _, training = request(set=["iterations=4", "minutes=4"], **given).applied_to(preset)
    assert (training.iterations, training.minutes) == end


def test_no_request_is_the_preset():
    assert request().applied_to(PRESETS["paper"]) == (NetworkConfig(), TrainingConfig())


def test_differences_name_what_has_another_value_but_not_the_end():
    given = request(set=["seed=2", "real_crops=32", "latent_channels=3", "iterations=1"])
    assert given.differences(NetworkConfig(), TrainingConfig()) == ["seed", "latent_channels"]


def test_the_help_tells_every_setting_with_its_values_and_its_meaning(command):
    text = command("train", "--help").out
    assert settings_help() in text
    words = " ".join(text.split())
    for config in (NetworkConfig, TrainingConfig):
        for item in fields(config):
            told = item.name not in ("output", "image_channels")
            assert (item.metadata["help"] in words) == told, item.name
    rates = " | ".join(str(preset.training.learning_rate) for preset in PRESETS.values())
    assert f"learning_rate [{rates}]" in words
    assert rates.endswith(" | 0.0001")
