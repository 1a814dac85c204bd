"""One of several processes that make a step together; started by `test_parallel.py`.

    python -m tests.core.peer CASE FILE

Writes what the step has left in this process: losses, gradients, statistics, weights.
"""

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from napari_slicegan.core.config import TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.parallel.group import Group
from napari_slicegan.core.parallel.launch import together
from napari_slicegan.core.parallel.peers import ALONE, Call, Peers
from tests.core.conftest import blobs, small_network

PUBLISHED = TrainingConfig(discriminator_volumes=2, generator_volumes=4, real_crops=3)
QUICK = replace(
    PUBLISHED,
    normalization="running",
    crops="representative",
    slices_per_axis=5,
    wide_share=1.0,
    average=0.9,
    axes="alike",
    symmetry="auto",
    surface_tension=2.5,
)
#: What is trained: a recipe, how many images, and whether they are grey.
CASES = {
    "published": (PUBLISHED, 1, False),
    "uneven": (replace(PUBLISHED, discriminator_volumes=3, generator_volumes=5), 3, False),
    "few": (replace(PUBLISHED, discriminator_volumes=1, generator_volumes=1), 1, False),
    "quick": (QUICK, 1, False),
    "grey": (replace(QUICK, contrast="standard"), 2, True),
}


def step(case: str, peers: Peers = ALONE) -> dict[str, Any]:
    """Make both updates, the second of them from the state after the first, and tell what is left."""
    recipe, count, is_grey = CASES[case]
    images = [blobs((40, 40), phases=3, seed=seed) for seed in range(count)]
    if is_grey:
        data = TrainingData.from_images(*(np.uint8(60 * image + 40) for image in images), kind="grey")
    else:
        data = TrainingData.from_images(*images)
    gan = GAN(data, small_network(), recipe, torch.device("cpu"), peers)
    gan.tension.weights += 0.3
    gan.passes.most = 16  # in several passes
    losses = gan.update_discriminators()
    left = {f"critic {number} {key}": weight.grad for number, key, weight in _weights(gan)}
    losses |= gan.update_generator()
    left |= {key: weight.grad for key, weight in gan.generator.named_parameters()}
    left |= dict(gan.generator.named_buffers()) | losses
    return {key: value.clone() for key, value in left.items() if value is not None} | {"random": gan.rng.get_state()}


def _weights(gan: GAN) -> list[tuple[int, str, torch.nn.Parameter]]:
    return [(n, key, weight) for n, critic in enumerate(gan.critics) for key, weight in critic.named_parameters()]


if __name__ == "__main__":
    torch.set_num_threads(1)
    with together(0, "cpu", []) as group:
        torch.save(step(sys.argv[1], group), sys.argv[2])
        assert not isinstance(group, Group) or not group.rank or group.hear() is Call.END
