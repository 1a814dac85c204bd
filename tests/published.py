"""Generators of the published code and of MicroLib, stated anew from its list of layers; apart from the importer.

Weights are drawn, with contrast, and running statistics are those of some volumes, so that nothing is 0 or 1 by chance.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import Tensor, nn

TABLE_1 = {"kernel": [4] * 5, "stride": [2] * 5, "padding": [2, 2, 2, 2, 3]}
"""Layers of the generator: Table 1 of the paper, with as many channels as a test has time for."""
HIDDEN = [8, 6, 6, 6]
LATENT = 3


def lists(channels: int, hidden: list[int] = HIDDEN, **layers: list[int]) -> list[list[int]]:
    """What the published code pickles: kernels, strides, channels and paddings of the discriminator, then of G."""
    used = {**TABLE_1, **layers}
    critic = [[4] * 6, [2] * 6, [channels, 64, 128, 256, 512, 1], [1, 1, 1, 1, 0]]
    return [*critic, used["kernel"], used["stride"], [LATENT, *hidden, channels], used["padding"]]


class Published(nn.Module):
    """Transpose convolutions, each but the last with batch normalisation and ReLU; the last pair of norms is unused.

    With `rcconv`, in place of the last transpose convolution: cells are interpolated to one less than them, doubled,
    and convolved with 3 x 3 x 3, so that the size of the volume decides how far apart the points are.
    """

    def __init__(self, params: list[list[int]], end: str = "softmax", resized: bool = False) -> None:
        super().__init__()
        kernel, stride, widths, padding = params[4:]
        shapes = list(zip(widths, widths[1:], kernel, stride, padding, strict=False))
        self.convs = nn.ModuleList(nn.ConvTranspose3d(a, b, k, s, p, bias=False) for a, b, k, s, p in shapes)
        self.bns = nn.ModuleList(nn.BatchNorm3d(b) for _, b, *_ in shapes)
        self.end = end
        if resized:
            self.rcconv = nn.Conv3d(widths[-2], widths[-1], 3)

    def forward(self, z: Tensor) -> Tensor:
        """Volumes (B, C, Z, Y, X) of latent fields (B, latent channels, z, y, x)."""
        for number in range(len(self.convs) - 1):
            z = torch.relu(self.bns[number](self.convs[number](z)))
        if hasattr(self, "rcconv"):
            size = tuple(2 * (n - 1) for n in z.shape[2:])
            z = self.rcconv(nn.functional.interpolate(z, size=size, mode="trilinear", align_corners=False))
        else:
            z = self.convs[-1](z)
        return z.softmax(1) if self.end == "softmax" else 0.5 * (z.tanh() + 1)


def a_generator(params: list[list[int]], end: str = "softmax", resized: bool = False) -> Published:
    """One with contrast, and with running statistics of its own."""
    before = torch.random.get_rng_state()
    torch.manual_seed(1)
    generator = Published(params, end, resized)
    with torch.no_grad():
        for norm in generator.bns:
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.uniform_(-0.2, 0.2)
        for _ in range(5):
            generator(torch.randn(1, params[6][0], 4, 4, 4))
        last, outputs = generator.rcconv if resized else generator.convs[-1], []
        watch = last.register_forward_hook(lambda _module, _given, made: outputs.append(made))
        generator.eval()(torch.randn(1, params[6][0], 4, 4, 4))
        watch.remove()
        mean = outputs[0].mean((2, 3, 4), keepdim=True)  # (1, C, 1, 1, 1)
        spread = (outputs[0] - mean).std()
        last.weight.div_(spread)
        if resized:  # so that a tanh is not at its end everywhere
            last.bias.copy_(last.bias - (mean.flatten() - last.bias) / spread)
    torch.random.set_rng_state(before)
    return generator.eval()


def save(
    folder: Path, generator: Published, params: list[list[int]], prefix: str = "", old: bool = False
) -> tuple[Path, Path]:
    """The two files that the published code leaves."""
    state = type(generator.state_dict())((prefix + name, value) for name, value in generator.state_dict().items())
    weights, layers = folder / "nmc_Gen.pt", folder / "nmc_params.data"
    torch.save(state, weights, _use_new_zipfile_serialization=not old)
    layers.write_bytes(pickle.dumps(params))
    return weights, layers
