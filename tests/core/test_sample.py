"""Latent fields set aside, and what a generator makes of them."""

import pytest
import torch

from napari_slicegan.core import sample
from napari_slicegan.core.networks import Generator
from napari_slicegan.core.sample import Sample, in_pairs
from tests.core.conftest import small_network


def test_pairs_are_a_field_and_its_negative():
    fields = torch.randn(3, 2, 4, 4, 4)
    pairs = in_pairs(fields)
    assert pairs.shape == (6, 2, 4, 4, 4)
    assert torch.equal(pairs[::2], fields)
    assert torch.equal(pairs[1::2], -fields)


def test_a_sample_has_as_many_voxels_as_asked_for_in_pairs_of_volumes(monkeypatch):
    monkeypatch.setattr(sample, "EDGE", 16)
    network = small_network()
    assert Sample(network, 1).edge == 16
    assert len(Sample(network, 1).latents) == 64  # of 16 voxels along each edge
    assert len(Sample(network, 100).latents) == 128  # at the most
    monkeypatch.setattr(sample, "EDGE", 200)
    long = Sample(network, 10)
    assert len(long.latents) == 2  # at the least
    assert long.edge >= 200
    assert torch.equal(long.latents[0], -long.latents[1])


def test_the_fields_are_the_same_each_time_and_those_of_a_seed():
    network = small_network()
    assert torch.equal(Sample(network, 1).latents, Sample(network, 1).latents)
    assert not torch.equal(Sample(network, 1).latents, Sample(network, 1, seed=1).latents)


@pytest.mark.parametrize("channels", [2, 3])
def test_outputs_are_those_of_the_last_layer_in_batches(channels, monkeypatch):
    monkeypatch.setattr(sample, "EDGE", 16)
    monkeypatch.setattr(sample, "_MOST_VOLUMES", 6)
    monkeypatch.setattr(sample, "_VOXELS_AT_A_TIME", 4 * 16**3)
    made = Generator(small_network(image_channels=channels), torch.Generator().manual_seed(0)).eval()
    made.offsets += 3  # not theirs
    some = Sample(made.config, 1)
    batches = list(some.outputs(made))
    assert [len(batch) for batch in batches] == [4, 2]
    assert all(batch.dtype is torch.float16 and not batch.requires_grad for batch in batches)
    with torch.no_grad():
        torch.testing.assert_close(torch.cat(batches).float(), made.outputs(some.latents), rtol=1e-3, atol=1e-4)
    made.layers[-1].weight.data *= 1e7  # more than 16 bits hold
    assert all(batch.isfinite().all() for batch in some.outputs(made))
