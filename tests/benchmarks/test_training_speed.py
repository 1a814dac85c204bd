"""The fast updates make the steps of the published ones."""

from dataclasses import replace

import pytest
import torch

from benchmarks.plain_loop import PlainLoop
from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.gan import GAN
from tests.core.conftest import blobs


@pytest.mark.parametrize("volumes", [(1, 2), (2, 3)])
def test_losses_and_steps_are_those_of_the_published_loop(volumes):
    data = TrainingData.from_labels(blobs((80, 80), phases=3))
    network = NetworkConfig(channels=(8, 8, 6, 4), latent_channels=4, discriminator_channels=(4, 6, 8, 8))
    few = {"discriminator_volumes": volumes[0], "generator_volumes": volumes[1], "real_crops": 5}
    gan = GAN(data, network, replace(TrainingConfig(), **few), torch.device("cpu"))
    plain = PlainLoop(gan, data)
    for name in 2 * ["update_discriminators", "update_discriminators", "update_generator"]:
        expected, found = getattr(plain, name)(), getattr(gan, name)()
        assert expected.keys() == found.keys()
        for loss, value in expected.items():
            torch.testing.assert_close(found[loss], value, rtol=1e-4, atol=1e-6, msg=f"{loss} of {name}")
    assert torch.equal(plain.rng.get_state(), gan.rng.get_state())
    for one, other in ((plain.generator, gan.generator), (plain.critic, gan.discriminators[0])):
        steps = one.state_dict()
        for key, value in other.state_dict().items():
            if value.is_floating_point() and key in steps:
                apart = (
                    value - steps[key]
                ).abs() > 2e-5  # of steps of 1e-4, whose signs may differ where gradients vanish
                assert apart.float().mean() < 0.01, key
