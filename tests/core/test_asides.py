"""Previews and evaluations beside a training: what they cost, and that they belong to whoever gets them."""

import time
from dataclasses import replace

import numpy as np

from napari_slicegan.core import asides
from napari_slicegan.core.asides import Aside
from napari_slicegan.core.clock import Clock
from napari_slicegan.core.events import Preview
from napari_slicegan.core.interruption import Interrupted
from napari_slicegan.core.training import Trainer
from tests.core.conftest import small_network


def test_what_was_interrupted_has_cost_time_as_well():
    clock = Clock()
    aside = Aside("previews", clock, True)
    clock.seconds += 100

    def interrupted():
        raise Interrupted

    assert aside.do(interrupted, time.monotonic() - 4) is None
    assert not aside.is_affordable  # 4 seconds are gone, and the next time may take as long
    clock.seconds += 70
    assert aside.is_affordable
    assert aside.do(lambda: "made", time.monotonic()) == "made"


def test_nobody_writes_into_a_preview_that_was_given_out(recipe, data, monkeypatch):
    monkeypatch.setattr(asides, "_SHARE", 1e9)
    trainer = Trainer(data, small_network(), replace(recipe, preview_seconds=1e-9))
    given = [(event.volume, event.volume.copy()) for event in trainer if isinstance(event, Preview)]
    assert len(given) > 1
    assert all(np.array_equal(volume, copy) for volume, copy in given)
    assert not np.shares_memory(given[0][0], given[1][0])
