"""What a training will take: measured once, shown, and in the way where it has to be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_slicegan.core import training_estimate
from napari_slicegan.core.choices import Symmetry
from napari_slicegan.core.presets import PRESETS
from napari_slicegan.core.training_estimate import TrainingCosts
from napari_slicegan.plugin.layers import image_of
from napari_slicegan.plugin.parts.dock import Rows
from napari_slicegan.plugin.preferences import Preferences
from napari_slicegan.plugin.train import settings
from napari_slicegan.plugin.train.cost_rows import in_words
from napari_slicegan.plugin.train.estimate_job import Inquiry, measure_costs
from napari_slicegan.plugin.train.settings import Settings
from napari_slicegan.plugin.work.worker import CancelledError, Control
from tests.plugin.conftest import text_of, train_for, two_phases

COSTS = TrainingCosts(2.0, 10**9, "CPU, 2 threads", 12 * 10**9, "Get a graphics card.")


def test_costs_are_measured_once_for_each_choice(train_dock, qtbot, monkeypatch):
    asked, costs = [], train_dock.costs

    def measure(data, network, training, device, stop):
        asked.append(training.generator_volumes)
        needs = replace(COSTS, problem="Memory does not suffice: take the quick preset.")
        return needs if training.generator_volumes == 7 else COSTS

    monkeypatch.setattr(training_estimate, "measure", measure)
    train_for(train_dock, 150)
    qtbot.waitUntil(lambda: "about" in text_of(costs.takes), timeout=30_000)
    assert text_of(costs.takes) == "about 5 min · 1 GB of memory (12 GB free)"
    assert (costs.device.value, costs.help.tooltip) == ("CPU, 2 threads", "Get a graphics card.")
    assert costs.warning.isHidden()
    train_for(train_dock, 5400 * 20)
    assert "about 2 days on this computer" in costs.warning_text.text()
    assert not costs.warning.isHidden()
    assert train_dock.start.enabled  # who wants to may
    costs.quick.click()
    assert costs.warning.isHidden()
    assert len(asked) == 1
    train_dock.settings.training.generator_volumes.value = 7
    assert text_of(costs.takes) == "…"
    qtbot.waitUntil(lambda: not train_dock.start.enabled, timeout=30_000)
    assert train_dock.hint.label.text().startswith("Memory does not suffice")
    train_dock.settings.training.generator_volumes.value = 2
    assert train_dock.start.enabled
    assert len(asked) == 2


def inquiry() -> Inquiry:
    from napari.layers import Labels

    preset = PRESETS["quick"]
    return Inquiry((image_of(Labels(two_phases())),), "auto", "z", preset.network, preset.training, "cpu", 0)


def test_what_costs_the_same_is_the_same():
    one = inquiry()
    longer = replace(one, training=replace(one.training, iterations=10**6, seed=3))
    assert one.key == longer.key
    assert one.key != replace(one, training=replace(one.training, real_crops=9)).key
    assert one.key != replace(one, threads=1).key


def test_a_stop_reaches_the_measurement(monkeypatch):
    control = Control()

    def measure(data, network, training, device, stop):
        assert not stop.is_set()
        control.stop()
        assert stop.is_set()

    monkeypatch.setattr(training_estimate, "measure", measure)
    with pytest.raises(CancelledError):
        list(measure_costs(inquiry(), control))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (89, "89 s"), (240, "4 min"), (3 * 3600, "3 hours"), (40 * 3600, "2 days"), (9.2 * 86400, "9 days")],
)
def test_in_words(seconds, words):
    assert in_words(seconds) == words


def test_settings_start_from_the_preferences(qapp, monkeypatch):
    wishes = Preferences(device="mps", threads=3, preset="paper", preview_seconds=7.0)
    monkeypatch.setattr(settings, "preferences", lambda: wishes)
    rows = Rows()
    made = Settings(rows)
    assert (made.preset.value, made.device.value, made.threads.value) == ("paper", "mps", 3)
    assert made.training_config() == replace(PRESETS["paper"].training, preview_seconds=7.0)
    assert made.network_config() == PRESETS["paper"].network
    made.preset.value = "quick"
    expected = replace(PRESETS["quick"].training, preview_seconds=7.0)
    assert made.training_config() == expected
    assert made.training_config().symmetry is Symmetry.AUTO
