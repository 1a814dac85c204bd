"""The moving average of a generator's weights."""

import pytest
import torch

from napari_slicegan.core.averaging import measure_statistics, moving_average
from napari_slicegan.core.networks import Generator
from tests.core.conftest import small_network


@pytest.mark.parametrize(
    ("part", "look_back"),
    [(0.0, [1, 2, 2, 2, 2, 2, 2, 2]), (0.5, [1, 2, 2, 2.5, 3, 3.5, 4, 4.5]), (1.0, [1, 2, 3, 4, 5, 6, 7, 8])],
)
def test_an_average_looks_back_over_so_many_updates(part, look_back):
    generator = Generator(small_network(), torch.Generator().manual_seed(0))
    average, expected = moving_average(generator, decay=0.5, part=part), 0.0
    for update, horizon in enumerate(look_back):
        for weights in generator.parameters():
            weights.data.fill_(update**2)
        average.update_parameters(generator)
        expected += (update**2 - expected) / horizon
        for weights in average.module.parameters():
            torch.testing.assert_close(weights, torch.full_like(weights, expected))


def test_statistics_are_those_of_evaluation_in_every_layer():
    """Also of batches of one volume, whose own statistics differ."""
    generator = Generator(small_network(), torch.Generator().manual_seed(0))
    latents = torch.randn(6, 4, 4, 4, 4, generator=torch.Generator().manual_seed(1)) * torch.arange(1, 7).view(
        6, 1, 1, 1, 1
    )
    measure_statistics(generator, latents.split(1))
    seen = {}
    for number, norm in enumerate(generator.norms):
        norm.register_forward_hook(
            lambda norm, _inputs, output, number=number: seen.update({number: (norm, output.clone())})
        )
    generator.eval()(latents)
    for norm, output in seen.values():
        torch.testing.assert_close(output.mean((0, 2, 3, 4)), norm.bias, atol=1e-5, rtol=0)
        torch.testing.assert_close(output.std((0, 2, 3, 4)), norm.weight, atol=1e-3, rtol=0)
    assert len(seen) == len(generator.norms) > 1
