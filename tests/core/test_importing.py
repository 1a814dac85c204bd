"""Generators of the published code as models: the same voxels, and a sentence for all that is none of these."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
import torch

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.importing.generator import import_generator
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.model_header import read_info
from napari_slicegan.core.volume.latent import latent_field
from tests.published import LATENT, Published, a_generator, lists, save

KINDS = {"two phases": (2, None), "three phases": (3, None), "grey": (1, None), "colour": (3, OutputKind.COLOUR)}
TOPOLOGIES = {"transpose": False, "resize": True}


def both(folder, kind="two phases", resized=False):
    """A published generator, and the model that is made of its files."""
    channels, stated = KINDS[kind]
    params = lists(channels)
    generator = a_generator(params, "softmax" if "phases" in kind else "tanh", resized)
    return generator, import_generator(*save(folder, generator, params), stated)


def field(cells=4, start=0, seed=0):
    """Of the latent field of our volumes, as a batch of one."""
    return torch.from_numpy(latent_field(seed, (start,) * 3, (cells,) * 3, LATENT))[None]


def as_voxels(made, kind):
    """What voxels (C, Z, Y, X) of probabilities or intensities are, and where rounding alone can make them others."""
    if "phases" in kind:
        second, best = made.topk(2, dim=0).values.flip(0)
        return made.argmax(0).numpy(), (best - second < 1e-4).numpy()
    levels = made.mul(255).movedim(0, -1)
    near = (levels.frac() - 0.5).abs() < 1e-2
    return levels.round().squeeze(-1).numpy(), near.squeeze(-1).numpy()


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_a_model_makes_the_voxels_of_the_original_at_the_size_that_was_trained(kind, topology, tmp_path):
    generator, model = both(tmp_path, kind, TOPOLOGIES[topology])
    z = field(seed=7)
    original = generator(z)
    assert original.std() > 0.1
    exact = deepcopy(model.generator).double()(z.double())  # float32 rounds in another order
    torch.testing.assert_close(exact, deepcopy(generator).double()(z.double()), atol=1e-10, rtol=0)
    model.save(tmp_path / "model.safetensors")
    volume = SliceGAN.load(tmp_path / "model.safetensors", "cpu").generate((64, 64, 64), seed=7)
    expected, is_near = as_voxels(original[0], kind)
    assert is_near.mean() < 0.03
    np.testing.assert_array_equal(volume[~is_near], expected[~is_near])


@pytest.mark.parametrize(("prefix", "old"), [("module.", False), ("", True), ("module.", True)])
def test_files_of_several_graphics_cards_and_of_earlier_versions_of_torch_are_the_same(prefix, old, tmp_path):
    params = lists(2)
    generator = Published(params, resized=True)
    plain, other = (import_generator(*save(tmp_path, generator, params, *how)) for how in (("",), (prefix, old)))
    assert other.fingerprint == plain.fingerprint


@torch.no_grad()
def test_without_a_resize_convolution_the_voxels_are_those_of_the_original_at_any_size(tmp_path):
    generator, model = both(tmp_path)
    expected, is_near = as_voxels(generator(field(8, -2))[0], "two phases")
    volume = model.generate((192, 192, 192), origin=(-64, -64, -64))
    np.testing.assert_array_equal(volume[~is_near], expected[~is_near])


def test_what_no_file_tells_is_stated_or_assumed(tmp_path):
    params = lists(3)
    files = save(tmp_path, a_generator(params), params)
    assumed = import_generator(*files).info
    assert (assumed.kind, assumed.phases, assumed.voxel_size, assumed.unit) == ("phases", (0, 1, 2), 1, "pixel")
    stated = import_generator(*files, OutputKind.PHASES, (0, 128, 255), 0.4, "um")
    stated.save(tmp_path / "model.safetensors")
    info = read_info(tmp_path / "model.safetensors")
    assert (info.phases, info.voxel_size, info.unit) == ((0, 128, 255), 0.4, "um")
    assert set(np.unique(stated.generate((64, 64, 64)))) == {0, 128, 255}
    record = info.provenance["imported"]
    assert (record["generator"], record["parameters"], len(record["sha256"])) == ("nmc_Gen.pt", "nmc_params.data", 64)


def test_without_a_list_of_layers_they_are_taken_for_the_published_ones(tmp_path):
    params = lists(2)
    files = save(tmp_path, Published(params), params)
    assert import_generator(files[0]).fingerprint == import_generator(*files).fingerprint
    other = lists(2, kernel=[6] * 5, padding=[4, 4, 4, 4, 6])
    files = save(tmp_path, Published(other), other)
    with pytest.raises(ModelError, match=r"other layers than the published ones: give its list of layers"):
        import_generator(files[0])
    assert import_generator(*files).info.network.kernel == (6,) * 5


def test_lists_of_different_lengths_count_up_to_the_shortest(tmp_path):
    """Settings of MicroLib and of earlier versions have six kernels and strides for five layers."""
    params = lists(2, kernel=[4] * 6, stride=[2] * 6)
    model = import_generator(*save(tmp_path, Published(params), params))
    assert model.info.network.layers == ((4, 2, 2),) * 4 + ((4, 2, 3),)


@pytest.mark.parametrize(("depth", "hidden"), [(3, 2), (7, 6)])
def test_networks_of_other_depths_come_with_discriminators_that_fit(depth, hidden, tmp_path):
    params = lists(2, [3] * (depth - 1), kernel=[4] * depth, stride=[2] * depth, padding=[2] * (depth - 1) + [3])
    model = import_generator(*save(tmp_path, Published(params), params))
    assert len(model.info.network.channels) == depth - 1
    assert len(model.info.network.discriminator_channels) == hidden


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_lists_of_any_pickle_protocol_are_read(protocol, tmp_path):
    params = lists(2)
    weights, layers = save(tmp_path, Published(params), params)
    layers.write_bytes(pickle.dumps(params, protocol))
    assert import_generator(weights, layers).info.network.latent_channels == LATENT
