"""The networks against the paper's numbers and against what their topology promises."""

from dataclasses import replace

import pytest
import torch

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.geometry import Geometry
from napari_slicegan.core.networks import Discriminator, Generator, draw_weights
from tests.core.conftest import SETS, tiny_network


def a_generator(config: NetworkConfig) -> Generator:
    """A generator with sharp outputs and running statistics that are not the initial ones."""
    rng = torch.Generator().manual_seed(0)
    generator = Generator(config, rng)
    for _ in range(3):
        generator(torch.randn(2, config.latent_channels, *(config.geometry.latent_edge,) * 3, generator=rng))
    for weight in generator.layers[-1].parameters():
        weight.data.mul_(20)
    return generator.eval()


def parameters(network) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_parameter_counts_of_table_1():
    assert parameters(Generator(NetworkConfig())) == 13_121_408
    assert parameters(Discriminator(NetworkConfig())) == 2_763_776


def test_edges_of_table_1_inside_the_generator():
    edges = []
    generator = Generator(tiny_network(), torch.Generator())
    for layer in generator.layers:
        layer.register_forward_hook(lambda _module, _inputs, output: edges.append(output.shape[-1]))
    generator(torch.zeros(1, 4, 4, 4, 4))
    assert edges == [6, 10, 18, 34, 64]


@pytest.mark.parametrize("kind", SETS)
def test_training_cube_and_discriminator_fit(kind):
    config = tiny_network(kind)
    edge = config.edge
    latent = torch.randn(2, 4, *(config.geometry.latent_edge,) * 3)
    cube = Generator(config, torch.Generator())(latent)
    assert cube.shape == (2, 3, edge, edge, edge)
    assert Discriminator(config, torch.Generator())(cube[:, :, 0]).shape == (2,)


def test_defect_01_phases_are_probabilities():
    latent = torch.randn(1, 4, 4, 4, 4, generator=torch.Generator().manual_seed(1))
    phases = a_generator(tiny_network())(latent)
    torch.testing.assert_close(phases.sum(dim=1), torch.ones(1, 64, 64, 64))


@pytest.mark.parametrize(("kind", "channels"), [(OutputKind.GREY, 1), (OutputKind.COLOUR, 3)])
def test_defect_06_grey_and_colour_are_intensities_of_their_own(kind, channels):
    latent = torch.randn(1, 4, 4, 4, 4, generator=torch.Generator().manual_seed(1))
    values = a_generator(tiny_network(output=kind, image_channels=channels))(latent)
    assert values.shape[1] == channels
    assert 0 <= values.min() < values.max() <= 1
    assert values.std() > 1e-3  # a softmax over one channel is 1 everywhere
    assert (values.sum(dim=1) - 1).abs().max() > 1e-2


@pytest.mark.parametrize("kind", SETS)
def test_tiles_are_exactly_parts_of_the_large_pass(kind):
    config = tiny_network(kind)
    generator, geometry = a_generator(config), config.geometry
    m, scale = geometry.overlap, geometry.scale
    latent = torch.randn(1, 4, m + 4, m + 2, m + 3, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        whole = generator(latent)
        assert whole.shape[2:] == (4 * scale, 2 * scale, 3 * scale)
        part = generator(latent[:, :, 1 : 3 + m, 1:, : 2 + m])
    expected = whole[:, :, scale : 3 * scale, scale:, : 2 * scale]
    torch.testing.assert_close(part, expected, rtol=1e-5, atol=1e-6)
    assert part.std() > 1e-3


@pytest.mark.parametrize("kind", SETS)
def test_defect_10_oblong_latents_give_oblong_volumes(kind):
    config = tiny_network(kind)
    m, scale = config.geometry.overlap, config.geometry.scale
    volume = a_generator(config)(torch.randn(1, 4, m + 1, m + 2, m + 3))
    assert volume.shape[2:] == (scale, 2 * scale, 3 * scale)


def test_a_latent_cell_reaches_the_voxels_of_the_derivation():
    generator = a_generator(tiny_network())
    latent = torch.randn(1, 4, 7, 3, 3, generator=torch.Generator().manual_seed(3))
    moved = latent.clone()
    moved[:, :, 3] += 1
    with torch.no_grad():
        changed = (generator(latent) - generator(moved)).abs().amax(dim=(0, 1, 3, 4)) > 0
    positions = changed.nonzero().flatten()
    assert positions[0] >= 32 * (3 - 2) + 1
    assert positions[-1] <= 32 * 3 + 30


@pytest.mark.parametrize("kind", SETS)
def test_the_discriminators_gradient_reaches_every_voxel(kind):
    config = tiny_network(kind, discriminator_channels=(8, 8, 8, 8))
    critic = Discriminator(config, torch.Generator().manual_seed(0))
    images = torch.rand(16, 3, config.edge, config.edge, generator=torch.Generator().manual_seed(1), requires_grad=True)
    (gradient,) = torch.autograd.grad(critic(images).sum(), images)
    assert (gradient.abs().sum(dim=(0, 1)) > 0).all()


def test_weights_depend_on_the_generator_of_random_numbers_alone():
    def weights(seed):
        return Generator(tiny_network(), torch.Generator().manual_seed(seed)).layers[0].weight

    torch.manual_seed(0)
    first = weights(5)
    torch.manual_seed(1)
    assert torch.equal(first, weights(5))
    assert not torch.equal(first, weights(6))


def test_weights_are_drawn_on_the_cpu_for_networks_anywhere(monkeypatch):
    """A generator of random numbers of the CPU draws for no other device."""
    draw, devices = torch.Tensor.uniform_, set()

    def listened(self, *arguments, **options):
        devices.add(self.device.type)
        return draw(self, *arguments, **options)

    monkeypatch.setattr(torch.Tensor, "uniform_", listened)
    draw_weights(Generator(tiny_network()).to("meta"), torch.Generator().manual_seed(5))
    assert devices == {"cpu"}


def test_information_density_is_uniform():
    """With equal weights and inputs every voxel gets the same: no checkerboard."""
    for kind in ("table 1", "6 3 3", "6 2 4"):
        config = replace(tiny_network(kind), output=OutputKind.GREY, image_channels=1)
        generator = Generator(config, torch.Generator()).eval()
        for layer in generator.layers:
            layer.weight.data.fill_(0.01)
        edge = config.geometry.latent_edge
        volume = generator(torch.ones(1, 4, edge, edge, edge))
        assert volume.std() < 1e-5, kind


def test_geometry_of_a_config_is_that_of_its_layers():
    assert NetworkConfig().geometry == Geometry(NetworkConfig().layers)
