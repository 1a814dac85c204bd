"""Table 1, the rules of uniform density, and the limits of settings."""

import json
from dataclasses import asdict, fields

import pytest

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.errors import ConfigError
from napari_slicegan.core.geometry import Geometry
from napari_slicegan.core.presets import PRESETS, default_preset, preset_named

TABLE_1 = ((4, 2, 2),) * 4 + ((4, 2, 3),)
SIX_THREE = ((6, 3, 3),) * 3
SIX_TWO = ((6, 2, 4),) * 4 + ((6, 2, 6),)


@pytest.mark.parametrize(
    ("layers", "scale", "surplus", "overlap", "edges", "edge"),
    [
        (TABLE_1, 32, 64, 2, (4, 6, 10, 18, 34, 64), 64),
        (SIX_THREE, 27, 39, 2, (4, 9, 24, 69), 54),
        (SIX_TWO, 32, 128, 4, (6, 8, 12, 20, 36, 64), 64),
    ],
)
def test_geometry_of_the_published_sets(layers, scale, surplus, overlap, edges, edge):
    geometry = Geometry(layers)
    assert (geometry.scale, geometry.surplus, geometry.overlap) == (scale, surplus, overlap)
    assert geometry.edges == edges
    assert geometry.edge == edge


def test_defaults_are_table_1_and_the_published_recipe():
    network, training = NetworkConfig(), TrainingConfig()
    assert network.layers == TABLE_1
    assert (network.latent_channels, network.channels) == (64, (512, 256, 128, 64))
    assert network.discriminator_channels == (64, 128, 256, 512)
    assert network.discriminator_kernels == (4, 4, 4, 4, 4)
    assert (training.discriminator_volumes, training.generator_volumes, training.real_crops) == (8, 16, 32)
    assert (training.discriminator_steps, training.penalty_weight, training.slices_per_axis) == (5, 10, 0)
    assert (training.learning_rate, training.beta1, training.beta2) == (1e-4, 0, 0.9)


def test_defect_04_paper_shows_the_generator_twice_the_volumes():
    recipe = PRESETS["paper"].training
    assert recipe.generator_volumes == 2 * recipe.discriminator_volumes
    quick = PRESETS["quick"].training
    assert quick.generator_volumes == 2 * quick.discriminator_volumes


def test_defect_03_resize_convolution_is_never_the_default():
    assert all(preset.network.upsampling == "transpose" for preset in PRESETS.values())
    assert NetworkConfig().upsampling == "transpose"
    assert NetworkConfig().channels == (512, 256, 128, 64)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stride": (2, 2, 4, 2, 2)}, r"Layer 3 .*stride < kernel"),
        ({"kernel": (4, 5, 4, 4, 4)}, r"Layer 2 .*multiple of stride"),
        ({"padding": (2, 2, 2, 2, 1)}, r"Layer 5 .*padding >= kernel - stride"),
        ({"padding": (3, 3, 3, 3, 3), "kernel": (4, 4, 4, 4, 4), "stride": (2, 2, 2, 2, 3)}, r"Layer 5"),
        ({"channels": (8, 8)}, "do not match"),
        ({"channels": (8, 8, 8, -1)}, "setting channels"),
        ({"latent_channels": 0}, "setting latent_channels"),
        ({"latent_channels": 2.5}, "whole numbers"),
        ({"kernel": 4}, "one number for each layer"),
        ({"discriminator_channels": (8, 8)}, "add hidden layers"),
        ({"discriminator_channels": (8,) * 7}, "remove hidden layers"),
        ({"upsampling": "magic"}, "choose one of transpose, resize"),
        ({"upsampling": "resize", "padding": (2, 2, 2, 2, 2)}, "resize-convolution"),
    ],
)
def test_what_cannot_work_is_refused_with_its_reason(change, words):
    with pytest.raises(ConfigError, match=words):
        NetworkConfig(**change)


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": float("nan")},
        {"learning_rate": -1},
        {"iterations": -1},
        {"iterations": 0},
        {"real_crops": 10**9},
        {"symmetry": "spiral"},
        {"discriminator_volumes": 1.5},
    ],
)
def test_training_settings_out_of_range_are_refused(change):
    with pytest.raises(ConfigError):
        TrainingConfig(**change)


def test_settings_survive_json():
    network = NetworkConfig(output=OutputKind.COLOUR, channels=(8, 8, 8, 8))
    assert NetworkConfig(**json.loads(json.dumps(asdict(network)))) == network


def test_every_setting_has_a_help_text():
    for item in (*fields(NetworkConfig), *fields(TrainingConfig)):
        assert item.metadata["help"].endswith("."), item.name


def test_presets_by_name():
    assert default_preset("cpu").name == "quick"
    assert default_preset("cuda").name == "paper"
    assert (preset_named("paper").network, preset_named("paper").training) == (NetworkConfig(), TrainingConfig())
    with pytest.raises(ConfigError, match="quick, large, paper"):
        preset_named("fast")
