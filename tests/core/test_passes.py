"""Images through discriminators in parts: the same gradients, and no work that nobody needs."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from napari_slicegan.core.choices import Precision
from napari_slicegan.core.losses import gradient_penalty
from napari_slicegan.core.networks import Discriminator
from napari_slicegan.core.passes import Passes, bytes_of_an_image
from tests.core.conftest import small_network

CPU = torch.device("cpu")


@pytest.fixture
def critic():
    return Discriminator(small_network(), torch.Generator().manual_seed(0)).double()


@pytest.fixture
def images():
    """Real, fake and mixed ones."""
    random = torch.Generator().manual_seed(1)
    return [torch.rand(n, 3, 16, 16, dtype=torch.float64, generator=random) for n in (5, 9, 4)]


def passes_of(most, precision=Precision.EXACT) -> Passes:
    made = Passes(small_network(), CPU, precision)
    made.most = most
    return made


def gradients(critic) -> list[torch.Tensor]:
    return [weight.grad for weight in critic.parameters()]


@pytest.mark.parametrize("most", [1, 4, 100])
def test_parts_add_up_to_the_gradients_of_the_published_loss(most, critic, images):
    real, fake, mixed = images
    mixed.requires_grad_()
    (slopes,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
    distance, penalty = critic(real).mean() - critic(fake).mean(), gradient_penalty(slopes)
    loss = 10 * penalty - distance
    expected = torch.autograd.grad(loss, list(critic.parameters()))
    losses = passes_of(most).learn(critic, real, fake, mixed.detach(), 10)
    found = [losses[name] for name in ("critic_distance", "penalty", "discriminator_loss")]
    for one, other in zip((*expected, distance, penalty, loss), (*gradients(critic), *found), strict=True):
        torch.testing.assert_close(one.detach(), other.to(one.dtype), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("most", [1, 4, 100])
def test_the_generators_part_of_the_gradients(most, critic, images):
    slices = images[1].requires_grad_()
    expected = -0.3 * critic(slices).mean()
    (gradient,) = torch.autograd.grad(expected, slices)
    loss, found = passes_of(most).judge(critic, slices, 0.3)
    torch.testing.assert_close(loss.to(expected.dtype), expected.detach(), rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(found, gradient, rtol=1e-5, atol=1e-9)
    assert gradients(critic) == [None] * len(gradients(critic))


class Counting(TorchDispatchMode):
    """Counts convolutions: forth, back to inputs, and to weights."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = [0, 0, 0]

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.convolution.default:
            self.counts[0] += 1
        if func is torch.ops.aten.convolution_backward.default:
            inputs, weights, _ = args[-1]
            self.counts[1] += inputs
            self.counts[2] += weights
        return func(*args, **(kwargs or {}))


def test_nothing_is_computed_that_nobody_needs(critic, images):
    layers = len(critic.layers)
    with Counting() as judged:
        passes_of(100).judge(critic, images[1], 1.0)
    assert judged.counts == [layers, layers, 0]
    with Counting() as learnt:
        passes_of(100).learn(critic, *images, 10)
    # Forth and back for weights and, but for the images, for inputs; then the penalty: forth but for the last layer,
    # whose outputs do not matter, back, and that differentiated.
    hidden = layers - 1
    assert learnt.counts == [layers + 2 * hidden, hidden + hidden, layers + hidden]


def test_sixteen_bits_give_nearly_the_same_gradients_of_32(critic, images):
    critic, images = critic.float(), [each.float() for each in images]
    passes_of(100).learn(critic, *images, 10)
    exact = [weight.clone() for weight in gradients(critic)]
    critic.zero_grad()
    passes_of(100, Precision.FAST).learn(critic, *images, 10)
    for one, other in zip(exact, gradients(critic), strict=True):
        assert other.dtype is torch.float32
        assert 0 < (one - other).norm() < 0.05 * one.norm()


def test_a_graphics_card_takes_as_many_images_as_its_free_memory_allows(monkeypatch):
    network, device = small_network(), torch.device("cuda")
    monkeypatch.setattr("napari_slicegan.core.passes.free_bytes", lambda _: 4000 * bytes_of_an_image(network))
    assert Passes(network, device, Precision.EXACT).most == 1000
    monkeypatch.setattr("napari_slicegan.core.passes.free_bytes", lambda _: 0)
    assert Passes(network, device, Precision.EXACT).most == Passes(network, CPU, Precision.EXACT).most == 64
