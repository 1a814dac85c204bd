"""From configs to forms and back."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from magicgui.widgets import FloatSpinBox

from napari_slicegan.core.choices import Symmetry
from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.errors import ConfigError
from napari_slicegan.core.presets import PRESETS
from napari_slicegan.plugin.parts.form import build_form, read_form, show_config

pytestmark = pytest.mark.usefixtures("qapp")
CONFIGS = [
    TrainingConfig(),
    NetworkConfig(),
    *(p.training for p in PRESETS.values()),
    *(p.network for p in PRESETS.values()),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_the_untouched_form_gives_back_the_config(config):
    form = build_form(config)
    assert len(form) == len(fields(config))
    assert read_form(form, config) == config


@pytest.mark.parametrize("config", CONFIGS)
def test_a_form_shows_another_config(config):
    form = build_form(type(config)())
    show_config(form, config)
    assert read_form(form, type(config)()) == config


def test_small_numbers_are_shown():
    widget = build_form(TrainingConfig(), ["learning_rate"])[0]
    assert isinstance(widget, FloatSpinBox)
    assert float(widget.native.text()) == 1e-4


def test_every_field_has_its_help_and_its_limits():
    for field, widget in zip(fields(TrainingConfig), build_form(TrainingConfig()), strict=True):
        assert widget.tooltip == field.metadata["help"]
        if "low" in field.metadata:
            limits = (field.metadata["low"], field.metadata["high"])
            assert (widget.min, widget.max) == pytest.approx(limits, abs=1e-3)  # as many decimals as are shown


def test_what_is_entered_is_given_back():
    form = build_form(TrainingConfig(), ["seed", "symmetry", "learning_rate"])
    form.seed.value, form.symmetry.value, form.learning_rate.value = 2**62, Symmetry.MIRROR, 5e-5
    expected = replace(TrainingConfig(), seed=2**62, symmetry=Symmetry.MIRROR, learning_rate=5e-5)
    assert read_form(form, TrainingConfig()) == expected


@pytest.mark.parametrize("text", ["four", "1.5, 2", "1; 2", "print()", "()", "True, 2"])
def test_what_is_no_list_of_numbers_is_refused(text):
    form = build_form(NetworkConfig(), ["channels"])
    form.channels.value = text
    with pytest.raises(ConfigError, match="channels"):
        read_form(form, NetworkConfig())
