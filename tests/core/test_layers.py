"""The layers that are computed in another form, against torch's own."""

import pytest
import torch
from torch import nn

from napari_slicegan.core.layers import FoldedConvolution, InterleavedTranspose, ReturningConvolution
from napari_slicegan.core.networks import Discriminator
from tests.core.conftest import tiny_network


def copied(layer, kind):
    """A layer of another kind with the same weights."""
    made = kind(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,
        layer.stride,
        layer.padding,
        bias=layer.bias is not None,
    ).double()
    made.load_state_dict(layer.state_dict())
    return made


def results(layer, x, direction) -> list[torch.Tensor]:
    """What a layer gives, and the gradients for its inputs and its weights."""
    x = x.clone().requires_grad_()
    y = layer(x)
    return [y, *torch.autograd.grad((y * direction).sum(), [x, *layer.parameters()])]


@pytest.mark.parametrize(
    ("layer", "inputs"), [((4, 2, 3), 7), ((4, 2, 2), 5), ((6, 3, 3), 4), ((6, 2, 4), 6), ((6, 2, 6), 9)]
)
@pytest.mark.parametrize("count", [1, 2])
def test_a_transpose_convolution_as_an_ordinary_one(layer, inputs, count):
    plain = nn.ConvTranspose3d(5, 3, *layer, bias=False).double()
    x = torch.randn(count, 5, inputs, inputs + 1, inputs + 3, dtype=torch.float64)
    direction = torch.randn_like(plain(x))
    for one, other in zip(
        results(plain, x, direction), results(copied(plain, InterleavedTranspose), x, direction), strict=True
    ):
        torch.testing.assert_close(one, other)


def test_many_inputs_of_a_single_volume_are_interleaved_as_well():
    plain = nn.ConvTranspose3d(60, 2, 4, 2, 3, bias=False).double()
    x = torch.randn(1, 60, 20, 20, 20, dtype=torch.float64)
    torch.testing.assert_close(copied(plain, InterleavedTranspose)(x), plain(x))


@pytest.mark.parametrize("size", [(16, 16), (15, 16), (27, 27)])
@pytest.mark.parametrize("has_bias", [False, True])
def test_a_convolution_of_folded_images(size, has_bias):
    plain = nn.Conv2d(3, 8, 4, 2, 1, bias=has_bias).double()
    folded = copied(plain, FoldedConvolution)
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    direction = torch.randn_like(plain(x))
    for one, other in zip(results(plain, x, direction), results(folded, x, direction), strict=True):
        torch.testing.assert_close(one, other)
    torch.testing.assert_close(folded(x), plain(x))  # and where no gradient of the images is wanted


@pytest.mark.parametrize("kind", [FoldedConvolution, ReturningConvolution])
@pytest.mark.parametrize("size", [(16, 16), (15, 17)])
def test_layers_are_gone_through_the_other_way(kind, size):
    layer = kind(3, 8, 4, 2, 1).double()
    x = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    y = layer(x)
    slopes = torch.randn_like(y).requires_grad_()
    (expected,) = torch.autograd.grad(y, x, slopes)
    torch.testing.assert_close(layer.returned(slopes, x.shape[2:]), expected)
    assert torch.autograd.gradcheck(lambda each, _weight: layer.returned(each, x.shape[2:]), (slopes, layer.weight))


@pytest.mark.parametrize("kind", ["table 1", "6 3 3"])
@pytest.mark.parametrize("has_bias", [False, True])
def test_slopes_of_a_discriminator_are_what_torch_differentiates(kind, has_bias):
    critic = Discriminator(tiny_network(kind), torch.Generator().manual_seed(0), has_bias).double()
    images = torch.rand(3, 3, *[tiny_network(kind).edge] * 2, dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    found = critic.slopes(images.detach())
    torch.testing.assert_close(found, expected)
    weights = [weight for weight in critic.parameters() if weight.ndim == 4]
    by_torch = torch.autograd.grad(expected.square().sum(), weights)
    for one, other in zip(torch.autograd.grad(found.square().sum(), weights), by_torch, strict=True):
        torch.testing.assert_close(one, other)
